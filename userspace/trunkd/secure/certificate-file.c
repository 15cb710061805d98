/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "secure/certificate-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secure/secure.h"

static gboolean refuse(GError **error, const char *path, const char *what)
{
	ERR_clear_error();
	g_set_error(error, TL_SECURE_ERROR, TL_SECURE_ERROR_CERTIFICATE, "%s: %s", path, what);
	return FALSE;
}

static gboolean is_p256(EVP_PKEY *key)
{
	char group[32] = "";
	size_t n = 0;

	return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof(group), &n) &&
	       !strcmp(group, "prime256v1");
}

static gboolean read_open_file(const char *path, FILE *file, X509 **x509, EVP_PKEY **key, GError **error)
{
	struct stat status;

	if (fstat(fileno(file), &status) || !S_ISREG(status.st_mode))
		return refuse(error, path, "expected a file");
	if (status.st_mode & 077)
		return refuse(error, path, "expected mode 0600: others may read or write this key");
	*key = PEM_read_PrivateKey(file, NULL, NULL, (void *)""); /* no pass phrase is asked for */
	*x509 = *key ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	if (!*x509)
		return refuse(error, path, "expected a private key and then its certificate, both PEM");
	if (!is_p256(*key))
		return refuse(error, path, "expected an ECDSA key on P-256");
	if (!X509_check_private_key(*x509, *key))
		return refuse(error, path, "the certificate is not this key's");
	return TRUE;
}

gboolean tl_certificate_file_read(const char *path, X509 **x509, EVP_PKEY **key, GError **error)
{
	X509 *found_x509 = NULL;
	EVP_PKEY *found_key = NULL;
	FILE *file = fopen(path, "re");
	gboolean done;

	if (!file && errno == ENOENT)
		return TRUE;
	if (!file)
		return refuse(error, path, g_strerror(errno));
	done = read_open_file(path, file, &found_x509, &found_key, error);
	fclose(file);
	if (done) {
		*x509 = found_x509;
		*key = found_key;
	} else {
		X509_free(found_x509);
		EVP_PKEY_free(found_key);
	}
	return done;
}

static gboolean write_and_sync(int fd, X509 *x509, EVP_PKEY *key)
{
	FILE *file = fdopen(fd, "w");
	gboolean done;

	if (!file) {
		close(fd);
		return FALSE;
	}
	done = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) && PEM_write_X509(file, x509) && !fflush(file) &&
	       !fsync(fd);
	return !fclose(file) && done;
}

static gboolean sync_folder(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	gboolean done = fd >= 0 && !fsync(fd);

	if (fd >= 0)
		close(fd);
	return done;
}

gboolean tl_certificate_file_write(const char *path, X509 *x509, EVP_PKEY *key, GError **error)
{
	g_autofree char *beside = g_strconcat(path, ".XXXXXX", NULL);
	int fd = g_mkstemp_full(beside, O_WRONLY | O_CLOEXEC, 0600);
	int why;

	if (fd < 0)
		return refuse(error, beside, g_strerror(errno));
	if (write_and_sync(fd, x509, key) && !g_rename(beside, path) && sync_folder(path))
		return TRUE;
	why = errno;
	g_unlink(beside);
	return refuse(error, path, g_strerror(why));
}
