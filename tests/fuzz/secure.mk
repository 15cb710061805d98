# SPDX-License-Identifier: GPL-2.0-only
ROOMS_fuzz-stun := secure base
ROOMS_fuzz-srtp := secure base
ROOMS_fuzz-dtls := secure base
