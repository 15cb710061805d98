/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "secure/srtp-backend.h"
#include "secure/srtp-cipher.h"
#include "secure/srtp-window.h"

#define RTCP_CLEAR_OCTETS 8
#define WORD_OCTETS 4
#define ENCIPHERED 0x80000000u /* the E flag, RFC 3711 3.4 */
#define INDEX_END ((uint64_t)1 << 48)
#define RTCP_INDEX_END ((uint64_t)1 << 31)

struct stream {
	uint32_t ssrc;
	struct tl_srtp_window rtp, rtcp;
};

struct evp {
	enum tl_srtp_profile profile;
	struct tl_srtp_cipher *rtp, *rtcp;
	unsigned n_streams, last; /* last: the stream used before, most likely this one's */
	struct stream streams[TL_SRTP_STREAMS_MAX];
};

static uint16_t get16(const uint8_t *octets)
{
	return (uint16_t)(octets[0] << 8 | octets[1]);
}

static uint32_t get32(const uint8_t *octets)
{
	return (uint32_t)get16(octets) << 16 | get16(octets + 2);
}

static void put32(uint8_t *octets, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		octets[i] = (uint8_t)(value >> (24 - 8 * i));
}

static struct tl_srtp_cipher *keyed(const struct tl_srtp_config *config, unsigned labels)
{
	size_t n_salt = tl_srtp_salt_octets(config->profile);
	struct tl_srtp_session_keys keys = { 0 };
	struct tl_srtp_cipher *cipher;

	tl_srtp_derive(&config->key, n_salt, labels + TL_SRTP_LABEL_CIPHER, keys.cipher, sizeof(keys.cipher));
	tl_srtp_derive(&config->key, n_salt, labels + TL_SRTP_LABEL_AUTH, keys.auth, sizeof(keys.auth));
	tl_srtp_derive(&config->key, n_salt, labels + TL_SRTP_LABEL_SALT, keys.salt, n_salt);
	cipher = tl_srtp_cipher_new(config->profile, config->direction, &keys);
	OPENSSL_cleanse(&keys, sizeof(keys));
	return cipher;
}

static void *evp_new(const struct tl_srtp_config *config, GError **error)
{
	struct evp *evp = g_new0(struct evp, 1);

	evp->profile = config->profile;
	evp->rtp = keyed(config, 0);
	evp->rtcp = keyed(config, TL_SRTP_LABEL_RTCP);
	return evp;
}

static void evp_free(void *state)
{
	struct evp *evp = state;

	tl_srtp_cipher_free(evp->rtp);
	tl_srtp_cipher_free(evp->rtcp);
	g_free(evp);
}

/*
 * The stream of @ssrc, or the next free one, which is not taken before stream_keep(): a forged packet must not use up
 * a place. NULL: no place left.
 */
static struct stream *stream_of(struct evp *evp, uint32_t ssrc)
{
	if (evp->last < evp->n_streams && evp->streams[evp->last].ssrc == ssrc)
		return &evp->streams[evp->last];
	for (unsigned i = 0; i < evp->n_streams; i++)
		if (evp->streams[i].ssrc == ssrc)
			return &evp->streams[i];
	if (evp->n_streams == TL_SRTP_STREAMS_MAX)
		return NULL;
	evp->streams[evp->n_streams].ssrc = ssrc;
	return &evp->streams[evp->n_streams];
}

static void stream_keep(struct evp *evp, const struct stream *stream)
{
	evp->last = (unsigned)(stream - evp->streams);
	if (evp->last == evp->n_streams)
		evp->n_streams++;
}

/* RFC 3711 3.3: index and replay check of an RTP packet; the word is the rollover counter. */
static int rtp_begin(struct evp *evp, struct tl_srtp_part *part, uint8_t word[WORD_OCTETS], struct stream **stream)
{
	part->ssrc = get32(part->octets + 8);
	*stream = stream_of(evp, part->ssrc);
	if (!*stream)
		return -EUSERS;
	part->index = tl_srtp_window_guess(&(*stream)->rtp, get16(part->octets + 2));
	if (part->index >= INDEX_END)
		return -EKEYEXPIRED;
	if (evp->profile == TL_SRTP_AES128_CM_SHA1_80) {
		put32(word, (uint32_t)(part->index >> 16));
		part->word = word;
	}
	return tl_srtp_window_check(&(*stream)->rtp, part->index);
}

