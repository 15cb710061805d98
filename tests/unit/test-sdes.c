/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Keys in session descriptions: RFC 4568, RFC 7714 14.1. */
#include "ip/sdes.h"

#include <errno.h>
#include <string.h>

#define CM "AES_CM_128_HMAC_SHA1_80"
#define GCM "AEAD_AES_128_GCM"
#define KEY30 "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define KEY28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="

static int parse(const char *text, struct tl_sdes *sdes)
{
	/* On the heap without a terminator, so that a read past the end is seen. */
	size_t n = strlen(text);
	g_autofree char *copy = g_malloc(n ? n : 1);
	memcpy(copy, text, n);
	return tl_sdes_parse(copy, n, sdes);
}

static void test_read(void)
{
	struct tl_sdes sdes;
	g_assert_cmpint(parse("1 " CM " inline:" KEY30, &sdes), ==, 0);
	g_assert_cmpuint(sdes.tag, ==, 1);
	g_assert_cmpint(sdes.profile, ==, TL_SRTP_AES128_CM_SHA1_80);
	g_assert_cmpmem(sdes.key.key, 16, "YS___semctl () {", 16);
	g_assert_cmpmem(sdes.key.salt, 14, "\t220;}\n}\nunles", 14);
	g_assert_cmpint(parse("999999999 " GCM " inline:" KEY28, &sdes), ==, 0);
	g_assert_cmpuint(sdes.tag, ==, 999999999);
	g_assert_cmpint(sdes.profile, ==, TL_SRTP_AEAD_AES_128_GCM);
	for (unsigned i = 0; i < 28; i++)
		g_assert_cmpuint(i < 16 ? sdes.key.key[i] : sdes.key.salt[i - 16], ==, i);
	g_assert_cmpint(parse("1 aes_cm_128_hmac_sha1_80  inline:" KEY30 "|2^20", &sdes), ==, 0);
	g_assert_cmpint(parse("1 " CM " inline:" KEY30 "|281474976710656 WSH=64 -future=1", &sdes), ==, 0);
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{ "", -EBADMSG },
		{ "1", -EBADMSG },
		{ "x " CM " inline:" KEY30, -EBADMSG },
		{ "01 " CM " inline:" KEY30, -EBADMSG },
		{ "-1 " CM " inline:" KEY30, -EBADMSG },
		{ "1000000000 " CM " inline:" KEY30, -EBADMSG },
		{ "1 AES_CM_128_HMAC_SHA1_32 inline:" KEY30, -EPROTONOSUPPORT },
		{ "1 " CM "X inline:" KEY30, -EPROTONOSUPPORT },
		{ "1 " CM, -EBADMSG },
		{ "1 " CM " outline:" KEY30, -EBADMSG },
		{ "1 " CM " inline:", -EBADMSG },
		{ "1 " CM " inline:" KEY28, -EBADMSG },
		{ "1 " GCM " inline:" KEY30, -EBADMSG },
		{ "1 " CM " inline:" KEY30 "A", -EBADMSG },
		{ "1 " CM " inline:W-NfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz", -EBADMSG },
		{ "1 " CM " inline:W=NfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz", -EBADMSG },
		{ "1 " CM " inline:" KEY30 "|1:4", -EPROTONOSUPPORT },
		{ "1 " CM " inline:" KEY30 "|2^20|1:4", -EPROTONOSUPPORT },
		{ "1 " CM " inline:" KEY30 "|1:4;inline:" KEY30 "|2:4", -EPROTONOSUPPORT },
		{ "1 " CM " inline:" KEY30 "|2^19", -EPROTONOSUPPORT },
		{ "1 " CM " inline:" KEY30 "|1000", -EPROTONOSUPPORT },
		{ "1 " CM " inline:" KEY30 "|2^49", -EBADMSG },
		{ "1 " CM " inline:" KEY30 "|2^", -EBADMSG },
		{ "1 " CM " inline:" KEY30 "|281474976710657", -EBADMSG },
		{ "1 " CM " inline:" KEY30 "|2^20|2^20", -EBADMSG },
		{ "1 " CM " inline:" KEY30 " KDR=1", -EPROTONOSUPPORT },
		{ "1 " CM " inline:" KEY30 " UNENCRYPTED_SRTP", -EPROTONOSUPPORT },
		{ "1 " CM " inline:" KEY30 " WSH=63", -EBADMSG },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_sdes sdes = { .tag = 77 };
		g_test_message("%s", cases[i].text);
		g_assert_cmpint(parse(cases[i].text, &sdes), ==, cases[i].error);
		g_assert_cmpuint(sdes.tag, ==, 77);
	}
}

static void test_round_trip(void)
{
	for (unsigned i = 0; i < 64; i++) {
		struct tl_sdes sdes = { i, i % 2 }, again;
		g_autoptr(GString) text = g_string_new(NULL);
		tl_srtp_key_make(&sdes.key);
		tl_sdes_format(&sdes, text);
		g_assert_true(g_str_has_prefix(text->str, "a=crypto:") && g_str_has_suffix(text->str, "\r\n"));
		g_string_truncate(text, text->len - 2);
		g_assert_cmpint(parse(text->str + strlen("a=crypto:"), &again), ==, 0);
		g_assert_cmpuint(again.tag, ==, i);
		g_assert_true(tl_sdes_same_key(&sdes, &again));
		again.key.salt[11] ^= 1;
		g_assert_false(tl_sdes_same_key(&sdes, &again));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sdes/read", test_read);
	g_test_add_func("/sdes/refused", test_refused);
	g_test_add_func("/sdes/round-trip", test_round_trip);
	return g_test_run();
}
