# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1 --far-end e1
# Faults of interrupt, DMA and registers while every timeslot is busy: what can
# be saved is, the rest is counted, and the span comes back by itself.
. "$VM_TESTS/guest/span.sh"

t1e1() { cat /sys/bus/pci/drivers/tl_t1e1/*/t1e1/"$1"; }
at_least() { [ "$(t1e1 "$1")" -ge "$2" ]; }
sends_ais() { [ "$(t1e1 ais_sent)" = "$1" ]; }
is_silent_on() { [ "$(value l "$(far_end 0 line)")" = 1 ]; }
moves() { local was; was=$(t1e1 milliseconds); eventually 20 at_least milliseconds $((was + 100)); }
still() { local was; was=$(t1e1 milliseconds); sleep 0.3; [ "$(t1e1 milliseconds)" = "$was" ]; }
data() { "$span_test" data 1 31 4000; }
# during NAME COMMAND...: data is exact although the card is told so meanwhile.
during() {
	local name=$1 pid
	shift
	data >/tmp/data &
	pid=$!
	moves
	card "$@" >/dev/null
	ok "$name: all 31 timeslots stay byte-exact" wait $pid
}

ok "the driver comes up" load_driver stall_ms=1000 settle_ms=500
ok "dahdi_cfg configures the span" configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-31'
ok "no alarm" "$span_test" wait-alarms 1 OK 60

during "an interrupt is lost" irq lose 1
ok "it is counted as missed" eventually 20 at_least interrupts_missed 1
ok "and DAHDI is told" eventually 10 sh -c "$span_test counters 1 | grep -q 'irqmisses=[1-9]'"
during "an interrupt is late by what the ring can hold" irq late 1 1
was=$(t1e1 interrupts_missed)
card irq late 1 4 >/dev/null
ok "one late by more than that is counted" eventually 20 at_least interrupts_missed $((was + 1))
ok "and order is kept after it: all 31 timeslots are byte-exact" data
during "interrupts are spurious" irq spurious 5
ok "they are counted as spurious" eventually 20 at_least interrupts_spurious 1
during "a hundred status registers lie" registers garbage 100
ok "lies are counted" eventually 20 at_least status_garbage 1
card freerun on >/dev/null
card period 300 10 >/dev/null
was=$(t1e1 milliseconds)
ok "three times too fast, the card overruns us and time goes on" eventually 30 at_least milliseconds $((was + 3000))
card period 1000 300 >/dev/null
card freerun off >/dev/null
ok "back at its pace, all 31 timeslots are byte-exact" data
is "no realignment was needed" "$(t1e1 realignments)" 0

card dma stall >/dev/null
ok "a stalled stream makes the span red" "$span_test" wait-alarms 1 RED 60
ok "the stall is counted" eventually 20 at_least stalls 1
ok "the far end gets AIS" eventually 20 is_silent_on
ok "and keeps it until octets flow again" sends_ais 1
card dma go >/dev/null
ok "the span recovers from the stall" "$span_test" wait-alarms 1 OK 60
ok "AIS is sent no more" eventually 10 sends_ais 0
ok "and carries data" data

card registers ones on >/dev/null
ok "registers of all ones stop the stream" eventually 20 still
ok "and make the span red" "$span_test" wait-alarms 1 RED 60
ok "they are counted" eventually 20 at_least status_dead 1
card registers ones off >/dev/null
ok "the span recovers from all ones" "$span_test" wait-alarms 1 OK 60
ok "and carries data again" data
is "the kernel did not give up the interrupt" "$(dmesg | grep -c 'nobody cared')" 0
done_testing
