/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/sdp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <glib.h>

#include "ip/ip.h"

#define PT_PCMU 0
#define PT_PCMA 8
#define LINES_MAX 512

#define BIT_RATE_MIN 2400
#define BIT_RATE_MAX 14400   /* V.17; there is no V.34 here */
#define DATAGRAM_MIN 48      /* an indicator, and one of data's usual 40 octets */
#define DATAGRAM_UNSAID 400  /* what most say who say something */
#define DATAGRAM_OURS 1400
#define BUFFER_OURS 2000

enum { SEND = 1, RECEIVE = 2 };

/* A piece of the text: descriptions come from the wire and are not terminated. */
struct piece {
	const char *at;
	size_t length;
};

/* One m= line that could be ours. */
struct stream {
	bool found;
	unsigned at, port;
	char host[64];
	bool hold;                 /* c= 0.0.0.0, the hold of RFC 2543 */
	unsigned direction;
};

struct reader {
	struct tl_sdp sdp;
	struct stream session, audio, image; /* session: what is said before the first m= */
	struct stream *in;         /* NULL: in a stream that is not for us */
	unsigned maxptime_ms;
	bool secure;
	bool foreign[128];         /* payload types that rtpmap gives another meaning */
	struct tl_t38_side t38;
	bool local_tcf;
	bool listed[128];
	int formats[32];
	unsigned n_formats;
	int events;                /* payload type of telephone-event, or -1 */
};

static bool piece_is(struct piece p, const char *text)
{
	return p.length == strlen(text) && !g_ascii_strncasecmp(p.at, text, p.length);
}

static struct piece word(struct piece *rest, char separator)
{
	while (rest->length && rest->at[0] == ' ')
		rest->at++, rest->length--;
	struct piece w = { rest->at, 0 };
	while (w.length < rest->length && w.at[w.length] != separator)
		w.length++;
	size_t used = MIN(w.length + 1, rest->length);
	rest->at += used, rest->length -= used;
	return w;
}

static bool number(struct piece p, unsigned max, unsigned *value)
{
	unsigned n = 0;
	if (!p.length || p.length > 6)
		return false;
	for (size_t i = 0; i < p.length; i++) {
		if (!g_ascii_isdigit(p.at[i]))
			return false;
		n = n * 10 + (unsigned)(p.at[i] - '0');
	}
	if (n > max)
		return false;
	*value = n;
	return true;
}

static bool copy(struct piece p, char *out, size_t size)
{
	if (!p.length || p.length >= size)
		return false;
	for (size_t i = 0; i < p.length; i++)
		if (!g_ascii_isgraph(p.at[i]))
			return false;
	memcpy(out, p.at, p.length);
	out[p.length] = 0;
	return true;
}

/* c=<nettype> <addrtype> <address>, RFC 8866 5.7; names and multicast are not for telephones. */
static int read_connection(struct piece p, char host[64], bool *hold)
{
	struct piece net = word(&p, ' '), type = word(&p, ' '), address = word(&p, ' ');
	char text[64];
	uint8_t octets[16];
	if (!piece_is(net, "IN") || !copy(address, text, sizeof(text)))
		return -EBADMSG;
	bool v6 = piece_is(type, "IP6");
	if (!v6 && !piece_is(type, "IP4"))
		return -EPROTONOSUPPORT;
	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, octets) != 1)
		return -EPROTONOSUPPORT;
	if (v6 ? octets[0] == 0xff : octets[0] >= 224)
		return -EPROTONOSUPPORT;
	*hold = !v6 && !octets[0] && !octets[1] && !octets[2] && !octets[3];
	g_strlcpy(host, text, 64);
	return 0;
}

static void list_format(struct reader *r, struct piece p)
{
	unsigned pt;
	if (r->n_formats == G_N_ELEMENTS(r->formats) || !number(p, 127, &pt))
		return;
	r->formats[r->n_formats++] = (int)pt;
	r->listed[pt] = true;
}