static int evp_protect(void *state, uint8_t *packet, size_t *n_octets, size_t clear)
{
	struct evp *evp = state;
	struct tl_srtp_part part = { .octets = packet, .clear = clear, .n_octets = *n_octets };
	uint8_t word[WORD_OCTETS];
	struct stream *stream;
	int error = rtp_begin(evp, &part, word, &stream);

	if (error)
		return error;
	if (!tl_srtp_seal(evp->rtp, &part, packet + *n_octets))
		return -EBADMSG;
	stream_keep(evp, stream);
	tl_srtp_window_accept(&stream->rtp, part.index);
	*n_octets += tl_srtp_tag_octets(evp->profile);
	return 0;
}

static int evp_unprotect(void *state, uint8_t *packet, size_t *n_octets, size_t clear)
{
	struct evp *evp = state;
	size_t n = *n_octets - tl_srtp_tag_octets(evp->profile);
	struct tl_srtp_part part = { .octets = packet, .clear = clear, .n_octets = n };
	uint8_t word[WORD_OCTETS];
	struct stream *stream;
	int error = rtp_begin(evp, &part, word, &stream);

	if (error)
		return error;
	if (!tl_srtp_open(evp->rtp, &part, packet + n))
		return -EBADMSG;
	stream_keep(evp, stream);
	tl_srtp_window_accept(&stream->rtp, part.index);
	*n_octets = n;
	return 0;
}

/* RFC 3711 3.4 puts the word before the tag, RFC 7714 9.3 after it. */
static int evp_protect_rtcp(void *state, uint8_t *packet, size_t *n_octets)
{
	struct evp *evp = state;
	bool gcm = evp->profile == TL_SRTP_AEAD_AES_128_GCM;
	size_t n = *n_octets, n_tag = tl_srtp_tag_octets(evp->profile);
	uint8_t *word = packet + n + (gcm ? n_tag : 0);
	uint8_t *tag = packet + n + (gcm ? 0 : WORD_OCTETS);
	struct tl_srtp_part part = { .octets = packet, .clear = RTCP_CLEAR_OCTETS, .n_octets = n, .word = word,
				     .ssrc = get32(packet + 4) };
	struct stream *stream = stream_of(evp, part.ssrc);

	if (!stream)
		return -EUSERS;
	part.index = stream->rtcp.highest + 1;
	if (part.index >= RTCP_INDEX_END)
		return -EKEYEXPIRED;
	put32(word, (uint32_t)part.index | ENCIPHERED);
	if (!tl_srtp_seal(evp->rtcp, &part, tag))
		return -EBADMSG;
	stream_keep(evp, stream);
	tl_srtp_window_accept(&stream->rtcp, part.index);
	*n_octets = n + n_tag + WORD_OCTETS;
	return 0;
}

static int evp_unprotect_rtcp(void *state, uint8_t *packet, size_t *n_octets)
{
	struct evp *evp = state;
	bool gcm = evp->profile == TL_SRTP_AEAD_AES_128_GCM;
	size_t n_tag = tl_srtp_tag_octets(evp->profile), n = *n_octets - n_tag - WORD_OCTETS;
	uint8_t *word = packet + n + (gcm ? n_tag : 0);
	uint8_t *tag = packet + n + (gcm ? 0 : WORD_OCTETS);
	struct tl_srtp_part part = { .octets = packet, .n_octets = n, .word = word, .ssrc = get32(packet + 4) };
	struct stream *stream = stream_of(evp, part.ssrc);
	int error;

	if (!stream)
		return -EUSERS;
	part.index = get32(word) & ~ENCIPHERED;
	part.clear = get32(word) & ENCIPHERED ? RTCP_CLEAR_OCTETS : n;
	error = tl_srtp_window_check(&stream->rtcp, part.index);
	if (error)
		return error;
	if (!tl_srtp_open(evp->rtcp, &part, tag))
		return -EBADMSG;
	stream_keep(evp, stream);
	tl_srtp_window_accept(&stream->rtcp, part.index);
	*n_octets = n;
	return 0;
}

const struct tl_srtp_backend_ops tl_srtp_evp = {
	.new = evp_new,
	.free = evp_free,
	.protect = evp_protect,
	.unprotect = evp_unprotect,
	.protect_rtcp = evp_protect_rtcp,
	.unprotect_rtcp = evp_unprotect_rtcp,
};
