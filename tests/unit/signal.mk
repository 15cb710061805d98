# SPDX-License-Identifier: GPL-2.0-only
ROOMS_test-leg := signal base
ROOMS_test-pri-call := signal base
ROOMS_test-pri-slots := signal base
ROOMS_test-pri-link := signal base
# The line room is replaced by a line of frames that a test can cut and change.
EXTRA_test-pri-call := tests/unit/pri-loop.c
EXTRA_test-pri-slots := tests/unit/pri-loop.c
EXTRA_test-pri-link := tests/unit/pri-loop.c
# Here the spans are real.
ROOMS_test-pri-pseudowire := signal line base
EXTRA_test-pri-pseudowire := tests/unit/far-end.c
# Signalling by configuration reaches every system, and so the line they stand on.
ROOMS_test-r2 := signal line base
ROOMS_test-cas := signal line base
EXTRA_test-cas := tests/unit/cas-rig.c tests/unit/far-end.c
