/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "secure/certificate.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "secure/certificate-file.h"
#include "secure/dtls.h"

#define DAY_S 86400
#define SERIAL_BITS 120

struct tl_certificate {
	gatomicrefcount references;
	unsigned rotate_days;
	X509 *x509;
	EVP_PKEY *key;
	SSL_CTX *context;
	char *fingerprint;
};

static void *refuse(GError **error, const char *what)
{
	char text[160];

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	ERR_clear_error();
	g_set_error(error, TL_SECURE_ERROR, TL_SECURE_ERROR_CERTIFICATE, "%s: %s", what, text);
	return NULL;
}

/* "sha-256 " and the digest, its octets in upper case as RFC 8122 5 wants them. */
static char *fingerprint_of(X509 *x509)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	GString *text = g_string_new("sha-256");
	unsigned n = 0;

	g_assert(X509_digest(x509, EVP_sha256(), digest, &n));
	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(text, "%c%02X", i ? ':' : ' ', digest[i]);
	return g_string_free(text, FALSE);
}

/* Takes both. */
static struct tl_certificate *wrap(X509 *x509, EVP_PKEY *key, unsigned rotate_days, GError **error)
{
	SSL_CTX *context = tl_dtls_context_new(x509, key);
	struct tl_certificate *certificate;

	if (!context) {
		X509_free(x509);
		EVP_PKEY_free(key);
		return refuse(error, "DTLS does not take the certificate");
	}
	certificate = g_new0(struct tl_certificate, 1);
	g_atomic_ref_count_init(&certificate->references);
	certificate->rotate_days = rotate_days;
	certificate->x509 = x509;
	certificate->key = key;
	certificate->context = context;
	certificate->fingerprint = fingerprint_of(x509);
	return certificate;
}

static gboolean set_serial(X509 *x509)
{
	BIGNUM *number = BN_new();
	gboolean done = number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
			BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));

	BN_free(number);
	return done;
}

static X509 *self_signed(EVP_PKEY *key, unsigned rotate_days)
{
	X509 *x509 = X509_new();
	X509_NAME *name = X509_get_subject_name(x509);

	/* Begun a day ago: clocks of peers differ. The name says nothing of the host. */
	if (X509_set_version(x509, X509_VERSION_3) && set_serial(x509) &&
	    X509_gmtime_adj(X509_getm_notBefore(x509), -DAY_S) &&
	    X509_gmtime_adj(X509_getm_notAfter(x509), (long)rotate_days * 3 * DAY_S) &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"trunkline", -1, -1, 0) &&
	    X509_set_issuer_name(x509, name) && X509_set_pubkey(x509, key) && X509_sign(x509, key, EVP_sha256()))
		return x509;
	X509_free(x509);
	return NULL;
}

struct tl_certificate *tl_certificate_new(unsigned rotate_days, GError **error)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = key ? self_signed(key, rotate_days) : NULL;

	if (x509)
		return wrap(x509, key, rotate_days, error);
	EVP_PKEY_free(key);
	return refuse(error, "a certificate could not be made");
}

static struct tl_certificate *make_and_write(const char *path, unsigned rotate_days, GError **error)
{
	struct tl_certificate *made = tl_certificate_new(rotate_days, error);

	if (!made || tl_certificate_file_write(path, made->x509, made->key, error))
		return made;
	tl_certificate_unref(made);
	return NULL;
}

struct tl_certificate *tl_certificate_open(const char *path, unsigned rotate_days, GError **error)
{
	struct tl_certificate *found;
	EVP_PKEY *key = NULL;
	X509 *x509 = NULL;

	if (!tl_certificate_file_read(path, &x509, &key, error))
		return NULL;
	if (!x509)
		return make_and_write(path, rotate_days, error);
	found = wrap(x509, key, rotate_days, error);
	if (!found || !tl_certificate_due(found))
		return found;
	tl_certificate_unref(found);
	return make_and_write(path, rotate_days, error);
}

struct tl_certificate *tl_certificate_ref(struct tl_certificate *certificate)
{
	g_atomic_ref_count_inc(&certificate->references);
	return certificate;
}

void tl_certificate_unref(struct tl_certificate *certificate)
{
	if (!certificate || !g_atomic_ref_count_dec(&certificate->references))
		return;
	SSL_CTX_free(certificate->context);
	X509_free(certificate->x509);
	EVP_PKEY_free(certificate->key);
	g_free(certificate->fingerprint);
	g_free(certificate);
}

gboolean tl_certificate_due(const struct tl_certificate *certificate)
{
	int days = 0, seconds = 0;

	/* It was begun a day before it was made. Made in the future, it comes from another clock. */
	if (!ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(certificate->x509), NULL))
		return TRUE;
	return days < 0 || seconds < 0 || days - 1 >= (int)certificate->rotate_days ||
	       X509_cmp_current_time(X509_get0_notAfter(certificate->x509)) < 0;
}

const char *tl_certificate_fingerprint(const struct tl_certificate *certificate)
{
	return certificate->fingerprint;
}

SSL_CTX *tl_certificate_context(const struct tl_certificate *certificate)
{
	return certificate->context;
}
