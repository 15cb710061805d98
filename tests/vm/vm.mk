# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# Virtual machines for tests: the cache they start from, the emulated card, and
# all cases. Included by the top Makefile, which sets BUILD, CC and CFLAGS.
VM_CACHE ?= $(BUILD)/vm
export VM_CACHE

.PHONY: vm-prepare
vm-prepare:
	tests/vm/prepare $(VM_CACHE)

vm_cflags = -std=gnu11 -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -Itests/vm -Iuserspace/trunkd -Iuserspace
card_sources = $(wildcard tests/vm/card/*.c) userspace/trunkd/line/cesop.c
card_objects = $(card_sources:%.c=$(BUILD)/vm-obj/%.o)

.PHONY: card-model
card-model: $(BUILD)/card-model

$(BUILD)/vm-obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(vm_cflags) -MMD -MP -c -o $@ $<

$(BUILD)/card-model: $(card_objects)
	$(CC) -o $@ $^

-include $(card_objects:.o=.d)
