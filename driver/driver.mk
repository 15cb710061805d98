# SPDX-License-Identifier: GPL-2.0-only
# The kernel module, out of tree: sources are copied into $(BUILD)/driver and
# built there. Included by the top Makefile, which sets BUILD.
#   KVER            the kernel to build for; the newest installed headers
#   DAHDI_INCLUDE   DAHDI's headers; else DAHDI's core is built from dahdi-source
#   DAHDI_SYMVERS   the Module.symvers of that DAHDI
KVER ?= $(shell ls -d /usr/src/linux-headers-*-amd64 2>/dev/null | \
	sed 's|.*/linux-headers-||' | sort -V | tail -n 1)
KDIR ?= $(or $(wildcard /usr/src/linux-headers-$(KVER)),/lib/modules/$(KVER)/build)
# Debian's dahdi-source, else the sources that dahdi-dkms unpacks
DAHDI_SOURCE ?= $(firstword $(wildcard /usr/src/dahdi.tar.bz2) \
	$(wildcard /usr/src/dahdi-*/.) /usr/src/dahdi.tar.bz2)
DAHDI_TREE := $(abspath $(BUILD))/dahdi-core
DAHDI_INCLUDE ?= $(DAHDI_TREE)/include
DAHDI_SYMVERS ?= $(DAHDI_TREE)/drivers/dahdi/Module.symvers

