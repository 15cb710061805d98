/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A key and its certificate in one PEM file that only its owner may read, replaced as a whole. */
#pragma once

#include <glib.h>
#include <openssl/x509.h>

/**
 * Reads both; neither is set and TRUE returned if there is no such file. Refused: a file that others may read, no
 * ECDSA P-256, a key that is not the certificate's.
 */
gboolean tl_certificate_file_read(const char *path, X509 **x509, EVP_PKEY **key, GError **error);

/** Mode 0600; on disk, name and all, when it returns TRUE. */
gboolean tl_certificate_file_write(const char *path, X509 *x509, EVP_PKEY *key, GError **error);
