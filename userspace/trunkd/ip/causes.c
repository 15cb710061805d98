/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/causes.h"

#include <stdlib.h>

#include <sofia-sip/sip_status.h>

#include "ip/ip.h"

struct pair {
	unsigned from, to;
};

static unsigned find(const struct pair *pairs, size_t n, unsigned from, unsigned fallback)
{
	for (size_t i = 0; i < n; i++)
		if (pairs[i].from == from)
			return pairs[i].to;
	return fallback;
}

unsigned tl_sip_status_from_cause(unsigned cause)
{
	/* RFC 3398 7.2.4.1. 16 before an answer has no row there: the callee is not to be had now. */
	static const struct pair pairs[] = {
		{ 1, 404 }, { 2, 404 }, { 3, 404 }, { 16, 480 }, { 17, 486 }, { 18, 408 }, { 19, 480 }, { 20, 480 },
		{ 21, 403 }, { 22, 410 }, { 23, 410 }, { 26, 404 }, { 27, 502 }, { 28, 484 }, { 29, 501 }, { 31, 480 },
		{ 34, 503 }, { 38, 503 }, { 41, 503 }, { 42, 503 }, { 44, 503 }, { 47, 503 }, { 55, 403 }, { 57, 403 },
		{ 58, 503 }, { 65, 488 }, { 70, 488 }, { 79, 501 }, { 87, 403 }, { 88, 503 }, { 102, 504 },
	};
	return find(pairs, G_N_ELEMENTS(pairs), cause, 500);
}

unsigned tl_sip_cause_from_status(unsigned status)
{
	/* RFC 3398 8.2.6.1; 488 and 606, which it derives from Warning, are the inverse of 65. */
	static const struct pair pairs[] = {
		{ 400, 41 }, { 401, 21 }, { 402, 21 }, { 403, 21 }, { 404, 1 }, { 405, 63 }, { 406, 79 }, { 407, 21 },
		{ 408, 102 }, { 410, 22 }, { 413, 127 }, { 414, 127 }, { 415, 79 }, { 416, 127 }, { 420, 127 },
		{ 421, 127 }, { 423, 127 }, { 480, 18 }, { 481, 41 }, { 482, 25 }, { 483, 25 }, { 484, 28 }, { 485, 1 },
		{ 486, 17 }, { 487, 16 }, { 488, 65 }, { 500, 41 }, { 501, 79 }, { 502, 38 }, { 503, 41 }, { 504, 102 },
		{ 505, 127 }, { 513, 127 }, { 600, 17 }, { 603, 21 }, { 604, 1 }, { 606, 65 },
	};
	return find(pairs, G_N_ELEMENTS(pairs), status, 31);
}

const char *tl_status_phrase(unsigned status)
{
	const char *phrase = sip_status_phrase((int)status);
	return phrase ? phrase : "Refused";
}

const char *tl_reason_format(unsigned cause, char *text)
{
	char name[48];
	g_snprintf(text, 96, "Q.850;cause=%u;text=\"%s\"", cause, tl_cause_name(cause, name));
	return text;
}

/* SIP;cause=200 in a CANCEL: another phone took the call (RFC 3326 2), which Q.850 calls 26. */
#define ANSWERED_ELSEWHERE 26

/* The cause parameter of the first Reason of @protocol; 0 when there is none. */
static unsigned long reason_of(const sip_t *sip, const char *protocol)
{
	for (const sip_reason_t *r = sip->sip_reason; r; r = r->re_next)
		if (r->re_protocol && r->re_cause && !g_ascii_strcasecmp(r->re_protocol, protocol))
			return strtoul(r->re_cause, NULL, 10);
	return 0;
}

unsigned tl_reason_cause(const sip_t *sip, unsigned fallback)
{
	if (!sip)
		return fallback;
	unsigned long q850 = reason_of(sip, "Q.850");
	if (q850 >= 1 && q850 <= 127)
		return (unsigned)q850;
	if (sip->sip_status)
		return tl_sip_cause_from_status((unsigned)sip->sip_status->st_status);
	bool cancel = sip->sip_request && sip->sip_request->rq_method == sip_method_cancel;
	return cancel && reason_of(sip, "SIP") == 200 ? ANSWERED_ELSEWHERE : fallback;
}
