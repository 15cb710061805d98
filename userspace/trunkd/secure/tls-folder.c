/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The folder from which the SIP stack's TLS reads, checked before it does: the stack says little of what it dislikes. */
#include "secure/secure.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROTATE_DAYS 30
#define CHAIN_MAX 16

static gboolean refuse(GError **error, const char *path, const char *what)
{
	ERR_clear_error();
	g_set_error(error, TL_SECURE_ERROR, TL_SECURE_ERROR_CERTIFICATE, "%s: %s", path, what);
	return FALSE;
}

/* Never asks for a pass phrase. */
static int no_phrase(char *phrase, int size, int writing, void *user)
{
	return -1;
}

static gboolean check_key(const char *path, FILE *file, GError **error)
{
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, no_phrase, NULL);
	rewind(file);
	X509 *x509 = key ? PEM_read_X509(file, NULL, no_phrase, NULL) : NULL;
	gboolean done = FALSE;

	if (!x509)
		refuse(error, path, "expected a private key without a pass phrase and its certificate, both PEM");
	else if (!X509_check_private_key(x509, key))
		refuse(error, path, "the first certificate is not this key's");
	else if (X509_cmp_current_time(X509_get0_notAfter(x509)) < 0)
		refuse(error, path, "the certificate has expired");
	else
		done = TRUE;
	X509_free(x509);
	EVP_PKEY_free(key);
	return done;
}

static gboolean check_given(const char *path, GError **error)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	gboolean done;

	if (!file)
		return refuse(error, path, g_strerror(errno));
	if (fstat(fileno(file), &status) || !S_ISREG(status.st_mode))
		done = refuse(error, path, "expected a file");
	else if (status.st_mode & 077)
		done = refuse(error, path, "expected mode 0600: others may read or write this key");
	else
		done = check_key(path, file, error);
	fclose(file);
	return done;
}

/* agent.pem: a link to what was given, so that there is one copy of a key. */
static gboolean place_agent(const char *agent, const char *certificate, GError **error)
{
	if (g_file_test(agent, G_FILE_TEST_IS_SYMLINK))
		g_unlink(agent);
	if (!certificate) {
		struct tl_certificate *own = tl_certificate_open(agent, ROTATE_DAYS, error);
		tl_certificate_unref(own);
		return own != NULL;
	}
	g_autofree char *absolute = g_canonicalize_filename(certificate, NULL);
	if (!check_given(certificate, error))
		return FALSE;
	g_unlink(agent);
	return !symlink(absolute, agent) || refuse(error, agent, g_strerror(errno));
}

/* Copies the certificates of @from, and nothing else that stands there; the number of them, or -1. */
static int copy_certificates(const char *from, FILE *to, unsigned max)
{
	FILE *file = fopen(from, "re");
	unsigned n = 0;
	X509 *x509;

	while (file && n < max && (x509 = PEM_read_X509(file, NULL, no_phrase, NULL))) {
		n += PEM_write_X509(to, x509) == 1;
		X509_free(x509);
	}
	ERR_clear_error();
	if (file)
		fclose(file);
	return file ? (int)n : -1;
}

gboolean tl_tls_folder_make(const char *folder, const char *certificate, const char *authorities, GError **error)
{
	g_autofree char *agent = g_build_filename(folder, "agent.pem", NULL);
	g_autofree char *trusted = g_build_filename(folder, "cafile.pem", NULL);
	FILE *file;
	gboolean done;

	if (g_mkdir_with_parents(folder, 0700))
		return refuse(error, folder, g_strerror(errno));
	if (!place_agent(agent, certificate, error))
		return FALSE;
	if (!(file = fopen(trusted, "we")))
		return refuse(error, trusted, g_strerror(errno));
	done = copy_certificates(agent, file, CHAIN_MAX) > 0 &&
	       (!authorities || copy_certificates(authorities, file, G_MAXINT) > 0);
	if (fclose(file))
		return refuse(error, trusted, g_strerror(errno));
	return done || refuse(error, authorities ? authorities : agent, "expected certificates, PEM");
}
