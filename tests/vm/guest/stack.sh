# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# Sourced by cases/stack-*.sh, in the guest: our driver and a PRI on the card. Line time runs at half the wall's
# speed, so that a busy host costs no octet.
DRIVER=tl_t1e1
. "$VM_TESTS/guest/span.sh"

system_conf() {
	case $1 in
	e1) echo 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-15,17-31\ndchan=16' ;;
	t1) echo 'span=1,1,0,esf,b8zs\nbchan=1-23\ndchan=24' ;;
	esac
}
# bring_up KIND: e1 or t1.
bring_up() {
	export KIND=$1
	ok "the driver comes up" load_driver stall_ms=500 settle_ms=300
	card period 2000 500 >/dev/null
	ok "dahdi_cfg configures a PRI" configure "$(system_conf "$1")"
	ok "the span has no alarm" "$span_test" wait-alarms 1 OK 60
}
# calls PROGRAM [TEST...]: Python tests; the card's control port is theirs meanwhile.
calls() { python3 "$@" || failures=$((failures + 1)); }
