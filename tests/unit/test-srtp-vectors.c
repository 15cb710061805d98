/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* SRTP against the vectors of RFC 3711 appendix B, RFC 7714 16 and 17, and libsrtp's reference packets. */
#include <glib.h>
#include <string.h>

#include "hex.h"
#include "secure/srtp-cipher.h"
#include "secure/srtp.h"

#define GALLIA "47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573"
#define RTP_HEADER "8040f17b8041f8d35501a0b2"
#define RTCP_HEADER "81c8000d4d617273"
#define RTCP_BODY "4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"

static struct tl_srtp_session_keys session_keys(const char *cipher, const char *salt)
{
	struct tl_srtp_session_keys keys = { 0 };

	hex_read(cipher, keys.cipher, sizeof(keys.cipher));
	hex_read(salt, keys.salt, sizeof(keys.salt));
	return keys;
}

static struct tl_srtp_key master_key(void)
{
	struct tl_srtp_key key;

	hex_read("e1f97a0d3e018be0d64fa32c06de4139", key.key, sizeof(key.key));
	hex_read("0ec675ad498afeebb6960b3aabe6", key.salt, sizeof(key.salt));
	return key;
}

/* RFC 3711 B.2: zeroes enciphered are the key stream; its last blocks are beyond any packet's. */
static void test_counter_mode(void)
{
	struct tl_srtp_session_keys keys =
		session_keys("2b7e151628aed2a6abf7158809cf4f3c", "f0f1f2f3f4f5f6f7f8f9fafbfcfd");
	struct tl_srtp_cipher *cipher = tl_srtp_cipher_new(TL_SRTP_AES128_CM_SHA1_80, TL_SRTP_SEND, &keys);
	size_t n = 0xff02 * 16;
	g_autofree uint8_t *stream = g_malloc0(n);
	struct tl_srtp_part part = { .octets = stream, .n_octets = n };
	uint8_t tag[10];

	g_assert_true(tl_srtp_seal(cipher, &part, tag));
	hex_assert(stream, 48,
		   "e03ead0935c95e80e166b16dd92b4eb4 d23513162b02d0f72a43a2fe4a5f97ab 41e95b3bb0a2e8dd477901e4fca894c0");
	hex_assert(stream + 0xfeff * 16, 48,
		   "ec8cdf7398607cb0f2d21675ea9ea1e4 362b7c3c6773516318a077d7fc5073ae 6a2cc3787889374fbeb4c81b17ba6c44");
	tl_srtp_cipher_free(cipher);
}

/* RFC 3711 B.3 */
static void test_key_derivation(void)
{
	struct tl_srtp_key master = master_key();
	uint8_t out[94];

	tl_srtp_derive(&master, 14, TL_SRTP_LABEL_CIPHER, out, 16);
	hex_assert(out, 16, "c61e7a93744f39ee10734afe3ff7a087");
	tl_srtp_derive(&master, 14, TL_SRTP_LABEL_SALT, out, 14);
	hex_assert(out, 14, "30cbbc08863d8c85d49db34a9ae1");
	tl_srtp_derive(&master, 14, TL_SRTP_LABEL_AUTH, out, 94);
	hex_assert(out, 94,
		   "cebe321f6ff7716b6fd4ab49af256a15 6d38baa48f0a0acf3c34e2359e6cdbce e049646c43d9327ad175578ef7227098"
		   "6371c10c9a369ac2f94a8c5fbcdddc25 6d6e919a48b610ef17c2041e47403576 6b68642c59bbfc2f34db60dbdfb2");
}

struct gcm_case {
	const char *name;
	const char *clear, *body; /* all of the packet is clear where it is only authenticated */
	const char *word;
	const char *enciphered, *tag;
	uint32_t ssrc;
	uint64_t index;
};

/* RFC 7714 16.1 and 17.1-17.4 state session keys. The second packet of section 17's preamble is not what it uses. */
static const struct gcm_case gcm_cases[] = {
	{ "srtp", RTP_HEADER, GALLIA, NULL,
	  "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833",
	  "899d7f27beb16a9152cf765ee4390cce", 0x5501a0b2, 0xf17b },
	{ "srtp-tag-only", RTP_HEADER GALLIA, "", NULL, "", "22493f82d2bce397e9d79e3b19aa4216", 0x5501a0b2, 0xf17b },
	{ "srtcp", RTCP_HEADER, RTCP_BODY, "800005d4",
	  "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b",
	  "c84aa45896cf4d2fc5abf87245d9eade", 0x4d617273, 0x5d4 },
	{ "srtcp-tag-only", RTCP_HEADER RTCP_BODY, "", "000005d4", "", "841dd9683dd78ec92ae58790125f62b3", 0x4d617273,
	  0x5d4 },
};

