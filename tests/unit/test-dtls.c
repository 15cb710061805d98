/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * DTLS-SRTP as a state object: two of ours and one made of OpenSSL's own, with
 * loss, forgeries and the wrong certificate.
 */
#include "secure/dtls.h"

#include <glib.h>
#include <openssl/err.h>
#include <openssl/srtp.h>
#include <string.h>

#include "dtls-link.h"
#include "openssl-memory.h"

#define HANDSHAKE 22
#define ALERT 21
#define CLIENT_HELLO 1
#define HELLO_VERIFY 3

static void assert_keys_fit(const struct dtls_link *link, enum tl_srtp_profile profile)
{
	struct tl_dtls_keys server, client;

	g_assert_true(tl_dtls_keys(link->server.dtls, &server));
	g_assert_true(tl_dtls_keys(link->client.dtls, &client));
	g_assert_cmpint(server.profile, ==, profile);
	g_assert_cmpint(client.profile, ==, profile);
	g_assert_cmpmem(&server.send, sizeof(server.send), &client.receive, sizeof(client.receive));
	g_assert_cmpmem(&server.receive, sizeof(server.receive), &client.send, sizeof(client.send));
	g_assert_cmpint(memcmp(&server.send, &server.receive, sizeof(server.send)), !=, 0);
}

static void test_handshake(void)
{
	struct dtls_link link;

	dtls_link_init(&link);
	dtls_link_begin(&link);
	dtls_link_pump(&link); /* nothing lost: no timer is needed */
	assert_keys_fit(&link, TL_SRTP_AEAD_AES_128_GCM);
	g_assert_cmpint(tl_dtls_timeout_ms(link.server.dtls), ==, -1);
	/* One write is one datagram, below the path's limit. */
	g_assert_cmpuint(link.server.octets_sent_max, <=, 1200);
	g_assert_cmpuint(link.server.octets_sent_max, >, 0);
	dtls_link_done(&link);
}

static void test_profile(void)
{
	struct dtls_link link;

	dtls_link_init(&link);
	link.client_config.profiles = 1u << TL_SRTP_AES128_CM_SHA1_80;
	dtls_link_begin(&link);
	dtls_link_pump(&link);
	assert_keys_fit(&link, TL_SRTP_AES128_CM_SHA1_80);
	dtls_link_done(&link);
}

static void test_no_common_profile(void)
{
	struct dtls_link link;

	dtls_link_init(&link);
	link.client_config.profiles = 1u << TL_SRTP_AES128_CM_SHA1_80;
	link.server_config.profiles = 1u << TL_SRTP_AEAD_AES_128_GCM;
	dtls_link_begin(&link);
	dtls_link_pump(&link);
	g_assert_cmpint(tl_dtls_get_state(link.server.dtls), ==, TL_DTLS_FAILED);
	g_assert_cmpstr(tl_dtls_reason(link.server.dtls), ==, "the peer agreed to no SRTP profile of ours");
	dtls_link_done(&link);
}

/* The exchange of cookies costs one more flight each way, and no more. RFC 6347 4.2.1 */
static void test_cookie(void)
{
	struct dtls_link link;
	const uint8_t *octets;

	dtls_link_init(&link);
	link.server_config.cookie = TRUE;
	dtls_link_begin(&link);
	octets = g_bytes_get_data(g_queue_peek_head(link.server.inbox), NULL);
	g_assert_cmpuint(octets[13], ==, CLIENT_HELLO);
	tl_dtls_feed(link.server.dtls, &link.address, octets, g_bytes_get_size(g_queue_peek_head(link.server.inbox)));
	g_bytes_unref(g_queue_pop_head(link.server.inbox));
	octets = g_bytes_get_data(g_queue_peek_head(link.client.inbox), NULL);
	g_assert_cmpuint(octets[13], ==, HELLO_VERIFY);
	dtls_link_pump(&link);
	assert_keys_fit(&link, TL_SRTP_AEAD_AES_128_GCM);
	dtls_link_done(&link);
}

