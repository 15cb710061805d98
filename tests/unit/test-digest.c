/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Digest authentication: RFC 7616 3, RFC 2617 3. */
#include <glib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "ip/digest.h"

#define HA1_OF "alice:phones:secret"

static char *md5(const char *text)
{
	return g_compute_checksum_for_string(G_CHECKSUM_MD5, text, -1);
}

static void fill_response(struct tl_digest_fields *f, const char *method, const char *ha1)
{
	char *a2 = g_strdup_printf("%s:%s", method, f->uri);
	char *ha2 = md5(a2);
	char *all = f->qop[0] ? g_strdup_printf("%s:%s:%s:%s:%s:%s", ha1, f->nonce, f->nc_text, f->cnonce, f->qop, ha2)
			      : g_strdup_printf("%s:%s:%s", ha1, f->nonce, ha2);
	char *response = md5(all);
	g_strlcpy(f->response, response, sizeof(f->response));
	g_free(a2), g_free(ha2), g_free(all), g_free(response);
}

/* What a telephone would answer to @challenge with count @nc (0: without qop). */
static struct tl_digest_fields answer(const char *challenge, uint32_t nc, const char *ha1)
{
	struct tl_digest_fields f = { .username = "alice", .realm = "phones", .uri = "sip:phones", .nc = nc };
	const char *at = strstr(challenge, "nonce=\"") + strlen("nonce=\"");
	g_strlcpy(f.nonce, at, (gsize)(strchr(at, '"') - at + 1));
	if (nc) {
		g_snprintf(f.nc_text, sizeof(f.nc_text), "%08X", nc);
		strcpy(f.cnonce, "c0ffee");
		strcpy(f.qop, "auth");
	}
	fill_response(&f, "REGISTER", ha1);
	return f;
}

static void test_parse(void)
{
	struct tl_digest_fields f;
	static const char good[] = "Digest username=\"al\\\"ice\", realm=\"r, x\",nonce=\"abc\", uri=\"sip:a@b;x=y\", "
				   "response=\"0123456789abcdef0123456789abcdef\", algorithm=MD5, cnonce=\"1\", qop=auth, "
				   "nc=0000000A, opaque=\"z\"";
	g_assert_true(tl_digest_parse(good, strlen(good), &f));
	g_assert_cmpstr(f.username, ==, "al\"ice");
	g_assert_cmpstr(f.realm, ==, "r, x");
	g_assert_cmpstr(f.uri, ==, "sip:a@b;x=y");
	g_assert_cmpstr(f.qop, ==, "auth");
	g_assert_cmpuint(f.nc, ==, 10);
	g_assert_cmpstr(f.nc_text, ==, "0000000A");
	/* Every shorter piece is refused or read without a reach past its end. */
	for (size_t n = 0; n < strlen(good); n++) {
		char *piece = g_memdup2(good, n ? n : 1);
		tl_digest_parse(piece, n, &f);
		g_free(piece);
	}
}

static void test_parse_refused(void)
{
#define REST "nonce=\"n\", uri=\"u\", response=\"0123456789abcdef0123456789abcdef\""
	static const char *const bad[] = {
		"", "Digest", "Basic YTpi", "Digest ", "Digestusername=\"a\", " REST, "Digest " REST,
		"Digest username=\"a\", username=\"b\", " REST, "Digest username=\"a, " REST, "Digest username=\"a\" " REST,
		"Digest username=\"a\", algorithm=SHA-256, " REST, "Digest username=\"a\", nc=1, " REST,
		"Digest username=\"a\", nc=0000000g, " REST, "Digest username=\"a\", nonce=\"n\", uri=\"u\", response=\"12\"",
		"Digest username=\"a\nb\", " REST, "Digest =\"a\", " REST,
		"Digest username=\"0123456789012345678901234567890123456789012345678901234567890123456789\", " REST,
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct tl_digest_fields f = { .nc = 77 };
		g_assert_false(tl_digest_parse(bad[i], strlen(bad[i]), &f));
		g_assert_cmpuint(f.nc, ==, 77);
	}
}

