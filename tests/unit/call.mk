# SPDX-License-Identifier: GPL-2.0-only
ROOMS_test-journal := call base