/* A cookie given to one address does not serve another, and its use there harms nobody. */
static void test_cookie_of_another(void)
{
	union tl_address other = { .v4 = { .sin_family = AF_INET, .sin_port = 99 } };
	struct dtls_link link;
	GBytes *first, *second;

	dtls_link_init(&link);
	link.server_config.cookie = TRUE;
	dtls_link_begin(&link);
	first = g_queue_pop_head(link.server.inbox);
	tl_dtls_feed(link.server.dtls, &link.address, g_bytes_get_data(first, NULL), g_bytes_get_size(first));
	g_bytes_unref(first);
	first = g_queue_pop_head(link.client.inbox);
	tl_dtls_feed(link.client.dtls, NULL, g_bytes_get_data(first, NULL), g_bytes_get_size(first));
	g_bytes_unref(first);
	second = g_queue_pop_head(link.server.inbox);
	tl_dtls_feed(link.server.dtls, &other, g_bytes_get_data(second, NULL), g_bytes_get_size(second));
	g_bytes_unref(second);
	g_assert_cmpint(tl_dtls_get_state(link.server.dtls), ==, TL_DTLS_HANDSHAKE);
	second = g_queue_pop_head(link.client.inbox); /* no flight, no alert: a cookie for that address, sent there */
	g_assert_cmpuint(((const uint8_t *)g_bytes_get_data(second, NULL))[13], ==, HELLO_VERIFY);
	g_bytes_unref(second);
	g_assert_true(g_queue_is_empty(link.client.inbox));
	dtls_link_settle(&link);
	assert_keys_fit(&link, TL_SRTP_AEAD_AES_128_GCM);
	dtls_link_done(&link);
}

static void test_wrong_fingerprint(gconstpointer data)
{
	gboolean of_server = GPOINTER_TO_INT(data);
	struct dtls_link link;
	struct tl_dtls *deceived;
	struct tl_dtls_keys keys;

	dtls_link_init(&link);
	(of_server ? &link.client_config : &link.server_config)->peer.octets[31] ^= 1;
	dtls_link_begin(&link);
	dtls_link_pump(&link);
	deceived = of_server ? link.client.dtls : link.server.dtls;
	g_assert_cmpint(tl_dtls_get_state(deceived), ==, TL_DTLS_FAILED);
	g_assert_cmpstr(tl_dtls_reason(deceived), ==, "the peer's certificate is not the one that signalling told");
	g_assert_false(tl_dtls_keys(deceived, &keys));
	/* The other end hears of it by an alert, which a server notes but does not believe of a stranger. */
	if (of_server) {
		g_assert_cmpint(tl_dtls_get_state(link.server.dtls), ==, TL_DTLS_HANDSHAKE);
		g_assert_nonnull(strstr(tl_dtls_reason(link.server.dtls), "alert"));
	} else {
		g_assert_cmpint(tl_dtls_get_state(link.client.dtls), ==, TL_DTLS_FAILED);
	}
	dtls_link_done(&link);
}

static void test_loss(void)
{
	struct dtls_link link;

	for (unsigned i = 0; i < 4; i++) {
		dtls_link_init(&link);
		g_rand_set_seed(link.dice, i);
		link.lose = 200;
		dtls_link_begin(&link);
		dtls_link_settle(&link);
		assert_keys_fit(&link, TL_SRTP_AEAD_AES_128_GCM);
		dtls_link_done(&link);
	}
}

