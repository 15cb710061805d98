/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Q.850 causes in SIP: status codes (RFC 3398) and the Reason header (RFC 3326, RFC 6432). Any thread. */
#pragma once

#include <sofia-sip/sip.h>

/** The words for a status that we send ourselves. Static. */
const char *tl_status_phrase(unsigned status);

/** "Q.850;cause=17;text=\"user-busy\"" as a Reason header's value. @text has at least 96 octets. */
const char *tl_reason_format(unsigned cause, char *text);

/**
 * tl_reason_cause - the cause of a request or response: its Reason: Q.850 if it has one, else by its status;
 * @fallback for requests without one, and when @sip is NULL.
 */
unsigned tl_reason_cause(const sip_t *sip, unsigned fallback);
