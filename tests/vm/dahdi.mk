# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# Guest programs that stand on the line room over DAHDI. Included by vm.mk.
vm-tools: $(BUILD)/vm-guest/dahdi-line $(O)/trunkd $(O)/exchange $(O)/trunkctl

$(BUILD)/vm-guest/dahdi-line: $(call object_of,tests/vm/guest/dahdi-line.c tests/vm/pattern.c) $(call archives,line base)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_$(VARIANT)) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

$(O)/tests/vm/%.o: CPPFLAGS += -Itests/vm
