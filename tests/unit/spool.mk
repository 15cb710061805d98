# SPDX-License-Identifier: GPL-2.0-only
ROOMS_test-spool := spool base
EXTRA_test-spool := tests/unit/power-cut.c
