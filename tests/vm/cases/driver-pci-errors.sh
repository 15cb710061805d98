# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1
# Errors of PCI while all timeslots are busy, told to the driver as the kernel's
# PCI core would: the span goes red and comes back with its data; a failure for
# good is one. The slot's reset takes the card's power away, as real ones do.
. "$VM_TESTS/guest/span.sh"

errors=/sys/module/pci_errors/parameters/tell
address=$(basename "$(dirname "$(grep -l 0xe159 /sys/bus/pci/devices/*/vendor)")")

tell() { echo "$address $1" >$errors; }
answers() { tell "$1" && same "$(cat $errors)" "$2"; }
t1e1() { cat "/sys/bus/pci/devices/$address/t1e1/$1"; }
at_least() { [ "$(t1e1 "$1")" -ge "$2" ]; }
still() { local was; was=$(t1e1 milliseconds); sleep 0.3; same "$(t1e1 milliseconds)" "$was"; }
busy() {
	"$span_test" data 1 31 100000000 loop >/tmp/busy 2>&1 &
	holder=$!
	eventually 20 at_least milliseconds $(($(t1e1 milliseconds) + 300))
}
exact() { "$span_test" data 1 31 4000 loop >/tmp/data; }
idle() { kill $holder; wait $holder; }

# recovers NAME STEP BEFORE: from the error, and what the card does BEFORE it is told, to data again.
recovers() {
	local name=$1
	ok "$name: all timeslots are busy" busy
	[ -z "$3" ] || card "$3" >/dev/null
	ok "$name: the driver asks for a reset" answers "$2" need-reset
	ok "$name: octets stand still" still
	is "$name: the span is red meanwhile" "$("$span_test" alarms 1)" RED
	card unplug >/dev/null
	card plug >/dev/null
	ok "$name: after the reset it says the card is well" answers reset recovered
	ok "$name: it takes up its work" tell resume
	ok "$name: no alarm" "$span_test" wait-alarms 1 OK 60
	idle
	ok "$name: all 31 timeslots are byte-exact again" exact
}

ok "the driver comes up" load_driver settle_ms=300 stall_ms=500
ok "the module that tells of errors loads" insmod "$BUILD/vm-modules/pci-errors.ko"
ok "dahdi_cfg configures the span" configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-31'
ok "no alarm" "$span_test" wait-alarms 1 OK 60
recovers "an error, the card still answering" normal ""
recovers "a frozen slot" frozen unplug
recovers "a frozen slot, the card still answering" frozen ""

card unplug >/dev/null
ok "dead after reset: the driver asks for a reset" answers frozen need-reset
ok "dead after reset: it gives up" answers reset disconnect
card plug >/dev/null
ok "alive at the second try" answers reset recovered
card registers ones on >/dev/null
ok "the framer is dead when work is to be taken up" tell resume
is "so the span stays red" "$("$span_test" alarms 1)" RED
not_ok "and channels are refused" "$span_test" hold 5 </dev/null
card registers ones off >/dev/null
echo "$address" >/sys/bus/pci/drivers/tl_t1e1/unbind
echo "$address" >/sys/bus/pci/drivers/tl_t1e1/bind
ok "bound anew, dahdi_cfg configures the span" configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-31'
ok "bound anew, no alarm" "$span_test" wait-alarms 1 OK 60

ok "a failure for good: the channels are busy" busy
ok "a failure for good: the driver lets go" answers failure disconnect
is "a failure for good: the span is red" "$("$span_test" alarms 1)" RED
idle
not_ok "a failure for good: channels are refused" "$span_test" hold 5 </dev/null
ok "the driver unloads" rmmod tl_t1e1
is "the kernel did not give up the interrupt" "$(dmesg | grep -c 'nobody cared')" 0
done_testing