static void test_gcm(gconstpointer data)
{
	const struct gcm_case *c = data;
	struct tl_srtp_session_keys keys =
		session_keys("000102030405060708090a0b0c0d0e0f", "517569642070726f2071756f");
	struct tl_srtp_cipher *send = tl_srtp_cipher_new(TL_SRTP_AEAD_AES_128_GCM, TL_SRTP_SEND, &keys);
	struct tl_srtp_cipher *receive = tl_srtp_cipher_new(TL_SRTP_AEAD_AES_128_GCM, TL_SRTP_RECEIVE, &keys);
	uint8_t octets[128], tag[16], word[4];
	size_t clear = hex_read(c->clear, octets, sizeof(octets));
	size_t body = hex_read(c->body, octets + clear, sizeof(octets) - clear);
	struct tl_srtp_part part = { .octets = octets, .clear = clear, .n_octets = clear + body, .ssrc = c->ssrc,
				     .index = c->index };

	if (c->word) {
		hex_read(c->word, word, sizeof(word));
		part.word = word;
	}
	g_assert_true(tl_srtp_seal(send, &part, tag));
	hex_assert(octets, clear, c->clear);
	hex_assert(octets + clear, body, c->enciphered);
	hex_assert(tag, sizeof(tag), c->tag);
	g_assert_true(tl_srtp_open(receive, &part, tag));
	hex_assert(octets + clear, body, c->body);
	tag[15] ^= 1;
	g_assert_false(tl_srtp_open(receive, &part, tag));
	tl_srtp_cipher_free(send);
	tl_srtp_cipher_free(receive);
}

/* The tag-only packet again, through the whole of it: the E flag is read, RFC 3711 3.4. */
static void test_unenciphered_rtcp(void)
{
	struct tl_srtp_config config = { .direction = TL_SRTP_RECEIVE, .profile = TL_SRTP_AES128_CM_SHA1_80,
					 .key = master_key() };
	struct tl_srtp_session_keys keys = { 0 };
	struct tl_srtp *srtp = tl_srtp_new(&config, NULL);
	struct tl_srtp_cipher *cipher;
	uint8_t packet[64];
	size_t n = hex_read("81c8000bcafebabe abababababababababababababababab 00000007", packet, sizeof(packet));
	struct tl_srtp_part part = { .octets = packet, .clear = n - 4, .n_octets = n - 4, .word = packet + n - 4,
				     .ssrc = 0xcafebabe, .index = 7 };

	tl_srtp_derive(&config.key, 14, TL_SRTP_LABEL_RTCP + TL_SRTP_LABEL_CIPHER, keys.cipher, sizeof(keys.cipher));
	tl_srtp_derive(&config.key, 14, TL_SRTP_LABEL_RTCP + TL_SRTP_LABEL_AUTH, keys.auth, sizeof(keys.auth));
	cipher = tl_srtp_cipher_new(TL_SRTP_AES128_CM_SHA1_80, TL_SRTP_SEND, &keys);
	g_assert_true(tl_srtp_seal(cipher, &part, packet + n));
	n += 10;
	g_assert_cmpint(tl_srtp_unprotect_rtcp(srtp, packet, &n), ==, 0);
	hex_assert(packet, n, "81c8000bcafebabe abababababababababababababababab");
	tl_srtp_cipher_free(cipher);
	tl_srtp_free(srtp);
}

/* libsrtp's own reference packets, through both backends. */
static void test_reference_packets(gconstpointer data)
{
	struct tl_srtp_config config = { .backend = GPOINTER_TO_UINT(data), .direction = TL_SRTP_SEND,
					 .profile = TL_SRTP_AES128_CM_SHA1_80, .key = master_key() };
	struct tl_srtp *srtp = tl_srtp_new(&config, NULL);
	uint8_t packet[64];
	size_t n = hex_read("800f1234decafbadcafebabe abababababababababababababababab", packet, sizeof(packet));

	g_assert_cmpint(tl_srtp_protect(srtp, packet, &n, sizeof(packet)), ==, 0);
	hex_assert(packet, n,
		   "800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
	n = hex_read("81c8000bcafebabe abababababababababababababababab", packet, sizeof(packet));
	g_assert_cmpint(tl_srtp_protect_rtcp(srtp, packet, &n, sizeof(packet)), ==, 0);
	hex_assert(packet, n, "81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798");
	tl_srtp_free(srtp);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/srtp-vectors/rfc3711-b2", test_counter_mode);
	g_test_add_func("/srtp-vectors/rfc3711-b3", test_key_derivation);
	for (size_t i = 0; i < G_N_ELEMENTS(gcm_cases); i++) {
		g_autofree char *name = g_strdup_printf("/srtp-vectors/rfc7714-%s", gcm_cases[i].name);

		g_test_add_data_func(name, &gcm_cases[i], test_gcm);
	}
	g_test_add_func("/srtp-vectors/unenciphered-rtcp", test_unenciphered_rtcp);
	g_test_add_data_func("/srtp-vectors/reference-evp", GUINT_TO_POINTER(TL_SRTP_EVP), test_reference_packets);
	g_test_add_data_func("/srtp-vectors/reference-libsrtp", GUINT_TO_POINTER(TL_SRTP_LIBSRTP), test_reference_packets);
	return g_test_run();
}
