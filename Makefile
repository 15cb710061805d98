# SPDX-License-Identifier: GPL-2.0-only
# Trunkline's one door. `make help` lists what it opens.

BUILD ?= build
VARIANT ?= release
O := $(BUILD)/$(VARIANT)

VERSION := $(shell git describe --always --dirty --tags 2>/dev/null || echo unknown)

# ---- what the build and the demonstration need of Debian ----
PACKAGES := gcc libc6-dev pkg-config git libglib2.0-dev libpri-dev libopenr2-dev libspandsp-dev libtiff-dev libtonezone-dev \
	libsofia-sip-ua-glib-dev libsoup-3.0-dev libjson-glib-dev libsqlite3-dev libsodium-dev \
	libssl-dev libsrtp2-dev libopus-dev libogg-dev liburing-dev dahdi-source espeak-ng sox python3 openssl \
	libgmime-3.0-dev libcurl4-openssl-dev libseccomp-dev libpoppler-glib-dev libpango1.0-dev libgdk-pixbuf-2.0-dev \
	fonts-dejavu-core
PKGS := glib-2.0 gio-unix-2.0 json-glib-1.0 libsoup-3.0 sqlite3 libsodium spandsp sofia-sip-ua-glib libssl libcrypto libsrtp2 liburing opus ogg \
	gmime-3.0 libcurl libseccomp poppler-glib pangocairo gdk-pixbuf-2.0

# ---- compilers ----
CC := gcc
STRICT := -std=gnu11 -Wall -Wextra -Werror -Wswitch-enum -Wno-unused-parameter -Wno-missing-field-initializers
CFLAGS_release := -O2 -g
CFLAGS_asan := -O1 -g1 -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined
CFLAGS_tsan := -O1 -g1 -fsanitize=thread
CFLAGS_fuzz := -O1 -g1 -fsanitize=fuzzer-no-link,address,undefined
ifeq ($(VARIANT),fuzz)
CC := clang
STRICT += -Wno-unknown-warning-option
endif

# GNU make makes this file first and starts again with it.
ifeq ($(filter clean help,$(MAKECMDGOALS)),)
-include $(BUILD)/config.mk
endif

CPPFLAGS := -D_GNU_SOURCE -Iuserspace -Iuserspace/trunkd -Iuserspace/deskd -I$(O)/gen $(PKG_CFLAGS)
CFLAGS := $(STRICT) $(CFLAGS_$(VARIANT)) -pthread -MMD -MP
# These two link some eighty programs for the tests; gold does it in a third of the time.
LINKER := $(if $(filter asan tsan,$(VARIANT)),-fuse-ld=gold)
# What a program does not call it is not linked to: deskd and trunkctl are free of libpri.
LDLIBS := $(LINKER) -Wl,--as-needed $(PKG_LIBS) -lpri -lopenr2 -ltiff -ltonezone -lm -pthread

# ---- rooms: one archive each ----
ROOM_DIRS := userspace/base userspace/control \
	$(addprefix userspace/trunkd/,spool line secure signal media ip fax call) \
	$(addprefix userspace/deskd/,store paper post archive acd flow contact faxjob ledger web)
room_sources = $(wildcard $(1)/*.c)
room_archive = $(O)/lib/$(notdir $(1)).a
object_of = $(patsubst %.c,$(O)/%.o,$(1))

.PHONY: all
all:

define room_rule
$(call room_archive,$(1)): $(call object_of,$(call room_sources,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$(filter %.o,$$^)
endef
$(foreach d,$(ROOM_DIRS),$(eval $(call room_rule,$(d))))

archives = $(foreach r,$(1),$(O)/lib/$(r).a)
TRUNKD_ROOMS := call fax ip media spool signal secure line control base
DESKD_ROOMS := web ledger faxjob contact flow acd archive post paper store control base

# A header of its own, so that a new commit compiles again only what names the version.
$(O)/gen/version.h: FORCE
	@mkdir -p $(@D)
	@echo '#define TL_VERSION "$(VERSION)"' | cmp -s - $@ || echo '#define TL_VERSION "$(VERSION)"' > $@
.PHONY: FORCE
FORCE:

$(O)/%.o: %.c | $(BUILD)/config.mk $(O)/gen/version.h
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(EXTRA_CFLAGS) -c $< -o $@

# Text files that a program carries inside itself: <name>.in.h has <name> as a C string.
$(O)/gen/%.in.h: %
	@mkdir -p $(@D)
	@sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $< > $@

$(O)/userspace/control/schema.o: $(O)/gen/userspace/control/node.schema.json.in.h $(O)/gen/userspace/control/desk.schema.json.in.h
$(O)/userspace/deskd/store/migrations.o: $(patsubst %,$(O)/gen/%.in.h,$(wildcard userspace/deskd/store/migrations/*.sql))
$(O)/userspace/deskd/web/page.o: $(patsubst %,$(O)/gen/%.in.h,$(wildcard userspace/deskd/web/page/*))

# ---- programs ----
define program_rule
$(O)/$(1): $(call object_of,$(wildcard $(2)/*.c)) $(call archives,$(3))
	@echo "  LINK  $$@"
	@$$(CC) $$(CFLAGS_$$(VARIANT)) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(LDLIBS)
ifneq ($(wildcard $(2)/*.c),)
PROGRAMS += $(O)/$(1)
endif
endef
$(eval $(call program_rule,trunkd,userspace/trunkd,$(TRUNKD_ROOMS)))
$(eval $(call program_rule,deskd,userspace/deskd,$(DESKD_ROOMS)))
$(eval $(call program_rule,trunkctl,tools/trunkctl,control base))
$(eval $(call program_rule,exchange,tools/exchange,fax ip media spool signal secure line control base))
$(eval $(call program_rule,line-test,tools/line-test,line control base))
$(eval $(call program_rule,faxpages,tools/faxpages,paper base))

all: $(PROGRAMS) $(if $(filter release,$(VARIANT)),links)
.PHONY: links
links: $(PROGRAMS)
	@for p in $(notdir $(PROGRAMS)); do ln -sf $(VARIANT)/$$p $(BUILD)/$$p; done

# ---- tests, driver, demonstration: each folder brings its own rules ----
-include tests/tests.mk tools/demo/demo.mk driver/driver.mk tests/vm/vm.mk tests/bench/bench.mk
-include tools/trunk-setup/trunk-setup.mk userspace/console/console.mk
include tools/systemd/install.mk

$(BUILD)/config.mk: Makefile
	@mkdir -p $(@D)
	@tools/install-packages $(PACKAGES)
	@{ echo "PKG_CFLAGS := $$(pkg-config --cflags $(PKGS))"; \
	   echo "PKG_LIBS := $$(pkg-config --libs $(PKGS))"; } > $@.new
	@mv $@.new $@

.PHONY: clean help
clean: ## remove everything that was built
	rm -rf $(BUILD)

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

-include $(shell find $(O) -name '*.d' 2>/dev/null)
