# SPDX-License-Identifier: GPL-2.0-only
# Unit tests and fuzz targets. What each links is declared in tests/unit/*.mk and tests/fuzz/*.mk:
#   ROOMS_test-ring := base            rooms whose archives it links, the needing one first
#   EXTRA_test-pri := tests/unit/x.c   further sources of its own

PACKAGES_CHECK := sip-tester python3 clang libclang-rt-14-dev procps iproute2

-include $(wildcard tests/unit/*.mk tests/fuzz/*.mk)

UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test-*.c))
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz-*.c))

define unit_rule
$(O)/tests/unit/$(1): $(call object_of,tests/unit/$(1).c $(EXTRA_$(1))) $(call archives,$(ROOMS_$(1)))
	@echo "  LINK  $$@"
	@$$(CC) $$(CFLAGS_$$(VARIANT)) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(LDLIBS)
.PHONY: $(1)
$(1): $(O)/tests/unit/$(1)
	@G_DEBUG=fatal-warnings $$<
endef
$(foreach t,$(UNIT),$(eval $(call unit_rule,$(t))))

define fuzz_rule
$(O)/tests/fuzz/$(1): $(call object_of,tests/fuzz/$(1).c $(EXTRA_$(1))) $(call archives,$(ROOMS_$(1)))
	@echo "  LINK  $$@"
	@$$(CC) -fsanitize=fuzzer,address,undefined -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(LDLIBS)
endef
$(foreach t,$(FUZZ),$(eval $(call fuzz_rule,$(t))))

.PHONY: unit-programs fuzz-programs
unit-programs: $(foreach t,$(UNIT),$(O)/tests/unit/$(t))
fuzz-programs: $(foreach t,$(FUZZ),$(O)/tests/fuzz/$(t))
