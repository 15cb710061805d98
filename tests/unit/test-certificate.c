/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Certificates: their file, its mode, its replacement; fingerprints as SDP writes them. */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "secure/secure.h"

struct folder {
	char *path, *file;
};

static struct folder folder_new(void)
{
	struct folder folder = { .path = g_dir_make_tmp("tl-certificate-XXXXXX", NULL) };

	folder.file = g_build_filename(folder.path, "dtls.pem", NULL);
	return folder;
}

static void folder_free(struct folder *folder)
{
	g_unlink(folder->file);
	g_assert_cmpint(g_rmdir(folder->path), ==, 0); /* nothing was left beside it */
	g_free(folder->file);
	g_free(folder->path);
}

static struct tl_certificate *open_now(const struct folder *folder, unsigned rotate_days)
{
	GError *error = NULL;
	struct tl_certificate *certificate = tl_certificate_open(folder->file, rotate_days, &error);

	g_assert_no_error(error);
	return certificate;
}

static void assert_refused(const struct folder *folder, const char *why)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(tl_certificate_open(folder->file, 30, &error));
	g_assert_error(error, TL_SECURE_ERROR, TL_SECURE_ERROR_CERTIFICATE);
	g_assert_true(g_str_has_prefix(error->message, folder->file));
	g_assert_nonnull(strstr(error->message, why));
}

static void test_made_and_kept(void)
{
	struct folder folder = folder_new();
	struct tl_certificate *made = open_now(&folder, 30), *again = open_now(&folder, 30);
	struct stat status;

	g_assert_cmpint(stat(folder.file, &status), ==, 0);
	g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
	g_assert_cmpstr(tl_certificate_fingerprint(made), ==, tl_certificate_fingerprint(again));
	g_assert_true(g_regex_match_simple("^sha-256 [0-9A-F]{2}(:[0-9A-F]{2}){31}$", tl_certificate_fingerprint(made), 0, 0));
	g_assert_false(tl_certificate_due(made));
	tl_certificate_unref(made);
	tl_certificate_unref(again);
	folder_free(&folder);
}

static void test_rotated(void)
{
	struct folder folder = folder_new();
	struct tl_certificate *old = open_now(&folder, 30), *same, *new;

	same = open_now(&folder, 0); /* due at once: replaced */
	g_assert_cmpstr(tl_certificate_fingerprint(old), !=, tl_certificate_fingerprint(same));
	g_assert_true(tl_certificate_due(same));
	new = open_now(&folder, 30);
	g_assert_true(tl_certificate_due(same));
	tl_certificate_unref(old);
	tl_certificate_unref(same);
	tl_certificate_unref(new);
	folder_free(&folder);
}

static void test_refused_files(void)
{
	struct folder folder = folder_new();
	struct tl_certificate *made = open_now(&folder, 30);
	g_autofree char *text = NULL;

	g_chmod(folder.file, 0640);
	assert_refused(&folder, "expected mode 0600");
	g_chmod(folder.file, 0600);
	g_assert_true(g_file_get_contents(folder.file, &text, NULL, NULL));
	*strstr(text, "-----BEGIN CERTIFICATE") = '\0';
	g_assert_true(g_file_set_contents_full(folder.file, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
	assert_refused(&folder, "expected a private key and then its certificate");
	g_assert_true(g_file_set_contents_full(folder.file, "", -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
	assert_refused(&folder, "expected a private key and then its certificate");
	g_unlink(folder.file);
	g_assert_cmpint(g_mkdir(folder.file, 0700), ==, 0);
	assert_refused(&folder, "expected a file");
	g_rmdir(folder.file);
	tl_certificate_unref(made);
	folder_free(&folder);
}

/* Key and certificate of two makes do not go together. */
static void test_mixed(void)
{
	struct folder folder = folder_new();
	g_autofree char *first = NULL, *second = NULL, *mixed = NULL;

	tl_certificate_unref(open_now(&folder, 30));
	g_assert_true(g_file_get_contents(folder.file, &first, NULL, NULL));
	g_unlink(folder.file);
	tl_certificate_unref(open_now(&folder, 30));
	g_assert_true(g_file_get_contents(folder.file, &second, NULL, NULL));
	*strstr(first, "-----BEGIN CERTIFICATE") = '\0';
	mixed = g_strconcat(first, strstr(second, "-----BEGIN CERTIFICATE"), NULL);
	g_assert_true(g_file_set_contents_full(folder.file, mixed, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
	assert_refused(&folder, "not this key's");
	folder_free(&folder);
}

static void test_no_folder(void)
{
	struct folder folder = { .file = (char *)"/nonexistent/dtls.pem" };

	assert_refused(&folder, "No such file");
}

struct fingerprint_case {
	const char *text;
	gboolean good;
};

static const struct fingerprint_case fingerprints[] = {
	{ "sha-256 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF", TRUE },
	{ "SHA-256 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF", TRUE },
	{ "sha-256 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE", FALSE },
	{ "sha-256 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:", FALSE },
	{ "sha-256 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:GG", FALSE },
	{ "sha-256 00-11", FALSE },
	{ "sha-256 ", FALSE },
	{ "sha-256", FALSE },
	{ "sha-1 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33", FALSE },
	{ "md5 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", FALSE },
	{ "", FALSE },
};

static void test_fingerprint(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fingerprints); i++) {
		struct tl_fingerprint fingerprint = { .n_octets = 7 };
		g_autoptr(GError) error = NULL;

		g_assert_true(tl_fingerprint_parse(fingerprints[i].text, &fingerprint, &error) == fingerprints[i].good);
		g_assert_cmpint(error == NULL, ==, fingerprints[i].good);
		g_assert_cmpuint(fingerprint.n_octets, ==, fingerprints[i].good ? 32 : 7);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/certificate/made-and-kept", test_made_and_kept);
	g_test_add_func("/certificate/rotated", test_rotated);
	g_test_add_func("/certificate/refused-files", test_refused_files);
	g_test_add_func("/certificate/mixed", test_mixed);
	g_test_add_func("/certificate/no-folder", test_no_folder);
	g_test_add_func("/certificate/fingerprint", test_fingerprint);
	return g_test_run();
}
