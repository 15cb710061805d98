# SPDX-License-Identifier: GPL-2.0-only
# Setting a machine up: its tests on recorded machines.

PACKAGES_SETUP := dahdi systemd

.PHONY: setup-check
setup-check: all ## trunk-setup, line-test and the service units, on recorded machines
	@tools/install-packages $(PACKAGES_SETUP)
	@for test in tests/setup/test_*.py; do BUILD=$(BUILD) O=$(O) $$test || exit 1; done
