# SPDX-License-Identifier: GPL-2.0-only
ROOMS_test-journal := call base
ROOMS_test-route := call media spool signal secure line base
# A whole node, its far ends and its desks in one process.
CALL_RIG := tests/unit/call-rig.c tests/unit/fast-line.c tests/unit/own-host.c
CALL_ROOMS := call fax ip media spool signal secure line control base
ROOMS_test-call-tandem := $(CALL_ROOMS)
EXTRA_test-call-tandem := $(CALL_RIG)
ROOMS_test-call-names := call media spool secure line base
ROOMS_test-call := $(CALL_ROOMS)
EXTRA_test-call := $(CALL_RIG)
ROOMS_test-call-settings := call media spool signal secure line base
EXTRA_test-call-settings := userspace/trunkd/settings.c userspace/trunkd/settings-keys.c userspace/trunkd/settings-browser.c
ROOMS_test-call-fax := $(CALL_ROOMS)
EXTRA_test-call-fax := $(CALL_RIG) tests/unit/fax-paper.c
ROOMS_test-call-browser := $(CALL_ROOMS)
EXTRA_test-call-browser := $(CALL_RIG) tests/unit/fake-browser.c
ROOMS_test-call-overload := $(CALL_ROOMS)
EXTRA_test-call-overload := $(CALL_RIG)
