/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Any octets as an SRTP or SRTCP packet: none that this input could forge is
 * taken. The same octets as a packet to protect: they come back. The first octet
 * chooses profile and kind.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "secure/srtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tl_srtp *context(enum tl_srtp_profile profile, enum tl_srtp_direction direction)
{
	struct tl_srtp_config config = { .profile = profile, .direction = direction, .key.key = "sixteen octets.." };

	return tl_srtp_new(&config, NULL);
}

static void forge(struct tl_srtp *receive, bool rtcp, const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);
	size_t n = size;
	int error;

	memcpy(exact, data, size);
	error = rtcp ? tl_srtp_unprotect_rtcp(receive, exact, &n) : tl_srtp_unprotect(receive, exact, &n);
	assert(error < 0 && n == size);
	free(exact);
}

static void round_trip(struct tl_srtp *send, struct tl_srtp *receive, bool rtcp, const uint8_t *data, size_t size)
{
	uint8_t *packet = malloc(size + TL_SRTP_GROWTH_MAX);
	size_t n = size, capacity = size + TL_SRTP_GROWTH_MAX;

	memcpy(packet, data, size);
	if (!(rtcp ? tl_srtp_protect_rtcp(send, packet, &n, capacity) : tl_srtp_protect(send, packet, &n, capacity))) {
		assert(n > size && n <= capacity);
		assert(!(rtcp ? tl_srtp_unprotect_rtcp(receive, packet, &n) : tl_srtp_unprotect(receive, packet, &n)));
		assert(n == size && !memcmp(packet, data, size));
	}
	free(packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum tl_srtp_profile profile;
	struct tl_srtp *send, *receive;
	bool rtcp;

	if (!size)
		return 0;
	profile = data[0] & 1 ? TL_SRTP_AES128_CM_SHA1_80 : TL_SRTP_AEAD_AES_128_GCM;
	rtcp = data[0] & 2;
	send = context(profile, TL_SRTP_SEND);
	receive = context(profile, TL_SRTP_RECEIVE);
	forge(receive, rtcp, data + 1, size - 1);
	round_trip(send, receive, rtcp, data + 1, size - 1);
	tl_srtp_free(send);
	tl_srtp_free(receive);
	return 0;
}