static void test_verify(void)
{
	struct tl_digest *digest = tl_digest_new("phones");
	char *ha1 = md5(HA1_OF), *challenge = tl_digest_challenge(digest, false);
	g_assert_null(strstr(challenge, "stale"));
	struct tl_digest_fields f = answer(challenge, 1, ha1);
	g_assert_cmpint(tl_digest_verify(digest, &f, "INVITE", ha1), ==, TL_DIGEST_FAILED);
	g_assert_cmpint(tl_digest_verify(digest, &f, "REGISTER", ha1), ==, TL_DIGEST_PASSED);
	/* The very same again is a replay; the next count passes; a lower one does not. */
	g_assert_cmpint(tl_digest_verify(digest, &f, "REGISTER", ha1), ==, TL_DIGEST_STALE);
	f = answer(challenge, 11, ha1);
	g_assert_cmpint(tl_digest_verify(digest, &f, "REGISTER", ha1), ==, TL_DIGEST_PASSED);
	f = answer(challenge, 10, ha1);
	g_assert_cmpint(tl_digest_verify(digest, &f, "REGISTER", ha1), ==, TL_DIGEST_STALE);
	f = answer(challenge, 12, ha1);
	f.response[31] ^= 1;
	g_assert_cmpint(tl_digest_verify(digest, &f, "REGISTER", ha1), ==, TL_DIGEST_FAILED);
	g_free(challenge), g_free(ha1);
	tl_digest_free(digest);
}

/* RFC 2617 3.2.2.1 without qop: once. */
static void test_without_qop(void)
{
	struct tl_digest *digest = tl_digest_new("phones");
	char *ha1 = md5(HA1_OF), *challenge = tl_digest_challenge(digest, true);
	g_assert_nonnull(strstr(challenge, "stale=true"));
	struct tl_digest_fields f = answer(challenge, 0, ha1);
	g_assert_cmpint(tl_digest_verify(digest, &f, "REGISTER", ha1), ==, TL_DIGEST_PASSED);
	g_assert_cmpint(tl_digest_verify(digest, &f, "REGISTER", ha1), ==, TL_DIGEST_STALE);
	g_free(challenge), g_free(ha1);
	tl_digest_free(digest);
}

static void test_nonces(void)
{
	struct tl_digest *digest = tl_digest_new("phones"), *other = tl_digest_new("phones");
	char *ha1 = md5(HA1_OF), *challenge = tl_digest_challenge(digest, false), *foreign = tl_digest_challenge(other, false);
	struct tl_digest_fields f = answer(foreign, 1, ha1);
	g_assert_cmpint(tl_digest_verify(digest, &f, "REGISTER", ha1), ==, TL_DIGEST_STALE);
	f = answer(challenge, 1, ha1);
	f.nonce[0] = f.nonce[0] == '0' ? '1' : '0';
	fill_response(&f, "REGISTER", ha1);
	g_assert_cmpint(tl_digest_verify(digest, &f, "REGISTER", ha1), ==, TL_DIGEST_STALE);
	f = answer(challenge, 1, ha1);
	tl_clock_advance((int64_t)(TL_DIGEST_NONCE_LIFE_S + 1) * 1000000);
	g_assert_cmpint(tl_digest_verify(digest, &f, "REGISTER", ha1), ==, TL_DIGEST_STALE);
	g_free(challenge), g_free(foreign), g_free(ha1);
	tl_digest_free(digest), tl_digest_free(other);
}

/* With more nonces in use than are remembered, a forgotten one cannot be used again. */
static void test_forgotten(void)
{
	struct tl_digest *digest = tl_digest_new("phones");
	char *ha1 = md5(HA1_OF), *first = tl_digest_challenge(digest, false);
	struct tl_digest_fields f = answer(first, 1, ha1);
	g_assert_cmpint(tl_digest_verify(digest, &f, "REGISTER", ha1), ==, TL_DIGEST_PASSED);
	for (unsigned i = 0; i < TL_DIGEST_NONCES_MAX; i++) {
		tl_clock_advance(1);
		char *next = tl_digest_challenge(digest, false);
		struct tl_digest_fields g = answer(next, 1, ha1);
		g_assert_cmpint(tl_digest_verify(digest, &g, "REGISTER", ha1), ==, TL_DIGEST_PASSED);
		g_free(next);
	}
	g_assert_cmpint(tl_digest_verify(digest, &f, "REGISTER", ha1), ==, TL_DIGEST_STALE);
	g_free(first), g_free(ha1);
	tl_digest_free(digest);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	tl_clock_fake(1000000);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/digest/parse", test_parse);
	g_test_add_func("/digest/parse-refused", test_parse_refused);
	g_test_add_func("/digest/verify", test_verify);
	g_test_add_func("/digest/without-qop", test_without_qop);
	g_test_add_func("/digest/nonces", test_nonces);
	g_test_add_func("/digest/forgotten", test_forgotten);
	return g_test_run();
}
