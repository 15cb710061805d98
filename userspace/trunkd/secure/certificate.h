/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the rest of this room needs of a certificate. */
#pragma once

#include <openssl/ssl.h>

#include "secure/secure.h"

/** The settings that every handshake with this certificate shares. Borrowed. Any thread. */
SSL_CTX *tl_certificate_context(const struct tl_certificate *certificate);

/** Whether @x509's digest is @fingerprint. */
bool tl_fingerprint_matches(const struct tl_fingerprint *fingerprint, X509 *x509);
