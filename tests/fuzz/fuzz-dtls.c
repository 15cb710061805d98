/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Any datagrams, each after its length in two octets, to a DTLS end that waits
 * for its peer; the first octet chooses role and cookie. It must never connect,
 * and whatever it says fits in a datagram.
 */
#include <assert.h>

#include "secure/dtls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void discard(const uint8_t *octets, size_t n_octets, void *user)
{
	assert(n_octets && n_octets <= TL_DTLS_DATAGRAM_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tl_certificate *certificate;
	union tl_address from = { .v4 = { .sin_family = AF_INET, .sin_port = 99 } };
	struct tl_association_config config = { .peer = { .n_octets = 32 } };
	struct tl_dtls *dtls;
	struct tl_dtls_keys keys;

	if (!certificate)
		certificate = tl_certificate_new(30, NULL);
	if (!size)
		return 0;
	config.certificate = certificate;
	config.role = data[0] & 1 ? TL_DTLS_CLIENT : TL_DTLS_SERVER;
	config.cookie = data[0] & 2;
	dtls = tl_dtls_new(&config, discard, NULL);
	tl_dtls_tick(dtls);
	for (size_t at = 1; at + 2 <= size;) {
		size_t n = (size_t)(data[at] << 8 | data[at + 1]);

		at += 2;
		n = n < size - at ? n : size - at;
		if (n)
			tl_dtls_feed(dtls, &from, data + at, n);
		at += n;
	}
	assert(tl_dtls_get_state(dtls) == TL_DTLS_HANDSHAKE || tl_dtls_get_state(dtls) == TL_DTLS_FAILED);
	assert(!tl_dtls_keys(dtls, &keys));
	tl_dtls_free(dtls);
	return 0;
}
