/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "secure/dtls.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/srtp.h>
#include <string.h>

#include "secure/certificate.h"
#include "secure/dtls-inner.h"

/* Under every path's MTU, with room for TURN and tunnels. */
#define MTU_OCTETS 1200
/* RFC 6347 4.2.4.1 lets real-time applications begin below 1 s. */
#define FIRST_FLIGHT_US 250000
#define FLIGHT_MAX_US 8000000
#define RESTARTS_MAX 32
#define ALERT 21
/* What one datagram may hold: records of 13 octets and more. */
#define RECORDS_MAX (TL_DTLS_DATAGRAM_MAX / 13)
#define EXPORTER "EXTRACTOR-dtls_srtp" /* RFC 5764 4.2 */

/* Nobody has proved anything yet: whoever can forge the peer's address may have sent what came. */
static bool is_early(const struct tl_dtls *dtls)
{
	return dtls->role == TL_DTLS_SERVER && !dtls->met;
}

static void on_write(const uint8_t *octets, size_t n_octets, void *user)
{
	struct tl_dtls *dtls = user;

	/* An alert that answers a forger would end the true peer's handshake. */
	if (n_octets && !(octets[0] == ALERT && is_early(dtls)))
		dtls->send(octets, n_octets, dtls->user);
}

static unsigned next_timeout_us(SSL *ssl, unsigned us)
{
	return us ? MIN(us * 2, FLIGHT_MAX_US) : FIRST_FLIGHT_US;
}

static const char *profiles_text(unsigned profiles)
{
	switch (profiles) {
	case 1u << TL_SRTP_AEAD_AES_128_GCM:
		return "SRTP_AEAD_AES_128_GCM";
	case 1u << TL_SRTP_AES128_CM_SHA1_80:
		return "SRTP_AES128_CM_SHA1_80";
	default:
		return "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";
	}
}

static void begin(struct tl_dtls *dtls)
{
	BIO *bio = tl_dtls_bio_new(&dtls->wire);
	SSL *ssl = SSL_new(tl_certificate_context(dtls->certificate));

	g_assert(ssl);
	SSL_set_bio(ssl, bio, bio); /* takes one reference for both */
	SSL_set_app_data(ssl, dtls);
	SSL_set_mtu(ssl, MTU_OCTETS);
	DTLS_set_timer_cb(ssl, next_timeout_us);
	g_assert(!SSL_set_tlsext_use_srtp(ssl, profiles_text(dtls->profiles))); /* 0 is success here */
	dtls->listening = dtls->cookie;
	if (dtls->role == TL_DTLS_SERVER)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	dtls->ssl = ssl;
}

struct tl_dtls *tl_dtls_new(const struct tl_association_config *config, tl_dtls_send_fn send, void *user)
{
	struct tl_dtls *dtls = g_new0(struct tl_dtls, 1);
	uint8_t secret[TL_HMAC_OCTETS];

	dtls->certificate = tl_certificate_ref(config->certificate);
	dtls->role = config->role;
	dtls->cookie = config->cookie && config->role == TL_DTLS_SERVER;
	dtls->profiles = config->profiles;
	dtls->peer = config->peer;
	dtls->send = send;
	dtls->user = user;
	dtls->wire = (struct tl_dtls_wire){ .on_write = on_write, .user = dtls };
	g_assert(RAND_bytes(secret, sizeof(secret)) == 1);
	tl_hmac_key_init(&dtls->cookie_key, secret, sizeof(secret));
	begin(dtls);
	return dtls;
}

void tl_dtls_free(struct tl_dtls *dtls)
{
	if (!dtls)
		return;
	if (dtls->state == TL_DTLS_CONNECTED && SSL_alloc_buffers(dtls->ssl))
		SSL_shutdown(dtls->ssl);
	SSL_free(dtls->ssl);
	ERR_clear_error();
	tl_certificate_unref(dtls->certificate);
	OPENSSL_cleanse(dtls, sizeof(*dtls));
	g_free(dtls);
}

static void fail(struct tl_dtls *dtls, const char *reason)
{
	g_strlcpy(dtls->reason, reason, sizeof(dtls->reason));
	dtls->state = TL_DTLS_FAILED;
}

/* RFC 5764 4.2: client's and server's key, then client's and server's salt. */
static bool export_keys(struct tl_dtls *dtls, enum tl_srtp_profile profile)
{
	uint8_t octets[2 * (TL_SRTP_KEY_OCTETS + TL_SRTP_SALT_MAX)];
	size_t n_salt = tl_srtp_salt_octets(profile);
	size_t n = 2 * (TL_SRTP_KEY_OCTETS + n_salt);
	struct tl_srtp_key *client = dtls->role == TL_DTLS_CLIENT ? &dtls->keys.send : &dtls->keys.receive;
	struct tl_srtp_key *server = dtls->role == TL_DTLS_CLIENT ? &dtls->keys.receive : &dtls->keys.send;

	if (SSL_export_keying_material(dtls->ssl, octets, n, EXPORTER, strlen(EXPORTER), NULL, 0, 0) != 1)
		return false;
	dtls->keys.profile = profile;
	memcpy(client->key, octets, TL_SRTP_KEY_OCTETS);
	memcpy(server->key, octets + TL_SRTP_KEY_OCTETS, TL_SRTP_KEY_OCTETS);
	memcpy(client->salt, octets + 2 * TL_SRTP_KEY_OCTETS, n_salt);
	memcpy(server->salt, octets + 2 * TL_SRTP_KEY_OCTETS + n_salt, n_salt);
	OPENSSL_cleanse(octets, sizeof(octets));
	return true;
}

