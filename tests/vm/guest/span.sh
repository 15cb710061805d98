# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# Sourced by the cases, in the guest: bring a span up, drive the card and its
# far end, say what held. DRIVER is wcte11xp (DAHDI's own) or tl_t1e1 (ours).
: "${DRIVER:=wcte11xp}"
span_test=$BUILD/vm-guest/span-test
failures=0

# ok NAME COMMAND...: the command succeeds. not_ok NAME COMMAND...: it does not.
ok() {
	local name=$1
	shift
	if "$@"; then echo "ok - $name"; else echo "not ok - $name"; failures=$((failures + 1)); fi
}
refuse() { ! "$@"; }
not_ok() { local name=$1; shift; ok "$name" refuse "$@"; }
same() {
	[ "$1" = "$2" ] && return 0
	echo "# got '$1', wanted '$2'"
	return 1
}
# is NAME GOT WANTED
is() { ok "$1" same "$2" "$3"; }
# done_testing: ends the case.
done_testing() { exit $((failures > 0)); }

# Both sockets are opened once, here: a function in $(...) could not keep them.
if [ "${VM_CARDS:-0}" -gt 0 ]; then
	stty -F /dev/ttyS1 raw -echo 115200
	exec {card_fd}<>/dev/ttyS1
fi
far_end_fds=()
if [ "${VM_FAR_ENDS:-0}" -gt 0 ]; then
	modprobe virtio_console
	for n in $(seq 0 $((VM_FAR_ENDS - 1))); do
		port=$(grep -lx "far-end-$n" /sys/class/virtio-ports/*/name)
		exec {far_end_fds[n]}<>"/dev/$(basename "$(dirname "$port")")"
	done
fi
ask() {
	local fd=$1 answer
	shift
	echo "$*" >&"$fd"
	read -t 60 -r answer <&"$fd" || answer="error no answer"
	echo "$answer"
}
# card [@N] COMMAND...: to the card model's control socket; prints its answer.
card() { ask "$card_fd" "$@"; }
# far_end N COMMAND...: to the far end of card N.
far_end() { ask "${far_end_fds[$1]}" "${@:2}"; }
# attend CARD [US]: of two cards this one's line runs, US of the clock a millisecond, and the other's stays up but hardly moves:
# each millisecond of a line costs as much of the host, looked at or not.
attend() {
	card "@$1" period "${2:-1000}" >/dev/null
	card "@$((1 - $1))" period 8000 >/dev/null
}
# value NAME TEXT: from name=value pairs.
value() {
	local pair=" $1=([^ ]*)"
	[[ " $2" =~ $pair ]] && echo "${BASH_REMATCH[1]}"
}
# nap SECONDS, without a program started, which takes the machine's only core from what is waited for.
exec {never}<> <(:)
nap() { read -rt "$1" -u "$never" || :; }
# eventually SECONDS COMMAND...: until it succeeds; SECONDS are those of an idle host.
eventually() {
	local end=$((EPOCHSECONDS + 4 * $1))
	shift
	until "$@"; do
		[ $EPOCHSECONDS -lt $end ] || return 1
		nap 0.05
	done
}

# warm PROGRAM...: into memory, with its libraries. Where a guest counts instructions, its clock runs away while it waits
# for a page from the host.
warm() {
	local program
	for program; do cat "$program" $(ldd "$program" | grep -o '/[^ ]*'); done >/dev/null
}

load_driver() {
	modprobe dahdi auto_assign_spans=1 || return
	if [ "$DRIVER" = tl_t1e1 ]; then
		insmod "$BUILD/driver/tl_t1e1.ko" "$@"
	else
		modprobe "$DRIVER" "$@"
	fi
}
unload_driver() { rmmod "$DRIVER"; }

# configure LINES: they become /etc/dahdi/system.conf.
configure() {
	mkdir -p /etc/dahdi
	printf '%b' "$1\nloadzone=us\ndefaultzone=us\n" >/etc/dahdi/system.conf
	dahdi_cfg
}
