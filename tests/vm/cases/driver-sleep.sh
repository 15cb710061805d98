# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1 --append 'suspend.pm_test_delay=3 no_console_suspend ignore_loglevel' --qemu '-device virtio-9p-pci,fsdev=out,mount_tag=awake,addr=0x12' --beside "python3 $here/cases/driver-power-cut.py"
# Suspend and resume with a channel open; meanwhile the card loses its power, and
# the second time it was lost before and is put back. Its ports, the framer's
# settings, signalling bits and data are back without dahdi_cfg. Linux's 9p does not survive a sleep, so what comes after it runs from
# memory and reports through a second door.
. "$VM_TESTS/guest/span.sh"

registers="1c 1d 1e 20 21 36 37 3e 46"
ram=/run/ram
door=0000:00:12.0

ok "the driver comes up" load_driver settle_ms=300
ok "dahdi_cfg configures CAS" configure 'span=1,1,0,cas,hdb3\ncas=1-15:1101\ncas=17-31:1101'
ok "no alarm" "$span_test" wait-alarms 1 OK 60
ok "idle bits are sent and received" "$span_test" wait-bits 20 7:d
for r in $registers; do card peek falc "$r"; done >/run/before
sleep 600 | "$span_test" hold 9 >/dev/null &

mkdir -p $ram/{bin,lib64,proc,sys,dev,door}
cp /bin/busybox "$span_test" $ram/bin/
for file in $(ldd "$span_test" | grep -o '/[^ ]*'); do
	mkdir -p "$ram/$(dirname "$file")"
	cp "$file" "$ram/$file"
done
for fs in proc sys dev; do mount --bind /$fs $ram/$fs; done
echo "failures=$failures registers='$registers' door=$door" >$ram/begin
cp /run/before $ram/
cat >$ram/after <<'AFTER'
. /begin
PATH=/bin
busybox --install -s /bin
exec >/result 2>&1 5<>/dev/ttyS1
ok() {
	local name=$1
	shift
	if "$@"; then echo "ok - $name"; else echo "not ok - $name"; failures=$((failures + 1)); fi
}
card() { echo "$*" >&5; read -r answer <&5; echo "$answer"; }
# sleeps NAME: and all is as it was.
sleeps() {
	ok "$1: devices are put to sleep and woken" sh -c 'echo mem >/sys/power/state'
	ok "$1: no alarm after it" span-test wait-alarms 1 OK 60
	for r in $registers; do card peek falc "$r"; done >/now
	ok "$1: the framer is set as before" cmp /before /now
	ok "$1: idle bits are sent and received again" span-test wait-bits 20 7:d
	ok "$1: 15 timeslots are byte-exact" span-test data 17 15 4000 loop
}

echo platform >/sys/power/pm_test
sleeps "power cut"
card unplug
ok "a card pulled out makes its span red" span-test wait-alarms 1 RED 60
ok "and is lost" sh -c "dmesg | grep -q 'the card does not answer any more'"
sleeps "lost before, put back"

echo $door >/sys/bus/pci/drivers/virtio-pci/bind
mount -t 9p -o trans=virtio,version=9p2000.L awake /door
cat /result >>/door/output
dmesg >/door/dmesg
echo $((failures > 0)) >/door/status
sync
poweroff -f
AFTER
echo $door >/sys/bus/pci/drivers/virtio-pci/unbind
exec {card_fd}>&-
exec chroot $ram /bin/busybox sh /after
