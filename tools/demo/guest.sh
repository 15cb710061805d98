# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# The demonstration in the guest (run-vm starts it): the card, then the daemons as RUN's configurations say. What they
# write into RUN stays in the guest; their logs go to the host. Ends when one of them does.
DRIVER=tl_t1e1
. "$VM_TESTS/guest/span.sh"

daemon() {
	local name=$1
	shift
	"$@" >"/out/$name.log" 2>&1 &
	started+=("$name")
}
fail() {
	echo "$*"
	tail -n 5 /out/*.log
	exit 1
}

load_driver stall_ms=500 || fail "the driver does not load"
configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-15,17-31\ndchan=16' || fail "dahdi_cfg refuses the card"
modprobe virtio_net && ip address add 10.0.2.15/24 dev eth0 && ip link set eth0 up || fail "no network"
"$span_test" wait-alarms 1 OK 60 || fail "the line has an alarm"

started=()
mkdir -p "$RUN/trunkd" "$RUN/deskd"
export TRUNKLINE_RUN=$RUN
daemon trunkd "$BUILD/trunkd" --config "$RUN/trunkd.conf"
eventually 60 [ -S "$RUN/trunkd.sock" ] || fail "trunkd does not start"
daemon deskd "$BUILD/deskd" --config "$RUN/deskd.conf"
eventually 60 [ -S "$RUN/deskd.sock" ] || fail "deskd does not start"
daemon telephone "$BUILD/exchange" run "$RUN/telephone.conf"
echo ready
"$BUILD/trunkctl" follow desk --json &
wait -n
fail "one of ${started[*]} has ended"
