# SPDX-License-Identifier: GPL-2.0-only
# make install, make uninstall: programs, prompts, units, rules, users, examples.
# Configurations that are there are never touched.
PREFIX ?= /usr/local
SHARE := $(PREFIX)/share/trunkline
UNITS := trunkd.service deskd.service trunkline-cards.service
EXAMPLES := trunkd.conf.example deskd.conf.example
# Where systemd and udev look whatever the prefix is.
UNIT_DIR ?= /lib/systemd/system
PROGRAMS_SBIN := $(O)/trunkd $(O)/deskd tools/trunk-setup/trunk-setup
PROGRAMS_BIN := $(O)/trunkctl $(O)/exchange $(O)/line-test $(O)/faxpages

INSTALLED := $(addprefix $(PREFIX)/sbin/,$(notdir $(PROGRAMS_SBIN))) $(addprefix $(PREFIX)/bin/,$(notdir $(PROGRAMS_BIN))) \
	$(addprefix $(UNIT_DIR)/,$(UNITS)) $(addprefix /etc/trunkline/,$(EXAMPLES)) \
	/lib/udev/rules.d/70-trunkline-dahdi.rules /usr/lib/sysusers.d/trunkline.conf /usr/lib/tmpfiles.d/trunkline.conf
INSTALLED_FOLDERS := $(SHARE) $(PREFIX)/lib/trunkline

# $(1) file, $(2) where, with the prefix filled in.
fill_in = sed 's|@prefix@|$(PREFIX)|g' $(1) | install -D -m 644 /dev/stdin $(DESTDIR)$(2)

.PHONY: install uninstall
install: all sounds ## programs, prompts, service units, udev rule, users, examples; PREFIX and DESTDIR
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(SHARE)/schema \
		$(DESTDIR)$(PREFIX)/lib/trunkline/trunk_setup
	install -m 755 $(PROGRAMS_SBIN) $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(PROGRAMS_BIN) $(DESTDIR)$(PREFIX)/bin
	install -m 644 tools/trunk-setup/trunk_setup/*.py $(DESTDIR)$(PREFIX)/lib/trunkline/trunk_setup
	cp -r $(SOUNDS) $(DESTDIR)$(SHARE)/
	rm -f $(DESTDIR)$(SHARE)/sounds/.made
	install -m 644 userspace/control/*.schema.json $(DESTDIR)$(SHARE)/schema
	install -m 644 README.md LICENSE $(DESTDIR)$(SHARE)
	$(foreach unit,$(UNITS),$(call fill_in,tools/systemd/$(unit),$(UNIT_DIR)/$(unit)) &&) true
	$(foreach file,$(EXAMPLES),$(call fill_in,tools/systemd/$(file).in,/etc/trunkline/$(file)) &&) true
	install -D -m 644 tools/systemd/70-trunkline-dahdi.rules $(DESTDIR)/lib/udev/rules.d/70-trunkline-dahdi.rules
	install -D -m 644 tools/systemd/sysusers.conf $(DESTDIR)/usr/lib/sysusers.d/trunkline.conf
	install -D -m 644 tools/systemd/tmpfiles.conf $(DESTDIR)/usr/lib/tmpfiles.d/trunkline.conf
	$(if $(DESTDIR),,tools/systemd/settle)

uninstall: ## remove what make install put there; configurations, state and users stay
	$(if $(DESTDIR),,-systemctl disable --now trunkd deskd trunkline-cards 2>/dev/null)
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	rm -rf $(addprefix $(DESTDIR),$(INSTALLED_FOLDERS))
	-rmdir $(DESTDIR)/etc/trunkline 2>/dev/null
	$(if $(DESTDIR),,tools/systemd/settle)
