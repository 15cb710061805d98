# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --icount --timeout 1800
# PRI calls over DAHDI: both sides in one program, and a whole trunkd between two lines.
. "$VM_TESTS/guest/span.sh"

ok "DAHDI loads" modprobe dahdi auto_assign_spans=1
ok "dahdi_dynamic_loc loads" modprobe dahdi_dynamic_loc
ok "four E1, two lines" configure \
	'dynamic=loc,1:0,31,0\ndynamic=loc,1:1,31,0\ndynamic=loc,2:0,31,0\ndynamic=loc,2:1,31,0\nbchan=1-15,17-31,32-46,48-62,63-77,79-93,94-108,110-124\ndchan=16,47,78,109\n'
warm "$BUILD"/release/{trunkd,exchange}
python3 "$VM_TESTS/guest/dahdi-pri.py" || failures=1
done_testing