static struct stream *kind_of(struct reader *r, struct piece media, struct piece protocol, struct piece format)
{
	if (piece_is(media, "audio") && (piece_is(protocol, "RTP/AVP") || (r->secure && piece_is(protocol, "RTP/SAVP"))))
		return &r->audio;
	return piece_is(media, "image") && piece_is(protocol, "udptl") && piece_is(format, "t38") ? &r->image : NULL;
}

/* m=<media> <port>[/<n>] <proto> <fmt> ..., RFC 8866 5.14. */
static int read_media(struct reader *r, struct piece p)
{
	if (r->sdp.n_streams == TL_SDP_STREAMS_MAX)
		return -EBADMSG;
	struct tl_sdp_stream *stream = &r->sdp.streams[r->sdp.n_streams];
	struct piece media = word(&p, ' '), port = word(&p, ' '), protocol = word(&p, ' ');
	struct piece formats = p, first = word(&p, ' ');
	struct piece port_only = word(&port, '/');
	unsigned value;
	if (!copy(media, stream->media, sizeof(stream->media)) ||
	    !copy(protocol, stream->protocol, sizeof(stream->protocol)) ||
	    !copy(first, stream->format, sizeof(stream->format)) || !number(port_only, 65535, &value))
		return -EBADMSG;
	r->in = kind_of(r, media, protocol, first);
	if (r->in && r->in->found)
		r->in = NULL;
	if (r->in) {
		*r->in = (struct stream){ true, r->sdp.n_streams, value, .direction = r->session.direction };
		if (r->in == &r->audio)
			r->sdp.savp = piece_is(protocol, "RTP/SAVP");
		while (r->in == &r->audio && formats.length)
			list_format(r, word(&formats, ' '));
	}
	r->sdp.n_streams++;
	return 0;
}

/* a=rtpmap:<pt> <name>/<rate>[/<channels>], RFC 8866 6.6. */
static void read_rtpmap(struct reader *r, struct piece p)
{
	struct piece type = word(&p, ' '), name = word(&p, '/'), rate = word(&p, '/');
	unsigned pt;
	if (!number(type, 127, &pt))
		return;
	bool narrow = piece_is(rate, "8000");
	if (narrow && piece_is(name, "telephone-event")) {
		if (r->listed[pt] && r->events < 0)
			r->events = (int)pt;
		r->foreign[pt] = true;
	} else {
		r->foreign[pt] = !(narrow && piece_is(name, pt == PT_PCMA ? "PCMA" : "PCMU"));
	}
}

/* What cannot be used is passed over: others may stand beside it (RFC 4568 7.1.2). */
static void read_crypto(struct reader *r, struct piece p)
{
	if (r->sdp.n_keys < TL_SDES_MAX && !tl_sdes_parse(p.at, p.length, &r->sdp.keys[r->sdp.n_keys]))
		r->sdp.n_keys++;
}

static bool read_direction(struct piece p, unsigned *direction)
{
	if (piece_is(p, "sendrecv"))
		*direction = SEND | RECEIVE;
	else if (piece_is(p, "sendonly"))
		*direction = SEND;
	else if (piece_is(p, "recvonly"))
		*direction = RECEIVE;
	else if (piece_is(p, "inactive"))
		*direction = 0;
	else
		return false;
	return true;
}

static void read_audio(struct reader *r, struct piece name, struct piece value)
{
	unsigned ms;
	if (piece_is(name, "rtpmap") && r->in)
		read_rtpmap(r, value);
	else if (piece_is(name, "crypto") && r->in)
		read_crypto(r, value);
	else if (piece_is(name, "ptime") && number(value, 1000, &ms))
		r->sdp.side.ptime_ms = ms;
	else if (piece_is(name, "maxptime") && number(value, 1000, &ms))
		r->maxptime_ms = ms;
}

