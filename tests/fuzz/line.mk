# SPDX-License-Identifier: GPL-2.0-only
ROOMS_fuzz-cesop := line base
