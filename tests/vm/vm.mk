# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# Virtual machines for tests: the cache they start from, the emulated card, and
# all cases. Included by the top Makefile, which sets BUILD, CC and CFLAGS.
VM_CACHE ?= $(BUILD)/vm
export VM_CACHE

.PHONY: vm-prepare
vm-prepare:
	tests/vm/prepare $(VM_CACHE)
