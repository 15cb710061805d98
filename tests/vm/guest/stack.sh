# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# Sourced by cases/stack-*.sh, in the guest: our driver and a PRI on the card. Line time runs at half the wall's
# speed, and waits for the guest to have run for most of that: a busy host costs no octet.
DRIVER=tl_t1e1
. "$VM_TESTS/guest/span.sh"

system_conf() {
	case $1 in
	e1) echo 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-15,17-31\ndchan=16' ;;
	two-e1) echo "$(system_conf e1)\nspan=2,2,0,ccs,hdb3,crc4\nbchan=32-46,48-62\ndchan=47" ;;
	t1) echo 'span=1,1,0,esf,b8zs\nbchan=1-23\ndchan=24' ;;
	esac
}
# bring_up KIND: e1, t1, or two-e1, two cards.
bring_up() {
	local n
	export KIND=${1#two-}
	ok "the driver comes up" load_driver settle_ms=300
	for n in $(seq 0 $((VM_CARDS - 1))); do card "@$n" period 2000 1500 >/dev/null; done
	ok "dahdi_cfg configures PRI" configure "$(system_conf "$1")"
	for n in $(seq "$VM_CARDS"); do ok "span $n has no alarm" "$span_test" wait-alarms "$n" OK 60; done
}
# calls PROGRAM [TEST...]: Python tests; the card's control port is theirs meanwhile.
calls() { python3 "$@" || failures=$((failures + 1)); }
