# SPDX-License-Identifier: GPL-2.0-only
# The console: TypeScript bundled by Debian's esbuild, checked by Debian's tsc. deskd carries it inside itself.

PACKAGES += esbuild node-preact
PACKAGES_CHECK += node-typescript

CONSOLE := userspace/console
CONSOLE_SOURCES := $(shell find $(CONSOLE)/src -name '*.ts' -o -name '*.tsx')

$(O)/gen/$(CONSOLE)/console.js: $(CONSOLE_SOURCES) $(CONSOLE)/console.mk | $(BUILD)/config.mk
	@mkdir -p $(@D)
	@echo "  BUNDLE $@"
	@NODE_PATH=/usr/share/nodejs esbuild $(CONSOLE)/src/main.tsx --bundle --minify --charset=utf8 --target=es2020 \
		--main-fields=main --jsx-factory=h --legal-comments=none --log-level=warning --outfile=$@

# A text of C in which no two question marks begin a trigraph.
$(O)/gen/$(CONSOLE)/console.js.in.h: $(O)/gen/$(CONSOLE)/console.js
	@sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/^/"/' -e 's/$$/\\n"/' $< > $@

$(O)/userspace/deskd/web/page.o: $(patsubst %,$(O)/gen/$(CONSOLE)/%.in.h,console.js console.css agent.html)

.PHONY: console-types
console-types: check-packages ## the console's types hold
	@tsc -p $(CONSOLE)
