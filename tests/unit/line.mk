# SPDX-License-Identifier: GPL-2.0-only
ROOMS_test-cesop := line base
ROOMS_test-alarms := line base
ROOMS_test-pseudowire := line base
EXTRA_test-pseudowire := tests/unit/far-end.c
ROOMS_test-pseudowire-faults := line base
EXTRA_test-pseudowire-faults := tests/unit/far-end.c
ROOMS_test-d-channel := line base
EXTRA_test-d-channel := tests/unit/far-end.c
ROOMS_test-batch := line base
