/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* STUN against RFC 5769's messages, its own writer, damage of every kind; and the lite end of ICE. */
#include "secure/stun.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "hex.h"
#include "secure/ice.h"
#include "secure/stun-attribute.h"

#define PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"
#define TRANSACTION "b7e7a701bc34d686fa87dfae"

/* RFC 5769 2.1, 2.2, 2.3 */
static const char sample_request[] =
	"000100582112a442" TRANSACTION "802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36"
	"000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
static const char sample_response_v4[] =
	"0101003c2112a442" TRANSACTION "8022000b7465737420766563746f7220002000080001a147e112a643"
	"000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
static const char sample_response_v6[] =
	"010100482112a442" TRANSACTION "8022000b7465737420766563746f722000200014"
	"0002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c";

static struct tl_hmac_key key_of(const char *password)
{
	struct tl_hmac_key key;

	tl_hmac_key_init(&key, password, strlen(password));
	return key;
}

/* RFC 2202 3, cases 1, 3 and 6: the last one's key is longer than a block. */
static void test_hmac(void)
{
	uint8_t long_key[80], text[50], digest[TL_HMAC_OCTETS];
	struct tl_hmac_key key;

	memset(long_key, 0x0b, 20);
	tl_hmac_key_init(&key, long_key, 20);
	tl_hmac_sha1(&key, "Hi ", 3, "There", 5, digest);
	hex_assert(digest, sizeof(digest), "b617318655057264e28bc0b6fb378c8ef146be00");
	memset(long_key, 0xaa, sizeof(long_key));
	memset(text, 0xdd, sizeof(text));
	tl_hmac_key_init(&key, long_key, 20);
	tl_hmac_sha1(&key, text, sizeof(text), NULL, 0, digest);
	hex_assert(digest, sizeof(digest), "125d7342b9ac11cd91a39af48aa17b4f63f175d3");
	tl_hmac_key_init(&key, long_key, sizeof(long_key));
	tl_hmac_sha1(&key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, NULL, 0, digest);
	hex_assert(digest, sizeof(digest), "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

static void test_sample_request(void)
{
	struct tl_hmac_key key = key_of(PASSWORD), other = key_of(PASSWORD "x");
	struct tl_stun_message message;
	uint8_t octets[256];
	size_t n = hex_read(sample_request, octets, sizeof(octets));

	g_assert_cmpint(tl_stun_parse(octets, n, &message), ==, 0);
	g_assert_cmpint(message.class, ==, TL_STUN_REQUEST);
	g_assert_cmpuint(message.method, ==, TL_STUN_BINDING);
	g_assert_cmpmem(message.username, message.n_username, "evtj:h6vY", 9);
	g_assert_true(message.has_priority && message.priority == 0x6e0001ff);
	g_assert_true(message.controlled && !message.controlling && !message.use_candidate);
	g_assert_cmpuint(message.tie_breaker, ==, 0x932ff9b151263b36);
	g_assert_cmpuint(message.n_unknown, ==, 0);
	g_assert_true(message.has_fingerprint);
	g_assert_true(tl_stun_verify(&message, &key));
	g_assert_false(tl_stun_verify(&message, &other));
}

static void assert_response(const char *text, int family, const char *address)
{
	struct tl_hmac_key key = key_of(PASSWORD);
	struct tl_stun_message message;
	uint8_t octets[256];
	char got[INET6_ADDRSTRLEN];
	size_t n = hex_read(text, octets, sizeof(octets));

	g_assert_cmpint(tl_stun_parse(octets, n, &message), ==, 0);
	g_assert_cmpint(message.class, ==, TL_STUN_SUCCESS);
	g_assert_true(message.has_fingerprint && message.has_mapped);
	g_assert_true(tl_stun_verify(&message, &key));
	g_assert_cmpint(message.mapped.any.sa_family, ==, family);
	inet_ntop(family, family == AF_INET ? (void *)&message.mapped.v4.sin_addr : (void *)&message.mapped.v6.sin6_addr,
		  got, sizeof(got));
	g_assert_cmpstr(got, ==, address);
	g_assert_cmpuint(ntohs(message.mapped.v4.sin_port), ==, 32853);
}

static void test_sample_responses(void)
{
	assert_response(sample_response_v4, AF_INET, "192.0.2.1");
	assert_response(sample_response_v6, AF_INET6, "2001:db8:1234:5678:11:2233:4455:6677");
}

/* The sample responses' address attributes come out of our writer octet by octet. */
static void test_format_success(void)
{
	struct tl_hmac_key key = key_of(PASSWORD);
	union tl_address from = { .v4 = { .sin_family = AF_INET, .sin_port = htons(32853) } };
	struct tl_stun_message request, response;
	uint8_t octets[256], out[TL_STUN_ANSWER_MAX];
	size_t n = hex_read(sample_request, octets, sizeof(octets));

	tl_stun_parse(octets, n, &request);
	inet_pton(AF_INET, "192.0.2.1", &from.v4.sin_addr);
	n = tl_stun_format_success(&request, &from, &key, out, sizeof(out));
	hex_assert(out, 32, "0101002c2112a442" TRANSACTION "002000080001a147e112a643");
	g_assert_cmpint(tl_stun_parse(out, n, &response), ==, 0);
	g_assert_true(tl_stun_verify(&response, &key) && response.has_fingerprint);

	from.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(32853) };
	inet_pton(AF_INET6, "2001:db8:1234:5678:11:2233:4455:6677", &from.v6.sin6_addr);
	n = tl_stun_format_success(&request, &from, &key, out, sizeof(out));
	hex_assert(out + 20, 24, "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9");
	g_assert_cmpint(tl_stun_parse(out, n, &response), ==, 0);
	g_assert_true(tl_stun_verify(&response, &key));

	inet_pton(AF_INET6, "::ffff:192.0.2.1", &from.v6.sin6_addr);
	n = tl_stun_format_success(&request, &from, &key, out, sizeof(out));
	hex_assert(out + 20, 12, "002000080001a147e112a643");
	for (size_t room = 0; room < n; room++)
		g_assert_cmpuint(tl_stun_format_success(&request, &from, &key, out, room), ==, 0);
}

static void test_format_error(void)
{
	struct tl_stun_message request = { .transaction = (const uint8_t *)"twelve octet", .n_unknown = 3,
					   .unknown = { 0x7001, 0x7002, 0x7003 } };
	struct tl_stun_message response;
	uint8_t out[TL_STUN_ANSWER_MAX];
	size_t n = tl_stun_format_error(&request, 487, NULL, out, sizeof(out));

	g_assert_cmpint(tl_stun_parse(out, n, &response), ==, 0);
	g_assert_cmpint(response.class, ==, TL_STUN_ERROR);
	g_assert_cmpuint(response.error, ==, 487);
	g_assert_cmpuint(response.integrity_at, ==, 0);
	n = tl_stun_format_error(&request, 420, NULL, out, sizeof(out));
	hex_assert(out + 20, n - 28, "0009000400000414 000a0006700170027003 0000");
	g_assert_cmpint(tl_stun_parse(out, n, &response), ==, 0);
	g_assert_cmpuint(response.error, ==, 420);
}

/* Any bit changed is noticed; no length but its own is taken. */
static void test_damage(void)
{
	struct tl_stun_message message;
	uint8_t octets[256];
	size_t n = hex_read(sample_request, octets, sizeof(octets));

	for (size_t i = 0; i < n * 8; i++) {
		octets[i / 8] ^= (uint8_t)(1 << i % 8);
		g_assert_true(tl_stun_parse(octets, n, &message) != 0 || !message.has_fingerprint);
		octets[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t shorter = 0; shorter < n; shorter++) {
		g_autofree uint8_t *exact = g_memdup2(octets, shorter);

		g_assert_cmpint(tl_stun_parse(exact, shorter, &message), ==, -EINVAL);
	}
}

struct bad_case {
	const char *what, *attributes;
};

static const struct bad_case bad_cases[] = {
	{ "attribute-too-long", "0024ffff6e0001ff" },
	{ "attribute-header-only-half", "0024" },
	{ "priority-short", "002400026e000000" },
	{ "use-candidate-with-value", "0025000400000000" },
	{ "tie-breaker-short", "8029000400000000" },
	{ "address-family", "00200008000311111111111122" },
	{ "address-v6-short", "002000080002a147e112a643" },
	{ "error-class", "0009000400000100" },
	{ "integrity-short", "0008000400000000" },
	{ "fingerprint-not-last", "8028000400000000002500000" },
};

static void test_bad(gconstpointer data)
{
	const struct bad_case *c = data;
	g_autofree char *digits = g_strndup(c->attributes, strlen(c->attributes) & ~(size_t)1);
	struct tl_stun_message message = { .method = 77 };
	uint8_t octets[64];
	size_t n;

	hex_read("000100002112a442" TRANSACTION, octets, sizeof(octets));
	n = hex_read(digits, octets + 20, sizeof(octets) - 20);
	octets[3] = (uint8_t)n;
	g_assert_cmpint(tl_stun_parse(octets, 20 + n, &message), ==, -EINVAL);
	g_assert_cmpuint(message.method, ==, 77);
}

/* ---- the lite end ---- */

struct rig {
	struct tl_ice_lite lite;
	struct tl_ice_secret secret;
	union tl_address from;
	struct tl_stun_check check;
	char username[64];
	struct tl_ice_answer answer;
};

static const struct tl_ice_secret *find(const char *ufrag, size_t n_ufrag, void **session, void *user)
{
	struct rig *rig = user;

	if (n_ufrag != strlen(rig->secret.ufrag) || memcmp(ufrag, rig->secret.ufrag, n_ufrag))
		return NULL;
	*session = rig;
	return &rig->secret;
}

static void rig_init(struct rig *rig)
{
	*rig = (struct rig){ .from.v4 = { .sin_family = AF_INET, .sin_port = htons(4000) } };
	rig->from.v4.sin_addr.s_addr = htonl(0xc0000205);
	tl_ice_secret_make(&rig->secret);
	tl_ice_lite_init(&rig->lite, find, rig, 5);
	g_snprintf(rig->username, sizeof(rig->username), "%s:peer", rig->secret.ufrag);
	rig->check = (struct tl_stun_check){ .transaction = "abcdefghijkl", .username = rig->username, .priority = 12345,
					     .controlling = true, .tie_breaker = 99 };
}

/* Sends what rig->check says, signed with @password. */
static void send_check(struct rig *rig, const char *password, int64_t now_us)
{
	struct tl_hmac_key key = key_of(password);
	uint8_t octets[256];
	size_t n = tl_stun_format_check(&rig->check, &key, octets, sizeof(octets));

	tl_ice_lite_answer(&rig->lite, octets, n, &rig->from, now_us, &rig->answer);
}

static void test_lite_check(void)
{
	struct tl_stun_message response;
	struct rig rig;

	rig_init(&rig);
	send_check(&rig, rig.secret.password, 0);
	g_assert_cmpint(rig.answer.verdict, ==, TL_ICE_CHECKED);
	g_assert_true(rig.answer.session == &rig);
	g_assert_cmpuint(rig.answer.priority, ==, 12345);
	g_assert_cmpint(tl_stun_parse(rig.answer.octets, rig.answer.n_octets, &response), ==, 0);
	g_assert_true(tl_stun_verify(&response, &rig.secret.key) && response.has_fingerprint);
	g_assert_cmpmem(response.transaction, 12, "abcdefghijkl", 12);
	g_assert_cmpmem(&response.mapped.v4, sizeof(rig.from.v4), &rig.from.v4, sizeof(rig.from.v4));
	rig.check.use_candidate = true;
	send_check(&rig, rig.secret.password, 0);
	g_assert_cmpint(rig.answer.verdict, ==, TL_ICE_NOMINATED);
	g_assert_cmpuint(rig.lite.counters.checks, ==, 2);
	g_assert_cmpuint(rig.lite.counters.nominations, ==, 1);
}

static void assert_refused(const struct rig *rig, unsigned code, bool signed_)
{
	struct tl_stun_message response;

	g_assert_cmpint(rig->answer.verdict, ==, TL_ICE_REFUSED);
	g_assert_null(rig->answer.session);
	g_assert_cmpuint(rig->answer.error, ==, code);
	g_assert_cmpint(tl_stun_parse(rig->answer.octets, rig->answer.n_octets, &response), ==, 0);
	g_assert_cmpint(response.class, ==, TL_STUN_ERROR);
	g_assert_cmpuint(response.error, ==, code);
	g_assert_true(tl_stun_verify(&response, &rig->secret.key) == signed_);
}

static void test_lite_refusals(void)
{
	uint8_t octets[128];
	struct rig rig;
	size_t n;

	rig_init(&rig);
	send_check(&rig, "wrong password", 0);
	assert_refused(&rig, 401, false);
	g_assert_cmpuint(rig.lite.counters.forged, ==, 1);
	rig.check.username = "nobody:peer";
	send_check(&rig, rig.secret.password, 0);
	assert_refused(&rig, 401, false);
	rig.check.username = "no-colon";
	send_check(&rig, rig.secret.password, 0);
	assert_refused(&rig, 401, false);
	g_assert_cmpuint(rig.lite.counters.unknown, ==, 2);
	rig.check.username = rig.username;
	rig.check.controlling = false;
	send_check(&rig, rig.secret.password, 0);
	assert_refused(&rig, 487, true);
	rig.check.controlling = true;
	n = tl_stun_format_check(&rig.check, NULL, octets, sizeof(octets)); /* unsigned */
	tl_ice_lite_answer(&rig.lite, octets, n, &rig.from, 0, &rig.answer);
	assert_refused(&rig, 400, false);
}

/* An attribute below 0x8000 that nobody knows, put in and signed again. RFC 8489 6.3.1 */
static void test_lite_unknown_attribute(void)
{
	uint8_t octets[256], crc[4];
	struct rig rig;
	uint32_t sum;
	size_t n;

	rig_init(&rig);
	n = tl_stun_format_check(&rig.check, NULL, octets, sizeof(octets)) - STUN_FINGERPRINT_OCTETS;
	n += hex_read("7abc0000 00080014", octets + n, sizeof(octets) - n);
	octets[3] = (uint8_t)(n + 20 - 20);
	tl_hmac_sha1(&rig.secret.key, octets, n - 4, NULL, 0, octets + n);
	n += 20;
	octets[3] = (uint8_t)(n + 8 - 20);
	sum = htonl(tl_stun_crc(octets, n) ^ STUN_FINGERPRINT_XOR);
	memcpy(crc, &sum, 4);
	n += hex_read("80280004", octets + n, sizeof(octets) - n);
	memcpy(octets + n, crc, 4);
	tl_ice_lite_answer(&rig.lite, octets, n + 4, &rig.from, 0, &rig.answer);
	assert_refused(&rig, 420, true);
}

static void test_lite_ignores(void)
{
	uint8_t octets[256];
	struct rig rig;
	size_t n;

	rig_init(&rig);
	n = hex_read(sample_response_v4, octets, sizeof(octets));
	tl_ice_lite_answer(&rig.lite, octets, n, &rig.from, 0, &rig.answer);
	g_assert_cmpint(rig.answer.verdict, ==, TL_ICE_IGNORED);
	g_assert_cmpuint(rig.lite.counters.ignored, ==, 1);
	/* A bare request, as any STUN client sends it: no FINGERPRINT, not ICE. */
	n = hex_read("000100002112a442" TRANSACTION, octets, sizeof(octets));
	tl_ice_lite_answer(&rig.lite, octets, n, &rig.from, 0, &rig.answer);
	g_assert_cmpint(rig.answer.verdict, ==, TL_ICE_IGNORED);
	g_assert_cmpuint(rig.answer.n_octets, ==, 0);
	g_assert_cmpuint(rig.lite.counters.malformed, ==, 1);
}

/* A flood of forgeries gets five answers a second; checks of the session itself are answered all the time. */
static void test_lite_flood(void)
{
	unsigned answered = 0;
	struct rig rig;

	rig_init(&rig);
	for (unsigned i = 0; i < 3000; i++) {
		send_check(&rig, "wrong password", i * 1000);
		answered += rig.answer.n_octets > 0;
		g_assert_cmpint(rig.answer.verdict, ==, TL_ICE_REFUSED);
		if (i % 100 == 0) {
			send_check(&rig, rig.secret.password, i * 1000);
			g_assert_cmpint(rig.answer.verdict, ==, TL_ICE_CHECKED);
		}
	}
	g_assert_cmpuint(answered, ==, 15);
	g_assert_cmpuint(rig.lite.counters.silent, ==, 3000 - 15);
	g_assert_cmpuint(rig.lite.counters.checks, ==, 30);
}

static void test_secrets(void)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct tl_ice_secret a, b;

	tl_ice_secret_make(&a);
	tl_ice_secret_make(&b);
	g_assert_cmpstr(a.ufrag, !=, b.ufrag);
	g_assert_cmpstr(a.password, !=, b.password);
	g_assert_cmpuint(strspn(a.password, chars), ==, TL_ICE_PASSWORD_CHARS);
	g_assert_cmpuint(strspn(a.ufrag, chars), ==, TL_ICE_UFRAG_CHARS);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stun/hmac", test_hmac);
	g_test_add_func("/stun/sample-request", test_sample_request);
	g_test_add_func("/stun/sample-responses", test_sample_responses);
	g_test_add_func("/stun/format-success", test_format_success);
	g_test_add_func("/stun/format-error", test_format_error);
	g_test_add_func("/stun/damage", test_damage);
	for (size_t i = 0; i < G_N_ELEMENTS(bad_cases); i++) {
		g_autofree char *name = g_strdup_printf("/stun/bad/%s", bad_cases[i].what);

		g_test_add_data_func(name, &bad_cases[i], test_bad);
	}
	g_test_add_func("/ice/check", test_lite_check);
	g_test_add_func("/ice/refusals", test_lite_refusals);
	g_test_add_func("/ice/unknown-attribute", test_lite_unknown_attribute);
	g_test_add_func("/ice/ignores", test_lite_ignores);
	g_test_add_func("/ice/flood", test_lite_flood);
	g_test_add_func("/ice/secrets", test_secrets);
	return g_test_run();
}
