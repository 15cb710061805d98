# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# What a card's driver costs, in a guest whose clock counts instructions (run
# --icount): the trace of interrupt handlers, and of the driver's work items,
# while channels are quiet and while all 31 are busy; and what the card saw of
# register accesses. Leaves trace-quiet, trace-busy and stats-* in /out.
. "$VM_TESTS/guest/span.sh"

tracing=/sys/kernel/tracing
windows=5 window_ticks=1024 # a driver's slowest periodic task comes each 1000 ticks or less

ticks() { value ticks "$(card stats)"; }
reached() { [ "$(ticks)" -ge "$1" ]; }
# An idle guest's clock runs away from the card's, so no time of its own is a limit: run's is.
await() { until "$@"; do sleep 0.05; done; }
start_trace() {
	mount -t tracefs tracefs $tracing 2>/dev/null
	echo x86-tsc >$tracing/trace_clock
	echo 16384 >$tracing/buffer_size_kb
	local event
	for event in sched/sched_switch irq/irq_handler_entry irq/irq_handler_exit irq/softirq_entry irq/softirq_exit \
		irq_vectors/local_timer_entry irq_vectors/local_timer_exit \
		workqueue/workqueue_execute_start workqueue/workqueue_execute_end; do
		echo 1 >$tracing/events/$event/enable
	done
	echo 0 >$tracing/tracing_on
}
# measure NAME: windows of the card's interrupts.
measure() {
	local until
	echo >$tracing/trace
	card zero >/dev/null
	echo 1 >$tracing/tracing_on
	until=$((windows * window_ticks + 64))
	ok "$1: $until interrupts" await reached $until
	echo 0 >$tracing/tracing_on
	card stats >"/out/stats-$1"
	cat $tracing/trace >"/out/trace-$1"
}

ok "$DRIVER comes up" load_driver
ok "dahdi_cfg configures 31 bearer channels" configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-31'
ok "the span has no alarm" "$span_test" wait-alarms 1 OK 1000000
grep "$DRIVER" /proc/interrupts
start_trace
measure quiet
"$span_test" data 1 31 100000000 loop >/dev/null &
busy=$!
ok "the channels are busy" await reached $(($(ticks) + 1000))
measure busy
kill $busy
done_testing
