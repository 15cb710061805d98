/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "secure/certificate.h"
#include "secure/dtls-inner.h"

/* Forward secrecy and AEAD only; the first is what RFC 8827 6.5 demands. Either key, as a client meets servers of both. */
#define CIPHERS                                                                                                        \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"                     \
	"ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
#define GROUPS "X25519:P-256"

/* The peer's certificate is trusted for its digest alone, which signalling told (RFC 5763 5). */
static int on_certificate(X509_STORE_CTX *store, void *unused)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tl_dtls *dtls = SSL_get_app_data(ssl);

	dtls->met = true;
	dtls->is_expected = tl_fingerprint_matches(&dtls->peer, X509_STORE_CTX_get0_cert(store));
	if (!dtls->is_expected)
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return dtls->is_expected;
}

static int on_cookie_wanted(SSL *ssl, uint8_t *cookie, unsigned *n_octets)
{
	struct tl_dtls *dtls = SSL_get_app_data(ssl);

	tl_hmac_sha1(&dtls->cookie_key, &dtls->from, sizeof(dtls->from), NULL, 0, cookie);
	*n_octets = TL_HMAC_OCTETS;
	return 1;
}

static int on_cookie(SSL *ssl, const uint8_t *cookie, unsigned n_octets)
{
	uint8_t expected[TL_HMAC_OCTETS];
	unsigned n;

	on_cookie_wanted(ssl, expected, &n);
	return n_octets == n && !CRYPTO_memcmp(cookie, expected, n);
}

SSL_CTX *tl_dtls_context_new(X509 *x509, EVP_PKEY *key)
{
	SSL_CTX *context = SSL_CTX_new(DTLS_method());

	if (!context || !SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) ||
	    !SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) || !SSL_CTX_set_cipher_list(context, CIPHERS) ||
	    !SSL_CTX_set1_groups_list(context, GROUPS) || !SSL_CTX_use_certificate(context, x509) ||
	    !SSL_CTX_use_PrivateKey(context, key)) {
		SSL_CTX_free(context);
		return NULL;
	}
	SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(context, on_certificate, NULL);
	SSL_CTX_set_cookie_generate_cb(context, on_cookie_wanted);
	SSL_CTX_set_cookie_verify_cb(context, on_cookie);
	return context;
}
