/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/sip-keys.h"

#include <errno.h>
#include <string.h>

bool tl_sip_keys_begin(struct tl_sip_keys *keys, enum tl_srtp_policy wanted, const struct tl_sip_listener *way)
{
	bool secret = way->tls || way->sip->keys_in_clear;
	explicit_bzero(keys, sizeof *keys);
	keys->policy = secret ? wanted : TL_SRTP_OFF;
	return secret || wanted != TL_SRTP_REQUIRE;
}

int tl_sip_keys_check(const struct tl_sip_keys *keys, const struct tl_sdp *sdp)
{
	return keys->policy == TL_SRTP_REQUIRE && sdp->side.port && !sdp->n_keys ? -EPROTONOSUPPORT : 0;
}

static void agree(struct tl_sip_keys *keys, const struct tl_sdes *ours, const struct tl_sdes *theirs)
{
	keys->changed = keys->changed || !keys->agreed || !tl_sdes_same_key(&keys->ours[0], ours) ||
			!tl_sdes_same_key(&keys->theirs, theirs);
	keys->both = (struct tl_dtls_keys){ ours->profile, ours->key, theirs->key };
	keys->ours[0] = *ours;
	keys->n_ours = 1;
	keys->theirs = *theirs;
	keys->agreed = true;
}

static void give_up(struct tl_sip_keys *keys)
{
	explicit_bzero(&keys->both, sizeof keys->both);
	keys->n_ours = 0;
	keys->changed = keys->changed || keys->agreed;
	keys->agreed = keys->savp = false;
}

/* A new key for what we send whenever theirs is new: the same one with a context begun anew would repeat key stream. */
void tl_sip_keys_take_offer(struct tl_sip_keys *keys, const struct tl_sdp *offer)
{
	if (!offer->side.port)
		return;
	if (keys->policy == TL_SRTP_OFF || !offer->n_keys) {
		give_up(keys);
		return;
	}
	struct tl_sdes ours = { offer->keys[0].tag, offer->keys[0].profile };
	keys->savp = offer->savp;
	if (keys->agreed && tl_sdes_same_key(&keys->theirs, &offer->keys[0]))
		ours.key = keys->ours[0].key;
	else
		tl_srtp_key_make(&ours.key);
	agree(keys, &ours, &offer->keys[0]);
	explicit_bzero(&ours, sizeof ours);
}

bool tl_sip_keys_take_answer(struct tl_sip_keys *keys, const struct tl_sdp *answer)
{
	if (keys->policy == TL_SRTP_OFF || !answer->n_keys) {
		if (keys->savp || answer->savp)
			return false;
		give_up(keys);
		return true;
	}
	for (unsigned i = 0; i < keys->n_ours; i++)
		if (keys->ours[i].tag == answer->keys[0].tag && keys->ours[i].profile == answer->keys[0].profile) {
			struct tl_sdes ours = keys->ours[i];
			agree(keys, &ours, &answer->keys[0]);
			explicit_bzero(&ours, sizeof ours);
			return true;
		}
	return false;
}

static void offer_anew(struct tl_sip_keys *keys)
{
	static const enum tl_srtp_profile profiles[] = { TL_SRTP_AEAD_AES_128_GCM, TL_SRTP_AES128_CM_SHA1_80 };
	for (unsigned i = 0; i < G_N_ELEMENTS(profiles); i++) {
		keys->ours[i] = (struct tl_sdes){ i + 1, profiles[i] };
		tl_srtp_key_make(&keys->ours[i].key);
	}
	keys->n_ours = G_N_ELEMENTS(profiles);
	keys->savp = keys->policy == TL_SRTP_REQUIRE;
}

void tl_sip_keys_describe(struct tl_sip_keys *keys, bool answer, struct tl_sdp_local *local)
{
	if (!answer && keys->policy != TL_SRTP_OFF && !keys->n_ours)
		offer_anew(keys);
	local->savp = keys->savp;
	local->keys = keys->ours;
	local->n_keys = answer && !keys->agreed ? 0 : keys->n_ours;
}