static void connect_done(struct tl_dtls *dtls)
{
	const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(dtls->ssl);

	if (!dtls->is_expected)
		fail(dtls, "the peer showed no certificate");
	else if (!chosen)
		fail(dtls, "the peer agreed to no SRTP profile of ours");
	else if (!export_keys(dtls, chosen->id == SRTP_AEAD_AES_128_GCM ? TL_SRTP_AEAD_AES_128_GCM
									: TL_SRTP_AES128_CM_SHA1_80))
		fail(dtls, "the keys could not be exported");
	else
		dtls->state = TL_DTLS_CONNECTED;
}

static void handshake_failed(struct tl_dtls *dtls)
{
	const char *text = ERR_reason_error_string(ERR_peek_error());

	if (dtls->met && !dtls->is_expected) {
		fail(dtls, "the peer's certificate is not the one that signalling told");
		return;
	}
	g_strlcpy(dtls->reason, text ? text : "handshake failure", sizeof(dtls->reason));
	if (!is_early(dtls) || dtls->restarts == RESTARTS_MAX) {
		dtls->state = TL_DTLS_FAILED;
		return;
	}
	dtls->restarts++;
	SSL_free(dtls->ssl);
	begin(dtls);
}

/* Application data is nobody's here (no data channels) and is dropped. */
static void read_on(struct tl_dtls *dtls)
{
	uint8_t dropped[TL_DTLS_DATAGRAM_MAX];
	int result = 1;

	for (unsigned i = 0; i < RECORDS_MAX && result > 0; i++)
		result = SSL_read(dtls->ssl, dropped, sizeof(dropped));
	if (result <= 0 && SSL_get_error(dtls->ssl, result) != SSL_ERROR_WANT_READ)
		dtls->state = TL_DTLS_CLOSED;
}

/*
 * Until a ClientHello bears this address's cookie, nothing of a datagram is kept: SSL_OP_COOKIE_EXCHANGE alone would
 * let a wrong cookie end the handshake, and a restarted one refuse the second ClientHello for its number.
 */
static bool heard_cookie(struct tl_dtls *dtls)
{
	BIO_ADDR *unused = BIO_ADDR_new();

	g_assert(unused);
	dtls->listening = DTLSv1_listen(dtls->ssl, unused) != 1;
	BIO_ADDR_free(unused);
	return !dtls->listening;
}

static void handshake_on(struct tl_dtls *dtls)
{
	int result;

	if (dtls->listening && !heard_cookie(dtls))
		return;
	result = SSL_do_handshake(dtls->ssl);
	if (result == 1)
		connect_done(dtls);
	else if (SSL_get_error(dtls->ssl, result) != SSL_ERROR_WANT_READ)
		handshake_failed(dtls);
}

static enum tl_dtls_state step(struct tl_dtls *dtls)
{
	ERR_clear_error();
	if (dtls->state == TL_DTLS_HANDSHAKE) {
		handshake_on(dtls);
	} else if (dtls->state == TL_DTLS_CONNECTED && SSL_alloc_buffers(dtls->ssl)) {
		read_on(dtls);
	}
	/* They are half of what OpenSSL holds, and datagrams are rare now. */
	if (dtls->state == TL_DTLS_CONNECTED)
		SSL_free_buffers(dtls->ssl);
	ERR_clear_error();
	return dtls->state;
}

enum tl_dtls_state tl_dtls_feed(struct tl_dtls *dtls, const union tl_address *from, const uint8_t *octets,
				size_t n_octets)
{
	memset(&dtls->from, 0, sizeof(dtls->from));
	if (from && from->any.sa_family == AF_INET) {
		dtls->from.v4.sin_port = from->v4.sin_port;
		dtls->from.v4.sin_addr = from->v4.sin_addr;
	} else if (from) {
		dtls->from.v6.sin6_port = from->v6.sin6_port;
		dtls->from.v6.sin6_addr = from->v6.sin6_addr;
	}
	dtls->wire.octets = octets;
	dtls->wire.n_octets = n_octets;
	step(dtls);
	dtls->wire.octets = NULL;
	return dtls->state;
}

enum tl_dtls_state tl_dtls_tick(struct tl_dtls *dtls)
{
	if (dtls->state == TL_DTLS_HANDSHAKE && dtls->role == TL_DTLS_CLIENT && SSL_in_before(dtls->ssl))
		return step(dtls);
	if (dtls->state != TL_DTLS_HANDSHAKE || tl_dtls_timeout_ms(dtls))
		return dtls->state;
	ERR_clear_error();
	if (DTLSv1_handle_timeout(dtls->ssl) < 0)
		fail(dtls, "the peer does not answer");
	ERR_clear_error();
	return dtls->state;
}

int tl_dtls_timeout_ms(const struct tl_dtls *dtls)
{
	struct timeval left;

	if (dtls->state != TL_DTLS_HANDSHAKE)
		return -1;
	if (dtls->role == TL_DTLS_CLIENT && SSL_in_before(dtls->ssl))
		return 0;
	if (!DTLSv1_get_timeout(dtls->ssl, &left))
		return -1;
	return (int)(left.tv_sec * 1000 + (left.tv_usec + 999) / 1000);
}

enum tl_dtls_state tl_dtls_get_state(const struct tl_dtls *dtls)
{
	return dtls->state;
}

const char *tl_dtls_reason(const struct tl_dtls *dtls)
{
	return *dtls->reason ? dtls->reason : NULL;
}

bool tl_dtls_keys(const struct tl_dtls *dtls, struct tl_dtls_keys *keys)
{
	if (dtls->state != TL_DTLS_CONNECTED)
		return false;
	*keys = dtls->keys;
	return true;
}
