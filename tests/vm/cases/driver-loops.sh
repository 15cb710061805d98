# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1 --far-end e1 --card t1 --far-end t1
# Local, network and payload loops; loop codes obeyed and sent; codes an E1 has
# not are refused. The far end checks that its own octets come back: from a network
# loop with its own RAI, from a payload loop framed anew and so without.
. "$VM_TESTS/guest/span.sh"

sent() { [ "$(value "$2" "$(far_end "$1" line)")" = "$3" ]; }
falc() { card "@$1" peek falc "$2"; }
holds() { [ "$(falc "$1" "$2")" = "$3" ]; }
has_verified() { [ "$(value verified "$(far_end "$1" status)")" -ge "$2" ]; }
# comes_back NAME FAR-END RAI: the far end's own octets do, its RAI as bits M say.
comes_back() {
	far_end "$2" expect 4000 own >/dev/null
	ok "$1: the far end gets its own octets back" eventually 60 has_verified "$2" 4000
	is "$1: none is wrong" "$(value errors "$(far_end "$2" status)")" 0
	far_end "$2" alarm rai >/dev/null
	ok "$1: the span is yellow" "$span_test" wait-alarms $(($2 + 1)) YELLOW,LOOPBACK 30
	is "$1: the far end's RAI in what comes back" "$(value m "$(far_end "$2" line)")" "$3"
	far_end "$2" alarm none >/dev/null
	ok "$1: the span is well" "$span_test" wait-alarms $(($2 + 1)) LOOPBACK 30
}

ok "the driver comes up" load_driver settle_ms=500
ok "dahdi_cfg configures both" configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-31\nspan=2,0,0,esf,b8zs\nbchan=32-55'
ok "the E1 has no alarm" "$span_test" wait-alarms 1 OK 60
ok "the T1 has no alarm" "$span_test" wait-alarms 2 OK 60

first=1 count=31 n=0
for kind in E1 T1; do
	span=$((n + 1))
	attend $n
	ok "$kind: a local loop is set" "$span_test" maint $span local
	ok "$kind: DAHDI shows it" "$span_test" wait-alarms $span LOOPBACK 30
	ok "$kind: the far end gets AIS" eventually 20 sent $n l 1
	ok "$kind: our own octets come back" "$span_test" data $first $count 4000 loop
	ok "$kind: a network loop is set" "$span_test" maint $span network
	ok "$kind: the far end gets no AIS" eventually 20 sent $n l 0
	is "$kind: the line is looped" "$(falc $n 37)" "$([ $n = 0 ] && echo f6 || echo fe)"
	comes_back "$kind: network loop" $n 2
	ok "$kind: a payload loop is set" "$span_test" maint $span payload
	is "$kind: timeslots are looped" "$(falc $n 37) $(falc $n 1e)" "$([ $n = 0 ] && echo 'f0 c7' || echo 'f8 24')"
	comes_back "$kind: payload loop" $n 0
	ok "$kind: no loop is set" "$span_test" maint $span none
	ok "$kind: DAHDI shows none" "$span_test" wait-alarms $span OK 30
	ok "$kind: data passes" "$span_test" data $first $count 4000
	first=32 count=24 n=1
done

not_ok "an E1 refuses to send a loop code" "$span_test" maint 1 loopup
ok "a T1 sends loop-up" "$span_test" maint 2 loopup
is "so it does" "$(falc 1 21)" 50
ok "and stops when its time is over" eventually 40 holds 1 21 40
card @1 line loopup on >/dev/null
ok "a T1 obeys loop-up after five seconds" eventually 40 holds 1 37 fe
card @1 line loopup off >/dev/null
card @1 line loopdown on >/dev/null
ok "and loop-down" eventually 40 holds 1 37 f8
card @1 line loopdown off >/dev/null
done_testing