/* ITU-T T.38 D.2.3.1; a flag may be written with :0 or :1, and numbers that make no sense are not believed. */
static void read_image(struct reader *r, struct piece name, struct piece value)
{
	struct tl_t38_side *t38 = &r->t38;
	unsigned n;
	if (piece_is(name, "T38FaxVersion") && number(value, 255, &n))
		t38->version = n;
	else if (piece_is(name, "T38MaxBitRate") && number(value, 999999, &n) && n >= BIT_RATE_MIN)
		t38->bit_rate = n;
	else if (piece_is(name, "T38FaxMaxDatagram") && number(value, 65535, &n) && n >= DATAGRAM_MIN)
		t38->datagram = n;
	else if (piece_is(name, "T38FaxFillBitRemoval"))
		t38->fill_bit_removal = !piece_is(value, "0");
	else if (piece_is(name, "T38FaxRateManagement"))
		r->local_tcf = piece_is(value, "localTCF");
	else if (piece_is(name, "T38FaxUdpEC"))
		t38->correction = piece_is(value, "t38UDPRedundancy") ? TL_T38_REDUNDANCY :
				  piece_is(value, "t38UDPFEC")	      ? TL_T38_FEC :
									TL_T38_PLAIN;
}

static void read_attribute(struct reader *r, struct piece p)
{
	struct stream *in = r->sdp.n_streams ? r->in : &r->session;
	if (!in || read_direction(p, &in->direction))
		return;
	struct piece name = word(&p, ':');
	if (in == &r->image)
		read_image(r, name, p);
	else
		read_audio(r, name, p);
}

static int read_line(struct reader *r, char type, struct piece p)
{
	if (type == 'm')
		return read_media(r, p);
	if (type == 'a')
		read_attribute(r, p);
	if (type != 'c')
		return 0;
	if (!r->sdp.n_streams) {
		int e = read_connection(p, r->session.host, &r->session.hold);
		/* A name for the session may be overruled by the stream's own address. */
		return e == -EPROTONOSUPPORT ? 0 : e;
	}
	return r->in ? read_connection(p, r->in->host, &r->in->hold) : 0;
}

static int read_lines(struct reader *r, struct piece text)
{
	bool first = true;
	for (unsigned n = 0; text.length; n++) {
		if (n == LINES_MAX)
			return -EBADMSG;
		struct piece line = { text.at, 0 };
		while (line.length < text.length && line.at[line.length] != '\n')
			line.length++;
		size_t used = MIN(line.length + 1, text.length);
		text.at += used, text.length -= used;
		if (line.length && line.at[line.length - 1] == '\r')
			line.length--;
		if (!line.length)
			continue;
		if (line.length < 2 || line.at[1] != '=' || (first && !piece_is(line, "v=0")))
			return -EBADMSG;
		first = false;
		int e = read_line(r, line.at[0], (struct piece){ line.at + 2, line.length - 2 });
		if (e)
			return e;
	}
	return first ? -EBADMSG : 0;
}

static void settle_laws(struct reader *r)
{
	bool first = true;
	for (unsigned i = 0; i < r->n_formats; i++) {
		int pt = r->formats[i];
		if ((pt != PT_PCMU && pt != PT_PCMA) || r->foreign[pt])
			continue;
		enum tl_law law = pt == PT_PCMA ? TL_LAW_ALAW : TL_LAW_ULAW;
		if (first)
			r->sdp.side.law = law;
		first = false;
		r->sdp.offers[law] = true;
	}
}

static int settle_audio(struct reader *r)
{
	struct tl_rtp_side *side = &r->sdp.side;
	settle_laws(r);
	if (side->port && r->sdp.savp && !r->sdp.n_keys)
		return -EPROTONOSUPPORT;
	side->dtmf_payload_type = r->events;
	unsigned ptime_ms = side->ptime_ms ? side->ptime_ms : 20;
	if (r->maxptime_ms)
		ptime_ms = MIN(ptime_ms, r->maxptime_ms);
	side->ptime_ms = CLAMP(ptime_ms - ptime_ms % 10, 10, 60);
	return side->port && !r->sdp.offers[TL_LAW_ALAW] && !r->sdp.offers[TL_LAW_ULAW] ? -EPROTONOSUPPORT : 0;
}

