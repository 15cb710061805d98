# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# vm: --card e1 --timeout 1500
# Probe fails at every call and every register access at which it can fail: the
# card is not taken or is, nothing stays behind, and a healthy try works after.
. "$VM_TESTS/guest/span.sh"

driver=/sys/bus/pci/drivers/tl_t1e1
address=$(basename "$(dirname "$(grep -l 0xe159 /sys/bus/pci/devices/*/vendor)")")
bound() { [ -e $driver/"$address" ]; }
bind() { echo "$address" >$driver/bind; } 2>/dev/null
unbind() { echo "$address" >$driver/unbind; }
# What a driver holds of the machine, the card not taken.
held() {
	cat /proc/ioports /proc/iomem
	grep -c tl_t1e1 /proc/interrupts
	ls /proc/dahdi /dev/dahdi
	cat "/sys/bus/pci/devices/$address/enable"
}
free_kb() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemFree/ { print $2 }' /proc/meminfo
}

# fails SYMBOL VALUE NTH: the NTH call that the driver makes of SYMBOL returns VALUE.
fails() {
	local name="$1 fails, call $3"
	ok "$name: it will" insmod "$BUILD/vm-modules/fail-call.ko" caller=tl_t1e1 "symbol=$1" "value=$2" "nth=$3"
	bind
	not_ok "$name: the card is not taken" bound
	is "$name: the call was made" "$(cat /sys/module/fail_call/parameters/calls)" "$3"
	rmmod fail-call
	is "$name: nothing is held" "$(held)" "$free"
	ok "$name: the next try takes it" bind
	unbind
	is "$name: and lets it go" "$(held)" "$free"
}

modprobe dahdi auto_assign_spans=1
echo "$address" >/sys/bus/pci/drivers_probe
ok "the driver takes the card" load_driver
unbind
free=$(held)
fails ida_alloc_range -12 1
fails kmalloc_trace 0 1
fails kmalloc_large 0 1
fails pci_enable_device -5 1
fails pci_request_region -16 1
fails dma_set_mask -5 1
fails dma_alloc_attrs 0 1
fails request_threaded_irq -16 1
fails dahdi_create_device 0 1
fails dahdi_register_device -1 1

card zero >/dev/null
bind
stats=$(card stats)
unbind
accesses=$(($(value reads "$stats") + $(value writes "$stats")))
echo "# a probe makes $accesses register accesses"
ok "they are worth a sweep" [ "$accesses" -gt 100 ]

# sweep FAULT FIRST: from access FIRST of probe on, and from every third after it,
# registers have FAULT. No process is started in between, for speed.
sweep() {
	local n taken=0 tries=0
	for n in $(seq "$2" 3 "$accesses"); do
		card registers $1 "$n" >/dev/null
		bind
		card registers ones off >/dev/null
		if bound; then taken=$((taken + 1)) && unbind; fi
		tries=$((tries + 1))
	done
	echo "# $1: of $tries tries $taken took the card"
	is "$1: nothing is held after $tries tries" "$(held)" "$free"
	ok "$1: a card dead from the beginning on is never taken" [ $taken -lt $tries ]
}
before=$(free_kb)
sweep "ones on" 1
between=$(free_kb)
sweep "garbage 1000000" 2
after=$(free_kb)
echo "# free memory: $before kB, $between kB, $after kB"
# A page lost in every try (the rings, or more: the span) is lost in both sweeps;
# other things may change in one.
loss_a=$((before - between)) loss_b=$((between - after))
ok "no memory is lost" [ $((loss_a < loss_b ? loss_a : loss_b)) -lt $((accesses / 3 * 4)) ]

ok "the healthy card is taken" bind
ok "dahdi_cfg configures the span" configure 'span=1,1,0,ccs,hdb3,crc4\nbchan=1-31'
ok "no alarm" "$span_test" wait-alarms 1 OK 60
ok "all 31 timeslots are byte-exact" "$span_test" data 1 31 4000 loop
ok "the driver unloads" rmmod tl_t1e1
done_testing