/* The server's last flight is lost: the client repeats its own, and the server, long done, must answer. */
static void test_last_flight_lost(void)
{
	struct dtls_link link;

	dtls_link_init(&link);
	dtls_link_begin(&link);
	while (tl_dtls_get_state(link.server.dtls) != TL_DTLS_CONNECTED) {
		GBytes *bytes;

		while ((bytes = g_queue_pop_head(link.client.inbox))) {
			tl_dtls_feed(link.client.dtls, NULL, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
			g_bytes_unref(bytes);
		}
		bytes = g_queue_pop_head(link.server.inbox);
		g_assert_nonnull(bytes);
		tl_dtls_feed(link.server.dtls, &link.address, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
		g_bytes_unref(bytes);
	}
	g_assert_false(g_queue_is_empty(link.client.inbox));
	g_queue_clear_full(link.client.inbox, (GDestroyNotify)g_bytes_unref);
	dtls_link_settle(&link);
	assert_keys_fit(&link, TL_SRTP_AEAD_AES_128_GCM);
	dtls_link_done(&link);
}

static void test_close(void)
{
	struct dtls_link link;

	dtls_link_init(&link);
	dtls_link_begin(&link);
	dtls_link_pump(&link);
	tl_dtls_free(link.client.dtls);
	link.client.dtls = NULL;
	dtls_link_pump(&link);
	g_assert_cmpint(tl_dtls_get_state(link.server.dtls), ==, TL_DTLS_CLOSED);
	dtls_link_done(&link);
}

/* Before the peer has shown its certificate, anybody may have sent anything. */
static void test_forgeries(void)
{
	static const uint8_t alert[] = { ALERT, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40 };
	struct dtls_link link;
	g_autofree uint8_t *bad = NULL;
	GBytes *hello;
	size_t n;

	dtls_link_init(&link);
	dtls_link_begin(&link);
	hello = g_queue_peek_head(link.server.inbox);
	n = g_bytes_get_size(hello);
	bad = g_memdup2(g_bytes_get_data(hello, NULL), n);
	for (size_t at = 0; at < n; at += 3) {
		bad[at] ^= 0xff;
		tl_dtls_feed(link.server.dtls, &link.address, bad, n);
		g_assert_cmpint(tl_dtls_get_state(link.server.dtls), ==, TL_DTLS_HANDSHAKE);
		bad[at] ^= 0xff;
	}
	tl_dtls_feed(link.server.dtls, &link.address, alert, sizeof(alert));
	g_assert_cmpint(tl_dtls_get_state(link.server.dtls), ==, TL_DTLS_HANDSHAKE);
	while (!g_queue_is_empty(link.client.inbox)) { /* what answered some of it was not for the client */
		GBytes *bytes = g_queue_pop_head(link.client.inbox);

		g_assert_cmpuint(*(const uint8_t *)g_bytes_get_data(bytes, NULL), ==, HANDSHAKE);
		g_bytes_unref(bytes);
	}
	dtls_link_done(&link);
}

static void test_forgeries_then_peer(void)
{
	static const uint8_t alert[] = { ALERT, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40 };
	uint8_t garbage[] = { HANDSHAKE, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 7, 0, 16, CLIENT_HELLO, 0, 0, 4, 0, 0, 0, 0, 0, 0,
			      0, 4, 1, 2, 3, 4 };
	struct dtls_link link;

	dtls_link_init(&link);
	dtls_link_begin(&link);
	for (unsigned i = 0; i < 20; i++) {
		tl_dtls_feed(link.server.dtls, &link.address, i % 2 ? alert : garbage, i % 2 ? sizeof(alert) : sizeof(garbage));
		g_assert_cmpint(tl_dtls_get_state(link.server.dtls), ==, TL_DTLS_HANDSHAKE);
	}
	g_assert_nonnull(tl_dtls_reason(link.server.dtls));
	dtls_link_settle(&link);
	assert_keys_fit(&link, TL_SRTP_AEAD_AES_128_GCM);
	/* Nor does any of it close what is up. */
	tl_dtls_feed(link.server.dtls, &link.address, alert, sizeof(alert));
	tl_dtls_feed(link.server.dtls, &link.address, garbage, sizeof(garbage));
	tl_dtls_feed(link.client.dtls, NULL, alert, sizeof(alert));
	g_assert_cmpint(tl_dtls_get_state(link.server.dtls), ==, TL_DTLS_CONNECTED);
	g_assert_cmpint(tl_dtls_get_state(link.client.dtls), ==, TL_DTLS_CONNECTED);
	dtls_link_done(&link);
}

/* ---- against OpenSSL's own way of doing it: memory BIOs, its own context, DTLS 1.0 and 1.2 ---- */

struct plain {
	SSL_CTX *context;
	SSL *ssl;
	BIO *in, *out;
	struct tl_dtls *dtls;
};

static void plain_send(const uint8_t *octets, size_t n_octets, void *user)
{
	struct plain *plain = user;

	BIO_write(plain->in, octets, (int)n_octets);
	SSL_do_handshake(plain->ssl);
}

static void plain_run(struct plain *plain, int version, struct tl_certificate *ours, const char *profiles)
{
	struct tl_association_config config = { .certificate = ours, .role = TL_DTLS_SERVER };
	uint8_t octets[4096];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	int n;

	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, key);
	X509_sign(x509, key, EVP_sha256());
	config.peer.n_octets = 32;
	X509_digest(x509, EVP_sha256(), config.peer.octets, NULL);
	plain->context = SSL_CTX_new(DTLS_client_method());
	SSL_CTX_set_min_proto_version(plain->context, version);
	SSL_CTX_set_max_proto_version(plain->context, version);
	SSL_CTX_set_security_level(plain->context, 0);
	SSL_CTX_use_certificate(plain->context, x509);
	SSL_CTX_use_PrivateKey(plain->context, key);
	if (profiles)
		SSL_CTX_set_tlsext_use_srtp(plain->context, profiles);
	plain->ssl = SSL_new(plain->context);
	plain->in = BIO_new(BIO_s_mem());
	plain->out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(plain->in, -1);
	SSL_set_bio(plain->ssl, plain->in, plain->out);
	SSL_set_connect_state(plain->ssl);
	SSL_set_options(plain->ssl, SSL_OP_NO_QUERY_MTU);
	SSL_set_mtu(plain->ssl, 1400);
	plain->dtls = tl_dtls_new(&config, plain_send, plain);
	SSL_do_handshake(plain->ssl);
	for (unsigned i = 0; i < 8 && (n = BIO_read(plain->out, octets, sizeof(octets))) > 0; i++) {
		tl_dtls_feed(plain->dtls, NULL, octets, (size_t)n);
		SSL_do_handshake(plain->ssl);
	}
	X509_free(x509);
	EVP_PKEY_free(key);
}

static void plain_done(struct plain *plain)
{
	tl_dtls_free(plain->dtls);
	SSL_free(plain->ssl);
	SSL_CTX_free(plain->context);
	ERR_clear_error();
}

static void test_foreign_client(void)
{
	struct tl_certificate *ours = tl_certificate_new(30, NULL);
	struct tl_dtls_keys keys;
	struct plain plain;
	uint8_t octets[60];

	plain_run(&plain, DTLS1_2_VERSION, ours, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM");
	g_assert_true(tl_dtls_keys(plain.dtls, &keys));
	g_assert_cmpint(keys.profile, ==, TL_SRTP_AEAD_AES_128_GCM); /* our preference */
	g_assert_cmpstr(SSL_get_selected_srtp_profile(plain.ssl)->name, ==, tl_srtp_profile_name(keys.profile));
	g_assert_cmpint(SSL_export_keying_material(plain.ssl, octets, 56, "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0), ==, 1);
	g_assert_cmpmem(keys.receive.key, 16, octets, 16);
	g_assert_cmpmem(keys.send.key, 16, octets + 16, 16);
	g_assert_cmpmem(keys.receive.salt, 12, octets + 32, 12);
	g_assert_cmpmem(keys.send.salt, 12, octets + 44, 12);
	plain_done(&plain);
	tl_certificate_unref(ours);
}

static void test_foreign_old_version(void)
{
	struct tl_certificate *ours = tl_certificate_new(30, NULL);
	struct plain plain;

	plain_run(&plain, DTLS1_VERSION, ours, "SRTP_AES128_CM_SHA1_80");
	g_assert_cmpint(tl_dtls_get_state(plain.dtls), ==, TL_DTLS_HANDSHAKE);
	g_assert_cmpstr(tl_dtls_reason(plain.dtls), ==, "unsupported protocol");
	plain_done(&plain);
	tl_certificate_unref(ours);
}

static void test_foreign_without_srtp(void)
{
	struct tl_certificate *ours = tl_certificate_new(30, NULL);
	struct plain plain;

	plain_run(&plain, DTLS1_2_VERSION, ours, NULL);
	g_assert_cmpint(tl_dtls_get_state(plain.dtls), ==, TL_DTLS_FAILED);
	g_assert_cmpstr(tl_dtls_reason(plain.dtls), ==, "the peer agreed to no SRTP profile of ours");
	plain_done(&plain);
	tl_certificate_unref(ours);
}

static void test_memory(void)
{
	int64_t before, each;
	struct dtls_link link;

	dtls_link_init(&link);
	dtls_link_begin(&link);
	dtls_link_pump(&link);
	before = openssl_memory_octets();
	tl_dtls_free(link.server.dtls);
	link.server.dtls = NULL;
	each = before - openssl_memory_octets();
	g_test_message("OpenSSL holds %" G_GINT64_FORMAT " octets for a connected association", each);
	g_assert_cmpint(each, <=, 40 * 1024);
	dtls_link_done(&link);
}

int main(int argc, char **argv)
{
	openssl_memory_watch();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dtls/handshake", test_handshake);
	g_test_add_func("/dtls/profile", test_profile);
	g_test_add_func("/dtls/no-common-profile", test_no_common_profile);
	g_test_add_func("/dtls/cookie", test_cookie);
	g_test_add_func("/dtls/cookie-of-another", test_cookie_of_another);
	g_test_add_data_func("/dtls/wrong-fingerprint/server", GINT_TO_POINTER(TRUE), test_wrong_fingerprint);
	g_test_add_data_func("/dtls/wrong-fingerprint/client", GINT_TO_POINTER(FALSE), test_wrong_fingerprint);
	g_test_add_func("/dtls/loss", test_loss);
	g_test_add_func("/dtls/last-flight-lost", test_last_flight_lost);
	g_test_add_func("/dtls/close", test_close);
	g_test_add_func("/dtls/forgeries", test_forgeries);
	g_test_add_func("/dtls/forgeries-then-peer", test_forgeries_then_peer);
	g_test_add_func("/dtls/foreign/client", test_foreign_client);
	g_test_add_func("/dtls/foreign/old-version", test_foreign_old_version);
	g_test_add_func("/dtls/foreign/without-srtp", test_foreign_without_srtp);
	g_test_add_func("/dtls/memory", test_memory);
	return g_test_run();
}