static int settle_image(struct reader *r)
{
	struct tl_rtp_side *side = &r->sdp.side;
	side->dtmf_payload_type = -1;
	side->ptime_ms = 20;
	side->t38 = r->t38;
	side->t38.on = true;
	return r->local_tcf ? -EPROTONOSUPPORT : 0; /* by UDP the TCF is transferred (ITU-T T.38 D.2.3.1) */
}

static int settle(struct reader *r)
{
	struct tl_rtp_side *side = &r->sdp.side;
	bool image = r->image.found && r->image.port && !(r->audio.found && r->audio.port);
	const struct stream *ours = image || !r->audio.found ? &r->image : &r->audio;
	if (!ours->found)
		return -EPROTONOSUPPORT;
	const struct stream *address = ours->host[0] ? ours : &r->session;
	if (ours->port && !address->host[0])
		return -EPROTONOSUPPORT;
	r->sdp.ours = ours->at;
	side->port = ours->port;
	g_strlcpy(side->host, address->host, sizeof(side->host));
	side->sends = ours->direction & SEND;
	side->receives = (ours->direction & RECEIVE) && !address->hold;
	return ours == &r->image ? settle_image(r) : settle_audio(r);
}

int tl_sdp_parse(const char *text, size_t length, bool secure, struct tl_sdp *sdp)
{
	struct reader r = { .secure = secure, .events = -1, .session.direction = SEND | RECEIVE,
			    .t38 = { .bit_rate = BIT_RATE_MAX, .datagram = DATAGRAM_UNSAID } };
	if (length > TL_SDP_OCTETS_MAX)
		return -EBADMSG;
	int e = read_lines(&r, (struct piece){ text, length });
	if (!e)
		e = settle(&r);
	if (!e)
		*sdp = r.sdp;
	explicit_bzero(r.sdp.keys, sizeof r.sdp.keys);
	return e;
}

static void format_audio(GString *out, const struct tl_sdp_local *local)
{
	const struct tl_rtp_side *side = local->side;
	int first = side->law == TL_LAW_ALAW ? PT_PCMA : PT_PCMU;
	g_string_append_printf(out, "m=audio %u RTP/%s %d", side->port, local->savp ? "SAVP" : "AVP", first);
	if (local->both_laws)
		g_string_append_printf(out, " %d", PT_PCMA - first);
	if (side->dtmf_payload_type >= 0)
		g_string_append_printf(out, " %d", side->dtmf_payload_type);
	g_string_append(out, "\r\n");
	if (!side->port)
		return;
	if (first == PT_PCMU || local->both_laws)
		g_string_append(out, "a=rtpmap:0 PCMU/8000\r\n");
	if (first == PT_PCMA || local->both_laws)
		g_string_append(out, "a=rtpmap:8 PCMA/8000\r\n");
	if (side->dtmf_payload_type >= 0)
		g_string_append_printf(out, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n",
				       side->dtmf_payload_type, side->dtmf_payload_type);
	for (unsigned i = 0; i < local->n_keys; i++)
		tl_sdes_format(&local->keys[i], out);
	g_string_append_printf(out, "a=ptime:%u\r\n", side->ptime_ms ? side->ptime_ms : 20);
	static const char *const directions[] = { "inactive", "sendonly", "recvonly", "sendrecv" };
	g_string_append_printf(out, "a=%s\r\n", directions[(side->sends ? SEND : 0) | (side->receives ? RECEIVE : 0)]);
}

static void format_image(GString *out, const struct tl_rtp_side *side)
{
	static const char *const corrections[] = { NULL, "t38UDPRedundancy", "t38UDPFEC" };
	const struct tl_t38_side *t38 = &side->t38;
	g_string_append_printf(out, "m=image %u udptl t38\r\n", side->port);
	if (!side->port)
		return;
	g_string_append_printf(out, "a=T38FaxVersion:%u\r\na=T38MaxBitRate:%u\r\n", t38->version, t38->bit_rate);
	if (t38->fill_bit_removal)
		g_string_append(out, "a=T38FaxFillBitRemoval\r\n");
	g_string_append_printf(out, "a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxBuffer:%u\r\na=T38FaxMaxDatagram:%u\r\n",
			       BUFFER_OURS, t38->datagram);
	if (corrections[t38->correction])
		g_string_append_printf(out, "a=T38FaxUdpEC:%s\r\n", corrections[t38->correction]);
}

