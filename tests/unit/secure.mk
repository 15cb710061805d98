# SPDX-License-Identifier: GPL-2.0-only
ROOMS_test-srtp-vectors := secure base
EXTRA_test-srtp-vectors := tests/unit/hex.c
ROOMS_test-srtp := secure base
EXTRA_test-srtp := tests/unit/srtp-packets.c tests/unit/openssl-memory.c
ROOMS_test-srtp-backends := secure base
EXTRA_test-srtp-backends := tests/unit/srtp-packets.c
ROOMS_test-stun := secure base
EXTRA_test-stun := tests/unit/hex.c
ROOMS_test-dtls := secure base
EXTRA_test-dtls := tests/unit/dtls-link.c tests/unit/openssl-memory.c
ROOMS_test-certificate := secure base
ROOMS_test-dtls-pool := secure base
