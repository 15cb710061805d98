# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1 --card e1,open --card e1
# Two cards on one interrupt line: both carry data, and what befalls one leaves
# the other's data whole: all ones with the line held, then pulled out.
. "$VM_TESTS/guest/span.sh"

addresses=($(grep -l 0xe159 /sys/bus/pci/devices/*/vendor | xargs -n 1 dirname | xargs -n 1 basename | sort))
first=/sys/bus/pci/devices/${addresses[0]}
third=/sys/bus/pci/devices/${addresses[2]}
at_least() { [ "$(cat "$1")" -ge "$2" ]; }
both() {
	"$span_test" data 1 31 4000 loop >/tmp/first &
	"$span_test" data 63 31 4000 loop >/tmp/third && wait $!
}

ok "the driver comes up" load_driver settle_ms=300
ok "dahdi_cfg configures all" configure \
	'span=1,1,0,ccs,hdb3,crc4\nbchan=1-31\nspan=2,0,0,ccs,hdb3,crc4\nbchan=32-62\nspan=3,0,0,ccs,hdb3,crc4\nbchan=63-93'
is "the first and the third share a line" "$(cat "$first/irq")" "$(cat "$third/irq")"
setup=$VM_TESTS/../../tools/trunk-setup/trunk-setup
shared() { "$setup" check --seconds 0 | grep -q "^warning: card $(basename "$1") .*interrupt .* is shared with tl_t1e1"; }
ok "trunk-setup tells so of the first" shared "$first"
ok "and of the third" shared "$third"
ok "the first has no alarm" "$span_test" wait-alarms 1 OK 60
ok "the third has no alarm" "$span_test" wait-alarms 3 OK 60
ok "the second, with nothing plugged in, is red" "$span_test" wait-alarms 2 RED 60
ok "all timeslots of both are byte-exact" both
"$span_test" data 63 31 16000 loop >/tmp/third &
busy=$!
card @0 registers ones on >/dev/null
ok "the first reads all ones, its interrupt held" eventually 20 at_least "$first/t1e1/status_dead" 16
card @0 unplug >/dev/null
ok "it is pulled out and red" "$span_test" wait-alarms 1 RED 60
ok "all timeslots of the third stay byte-exact" wait $busy
ok "and are so afterwards" "$span_test" data 63 31 4000 loop
ok "the driver unloads" rmmod tl_t1e1
is "the kernel did not give up the interrupt" "$(dmesg | grep -c 'nobody cared')" 0
done_testing
