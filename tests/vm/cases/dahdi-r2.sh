# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --icount --timeout 1800
# MFC/R2 over DAHDI: trunkd at one end of four lines, the exchange at the other, four countries at a time.
. "$VM_TESTS/guest/span.sh"

spans=
for line in 1 2 3 4; do
	spans="${spans}dynamic=loc,$line:0,31,0\ndynamic=loc,$line:1,31,0\n"
done
for first in 0 31 62 93 124 155 186 217; do
	spans="${spans}cas=$((first + 1))-$((first + 15)):1101\ncas=$((first + 17))-$((first + 31)):1101\n"
done
ok "DAHDI loads" modprobe dahdi auto_assign_spans=1
ok "dahdi_dynamic_loc loads" modprobe dahdi_dynamic_loc
ok "eight E1 with CAS, four lines" configure "$spans"
warm "$BUILD"/release/{trunkd,exchange}
python3 "$VM_TESTS/guest/dahdi-r2.py" || failures=1
done_testing
