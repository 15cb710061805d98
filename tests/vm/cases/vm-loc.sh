# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --icount
# Plain DAHDI without a card: two spans back to back (dahdi_dynamic_loc).
. "$VM_TESTS/guest/span.sh"

ok "DAHDI loads" modprobe dahdi auto_assign_spans=1
ok "dahdi_dynamic_loc loads" modprobe dahdi_dynamic_loc
ok "dahdi_cfg makes two spans" configure \
	'dynamic=loc,1:0,31,0\ndynamic=loc,1:1,31,0\nbchan=1-62\n'
warm "$span_test"
"$span_test" data 1 31 8000 loop >/tmp/near &
ok "31 channels arrive byte-exact one way" "$span_test" data 32 31 8000 loop
ok "31 channels arrive byte-exact the other way" wait $!
cat /tmp/near
done_testing
