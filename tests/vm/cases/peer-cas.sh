# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1,cas --far-end 'e1 cas' --card t1,cas --far-end 't1 cas'
# Channel-associated signalling both ways, a value of its own in every timeslot:
# E1 in timeslot 16, T1 ESF in robbed bits (ABCD), T1 D4 (A and B).
. "$VM_TESTS/guest/span.sh"

# Bits of a timeslot: distinct from its neighbours', and other bits each way.
in_bits() { printf '%x' $((($1 * 7 + 3) & 15)); }
out_bits() { printf '%x' $((($1 * 5 + 9) & 15)); }

# receives NAME CARD FIRST MASK SLOTS...: the far end's bits reach DAHDI.
receives() {
	local name=$1 card=$2 first=$3 mask=$4 slot word="" pairs=()
	shift 4
	for slot in $(seq 1 31); do word+=$(in_bits "$slot"); done
	for slot; do pairs+=("$((first + slot - 1)):$(printf %x $((0x$(in_bits "$slot") & mask)))"); done
	far_end "$card" cas "$word" >/dev/null
	ok "$name: every timeslot's bits arrive" "$span_test" wait-bits 30 "${pairs[@]}"
}

# seen CARD WORD SLOTS...: the far end has received WORD's digit in each of SLOTS.
seen() {
	local got wanted=$2 slot
	got=$(far_end "$1" seen)
	shift 2
	for slot; do [ "${got:slot-1:1}" = "${wanted:slot-1:1}" ] || return; done
}
# sends NAME CARD FIRST SLOTS...: DAHDI's bits reach the far end; D4's A and B twice.
sends() {
	local name=$1 card=$2 first=$3 slot bits word=""
	shift 3
	coproc sender { exec "$span_test" send-bits; }
	for slot; do
		echo $((first + slot - 1)) "$(out_bits "$slot")" >&"${sender[1]}"
		read -r _ <&"${sender[0]}"
	done
	for slot in $(seq 1 31); do
		bits=$(out_bits "$slot")
		[ "$name" != D4 ] || bits=$(printf %x $(((0x$bits & 12) | 0x$bits >> 2)))
		word+=$bits
	done
	ok "$name: every timeslot's bits leave" eventually 30 seen "$card" "$word" "$@"
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
