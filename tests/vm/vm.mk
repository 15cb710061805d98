# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# Virtual machines for tests: the cache they start from, the emulated card, and
# all cases. Included by the top Makefile, which sets BUILD, CC and CFLAGS.
VM_CACHE ?= $(BUILD)/vm
export VM_CACHE

.PHONY: vm-prepare
vm-prepare: ## fetch and build what virtual machines start from, once
	tests/vm/prepare $(VM_CACHE)

vm_cflags = -std=gnu11 -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -Itests/vm -Iuserspace/trunkd -Iuserspace
far_end_sources = tests/vm/far-end.c tests/vm/pattern.c userspace/trunkd/line/cesop.c
far_end_objects = $(far_end_sources:%.c=$(BUILD)/vm-obj/%.o)
card_sources = $(wildcard tests/vm/card/*.c) userspace/trunkd/line/cesop.c
card_objects = $(card_sources:%.c=$(BUILD)/vm-obj/%.o)

.PHONY: card-model
card-model: $(BUILD)/card-model ## the emulated card

$(BUILD)/vm-obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(vm_cflags) -MMD -MP -c -o $@ $<

$(BUILD)/card-model: $(card_objects)
	$(CC) -o $@ $^

.PHONY: vm-tools
vm-tools: card-model $(BUILD)/vm-tsc $(BUILD)/vm-door $(BUILD)/vm-far-end $(BUILD)/vm-guest/span-test

$(BUILD)/vm-tsc: tests/vm/tsc.c
	@mkdir -p $(@D)
	$(CC) $(vm_cflags) -o $@ $<

$(BUILD)/vm-door: tests/vm/host/door.c
	@mkdir -p $(@D)
	$(CC) $(vm_cflags) -o $@ $<

$(BUILD)/vm-far-end: $(far_end_objects)
	$(CC) -o $@ $^

# DAHDI's headers come with the cache; libc alone, for the guest runs the host's.
$(BUILD)/vm-guest/span-test: tests/vm/guest/span-test.c tests/vm/pattern.c tests/vm/pattern.h | vm-prepare
	@mkdir -p $(@D)
	$(CC) $(vm_cflags) -I$(VM_CACHE)/dahdi/include -o $@ $(filter %.c,$^)

# Kernel modules that tests load into the guest, for the kernel the guest runs.
vm_modules := $(abspath $(BUILD))/vm-modules
vm_module_sources := $(wildcard tests/vm/guest/modules/*)

.PHONY: vm-modules
vm-modules: $(vm_modules)/built
$(vm_modules)/built: $(vm_module_sources)
	rm -rf $(vm_modules)
	mkdir -p $(vm_modules)
	cp $^ $(vm_modules)
	+$(MAKE) -C $(KDIR) M=$(vm_modules) KCFLAGS=-Werror modules
	@touch $@

# What an installation puts on a machine, for the case that runs it there.
vm_root := $(abspath $(BUILD))/vm-root
.PHONY: vm-root
vm-root: all sounds
	rm -rf $(vm_root)
	+$(MAKE) --no-print-directory install DESTDIR=$(vm_root) PREFIX=/usr
	/usr/bin/python3 -m compileall -q $(vm_root)/usr/lib/trunkline # as packages do: the guest is slow

-include tests/vm/dahdi.mk
-include $(far_end_objects:.o=.d) $(card_objects:.o=.d)

# Every case: DAHDI's own driver proves the emulated card, ours is proved by it.
.PHONY: vm-check
vm-check: vm-tools vm-modules vm-root driver $(O)/exchange ## every case in virtual machines: the emulated card, the driver on it
	BUILD=$(BUILD) EXCHANGE=$(abspath $(O)/exchange) tests/vm/check

.PHONY: vm-bench
vm-bench: vm-tools driver ## instructions and register accesses an interrupt, beside DAHDI's own driver
	BUILD=$(BUILD) tests/vm/bench
