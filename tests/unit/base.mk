# SPDX-License-Identifier: GPL-2.0-only
ROOMS_test-ring := base
ROOMS_test-wake := base
ROOMS_test-clock := base
ROOMS_test-fsm := base
ROOMS_test-config := base
ROOMS_test-log := base
ROOMS_test-service := base
