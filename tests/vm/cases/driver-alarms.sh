# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1,cas --far-end 'e1 cas' --card t1 --far-end t1 --timeout 1200
# What the common alarm case cannot ask of DAHDI's own driver: integration in
# line time, seen by the tracepoint; multiframes; why a span is red.
. "$VM_TESTS/guest/span.sh"

trace=/sys/kernel/tracing
# Without a program started: some of what is looked for lasts a second of line time.
t1e1() { read -r now <"${cards[$1]}/t1e1/$2"; }
has() { t1e1 "$1" "$2" && [ "$now" = "$3" ]; }
at_least() { t1e1 "$1" milliseconds && [ "$now" -ge "$2" ]; }
pass() { local was; t1e1 "$1" milliseconds; was=$now; eventually 60 at_least "$1" $((was + $2)); }
# turned_red CARD: by the trace since it was last emptied.
turned_red() { grep -qE "tl_alarms: card=$1 alarms=00->[0-9a-f]*1 " $trace/trace; }
peek() { card "@$1" peek falc "$2"; }
y_sent() { [ "$(peek 0 70)" = "$1" ]; }

ok "the driver comes up" load_driver settle_ms=1000
mapfile -t cards < <(readlink -f /sys/bus/pci/drivers/tl_t1e1/0* | sort)
ok "dahdi_cfg configures both" configure \
	'span=1,1,0,cas,hdb3,crc4\ncas=1-15:1101\ncas=17-31:1101\nspan=2,0,0,esf,b8zs\nbchan=32-55'
ok "the E1 has no alarm" "$span_test" wait-alarms 1 OK 60
ok "the T1 has no alarm" "$span_test" wait-alarms 2 OK 60
mount -t tracefs trace $trace 2>/dev/null
echo 1 >$trace/events/tl_t1e1/tl_alarms/enable

# flap MS 1: no signal for so many milliseconds of line time, once.
for try in "0 E1 40 400" "1 T1 2000 3200"; do
	read -r n kind short long <<<"$try"
	attend "$n"
	echo >$trace/trace
	card "@$n" flap "$short" 1 >/dev/null
	pass "$n" $((short + 500))
	not_ok "$kind: $short ms without signal are not red" turned_red "$n"
	# The leak of a quarter takes four times as long to forget.
	pass "$n" $((4 * short))
	card "@$n" flap "$long" 1 >/dev/null
	ok "$kind: $long ms without signal are" eventually 60 turned_red "$n"
	ok "$kind: and then it recovers" "$span_test" wait-alarms $((n + 1)) OK 60
done

attend 0
card @0 line los on >/dev/null
ok "sysfs says that it is the signal" eventually 30 has 0 alarms "red los"
card @0 line los off >/dev/null
ok "then that it recovers" eventually 30 has 0 alarms recovering
ok "then nothing" eventually 60 has 0 alarms none
card @0 line lfa on >/dev/null
ok "that it is the frame" eventually 30 has 0 alarms "red lfa"
card @0 line lfa off >/dev/null
ok "nothing again" eventually 60 has 0 alarms none
card @0 line lmfa on >/dev/null
ok "that it is the CRC-4 multiframe" eventually 30 has 0 alarms "red lmfa"
ok "RAI is sent for it" has 0 rai_sent 1
card @0 line lmfa off >/dev/null
ok "nothing once more" eventually 60 has 0 alarms none
ok "RAI is sent no more" has 0 rai_sent 0

is "no distant multiframe alarm is sent" "$(peek 0 70)" 0b
card @0 line lmfa16 on >/dev/null
ok "a lost CAS multiframe is red" "$span_test" wait-alarms 1 RED 60
ok "and told to the far end in timeslot 16" eventually 20 y_sent 0f
card @0 line lmfa16 off >/dev/null
ok "it recovers" "$span_test" wait-alarms 1 OK 60
ok "and tells no more" eventually 20 y_sent 0b
card @0 line rai16 on >/dev/null
ok "a distant multiframe alarm is yellow" "$span_test" wait-alarms 1 YELLOW 60
card @0 line rai16 off >/dev/null
ok "until it goes" "$span_test" wait-alarms 1 OK 60
card @0 line nmf on >/dev/null
ok "a far end without CRC-4 is told of" eventually 30 has 0 defects no-crc4
ok "and is no alarm" "$span_test" wait-alarms 1 OK 5
card @0 line nmf off >/dev/null
done_testing
