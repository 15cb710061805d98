# SPDX-License-Identifier: GPL-2.0-only
# Tests: what is built for them, and the doors to run them (tests/README.md).
# What each unit test and fuzz target links is declared in tests/unit/*.mk and tests/fuzz/*.mk:
#   ROOMS_test-ring := base            rooms whose archives it links, the needing one first
#   EXTRA_test-pri := tests/unit/x.c   further sources of its own

PACKAGES_CHECK := sip-tester baresip-core opus-tools python3 python3-pil chromium chromium-driver clang libclang-rt-14-dev procps iproute2 \
	linux-headers-amd64 linux-source-6.1 dahdi-source dahdi sparse perl kmod bzip2 xz-utils \
	dkms qemu-system-x86 busybox-static cpio postfix dovecot-imapd dovecot-lmtpd coturn poppler-utils systemd udev openssl
# 600 MB, for real office documents and character recognition.
PACKAGES_SOAK := libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui ocrmypdf

-include $(wildcard tests/unit/*.mk tests/fuzz/*.mk)

UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test-*.c))
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz-*.c))
# What shares memory between threads runs under the thread sanitizer as well.
TSAN := $(filter test-ring test-wake test-dtls-pool test-sip-door test-media% test-pseudowire% test-d-channel test-journal test-record test-store,$(UNIT))

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

.PHONY: unit-programs tsan-programs fuzz-programs
unit-programs: $(foreach t,$(UNIT),$(O)/tests/unit/$(t))
tsan-programs: $(foreach t,$(TSAN),$(O)/tests/unit/$(t))
fuzz-programs: $(foreach t,$(FUZZ),$(O)/tests/fuzz/$(t))

# ---- state machines: drawn into $(BUILD)/fsm, faults refused ----
FSM_ROOMS := $(filter-out control base,$(TRUNKD_ROOMS) $(DESKD_ROOMS)) control base

$(O)/gen/machines.inc: $(call archives,$(FSM_ROOMS))
	@mkdir -p $(@D)
	@nm -g --defined-only $^ 2>/dev/null | awk '$$3 ~ /^tl_[a-z0-9_]+_machine$$/ { print "MACHINE(" $$3 ")" }' | sort -u > $@

$(O)/tests/fsm/machines.o: $(O)/gen/machines.inc
$(O)/tests/fsm/machines: $(O)/tests/fsm/machines.o $(call archives,$(FSM_ROOMS))
	@echo "  LINK  $@"
	@$(CC) $(CFLAGS_$(VARIANT)) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

# A static table would escape the check.
.PHONY: fsm-check
fsm-check: $(O)/tests/fsm/machines ## draw every state machine into build/fsm, refuse faults
	@! grep -rnE 'static +const +struct +tl_fsm_machine' userspace --include=*.c
	@mkdir -p $(BUILD)/fsm
	@$< $(BUILD)/fsm

.PHONY: layer-check
layer-check: ## dependencies between rooms run one way
	@tests/layers/test
	@tests/layers/check

# ---- for soak: what a power cut leaves; packets that get lost; faxes of SpanDSP alone ----
.PHONY: soak-programs
soak-programs: $(O)/tests/soak/power-cut.so $(O)/tests/soak/rtp-loss.so $(O)/tests/soak/fax-alone
$(O)/tests/soak/fax-alone: $(O)/tests/soak/fax-alone.o
	@echo "  LINK  $@"
	@$(CC) $(CFLAGS_$(VARIANT)) -o $@ $^ $(LDLIBS)
$(O)/tests/soak/%.so: tests/soak/%.c
	@echo "  LINK  $@"
	@mkdir -p $(@D)
	@$(CC) $(STRICT) -D_GNU_SOURCE -O2 -g -shared -fPIC -o $@ $<

# ---- the doors ----
RUN_TESTS = BUILD=$(BUILD) TSAN='$(TSAN)' tests/run
.PHONY: check soak fuzz check-packages soak-packages
check-packages:
	@tools/install-packages $(PACKAGES_CHECK)
soak-packages:
	@tools/install-packages $(PACKAGES_CHECK) $(PACKAGES_SOAK)

check: check-packages ## everything that must hold, 30 minutes on 2 cores; ONLY=pattern runs a part
	@$(RUN_TESTS) check $(if $(ONLY),--only '$(ONLY)')

FUZZ_S ?= 600
fuzz: check-packages ## each fuzz target for FUZZ_S=600 seconds
	@FUZZ_S=$(FUZZ_S) $(RUN_TESTS) fuzz $(if $(ONLY),--only '$(ONLY)')

SOAK_H ?= 8
soak: soak-packages ## the tests over and over for SOAK_H=8 hours; resumes; summary in build/soak
	@SOAK_H=$(SOAK_H) $(RUN_TESTS) soak $(if $(ONLY),--only '$(ONLY)')
