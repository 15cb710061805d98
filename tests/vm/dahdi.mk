# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
# Guest programs that stand on the line room over DAHDI. Included by vm.mk.
dahdi_programs = $(addprefix $(BUILD)/vm-guest/,dahdi-line dahdi-watch)
vm-tools: $(dahdi_programs) $(O)/trunkd $(O)/exchange

$(dahdi_programs): $(BUILD)/vm-guest/%: $(O)/tests/vm/guest/%.o $(O)/tests/vm/pattern.o $(call archives,line base)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_$(VARIANT)) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

$(O)/tests/vm/%.o: CPPFLAGS += -Itests/vm
