# SPDX-License-Identifier: GPL-2.0-only
EXTRA_test-prbs := tools/line-test/prbs.c
