# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1,cas --far-end 'e1 cas' --card t1,cas --far-end 't1 cas'
# Channel-associated signalling both ways, a value of its own in every timeslot:
# E1 in timeslot 16, T1 ESF in robbed bits (ABCD), T1 D4 (A and B).
. "$VM_TESTS/guest/span.sh"

# Distinct from the neighbours', and from the timeslot's number read as bits.
bits_of() { printf '%x' $((($1 * 7 + 3) & 15)); }
other_bits_of() { printf '%x' $((($1 * 5 + 9) & 15)); }

# receives NAME CARD FIRST MASK TIMESLOTS...: the far end's bits reach DAHDI.
receives() {
	local name=$1 card=$2 first=$3 mask=$4 slot bad=0
	shift 4
	for slot; do far_end "$card" cas "$slot" "$(bits_of "$slot")" >/dev/null; done
	for slot; do
		"$span_test" wait-bits $((first + slot - 1)) "$(printf %x $((0x$(bits_of "$slot") & mask)))" 30 ||
			bad=1
	done
	ok "$name: every timeslot's bits arrive" [ $bad = 0 ]
}
seen() { [ "$(far_end "$1" seen "$2")" = "$3" ]; }
# sends NAME CARD FIRST REPEAT TIMESLOTS...: DAHDI's bits reach the far end.
sends() {
	local name=$1 card=$2 first=$3 slot bad=0 wanted
	shift 3
	coproc sender { exec "$span_test" send-bits; }
	for slot; do
		echo $((first + slot - 1)) "$(other_bits_of "$slot")" >&"${sender[1]}"
		head -n 1 <&"${sender[0]}" >/dev/null
	done
	for slot; do
		wanted=$(other_bits_of "$slot")
		if [ "$name" = D4 ]; then wanted=$(printf %x $(((0x$wanted & 12) | 0x$wanted >> 2))); fi
		eventually 10 seen "$card" "$slot" "$wanted" || {
			echo "# timeslot $slot: the far end sees $(far_end "$card" seen "$slot"), not $wanted"
			bad=1
		}
	done
	ok "$name: every timeslot's bits leave" [ $bad = 0 ]
	eval "exec ${sender[1]}>&-"
	wait "$sender_PID"
}

ok "$DRIVER comes up on both cards" load_driver
ok "dahdi_cfg configures CAS" configure \
	'span=1,1,0,cas,hdb3\ncas=1-15:1101\ncas=17-31:1101\nspan=2,0,0,esf,b8zs\ncas=32-55:0000'
ok "the E1 has no alarm" "$span_test" wait-alarms 1 OK 60
ok "the T1 has no alarm" "$span_test" wait-alarms 2 OK 60
e1_slots="$(seq 1 15) $(seq 17 31)"
receives E1 0 1 15 $e1_slots
sends E1 0 1 $e1_slots
receives ESF 1 32 15 $(seq 1 24)
sends ESF 1 32 $(seq 1 24)
ok "dahdi_cfg configures D4" configure \
	'span=1,1,0,cas,hdb3\ncas=1-15:1101\ncas=17-31:1101\nspan=2,0,0,d4,ami\ncas=32-55:0000'
ok "the T1 has no alarm with D4" "$span_test" wait-alarms 2 OK 60
receives D4 1 32 12 $(seq 1 24)
sends D4 1 32 $(seq 1 24)
done_testing