DRIVER_BUILD := $(abspath $(BUILD))/driver
DRIVER_SOURCES := $(wildcard driver/*.c driver/*.h) driver/Kbuild
DRIVER_COPIES := $(DRIVER_SOURCES:driver/%=$(DRIVER_BUILD)/%)
DRIVER_KBUILD = $(MAKE) -C $(KDIR) M=$(DRIVER_BUILD) \
	TL_DAHDI_INCLUDE=$(DAHDI_INCLUDE) KBUILD_EXTRA_SYMBOLS=$(DAHDI_SYMVERS)

.PHONY: driver install-driver install-dkms driver-lint driver-quirks driver-dkms driver-unit
driver: $(DRIVER_BUILD)/tl_t1e1.ko ## the kernel module of the T1/E1 cards

$(DRIVER_BUILD)/tl_t1e1.ko: $(DRIVER_COPIES) $(DAHDI_SYMVERS)
	+$(DRIVER_KBUILD) KCFLAGS=-Werror modules
	@touch $@

$(DRIVER_BUILD)/%: driver/%
	@mkdir -p $(@D)
	cp $< $@

/usr/src/dahdi.tar.bz2:
	@echo "$@ is missing: install dahdi-source, or set DAHDI_INCLUDE and DAHDI_SYMVERS" >&2; exit 1

# Only what a driver needs: dahdi.ko, its headers and its symbols' versions.
$(DAHDI_TREE)/drivers/dahdi/Module.symvers: $(DAHDI_SOURCE)
	rm -rf $(DAHDI_TREE) $(DAHDI_TREE).new
	mkdir -p $(DAHDI_TREE).new
	if [ -d $< ]; then cp -r $</. $(DAHDI_TREE).new; \
		else tar -xf $< -C $(DAHDI_TREE).new --strip-components=2; fi
	rm -rf $(DAHDI_TREE).new/drivers/staging
	mv $(DAHDI_TREE).new $(DAHDI_TREE)
	+$(MAKE) -C $(DAHDI_TREE) modules KVERS=$(KVER) KSRC=$(KDIR) \
		DAHDI_BUILD_ALL= CONFIG_DAHDI=m >$(DAHDI_TREE)/build.log 2>&1 || \
		{ tail -n 20 $(DAHDI_TREE)/build.log; exit 1; }
	touch $@

INSTALL_MOD_DIR ?= updates
install-driver: driver ## put it where modprobe finds it
	install -D -m 644 $(DRIVER_BUILD)/tl_t1e1.ko \
		$(DESTDIR)/lib/modules/$(KVER)/$(INSTALL_MOD_DIR)/tl_t1e1.ko
	$(if $(DESTDIR),,depmod $(KVER))

# For DKMS: the sources and this fragment, where DKMS looks for them.
DKMS_VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' driver/dkms.conf)
DKMS_TREE := $(DESTDIR)/usr/src/tl_t1e1-$(DKMS_VERSION)
install-dkms: ## the same by DKMS, for each new kernel
	install -d $(DKMS_TREE)/driver
	install -m 644 $(DRIVER_SOURCES) driver/driver.mk $(DKMS_TREE)/driver
	install -m 644 driver/dkms.conf $(DKMS_TREE)

# Installed by hand and by DKMS, into a root of its own.
DKMS_ROOT := $(abspath $(BUILD))/dkms-root
driver-dkms: driver
	rm -rf $(DKMS_ROOT)
	$(MAKE) BUILD=$(BUILD) DESTDIR=$(DKMS_ROOT) install-dkms
	$(MAKE) BUILD=$(BUILD) DESTDIR=$(DKMS_ROOT)/by-hand install-driver
	@DAHDI_INCLUDE=$(DAHDI_INCLUDE) DAHDI_SYMVERS=$(DAHDI_SYMVERS) \
		tests/unit/driver/dkms $(KVER) $(DKMS_ROOT)

# W=1, sparse and checkpatch --strict, each without a word to say. Ignored, and why:
# compat.h is there to compare versions; TRACE_EVENT() is laid out in the
# kernel's own way for it, which checkpatch does not know.
LINT_BUILD := $(abspath $(BUILD))/driver-lint
CHECKPATCH := $(LINT_BUILD)/scripts/checkpatch.pl
checkpatch_ignore_compat.h := --ignore LINUX_VERSION_CODE,CONSTANT_COMPARISON
checkpatch_ignore_trace.h := --ignore PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE

driver-quirks:
	@tests/unit/driver/quirks

driver-lint: driver-quirks $(CHECKPATCH) $(DAHDI_SYMVERS)
	rm -rf $(LINT_BUILD)/build
	mkdir -p $(LINT_BUILD)/build
	cp $(DRIVER_SOURCES) $(LINT_BUILD)/build
	+$(MAKE) -C $(KDIR) M=$(LINT_BUILD)/build TL_DAHDI_INCLUDE=$(DAHDI_INCLUDE) \
		KBUILD_EXTRA_SYMBOLS=$(DAHDI_SYMVERS) \
		W=1 C=2 CF=-Wsparse-error KCFLAGS=-Werror modules
	@status=0; $(foreach file,$(wildcard driver/*.c driver/*.h), \
		perl $(CHECKPATCH) --no-tree --strict --terse --no-summary \
		$(checkpatch_ignore_$(notdir $(file))) -f $(file) || status=1;) exit $$status

# Debian's headers come without checkpatch; its kernel source has it.
$(CHECKPATCH): /usr/src/linux-source-6.1.tar.xz
	mkdir -p $(@D)
	tar -xmf $< -C $(LINT_BUILD) --strip-components=1 --wildcards \
		'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
		'*/scripts/const_structs.checkpatch'

# What needs no kernel, tested without one, on a bus that is an array.
driver_unit_parts := dma.c framer-falc56.c framer-falc56-cas.c alarm.c performance.c
driver_unit_tests := dma framer signalling alarm
driver_unit_cflags := -std=gnu11 -O1 -g -Wall -Wextra -Werror \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-Itests/unit/driver/shim -Itests/unit/driver -Idriver
driver_unit_programs := $(driver_unit_tests:%=$(BUILD)/driver-unit/test-%)

driver-unit: $(driver_unit_programs)
	@status=0; for program in $^; do $$program --tap || status=1; done; exit $$status

$(BUILD)/driver-unit/test-%: tests/unit/driver/test-%.c tests/unit/driver/memory-bus.c \
		$(driver_unit_parts:%=driver/%) $(wildcard driver/*.h tests/unit/driver/*.h)
	@mkdir -p $(@D)
	gcc $(driver_unit_cflags) -o $@ $(filter %.c,$^) \
		$(shell pkg-config --cflags --libs glib-2.0)
