/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Numbers and names between SIP's headers and the leg vocabulary: request URI,
 * To, From, P-Asserted-Identity and Privacy (RFC 3325, RFC 3323), Diversion
 * (RFC 5806). Any thread.
 */
#pragma once

#include <sofia-sip/sip.h>

#include "signal/leg.h"

/**
 * tl_numbers_read - what an INVITE says of called, calling and redirecting parties.
 * @trusted: the sender is a trunk, whose assertions count; from others only From does.
 * A party that is no telephone number has no digits.
 */
void tl_numbers_read(const sip_t *sip, bool trusted, struct tl_leg_setup *setup);

/** Where a call goes, for its headers. Hosts are as in URIs (IPv6 in brackets). */
struct tl_numbers_peer {
	const char *local_host, *remote_host;
	const char *identity; /* user part of From when there is no number to show; NULL: anonymous */
	bool trusted;         /* a trunk: may see a restricted number */
};

/** An INVITE's headers; NULL when absent. */
struct tl_numbers_headers {
	char *from, *to, *asserted, *privacy, *diversion; /* asserted and diversion: whole header lines */
};

/** @setup's parties as headers; called without digits leaves to NULL. Clear with tl_numbers_clear(). */
void tl_numbers_write(const struct tl_leg_setup *setup, const struct tl_numbers_peer *peer,
		      struct tl_numbers_headers *headers);
void tl_numbers_clear(struct tl_numbers_headers *headers);

/** A number as the user part of a SIP URI ("+4930123", "%23" for #). @text has at least 3 * TL_DIGITS_MAX + 2 octets. */
const char *tl_numbers_user(const struct tl_number *number, char *text);
