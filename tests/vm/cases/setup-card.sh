# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1,patience=400 --far-end e1 --timeout 1200
# trunk-setup on a machine with a card: from nothing to a span that is up, and
# what it says when the line is not.
. "$VM_TESTS/guest/span.sh"
DRIVER=tl_t1e1
setup=$VM_TESTS/../../tools/trunk-setup/trunk-setup
says() { "$setup" check --seconds 0.5 | grep -q "$1"; }
alarms() { "$span_test" wait-alarms 1 "$1" 30; }

# The driver is not installed here: modprobe is told where it is.
echo "install tl_t1e1 /sbin/insmod $BUILD/driver/tl_t1e1.ko" >/etc/modprobe.d/here.conf
ok "a card without a driver is found" says "no driver has taken the card"
mkdir -p /etc/trunkline
ok "one command configures it" "$setup" set --country de --driver tl_t1e1 --yes
ok "the span has no alarm" alarms OK
is "by our driver" "$(basename "$(readlink /sys/bus/pci/devices/0000:00:05.0/driver)")" tl_t1e1
is "as planned" "$(cat /sys/bus/dahdi_spans/devices/span-1/lineconfig)" CCS/HDB3/CRC4
is "its D-channel is one" "$(grep -c HDLCFCS /proc/dahdi/1)" 1
before=$(cat /etc/dahdi/* /etc/modprobe.d/trunkline-cards.conf /etc/trunkline/trunkd.conf | sha256sum)
ok "a second run succeeds" "$setup" set --yes
is "and changes nothing" "$(cat /etc/dahdi/* /etc/modprobe.d/trunkline-cards.conf /etc/trunkline/trunkd.conf | sha256sum)" "$before"

for fault in "los RED no signal at all" "lfa RED the framing is another" "ais BLUE sends all ones" "rai YELLOW does not hear us"; do
	read -r line alarm words <<<"$fault"
	card line "$line" on >/dev/null
	ok "$line: the alarm comes" alarms "$alarm"
	ok "$line: it is told in words" says "$words"
	card line "$line" off >/dev/null
	ok "$line: the line recovers" alarms OK
done
card line nmf on >/dev/null
ok "a far end without CRC4 is told" eventually 20 says "set to CRC4 and the far end sends none"
card line nmf off >/dev/null
# The driver latches once a second of line time, which runs slower here than the clock does. To and fro: the elastic
# buffer has room for few slips the same way, and the card refuses those beyond.
slips() {
	local watching way=+ answer
	"$setup" check --seconds 4 >/tmp/said &
	watching=$!
	while kill -0 $watching 2>/dev/null; do
		answer=$(card slip $way)
		case $answer in error*) echo "# slip $way: $answer" ;; esac
		if [ $way = + ]; then way=-; else way=+; fi
		sleep 0.2
	done
	grep -q "clock slips in" /tmp/said
}
ok "slips are told while they happen" eventually 90 slips

echo "# CAS, which this far end does not send"
instead() { "$setup" set --country br --signalling "$1" --driver tl_t1e1 --yes | grep -q "frames, but no multiframes"; }
ok "R2 instead, and that the far end has none" instead r2
is "every bearer has CAS" "$(grep -c ' CAS' /proc/dahdi/1)" 30
ok "E&M instead" instead 'e&m'
is "every bearer has E&M" "$(grep -c 'E&M-E1' /proc/dahdi/1)" 30
exec {held}<>/dev/dahdi/chan/001/001
not_ok "a span in use is not configured anew" "$setup" set --country de --driver tl_t1e1 --yes
exec {held}>&-
ok "once it is free, it is" "$setup" start
is "every bearer is clear" "$(grep -c ' Clear' /proc/dahdi/1)" 30
done_testing
