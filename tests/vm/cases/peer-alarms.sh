# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1,patience=1000 --far-end e1 --card t1,patience=1000 --far-end t1 --timeout 1500
# Every alarm of the line comes, is answered with RAI where due, and goes; by
# fault of the line and by the far end.
. "$VM_TESTS/guest/span.sh"

# wcte11xp looks for AIS at the wrong bit and calls it red, because frames are
# lost too (wcte11xp.c, t1_check_alarms: 0x04 is NMF; AIS is 0x40).
blue=BLUE
[ "$DRIVER" != wcte11xp ] || blue=RED

sends_rai() { [ "$(value m "$(far_end "$1" line)")" = 2 ]; }
sends_none() { [ "$(value m "$(far_end "$1" line)")" = 0 ]; }
clears() {
	ok "$2: the span recovers" "$span_test" wait-alarms "$1" OK 60
	ok "$2: the far end gets no RAI any more" eventually 30 sends_none $(($1 - 1))
}
# fault SPAN KIND CONDITION ALARM: a fault of the line.
fault() {
	local n=$(($1 - 1)) name="$2 $3"
	card "@$n" line "$3" on >/dev/null
	ok "$name: the span is $4" "$span_test" wait-alarms "$1" "$4" 60
	if [ "$4" != YELLOW ]; then ok "$name: the far end gets RAI" eventually 30 sends_rai $n; fi
	card "@$n" line "$3" off >/dev/null
	clears "$1" "$name"
}
# far SPAN KIND ALARM COMMAND UNDO: as the far end has it.
far() {
	local n=$(($1 - 1)) name="$2, far end $4"
	far_end $n $4 >/dev/null
	ok "$name: the span is $3" "$span_test" wait-alarms "$1" "$3" 60
	far_end $n $5 >/dev/null
	clears "$1" "$name"
}

# Ours is told to settle sooner; it has its own five and ten seconds in peer-data.sh.
options=()
[ "$DRIVER" = wcte11xp ] || options+=(settle_ms=1000)
ok "$DRIVER comes up on both cards" load_driver "${options[@]}"
for n in 0 1; do card "@$n" period 400 150 >/dev/null; done
ok "dahdi_cfg configures both" configure \
	'span=1,1,0,ccs,hdb3,crc4\nbchan=1-15,17-31\ndchan=16\nspan=2,0,0,esf,b8zs\nbchan=32-54\ndchan=55'
ok "the E1 has no alarm" "$span_test" wait-alarms 1 OK 60
ok "the T1 has no alarm" "$span_test" wait-alarms 2 OK 60
span=0
for kind in E1 T1; do
	span=$((span + 1))
	attend $((span - 1)) 400
	fault $span $kind los RED
	fault $span $kind lfa RED
	fault $span $kind ais $blue
	fault $span $kind rai YELLOW
	far $span $kind RED "silent on" "silent off"
	far $span $kind $blue "alarm ais" "alarm none"
	far $span $kind YELLOW "alarm rai" "alarm none"
	card "@$((span - 1))" flap 20 10 >/dev/null
	ok "$kind: the span is well after LOS flapped" "$span_test" wait-alarms $span OK 60
done
done_testing
