# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1 --far-end e1
# What the card does wrong on purpose is seen, and is over when it is over.
. "$VM_TESTS/guest/span.sh"

exact() { ok "$1: 31 timeslots are byte-exact again" "$span_test" data 1 31 4000; }
in_step() { [ "$(value verified "$(far_end 0 status)")" -gt 500 ]; }
# wrong NAME COMMAND...: given to the card while octets flow, it spoils some. They flow slowly until it is given: a guest
# on a busy host is slow to see that they do.
wrong() {
	far_end 0 expect 1000000 >/dev/null
	card period 8000 >/dev/null
	"$span_test" data 1 31 24000 >/tmp/data &
	eventually 30 in_step
	card "${@:2}" >/dev/null
	card period 1000 >/dev/null
	not_ok "$1: wrong octets are found" wait $!
	head -n 2 /tmp/data
}
spurious_came() { [ "$(value spurious "$(card stats)")" = 10 ]; }
misses() { value irqmisses "$("$span_test" counters 1)"; }
more_misses() { [ "$(misses)" -gt "$1" ]; }
unhandled() { awk '/^unhandled/ { print $2 }' "/proc/irq/$irq/spurious"; }
stalls() { [ "$(value ticks "$(card stats)")" = "$1" ]; }
moves() { [ "$(value ticks "$(card stats)")" -gt "$1" ]; }
ok "$DRIVER comes up" load_driver
ok "dahdi_cfg configures 31 bearer channels" configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-31'
ok "the span has no alarm" "$span_test" wait-alarms 1 OK 60
irq=$(awk -F: -v driver="$DRIVER" '$0 ~ driver { gsub(" ", "", $1); print $1 }' /proc/interrupts)
exact "at first"

wrong "spoilt octets" errors octets 5
wrong "positive slip" slip +
wrong "negative slip" slip -
exact "after slips"

before=$(misses)
card irq lose 3 >/dev/null
ok "lost interrupts are counted as missed" eventually 30 more_misses "$before"
is "three were lost" "$(value lost "$(card stats)")" 3
exact "after lost interrupts"

before=$(misses)
card irq late 2 3 >/dev/null
ok "late interrupts are counted as missed" eventually 30 more_misses "$before"
exact "after late interrupts"

before=$(unhandled)
card irq spurious 10 >/dev/null
ok "ten spurious interrupts come" eventually 30 spurious_came
echo "# irq $irq: $(tr '\n' ' ' <"/proc/irq/$irq/spurious")"
ok "they are nobody's" [ "$(unhandled)" -ge $((before + 1)) ]
exact "after spurious interrupts"

card dma stall >/dev/null
ticks=$(value ticks "$(card stats)")
sleep 0.5
ok "a stalled card gives no interrupt" stalls "$ticks"
card dma go >/dev/null
ok "it goes on" eventually 30 moves "$ticks"
exact "after a stall"
done_testing
