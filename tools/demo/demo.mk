# SPDX-License-Identifier: GPL-2.0-only
# Prompts, and the demonstration: an exchange, a node and a desk on one machine.

SOUNDS := $(BUILD)/sounds

$(SOUNDS)/.made: tools/prompts/make-prompts tools/prompts/prompts.txt | $(BUILD)/config.mk
	@echo "  SPEAK $(SOUNDS)"
	@tools/prompts/make-prompts $(SOUNDS)

.PHONY: sounds run run-vm
sounds: $(SOUNDS)/.made

run: all sounds ## start the demonstration centre; LAN=1: for browsers of the LAN, by HTTPS; DAHDI=1: with the machine's cards; Ctrl-C stops it
	@/usr/bin/python3 tools/demo/run --build $(BUILD)

run-vm: all sounds vm-tools driver ## the same in a virtual machine, on an emulated card through DAHDI
	@/usr/bin/python3 tools/demo/run-vm --build $(BUILD)

all: sounds