/* A medium may change in its place (RFC 3264 8.3.3); one that has a place of its own goes back to it. */
static unsigned place_of(const struct tl_sdp_local *local)
{
	const struct tl_sdp *shape = local->shape;
	const char *medium = local->side->t38.on ? "image" : "audio";
	if (local->answer || !g_ascii_strcasecmp(shape->streams[shape->ours].media, medium))
		return shape->ours;
	for (unsigned i = 0; i < shape->n_streams; i++)
		if (!g_ascii_strcasecmp(shape->streams[i].media, medium))
			return i;
	return shape->ours;
}

char *tl_sdp_format(const struct tl_sdp_local *local)
{
	GString *out = g_string_new("v=0\r\n");
	const char *host = local->side->host[0] ? local->side->host : "0.0.0.0";
	const char *type = strchr(host, ':') ? "IP6" : "IP4";
	g_string_append_printf(out, "o=- %" G_GUINT64_FORMAT " %u IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
			       local->session_id, local->version, type, host, type, host);
	const struct tl_sdp *shape = local->shape;
	unsigned n = shape && shape->n_streams ? shape->n_streams : 1;
	unsigned ours = shape && shape->n_streams ? place_of(local) : 0;
	for (unsigned i = 0; i < n; i++) {
		if (i == ours && local->side->t38.on) {
			format_image(out, local->side);
		} else if (i == ours) {
			format_audio(out, local);
		} else {
			const struct tl_sdp_stream *s = &shape->streams[i];
			g_string_append_printf(out, "m=%s 0 %s %s\r\n", s->media, s->protocol, s->format);
		}
	}
	return g_string_free(out, FALSE);
}

struct tl_t38_side tl_sdp_t38(enum tl_t38_correction correction)
{
	return (struct tl_t38_side){ .on = true, .bit_rate = BIT_RATE_MAX, .datagram = DATAGRAM_OURS, .correction = correction };
}

void tl_sdp_agree(const struct tl_sdp *offer, struct tl_rtp_side *local, struct tl_rtp_side *remote)
{
	local->t38 = (struct tl_t38_side){ 0 };
	if (offer->side.t38.on) {
		local->t38 = tl_sdp_t38(offer->side.t38.correction);
		local->t38.bit_rate = MIN(local->t38.bit_rate, offer->side.t38.bit_rate);
		return; /* version 0, of which all are (ITU-T T.38 D.2.3.1) */
	}
	if (!offer->offers[local->law])
		local->law = local->law == TL_LAW_ALAW ? TL_LAW_ULAW : TL_LAW_ALAW;
	remote->law = local->law;
	if (local->dtmf_payload_type >= 0 && offer->side.dtmf_payload_type >= 0)
		local->dtmf_payload_type = offer->side.dtmf_payload_type;
	else
		local->dtmf_payload_type = -1;
	remote->dtmf_payload_type = local->dtmf_payload_type;
}

bool tl_sdp_side_equal(const struct tl_rtp_side *a, const struct tl_rtp_side *b)
{
	return !strcmp(a->host, b->host) && a->port == b->port && a->law == b->law &&
	       a->dtmf_payload_type == b->dtmf_payload_type && a->ptime_ms == b->ptime_ms &&
	       a->sends == b->sends && a->receives == b->receives && a->t38.on == b->t38.on &&
	       a->t38.version == b->t38.version && a->t38.bit_rate == b->t38.bit_rate &&
	       a->t38.datagram == b->t38.datagram && a->t38.fill_bit_removal == b->t38.fill_bit_removal &&
	       a->t38.correction == b->t38.correction;
}
