# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1
# Loading, unloading, and what must not be: unload while open, a line nobody
# knows, two drivers for a card.
. "$VM_TESTS/guest/span.sh"

sends_ais() { [ "$(value ais "$(card sent)")" = 1 ]; }
said() { dmesg | grep -q "$1"; }
held() { grep -q '^tl_t1e1 .* [1-9]' <<<"$(lsmod | awk '{ print $1, $2, $3 }')"; }
conf='span=1,1,0,ccs,hdb3,crc4\nbchan=1-31'

modprobe dahdi auto_assign_spans=1
not_ok "line=e2 is refused" insmod "$BUILD/driver/tl_t1e1.ko" line=e2
ok "with the reason" said 'line=e2: expected jumper, e1 or t1'

ok "wcte11xp takes the card first" modprobe wcte11xp
ok "ours loads beside it" insmod "$BUILD/driver/tl_t1e1.ko"
ok "and says who holds the card and what to do" said 'held by wcte11xp: unbind it, or put "blacklist wcte11xp"'
rmmod tl_t1e1 wcte11xp

ok "the driver comes up" load_driver settle_ms=300
ok "dahdi_cfg configures the span" configure "$conf"
ok "no alarm" "$span_test" wait-alarms 1 OK 60
sleep 600 | "$span_test" hold 5 >/dev/null &
holder=$!
ok "a channel is held open" eventually 20 held
not_ok "unloading is refused meanwhile" rmmod tl_t1e1
kill $holder

for round in 1 2 3; do
	ok "round $round: it unloads" eventually 20 rmmod tl_t1e1
	ok "round $round: the line gets AIS" eventually 10 sends_ais
	ok "round $round: it loads" load_driver settle_ms=300
	ok "round $round: dahdi_cfg configures the span" configure "$conf"
	ok "round $round: no alarm" "$span_test" wait-alarms 1 OK 60
done
card line los on >/dev/null
ok "the line is lost" "$span_test" wait-alarms 1 RED 60
rmmod tl_t1e1
ok "it loads with the line lost" load_driver settle_ms=300
configure "$conf"
ok "the alarm is found again" "$span_test" wait-alarms 1 RED 60
card line los off >/dev/null
ok "and its end" "$span_test" wait-alarms 1 OK 60
ok "all 31 timeslots are byte-exact" "$span_test" data 1 31 4000 loop
# A block of span-test is 512 octets.
ok "octets are sent once, and idle ones before and after" "$span_test" burst 7 2048
card dma stall >/dev/null
ok "a stalled stream makes the span red" "$span_test" wait-alarms 1 RED 60
card dma go >/dev/null
ok "the stream goes on" "$span_test" wait-alarms 1 OK 60
ok "nothing of the time before is sent again" "$span_test" burst 7 2048
ok "it unloads at last" rmmod tl_t1e1
is "the interrupt is given back" "$(grep -c tl_t1e1 /proc/interrupts)" 0
is "the ports are given back" "$(grep -c tl_t1e1 /proc/ioports)" 0
done_testing
