# SPDX-License-Identifier: GPL-2.0-only
# Benchmarks (tests/bench/README.md).
BENCH_PROGRAMS := $(addprefix $(O)/tests/bench/,floor-relay load subject-media conductor micro routing srtp fax \
	floor-browser load-browser subject-browser flood)

ROOMS_floor-relay :=
EXTRA_floor-relay := tests/bench/floor-spans.c
ROOMS_load :=
EXTRA_load := tests/bench/spans.c
ROOMS_floor-browser :=
EXTRA_floor-browser := tests/bench/floor-spans.c
ROOMS_flood := secure base
ROOMS_load-browser := media secure line base
EXTRA_load-browser := tests/bench/spans.c tests/unit/fake-browser.c
ROOMS_micro := media secure line base
ROOMS_conductor := control base
ROOMS_srtp := secure base
ROOMS_fax := fax media secure base
EXTRA_fax := tests/unit/fax-paper.c tests/unit/fake-span.c
ROOMS_routing := acd store control base
ROOMS_subject-media := media secure line base
EXTRA_subject-media := tests/bench/subject-spans.c
ROOMS_subject-browser := media secure line base
EXTRA_subject-browser := tests/bench/subject-spans.c

define bench_rule
$(O)/tests/bench/$(1): $(call object_of,tests/bench/$(1).c tests/bench/plan.c $(EXTRA_$(1))) $(call archives,$(ROOMS_$(1)))
	@echo "  LINK  $$@"
	@$$(CC) $$(CFLAGS_$$(VARIANT)) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(LDLIBS)
endef
$(foreach p,$(notdir $(BENCH_PROGRAMS)),$(eval $(call bench_rule,$(p))))

.PHONY: bench
bench: $(BENCH_PROGRAMS) $(O)/trunkd $(O)/exchange vm-tools driver ## measure; JSON in build/bench, a table at the end; ONLY=part of a name
	@tests/bench/run --build $(BUILD) --variant $(VARIANT) $(if $(ONLY),--only '$(ONLY)')
