# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --icount --timeout 1800
# CAS over DAHDI: trunkd between two lines of the exchange, every signalling, numbers both ways, T1 and then E1.
. "$VM_TESTS/guest/span.sh"

# lines SLOTS SYSTEM_CONF: two of them.
lines() {
	configure "dynamic=loc,1:0,$1,0\ndynamic=loc,1:1,$1,0\ndynamic=loc,2:0,$1,0\ndynamic=loc,2:1,$1,0\n$2"
}
ok "DAHDI loads" modprobe dahdi auto_assign_spans=1
ok "dahdi_dynamic_loc loads" modprobe dahdi_dynamic_loc
warm "$BUILD"/release/{trunkd,exchange}
ok "four T1, two lines" lines 24 'cas=1-96:0000\n'
python3 "$VM_TESTS/guest/dahdi-cas.py" T1 || failures=1
dahdi_cfg -s
ok "four E1, two lines" lines 31 \
	'cas=1-15:0001\ncas=17-31:0001\ncas=32-46:0001\ncas=48-62:0001\ncas=63-77:0001\ncas=79-93:0001\ncas=94-108:0001\ncas=110-124:0001\n'
python3 "$VM_TESTS/guest/dahdi-cas.py" E1 || failures=1
done_testing
