# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1 --far-end e1 --card t1 --far-end t1
# Every framing and line code dahdi_cfg may ask for reaches the framer as it
# should, the running span changes without a restart, and data passes.
. "$VM_TESTS/guest/span.sh"

falc() { card "@$1" peek falc "$2"; }
# frames NAME E1-FMR0 E1-FMR1 E1-FMR2 T1-FMR0 T1-FMR4 T1-LIM2 E1-LINE T1-LINE
frames() {
	local name=$1
	ok "$name: dahdi_cfg configures" configure "span=1,1,0,$8\nbchan=1-15,17-31\ndchan=16\nspan=2,0,$9\nbchan=32-55"
	ok "$name: the E1 has no alarm" "$span_test" wait-alarms 1 OK 60
	ok "$name: the T1 has no alarm" "$span_test" wait-alarms 2 OK 60
	ok "$name: the E1 passes data" "$span_test" data 1 15 2000
	ok "$name: the T1 passes data" "$span_test" data 32 24 2000
	# Now that octets flow: until then the driver sends AIS, which is in the same register.
	is "$name: the E1's framer" "$(falc 0 1c) $(falc 0 1d) $(falc 0 1e)" "$2 $3 $4"
	is "$name: the T1's framer" "$(falc 1 1c) $(falc 1 20) $(falc 1 3a)" "$5 $6 $7"
}

ok "the driver comes up" load_driver settle_ms=300
frames "HDB3 and ESF" f0 0c c3 f0 0e 21 ccs,hdb3,crc4 0,esf,b8zs
frames "AMI and D4" a0 04 03 a0 0c 21 ccs,ami 0,d4,ami
frames "no CRC-4, 7.5 dB" f0 04 03 f0 0e 61 ccs,hdb3 5,esf,b8zs
frames "15 dB" f0 0c c3 f0 0e a1 ccs,hdb3,crc4 6,esf,b8zs
frames "22.5 dB" f0 0c c3 f0 0e e1 ccs,hdb3,crc4 7,esf,b8zs
is "the E1's clock is recovered" "$(cat /sys/bus/pci/drivers/tl_t1e1/*/t1e1/clock | head -1)" recovered
is "the T1's is the card's own" "$(cat /sys/bus/pci/drivers/tl_t1e1/*/t1e1/clock | tail -1)" internal
is "so the CPLDs were told" "$(card @0 peek cpld 0) $(card @1 peek cpld 0)" "05 04"
is "one of them is DAHDI's timing source" "$(grep -l MASTER /proc/dahdi/* | wc -l)" 1
done_testing
