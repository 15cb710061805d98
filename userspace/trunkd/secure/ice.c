/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "secure/ice.h"

#include <glib.h>
#include <openssl/rand.h>
#include <string.h>

#define ERRORS_PER_S 100
#define SECOND_US 1000000

static void random_chars(char *text, size_t n)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t octets[TL_ICE_PASSWORD_CHARS];

	g_assert(n <= sizeof(octets) && RAND_bytes(octets, (int)n) == 1);
	for (size_t i = 0; i < n; i++)
		text[i] = chars[octets[i] & 63];
	text[n] = '\0';
}

void tl_ice_secret_make(struct tl_ice_secret *secret)
{
	random_chars(secret->ufrag, TL_ICE_UFRAG_CHARS);
	random_chars(secret->password, TL_ICE_PASSWORD_CHARS);
	tl_hmac_key_init(&secret->key, secret->password, TL_ICE_PASSWORD_CHARS);
}

void tl_ice_lite_init(struct tl_ice_lite *lite, tl_ice_find_fn find, void *user, unsigned errors_per_s)
{
	*lite = (struct tl_ice_lite){ .find = find, .user = user, .errors_per_s = errors_per_s ? errors_per_s : ERRORS_PER_S,
				      .errors_since_us = INT64_MIN };
}

static bool may_answer_stranger(struct tl_ice_lite *lite, int64_t now_us)
{
	if (lite->errors_since_us == INT64_MIN || now_us - lite->errors_since_us >= SECOND_US) {
		lite->errors_since_us = now_us;
		lite->errors_left = lite->errors_per_s;
	}
	if (!lite->errors_left) {
		lite->counters.silent++;
		return false;
	}
	lite->errors_left--;
	return true;
}

static void refuse_stranger(struct tl_ice_lite *lite, const struct tl_stun_message *request, unsigned code,
			    int64_t now_us, struct tl_ice_answer *answer)
{
	answer->verdict = TL_ICE_REFUSED;
	answer->error = code;
	if (may_answer_stranger(lite, now_us))
		answer->n_octets =
			tl_stun_format_error(request, code, NULL, answer->octets, sizeof(answer->octets));
}

/* The signature is right: what remains is what this end cannot do. */
static void answer_friend(struct tl_ice_lite *lite, const struct tl_stun_message *request, const union tl_address *from,
			  const struct tl_hmac_key *key, void *session, struct tl_ice_answer *answer)
{
	/* A lite agent never controls (RFC 8445 6.1.1), so a peer that says the same must be told (7.3.1.1). */
	unsigned code = request->n_unknown ? 420 : request->controlled ? 487 : 0;

	if (code) {
		lite->counters.refused++;
		answer->verdict = TL_ICE_REFUSED;
		answer->error = code;
		answer->n_octets = tl_stun_format_error(request, code, key, answer->octets, sizeof(answer->octets));
		return;
	}
	answer->n_octets = tl_stun_format_success(request, from, key, answer->octets, sizeof(answer->octets));
	answer->verdict = request->use_candidate ? TL_ICE_NOMINATED : TL_ICE_CHECKED;
	answer->session = session;
	answer->priority = request->priority;
	lite->counters.checks++;
	lite->counters.nominations += request->use_candidate;
}

void tl_ice_lite_answer(struct tl_ice_lite *lite, const uint8_t *octets, size_t n_octets, const union tl_address *from,
			int64_t now_us, struct tl_ice_answer *answer)
{
	const struct tl_ice_secret *secret;
	struct tl_stun_message request;
	const char *colon;
	void *session = NULL;

	answer->verdict = TL_ICE_IGNORED;
	answer->session = NULL;
	answer->priority = answer->error = 0;
	answer->n_octets = 0;
	/* Every message of ICE bears FINGERPRINT (RFC 8445 7.1): strangers' other uses of STUN get no answer. */
	if (tl_stun_parse(octets, n_octets, &request) || !request.has_fingerprint) {
		lite->counters.malformed++;
		return;
	}
	if (request.class != TL_STUN_REQUEST || request.method != TL_STUN_BINDING) {
		lite->counters.ignored++;
		return;
	}
	if (!request.username || !request.integrity_at) {
		lite->counters.refused++;
		refuse_stranger(lite, &request, 400, now_us, answer);
		return;
	}
	/* Ours stands before the colon (RFC 8445 7.2.2). */
	colon = memchr(request.username, ':', request.n_username);
	secret = colon ? lite->find(request.username, (size_t)(colon - request.username), &session, lite->user) : NULL;
	if (secret && tl_stun_verify(&request, &secret->key)) {
		answer_friend(lite, &request, from, &secret->key, session, answer);
		return;
	}
	if (secret)
		lite->counters.forged++;
	else
		lite->counters.unknown++;
	refuse_stranger(lite, &request, 401, now_us, answer);
}
