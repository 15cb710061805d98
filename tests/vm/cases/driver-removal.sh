# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1 --card t1
# A card goes while its channels are in use: first pulled out, then told to PCI;
# then removed while it still answers. The other card does not notice.
. "$VM_TESTS/guest/span.sh"

t1e1() { cat "/sys/bus/pci/devices/$1/t1e1/$2"; }
said() { dmesg | grep -q "$1"; }
gone() { [ ! -e "/sys/bus/pci/devices/$1" ]; }
at_least() { [ "$(t1e1 "$1" milliseconds)" -ge "$2" ]; }
# pass CARD MS: of line time.
pass() { local was; was=$(t1e1 "$1" milliseconds); eventually 60 at_least "$1" $((was + $2)); }
busy_channels() { grep -c 'In use' "/proc/dahdi/$1"; }
all_busy() { [ "$(busy_channels 1)" = 31 ] && [ "$(busy_channels 2)" = 24 ]; }
addresses=($(grep -l 0xe159 /sys/bus/pci/devices/*/vendor | xargs -n 1 dirname | xargs -n 1 basename | sort))

ok "the driver comes up" load_driver settle_ms=300
ok "dahdi_cfg configures both" configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-31\nspan=2,0,0,esf,b8zs\nbchan=32-55'
ok "the E1 has no alarm" "$span_test" wait-alarms 1 OK 60
ok "the T1 has no alarm" "$span_test" wait-alarms 2 OK 60

"$span_test" data 1 31 100000000 loop >/tmp/cut 2>&1 &
busy=$!
"$span_test" data 32 24 48000 loop >/tmp/other 2>&1 &
other=$!
ok "all channels of both are busy" eventually 60 all_busy
pass "${addresses[0]}" 300
card @0 unplug >/dev/null
ok "a card pulled out makes its span red" "$span_test" wait-alarms 1 RED 60
ok "it is said" eventually 10 said 'the card does not answer any more'
echo 1 >"/sys/bus/pci/devices/${addresses[0]}/remove"
ok "its device is gone" gone "${addresses[0]}"
ok "its user is told" eventually 40 sh -c "! kill -0 $busy 2>/dev/null"
ok "the other card's 24 timeslots stay byte-exact" wait $other

sleep 600 | "$span_test" hold 35 >/dev/null &
echo 1 >"/sys/bus/pci/devices/${addresses[1]}/remove"
ok "a card removed in good health is gone" gone "${addresses[1]}"

card @0 plug >/dev/null
echo 1 >/sys/bus/pci/rescan
ok "both come back by a rescan" eventually 20 [ -e "/sys/bus/pci/drivers/tl_t1e1/${addresses[1]}" ]
ok "dahdi_cfg configures both again" configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-31\nspan=2,0,0,esf,b8zs\nbchan=32-55'
ok "the first has no alarm" "$span_test" wait-alarms 1 OK 60
ok "the second has no alarm" "$span_test" wait-alarms 2 OK 60
ok "all 31 timeslots of the card put back are byte-exact" "$span_test" data 1 31 4000 loop
is "each of its interrupts has come" "$(t1e1 "${addresses[0]}" interrupts_lost)" 0
ok "and so are the other's 24" "$span_test" data 32 24 4000 loop
ok "the driver unloads" rmmod tl_t1e1
done_testing
