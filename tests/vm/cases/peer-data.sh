# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1 --far-end e1 --card t1 --far-end t1
# Two cards at once, E1 and T1: every timeslot of both busy, byte-exact both ways.
. "$VM_TESTS/guest/span.sh"

octets=16000

ok "$DRIVER comes up on both cards" load_driver
ok "dahdi_cfg configures all bearer channels" configure \
	'span=1,1,0,ccs,hdb3,crc4\nbchan=1-31\nspan=2,0,0,esf,b8zs\nbchan=32-55'
ok "the E1 has no alarm" "$span_test" wait-alarms 1 OK 60
ok "the T1 has no alarm" "$span_test" wait-alarms 2 OK 60
for n in 0 1; do far_end $n expect $((octets / 2)) >/dev/null; done
"$span_test" data 1 31 $octets >/tmp/e1 &
ok "24 timeslots of the T1 arrive byte-exact" "$span_test" data 32 24 $octets
ok "31 timeslots of the E1 arrive byte-exact" wait $!
cat /tmp/e1
for n in 0 1; do
	status=$(far_end $n status)
	stats=$(card "@$n" stats)
	echo "# far end $n: $status"
	echo "# card $n: $stats"
	is "far end $n sees no wrong octet" "$(value errors "$status")" 0
	is "far end $n has verified every timeslot" "$(value verified "$status")" $((octets / 2))
	is "the serial bus of card $n is aligned" "$(value misaligned "$stats")" 0
	is "no packet of card $n is lost" "$(value packets_lost "$stats")" 0
done
done_testing
