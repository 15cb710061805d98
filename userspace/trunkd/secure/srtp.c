/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "secure/srtp.h"

#include <errno.h>
#include <openssl/rand.h>

#include "secure/srtp-backend.h"
#include "secure/srtp-cipher.h"

#define RTP_HEADER_OCTETS 12
#define RTCP_CLEAR_OCTETS 8
#define SRTCP_WORD_OCTETS 4
#define PACKETS_MAX ((uint64_t)1 << 48)
#define RTCP_PACKETS_MAX (((uint64_t)1 << 31) - 1)

struct tl_srtp {
	const struct tl_srtp_backend_ops *ops;
	void *state;
	enum tl_srtp_profile profile;
	uint64_t packets_max, rtcp_packets_max;
	struct tl_srtp_counters counters; /* media */
};

GQuark tl_secure_error_quark(void)
{
	return g_quark_from_static_string("tl-secure-error");
}

void tl_srtp_key_make(struct tl_srtp_key *key)
{
	g_assert(RAND_priv_bytes(key->key, sizeof key->key) == 1 && RAND_priv_bytes(key->salt, sizeof key->salt) == 1);
}

size_t tl_srtp_salt_octets(enum tl_srtp_profile profile)
{
	return profile == TL_SRTP_AEAD_AES_128_GCM ? 12 : 14;
}

const char *tl_srtp_profile_name(enum tl_srtp_profile profile)
{
	return profile == TL_SRTP_AEAD_AES_128_GCM ? "SRTP_AEAD_AES_128_GCM" : "SRTP_AES128_CM_SHA1_80";
}

static uint64_t limit(uint64_t wanted, uint64_t most)
{
	return wanted && wanted < most ? wanted : most;
}

struct tl_srtp *tl_srtp_new(const struct tl_srtp_config *config, GError **error)
{
	const struct tl_srtp_backend_ops *ops = config->backend == TL_SRTP_EVP ? &tl_srtp_evp : &tl_srtp_libsrtp;
	void *state = ops->new(config, error);
	struct tl_srtp *srtp;

	if (!state)
		return NULL;
	srtp = g_new0(struct tl_srtp, 1);
	srtp->ops = ops;
	srtp->state = state;
	srtp->profile = config->profile;
	srtp->packets_max = limit(config->packets_max, PACKETS_MAX);
	srtp->rtcp_packets_max = limit(config->rtcp_packets_max, RTCP_PACKETS_MAX);
	return srtp;
}

void tl_srtp_free(struct tl_srtp *srtp)
{
	if (!srtp)
		return;
	srtp->ops->free(srtp->state);
	g_free(srtp);
}

/* Octets of the RTP header with CSRCs and extension, or -EINVAL. RFC 3550 5.1, 5.3.1 */
static int rtp_clear(const uint8_t *packet, size_t n_octets)
{
	size_t clear = RTP_HEADER_OCTETS;

	if (n_octets < clear || packet[0] >> 6 != 2)
		return -EINVAL;
	clear += (packet[0] & 0x0f) * 4u;
	if (packet[0] & 0x10) {
		if (clear + 4 > n_octets)
			return -EINVAL;
		clear += 4 + 4u * (packet[clear + 2] << 8 | packet[clear + 3]);
	}
	return clear <= n_octets ? (int)clear : -EINVAL;
}

static int rtcp_check(const uint8_t *packet, size_t n_octets)
{
	return n_octets >= RTCP_CLEAR_OCTETS && packet[0] >> 6 == 2 ? 0 : -EINVAL;
}

/* Counts the outcome and returns it. */
static int told(struct tl_srtp *srtp, uint64_t *done, int result)
{
	switch (-result) {
	case 0:
		++*done;
		break;
	case EINVAL:
		srtp->counters.malformed++;
		break;
	case EBADMSG:
		srtp->counters.forged++;
		break;
	case EALREADY:
	case ESTALE:
		srtp->counters.replayed++;
		break;
	default:
		srtp->counters.refused++;
	}
	return result;
}

int tl_srtp_protect(struct tl_srtp *srtp, uint8_t *packet, size_t *n_octets, size_t capacity)
{
	int clear = rtp_clear(packet, *n_octets);
	int result = clear;

	if (clear >= 0) {
		if (capacity < *n_octets + TL_SRTP_GROWTH_MAX)
			result = -ENOSPC;
		else if (srtp->counters.packets >= srtp->packets_max)
			result = -EKEYEXPIRED;
		else
			result = srtp->ops->protect(srtp->state, packet, n_octets, (size_t)clear);
	}
	return told(srtp, &srtp->counters.packets, result);
}

int tl_srtp_unprotect(struct tl_srtp *srtp, uint8_t *packet, size_t *n_octets)
{
	size_t tag = tl_srtp_tag_octets(srtp->profile);
	int clear = *n_octets < tag ? -EINVAL : rtp_clear(packet, *n_octets - tag);
	int result = clear;

	if (clear >= 0)
		result = srtp->counters.packets >= srtp->packets_max
				 ? -EKEYEXPIRED
				 : srtp->ops->unprotect(srtp->state, packet, n_octets, (size_t)clear);
	return told(srtp, &srtp->counters.packets, result);
}

int tl_srtp_protect_rtcp(struct tl_srtp *srtp, uint8_t *packet, size_t *n_octets, size_t capacity)
{
	int result = rtcp_check(packet, *n_octets);

	if (!result) {
		if (capacity < *n_octets + TL_SRTP_GROWTH_MAX)
			result = -ENOSPC;
		else if (srtp->counters.rtcp_packets >= srtp->rtcp_packets_max)
			result = -EKEYEXPIRED;
		else
			result = srtp->ops->protect_rtcp(srtp->state, packet, n_octets);
	}
	return told(srtp, &srtp->counters.rtcp_packets, result);
}

int tl_srtp_unprotect_rtcp(struct tl_srtp *srtp, uint8_t *packet, size_t *n_octets)
{
	size_t tail = tl_srtp_tag_octets(srtp->profile) + SRTCP_WORD_OCTETS;
	int result = *n_octets < tail ? -EINVAL : rtcp_check(packet, *n_octets - tail);

	if (!result)
		result = srtp->counters.rtcp_packets >= srtp->rtcp_packets_max
				 ? -EKEYEXPIRED
				 : srtp->ops->unprotect_rtcp(srtp->state, packet, n_octets);
	return told(srtp, &srtp->counters.rtcp_packets, result);
}

void tl_srtp_counters(const struct tl_srtp *srtp, struct tl_srtp_counters *counters)
{
	*counters = srtp->counters;
}
