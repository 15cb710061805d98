# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1
# A card that fails to answer while it is taken: everything is undone, and the
# next try works.
. "$VM_TESTS/guest/span.sh"

said() { dmesg | grep -q "$1"; }
bound() { [ -e /sys/bus/pci/drivers/tl_t1e1/"$1" ]; }

modprobe dahdi auto_assign_spans=1
address=$(basename "$(dirname "$(grep -l 0xe159 /sys/bus/pci/devices/*/vendor)")")
card registers ones on >/dev/null
ok "the module loads with a dead card" insmod "$BUILD/driver/tl_t1e1.ko"
not_ok "the dead card is not taken" bound "$address"
ok "with the reason" said 'the framer does not answer'
is "its interrupt is given back" "$(grep -c tl_t1e1 /proc/interrupts)" 0
is "its ports are given back" "$(grep -c tl_t1e1 /proc/ioports)" 0
card registers ones off >/dev/null
echo "$address" >/sys/bus/pci/drivers/tl_t1e1/bind
ok "the living card is taken" bound "$address"
ok "dahdi_cfg configures the span" configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-31'
ok "no alarm" "$span_test" wait-alarms 1 OK 60
for round in 1 2 3 4 5; do
	echo "$address" >/sys/bus/pci/drivers/tl_t1e1/unbind
	not_ok "round $round: let go" bound "$address"
	echo "$address" >/sys/bus/pci/drivers/tl_t1e1/bind
	ok "round $round: taken again" bound "$address"
done
is "cards keep their numbers" "$(dahdi_scan | sed -n 's/^name=//p')" TLT1E1/0
done_testing
