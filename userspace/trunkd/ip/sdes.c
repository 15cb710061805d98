/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/sdes.h"

#include <errno.h>
#include <string.h>

#define TAG_DIGITS_MAX 9  /* RFC 4568 9.1 */
#define LIFETIME_MIN_LOG 20 /* packets: a call of 50 a second takes six hours to it */
#define LIFETIME_MAX_LOG 48 /* RFC 3711 9.2 */
#define BASE64_OCTETS 40  /* of 30 octets, or 28 with padding */

static const char *const suites[] = {
	[TL_SRTP_AEAD_AES_128_GCM] = "AEAD_AES_128_GCM",
	[TL_SRTP_AES128_CM_SHA1_80] = "AES_CM_128_HMAC_SHA1_80",
};

struct piece {
	const char *at;
	size_t length;
};

static bool piece_is(struct piece p, const char *text)
{
	return p.length == strlen(text) && !g_ascii_strncasecmp(p.at, text, p.length);
}

/* Up to @separator, which is taken away with it; blanks before it are passed over. */
static struct piece cut(struct piece *rest, char separator)
{
	while (rest->length && rest->at[0] == ' ')
		rest->at++, rest->length--;
	const char *end = rest->length ? memchr(rest->at, separator, rest->length) : NULL;
	struct piece p = { rest->at, end ? (size_t)(end - rest->at) : rest->length };
	size_t used = MIN(p.length + 1, rest->length);
	rest->at += used, rest->length -= used;
	return p;
}

static bool read_number(struct piece p, size_t digits_max, uint64_t *value)
{
	uint64_t n = 0;
	if (!p.length || p.length > digits_max || (p.at[0] == '0' && p.length > 1))
		return false;
	for (size_t i = 0; i < p.length; i++) {
		if (!g_ascii_isdigit(p.at[i]))
			return false;
		n = n * 10 + (unsigned)(p.at[i] - '0');
	}
	*value = n;
	return true;
}

static int read_suite(struct piece p, enum tl_srtp_profile *profile)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(suites); i++)
		if (piece_is(p, suites[i])) {
			*profile = (enum tl_srtp_profile)i;
			return 0;
		}
	return p.length ? -EPROTONOSUPPORT : -EBADMSG;
}

/* Key and salt, one after the other, RFC 4568 6.1: base64 with its padding and nothing else. */
static int read_key(struct piece p, struct tl_sdes *sdes)
{
	size_t salt = tl_srtp_salt_octets(sdes->profile), wanted = TL_SRTP_KEY_OCTETS + salt, n;
	size_t padding = wanted % 3 ? 3 - wanted % 3 : 0;
	char text[BASE64_OCTETS + 1];
	if (p.length != BASE64_OCTETS)
		return -EBADMSG;
	for (size_t i = 0; i < p.length; i++) {
		bool good = i < p.length - padding ? g_ascii_isalnum(p.at[i]) || p.at[i] == '+' || p.at[i] == '/' : p.at[i] == '=';
		if (!good)
			return -EBADMSG;
	}
	memcpy(text, p.at, p.length);
	text[p.length] = 0;
	g_base64_decode_inplace(text, &n);
	if (n == wanted) {
		memcpy(sdes->key.key, text, TL_SRTP_KEY_OCTETS);
		memcpy(sdes->key.salt, text + TL_SRTP_KEY_OCTETS, salt);
	}
	explicit_bzero(text, sizeof text);
	return n == wanted ? 0 : -EBADMSG;
}

/* "2^20" or "1048576", RFC 4568 6.1. */
static int read_lifetime(struct piece p)
{
	uint64_t value;
	bool power = p.length > 2 && p.at[0] == '2' && p.at[1] == '^';
	if (power)
		p.at += 2, p.length -= 2;
	if (!read_number(p, power ? 3 : 15, &value))
		return -EBADMSG;
	if (power ? value > LIFETIME_MAX_LOG : value > (uint64_t)1 << LIFETIME_MAX_LOG)
		return -EBADMSG;
	return (power ? value < LIFETIME_MIN_LOG : value < (uint64_t)1 << LIFETIME_MIN_LOG) ? -EPROTONOSUPPORT : 0;
}

/* "inline:" key ["|" lifetime] ["|" MKI ":" length]; several, by semicolons, only make sense with MKIs. */
static int read_key_params(struct piece p, struct tl_sdes *sdes)
{
	if (p.length && memchr(p.at, ';', p.length))
		return -EPROTONOSUPPORT;
	if (!piece_is(cut(&p, ':'), "inline"))
		return -EBADMSG;
	int e = read_key(cut(&p, '|'), sdes);
	for (bool first = true; !e && p.length; first = false) {
		struct piece more = cut(&p, '|');
		if (more.length && memchr(more.at, ':', more.length))
			return -EPROTONOSUPPORT;
		e = first ? read_lifetime(more) : -EBADMSG;
	}
	return e;
}

/* RFC 4568 6.3: who does not know a session parameter refuses the attribute, unless it begins with "-". */
static int read_session_param(struct piece p)
{
	struct piece name = cut(&p, '=');
	uint64_t window;
	if (name.length && name.at[0] == '-')
		return 0;
	if (!piece_is(name, "WSH"))
		return -EPROTONOSUPPORT;
	/* A hint of how far packets may be late; ours is TL_SRTP_WINDOW. */
	return read_number(p, 6, &window) && window >= 64 ? 0 : -EBADMSG;
}

int tl_sdes_parse(const char *text, size_t length, struct tl_sdes *sdes)
{
	struct piece rest = { text, length };
	struct tl_sdes read = { 0 };
	uint64_t tag = 0;
	int e = read_number(cut(&rest, ' '), TAG_DIGITS_MAX, &tag) ? 0 : -EBADMSG;
	if (!e)
		e = read_suite(cut(&rest, ' '), &read.profile);
	if (!e)
		e = read_key_params(cut(&rest, ' '), &read);
	while (!e && rest.length) {
		struct piece param = cut(&rest, ' ');
		e = param.length ? read_session_param(param) : 0;
	}
	read.tag = (unsigned)tag;
	if (!e)
		*sdes = read;
	explicit_bzero(&read, sizeof read);
	return e;
}

void tl_sdes_format(const struct tl_sdes *sdes, GString *out)
{
	size_t salt = tl_srtp_salt_octets(sdes->profile);
	uint8_t octets[TL_SRTP_KEY_OCTETS + TL_SRTP_SALT_MAX];
	memcpy(octets, sdes->key.key, TL_SRTP_KEY_OCTETS);
	memcpy(octets + TL_SRTP_KEY_OCTETS, sdes->key.salt, salt);
	char *text = g_base64_encode(octets, TL_SRTP_KEY_OCTETS + salt);
	g_string_append_printf(out, "a=crypto:%u %s inline:%s\r\n", sdes->tag, suites[sdes->profile], text);
	explicit_bzero(octets, sizeof octets);
	explicit_bzero(text, strlen(text));
	g_free(text);
}

bool tl_sdes_same_key(const struct tl_sdes *a, const struct tl_sdes *b)
{
	size_t salt = tl_srtp_salt_octets(a->profile);
	return a->profile == b->profile && !memcmp(a->key.key, b->key.key, TL_SRTP_KEY_OCTETS) &&
	       !memcmp(a->key.salt, b->key.salt, salt);
}
