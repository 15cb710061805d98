# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# What a PRI channel costs trunkd on DAHDI, and how long its audio takes (run --icount): two spans back to back, the
# exchange at the other one.
. "$VM_TESTS/guest/span.sh"
ok "DAHDI loads" modprobe dahdi auto_assign_spans=1
ok "dahdi_dynamic_loc loads" modprobe dahdi_dynamic_loc
ok "two E1 with D-channels" configure \
	'dynamic=loc,1:0,31,0\ndynamic=loc,1:1,31,0\nbchan=1-15,17-31,32-46,48-62\ndchan=16,47'
warm "$BUILD"/release/{trunkd,exchange}
python3 "$VM_TESTS/guest/bench-stack.py" || failures=1
python3 "$VM_TESTS/guest/bench-delay.py" || failures=1
done_testing
