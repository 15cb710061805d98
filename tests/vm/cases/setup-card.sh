# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1 --far-end e1 --timeout 1200
# trunk-setup on a machine with a card: from nothing to a span that is up, and
# what it says when something is wrong with the line, the card or its drivers.
. "$VM_TESTS/guest/span.sh"
DRIVER=tl_t1e1
setup=$BUILD/vm-root/usr/sbin/trunk-setup
# sets OPTION...: it is configured, and the line, which takes its time, comes up.
sets() {
	"$setup" set --yes --seconds 0.5 "$@" && return
	[ $? = 1 ] && eventually 60 "$setup" check --seconds 0.5 >/dev/null
}
says() { "$setup" check --seconds 0.5 | grep -q "$1"; }
out_of_the_way() { rmmod "$1" && "$setup" start; }
holder() { basename "$(readlink /sys/bus/pci/devices/0000:00:05.0/driver)"; }
alarms() { "$span_test" wait-alarms 1 "$1" 30; }

# Most of what is looked for takes a program longer to start than the line to show it: it runs slowly, but where the
# driver's seconds count.
card period 4000 >/dev/null
# The driver is not installed here: modprobe is told where it is.
echo "install tl_t1e1 grep -q '^tl_t1e1 ' /proc/modules || /sbin/insmod $BUILD/driver/tl_t1e1.ko settle_ms=500" >/etc/modprobe.d/here.conf
ok "a card without a driver is found" says "no driver has taken the card"
mkdir -p /etc/trunkline
ok "one command configures it" sets --country de --driver tl_t1e1
ok "the span has no alarm" alarms OK
is "by our driver" "$(holder)" tl_t1e1
is "as planned" "$(cat /sys/bus/dahdi_spans/devices/span-1/lineconfig)" CCS/HDB3/CRC4
is "its D-channel is one" "$(grep -c HDLCFCS /proc/dahdi/1)" 1
before=$(cat /etc/dahdi/* /etc/modprobe.d/trunkline-cards.conf /etc/trunkline/trunkd.conf | sha256sum)
ok "a second run succeeds" "$setup" set --yes --seconds 0.5
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
# meanwhile WORDS COMMAND...: said while the card is told so again and again; the driver latches once a second of line
# time, which runs slower here than the clock does.
meanwhile() {
	local watching
	"$setup" check --seconds 4 >/tmp/said &
	watching=$!
	while kill -0 $watching 2>/dev/null; do
		"${@:2}" >/dev/null
		nap 0.2
	done
	grep -q "$1" /tmp/said
}
card period 1000 >/dev/null
# To and fro: the elastic buffer has room for few slips the same way, and the card refuses those beyond.
to_and_fro() { card slip +; card slip -; }
ok "slips are told while they happen" eventually 90 meanwhile "clock slips in" to_and_fro
ok "damaged octets are" eventually 90 meanwhile "octets arrive damaged" card errors code 40
ok "and those that the far end gets" eventually 90 meanwhile "the far end receives our octets damaged" card errors ebit 5
ok "lost interrupts are" eventually 90 meanwhile "were served late or never" card irq lose 1
card period 4000 >/dev/null
ok "and that nobody has the D-channel" says "nobody has opened the D-channel"

echo "# CAS, which this far end does not send"
instead() {
	"$setup" set --country br --signalling "$1" --driver tl_t1e1 --yes --seconds 0.5 >/dev/null
	eventually 20 says "frames, but no multiframes"
}
ok "R2 instead, and that the far end has none" instead r2
is "every bearer has CAS" "$(grep -c ' CAS' /proc/dahdi/1)" 30
ok "E&M instead" instead cas-em-wink
is "every bearer has CAS, still" "$(grep -c ' CAS' /proc/dahdi/1)" 30
exec {held}<>/dev/dahdi/chan/001/001
not_ok "a span in use is not configured anew" "$setup" set --country de --driver tl_t1e1 --yes --seconds 0.5
exec {held}>&-
ok "once it is free, it is" "$setup" start
is "every bearer is clear" "$(grep -c ' Clear' /proc/dahdi/1)" 30

echo "# drivers and modules"
out() { rmmod "$@" && rmmod dahdi_echocan_mg2 dahdi; }
ok "the driver goes" out tl_t1e1
echo "install dahdi_echocan_mg2 /bin/false" >/etc/modprobe.d/none.conf
modprobe -a dahdi tl_t1e1
not_ok "dahdi_cfg stops without the canceller's module" dahdi_cfg
ok "it is told" says "dahdi_cfg stopped half-way"
rm /etc/modprobe.d/none.conf
modprobe dahdi_echocan_mg2
ok "the driver goes again" out tl_t1e1
modprobe dahdi auto_assign_spans=0
modprobe tl_t1e1
ok "a span without a number is told" says "have no number"
rmmod tl_t1e1
modprobe wcte11xp
modprobe tl_t1e1
ok "DAHDI's own driver is told to have come first" says "wcte11xp holds the card though tl_t1e1 is installed"
rmmod tl_t1e1 wcte11xp
# As netjet would, which this kernel has not: a driver that takes the card by its number.
modprobe pci-stub ids=e159:0001
is "another driver has the card" "$(holder)" pci-stub
ok "it is told" says "the driver pci-stub holds the card and cannot carry a trunk"
ok "rmmod, as it says, and start" out_of_the_way pci-stub
is "give it to a driver that can" "$(holder)" tl_t1e1
ok "the span has no alarm again" alarms OK
done_testing
