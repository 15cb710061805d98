/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Any octets as a STUN datagram to the lite end of ICE: as they are, then with
 * cookie, length and FINGERPRINT made right, then signed as well, so that no sum
 * hides what lies behind it. What is answered must read back as a STUN message,
 * and nothing unsigned may ever pass for a check.
 */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "secure/ice.h"
#include "secure/stun-attribute.h"

#define UFRAG "evtj"
#define PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tl_ice_secret secret;

static const struct tl_ice_secret *find(const char *ufrag, size_t n_ufrag, void **session, void *user)
{
	*session = &secret;
	return n_ufrag == strlen(UFRAG) && !memcmp(ufrag, UFRAG, n_ufrag) ? &secret : NULL;
}

static void put(uint8_t *octets, unsigned n, uint32_t value)
{
	while (n--) {
		octets[n] = (uint8_t)value;
		value >>= 8;
	}
}

static void judge(const uint8_t *data, size_t size)
{
	union tl_address from = { .v4 = { .sin_family = AF_INET, .sin_port = 99 } };
	struct tl_stun_message message, answer_read;
	struct tl_ice_answer answer;
	struct tl_ice_lite lite;
	int error = tl_stun_parse(data, size, &message);

	tl_ice_lite_init(&lite, find, NULL, 0);
	tl_ice_lite_answer(&lite, data, size, &from, 0, &answer);
	assert(answer.n_octets <= sizeof(answer.octets));
	if (answer.n_octets) {
		assert(!tl_stun_parse(answer.octets, answer.n_octets, &answer_read));
		assert(answer_read.has_fingerprint);
		assert(!memcmp(answer_read.transaction, message.transaction, 12));
	}
	if (answer.verdict >= TL_ICE_CHECKED)
		assert(!error && tl_stun_verify(&message, &secret.key) && answer.session == &secret);
	if (error)
		assert(answer.verdict == TL_ICE_IGNORED && !answer.n_octets);
}

/* Ends @message, of @n octets so far, as its sender should have. */
static size_t finish(uint8_t *message, size_t n, bool sign)
{
	put(message + 4, 4, STUN_COOKIE);
	if (sign) {
		put(message + 2, 2, (uint32_t)(n + STUN_INTEGRITY_OCTETS - STUN_HEADER_OCTETS));
		put(message + n, 4, STUN_MESSAGE_INTEGRITY << 16 | TL_HMAC_OCTETS);
		tl_hmac_sha1(&secret.key, message, n, NULL, 0, message + n + 4);
		n += STUN_INTEGRITY_OCTETS;
	}
	put(message + 2, 2, (uint32_t)(n + STUN_FINGERPRINT_OCTETS - STUN_HEADER_OCTETS));
	put(message + n, 4, (uint32_t)STUN_FINGERPRINT << 16 | 4);
	put(message + n + 4, 4, tl_stun_crc(message, n) ^ STUN_FINGERPRINT_XOR);
	return n + STUN_FINGERPRINT_OCTETS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t message[TL_STUN_OCTETS_MAX];
	size_t n = size & ~(size_t)3;

	tl_hmac_key_init(&secret.key, PASSWORD, strlen(PASSWORD));
	judge(data, size);
	if (n < STUN_HEADER_OCTETS || n > TL_STUN_OCTETS_MAX - STUN_INTEGRITY_OCTETS - STUN_FINGERPRINT_OCTETS)
		return 0;
	memcpy(message, data, n);
	judge(message, finish(message, n, false));
	memcpy(message, data, n);
	judge(message, finish(message, n, true));
	return 0;
}
