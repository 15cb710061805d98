/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ip/browser.h"
#include "ip/ip.h"

#define LINES_MAX 4096
#define FORMATS_MAX 64
#define PT_PCMU 0
#define PT_PCMA 8

enum { SEND = 1, RECEIVE = 2 };

struct format {
	unsigned type;
	char name[32]; /* with the rate, as a=rtpmap has it: "opus/48000/2" */
	bool fec;      /* a=fmtp has useinbandfec=1 */
	char parameters[TL_BROWSER_PARAMETERS_MAX]; /* a=fmtp */
	uint8_t feedback; /* a=rtcp-fb, of the kinds that video knows */
};

struct section {
	struct tl_browser_stream stream;
	bool refused;         /* port 0, and not because it is bundled */
	bool bundle_only, rtcp_mux, has_direction;
	unsigned direction, ptime_ms;
	char setup[16], ufrag[TL_ICE_UFRAG_MAX + 1];
	bool has_fingerprint;
	struct tl_fingerprint fingerprint;
	char bad_fingerprint[48];
	struct format formats[FORMATS_MAX];
	unsigned n_formats;
	uint8_t send_time, orientation; /* numbers of header extensions */
};

struct reader {
	char session[32];
	char bundle[256];     /* the mids of the first group, with a space before and behind each */
	struct section whole; /* what is said before the first m= */
	struct section sections[TL_BROWSER_STREAMS_MAX];
	unsigned n_sections;
};

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool refuse(GError **error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_set_error(error, TL_IP_ERROR, TL_IP_ERROR_OFFER, "sdp: %s", what);
	return false;
}

/* ---- lines into sections ---- */

/* Copies up to a space; false when it is empty, too long, or not printable. */
static bool take_word(const char **at, char *out, size_t size)
{
	size_t n = strcspn(*at, " ");
	if (!n || n >= size)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!g_ascii_isgraph((*at)[i]))
			return false;
	memcpy(out, *at, n);
	out[n] = '\0';
	*at += n + strspn(*at + n, " ");
	return true;
}

static bool take_number(const char **at, unsigned max, unsigned *number)
{
	char word[8], *end;
	if (!take_word(at, word, sizeof word) || !g_ascii_isdigit(*word))
		return false;
	unsigned long value = strtoul(word, &end, 10);
	*number = value;
	return (!*end || *end == '/') && value <= max;
}

static void name_format(struct section *section, unsigned type, const char *name)
{
	for (unsigned i = 0; i < section->n_formats; i++)
		if (section->formats[i].type == type)
			g_strlcpy(section->formats[i].name, name, sizeof section->formats[i].name);
}

/* a=fmtp:111 minptime=10;useinbandfec=1 */
static void read_parameters(struct section *section, unsigned type, const char *parameters)
{
	g_auto(GStrv) all = g_strsplit(parameters, ";", 32);
	bool fec = false;
	for (char **one = all; *one; one++)
		fec = fec || !g_ascii_strcasecmp(g_strstrip(*one), "useinbandfec=1");
	for (unsigned i = 0; i < section->n_formats; i++) {
		struct format *format = &section->formats[i];
		if (format->type != type)
			continue;
		format->fec = fec;
		if (strlen(parameters) < sizeof format->parameters)
			g_strlcpy(format->parameters, parameters, sizeof format->parameters);
	}
}

/* a=rtcp-fb:96 nack pli */
static void read_feedback(struct section *section, const char *at)
{
	static const char *const kinds[] = { "nack", "nack pli", "ccm fir", "goog-remb" };
	char which[8];
	if (!take_word(&at, which, sizeof which))
		return;
	for (unsigned i = 0; i < section->n_formats; i++) {
		struct format *format = &section->formats[i];
		if (strcmp(which, "*") && (unsigned)atoi(which) != format->type)
			continue;
		for (unsigned kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
			if (!strcmp(at, kinds[kind]))
				format->feedback |= 1u << kind; /* in the order of TL_VIDEO_NACK */
	}
}

/* a=extmap:2 http://... */
static void read_extension(struct section *section, const char *at)
{
	unsigned number;
	if (!take_number(&at, 14, &number) || !number)
		return;
	if (!strcmp(at, TL_BROWSER_SEND_TIME))
		section->send_time = number;
	else if (!strcmp(at, TL_BROWSER_ORIENTATION))
		section->orientation = number;
}

static void take_formats(struct section *section, const char *at)
{
	unsigned type;
	while (*at && section->n_formats < FORMATS_MAX && take_number(&at, 127, &type))
		section->formats[section->n_formats++].type = type;
	name_format(section, PT_PCMU, "PCMU/8000"); /* RFC 3551 table 4: also without a=rtpmap */
	name_format(section, PT_PCMA, "PCMA/8000");
}

static bool read_media(struct reader *r, const char *at, GError **error)
{
	if (r->n_sections == TL_BROWSER_STREAMS_MAX)
		return refuse(error, "expected at most %d m= lines", TL_BROWSER_STREAMS_MAX);
	struct section *section = &r->sections[r->n_sections++];
	struct tl_browser_stream *stream = &section->stream;
	unsigned port;
	if (!take_word(&at, stream->media, sizeof stream->media) || !take_number(&at, 65535, &port) ||
	    !take_word(&at, stream->protocol, sizeof stream->protocol))
		return refuse(error, "m= line %u: expected media, port, protocol and formats", r->n_sections);
	const char *formats = at;
	if (!take_word(&at, stream->format, sizeof stream->format))
		return refuse(error, "m=%s: expected a format", stream->media);
	section->refused = !port;
	take_formats(section, formats);
	return true;
}

static bool read_direction(struct section *section, const char *name)
{
	static const struct {
		const char *name;
		unsigned direction;
	} all[] = { { "sendrecv", SEND | RECEIVE }, { "sendonly", SEND }, { "recvonly", RECEIVE }, { "inactive", 0 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
		if (!strcmp(name, all[i].name)) {
			section->has_direction = true;
			section->direction = all[i].direction;
			return true;
		}
	return false;
}

static void read_fingerprint(struct section *section, const char *value)
{
	if (section->has_fingerprint)
		return;
	section->has_fingerprint = tl_fingerprint_parse(value, &section->fingerprint, NULL);
	if (!section->has_fingerprint)
		g_strlcpy(section->bad_fingerprint, value, sizeof section->bad_fingerprint);
}

static void read_attribute(struct reader *r, const char *text)
{
	struct section *section = r->n_sections ? &r->sections[r->n_sections - 1] : &r->whole;
	const char *colon = strchr(text, ':'), *value = colon ? colon + 1 : "";
	unsigned type;
	if (read_direction(section, text))
		return;
	if (!strcmp(text, "rtcp-mux"))
		section->rtcp_mux = true;
	else if (!strcmp(text, "bundle-only"))
		section->bundle_only = true;
	else if (g_str_has_prefix(text, "mid:"))
		take_word(&value, section->stream.mid, sizeof section->stream.mid);
	else if (g_str_has_prefix(text, "setup:"))
		g_strlcpy(section->setup, value, sizeof section->setup);
	else if (g_str_has_prefix(text, "ice-ufrag:"))
		g_strlcpy(section->ufrag, value, sizeof section->ufrag);
	else if (g_str_has_prefix(text, "fingerprint:"))
		read_fingerprint(section, value);
	else if (g_str_has_prefix(text, "ptime:"))
		take_number(&value, 1000, &section->ptime_ms);
	else if (g_str_has_prefix(text, "rtpmap:") && take_number(&value, 127, &type))
		name_format(section, type, value);
	else if (g_str_has_prefix(text, "fmtp:") && take_number(&value, 127, &type))
		read_parameters(section, type, value);
	else if (g_str_has_prefix(text, "rtcp-fb:"))
		read_feedback(section, value);
	else if (g_str_has_prefix(text, "extmap:"))
		read_extension(section, value);
	else if (g_str_has_prefix(text, "group:BUNDLE ") && !*r->bundle)
		g_snprintf(r->bundle, sizeof r->bundle, " %s ", text + strlen("group:BUNDLE "));
}

static bool read_line(struct reader *r, const char *line, GError **error)
{
	if (line[0] == 'm')
		return read_media(r, line + 2, error);
	if (line[0] == 'a')
		read_attribute(r, line + 2);
	if (line[0] == 'o') {
		const char *at = line + 2;
		char user[64];
		if (!take_word(&at, user, sizeof user) || !take_word(&at, r->session, sizeof r->session))
			return refuse(error, "o=: expected a name and a session number");
	}
	return true;
}

static bool read_lines(struct reader *r, const char *text, GError **error)
{
	g_auto(GStrv) lines = NULL;
	if (strlen(text) > TL_BROWSER_OCTETS_MAX)
		return refuse(error, "expected at most %d octets", TL_BROWSER_OCTETS_MAX);
	lines = g_strsplit(text, "\n", LINES_MAX + 1);
	if (g_strv_length(lines) > LINES_MAX)
		return refuse(error, "expected at most %d lines", LINES_MAX);
	for (unsigned i = 0; lines[i]; i++) {
		char *line = g_strchomp(lines[i]);
		if (!*line)
			continue;
		if (i == 0 && strcmp(line, "v=0"))
			return refuse(error, "line 1: expected v=0");
		if (line[1] != '=')
			return refuse(error, "line %u: expected a letter and =", i + 1);
		if (!read_line(r, line, error))
			return false;
	}
	return r->n_sections || refuse(error, "expected an m= line");
}

/* ---- sections into an offer ---- */

static bool is_bundled(const struct reader *r, const struct section *section)
{
	g_autofree char *mid = g_strdup_printf(" %s ", section->stream.mid);
	return *section->stream.mid && strstr(r->bundle, mid);
}

static const struct section *find_audio(const struct reader *r)
{
	for (unsigned i = 0; i < r->n_sections; i++)
		if (!strcmp(r->sections[i].stream.media, "audio") &&
		    (!r->sections[i].refused || r->sections[i].bundle_only))
			return &r->sections[i];
	return NULL;
}

/* The section that speaks for all of its bundle (RFC 8843 7.2.1), or the audio's own. */
static const struct section *transport_of(const struct reader *r, const struct section *audio)
{
	for (unsigned i = 0; is_bundled(r, audio) && i < r->n_sections; i++)
		if (is_bundled(r, &r->sections[i]) && !r->sections[i].bundle_only && !r->sections[i].refused)
			return &r->sections[i];
	return audio;
}

static bool settle_transport(const struct reader *r, const struct section *audio, struct tl_browser_offer *offer,
			     GError **error)
{
	const struct section *way = transport_of(r, audio);
	const char *setup = *way->setup ? way->setup : r->whole.setup;
	const struct section *signer = way->has_fingerprint ? way : &r->whole;
	const char *bad = *way->bad_fingerprint ? way->bad_fingerprint : r->whole.bad_fingerprint;
	if (!*way->ufrag && !*r->whole.ufrag)
		return refuse(error, "audio: expected ICE (a=ice-ufrag)");
	if (!signer->has_fingerprint)
		return refuse(error, "audio: expected a=fingerprint with sha-256, sha-384 or sha-512%s%s", *bad ? ", found " : "",
			      bad);
	if (strcmp(setup, "actpass") && strcmp(setup, "active"))
		return refuse(error, "audio: expected a=setup:actpass or active, found %s", *setup ? setup : "none");
	if (!way->rtcp_mux)
		return refuse(error, "audio: expected a=rtcp-mux");
	offer->fingerprint = signer->fingerprint;
	return true;
}

static bool format_is(const struct format *format, const char *name)
{
	size_t n = strlen(name);
	return !g_ascii_strncasecmp(format->name, name, n) && (!format->name[n] || !strcmp(format->name + n, "/1"));
}

static bool settle_formats(const struct section *audio, struct tl_browser_offer *offer, GError **error)
{
	GString *found = g_string_new(NULL);
	bool first = true;
	offer->side.dtmf_payload_type = -1;
	for (unsigned i = 0; i < audio->n_formats; i++) {
		const struct format *format = &audio->formats[i];
		bool is_alaw = format->type == PT_PCMA && format_is(format, "PCMA/8000");
		g_string_append_printf(found, "%s%s", found->len ? ", " : "", format->name);
		if (format_is(format, "telephone-event/8000"))
			offer->side.dtmf_payload_type = format->type;
		/* Of the dynamic types, which zero is not. */
		if (!g_ascii_strcasecmp(format->name, "opus/48000/2") && format->type && !offer->side.opus_payload_type) {
			offer->side.opus_payload_type = format->type;
			offer->side.opus_fec = format->fec;
		}
		if (!is_alaw && !(format->type == PT_PCMU && format_is(format, "PCMU/8000")))
			continue;
		enum tl_law law = is_alaw ? TL_LAW_ALAW : TL_LAW_ULAW;
		if (first)
			offer->side.law = law;
		first = false;
		offer->offers[law] = true;
	}
	g_autofree char *names = g_string_free(found, FALSE);
	return !first || offer->side.opus_payload_type ||
	       refuse(error, "audio: expected PCMA/8000, PCMU/8000 or opus/48000/2, found %.200s", names);
}

/* ---- video ---- */

/* Whether @list, a=fmtp, has @name with a value that begins with @value; or, where @absent says so, has it not at all. */
static bool has_parameter(const char *list, const char *name, const char *value, bool absent)
{
	g_auto(GStrv) all = g_strsplit(list, ";", 32);
	size_t n = strlen(name);
	for (char **one = all; *one; one++) {
		const char *at = g_strstrip(*one);
		if (!g_ascii_strncasecmp(at, name, n) && at[n] == '=')
			return !g_ascii_strncasecmp(at + n + 1, value, strlen(value));
	}
	return absent;
}

/* Of each codec the form that all browsers have. */
static bool is_codec(const struct format *format, enum tl_video_codec codec)
{
	switch (codec) {
	case TL_VIDEO_VP8:
		return format_is(format, "VP8/90000");
	case TL_VIDEO_H264: /* constrained baseline, RFC 7742 6.2 */
		return format_is(format, "H264/90000") && has_parameter(format->parameters, "packetization-mode", "1", false) &&
		       has_parameter(format->parameters, "profile-level-id", "42e0", false);
	case TL_VIDEO_VP9:
		return format_is(format, "VP9/90000") && has_parameter(format->parameters, "profile-id", "0", true);
	case TL_VIDEO_AV1:
		return format_is(format, "AV1/90000") && has_parameter(format->parameters, "profile", "0", true);
	case TL_VIDEO_CODECS:
		break;
	}
	return false;
}

/* RFC 4588 8.1: a=fmtp:97 apt=96 */
static uint8_t retransmission_of(const struct section *video, unsigned type)
{
	g_autofree char *expected = g_strdup_printf("apt=%u", type);
	for (unsigned i = 0; i < video->n_formats; i++)
		if (format_is(&video->formats[i], "rtx/90000") && !strcmp(video->formats[i].parameters, expected))
			return video->formats[i].type;
	return 0;
}

static void settle_codec(const struct section *video, enum tl_video_codec codec, struct tl_browser_offer *offer)
{
	for (unsigned i = 0; i < video->n_formats; i++) {
		const struct format *format = &video->formats[i];
		if (!format->type || !is_codec(format, codec))
			continue;
		offer->side.video.formats[codec] = (struct tl_video_format){
			.payload_type = format->type, .retransmission = retransmission_of(video, format->type),
			.feedback = format->feedback };
		g_strlcpy(offer->video_parameters[codec], format->parameters, sizeof offer->video_parameters[codec]);
		offer->has_video = true;
		return;
	}
}

/* The first one that shares the audio's transport; what cannot be used is no mistake, but refused in the answer. */
static void settle_video(const struct reader *r, const struct section *audio, struct tl_browser_offer *offer)
{
	const struct section *video = NULL;
	for (unsigned i = 0; i < r->n_sections && !video; i++)
		if (!strcmp(r->sections[i].stream.media, "video") && (!r->sections[i].refused || r->sections[i].bundle_only))
			video = &r->sections[i];
	if (!video || !is_bundled(r, audio) || !is_bundled(r, video) || strcmp(video->stream.protocol, audio->stream.protocol))
		return;
	unsigned direction = video->has_direction ? video->direction :
			     r->whole.has_direction ? r->whole.direction : SEND | RECEIVE;
	for (enum tl_video_codec codec = 0; codec < TL_VIDEO_CODECS; codec++)
		settle_codec(video, codec, offer);
	offer->video = video - r->sections;
	offer->side.video.sends = direction & SEND;
	offer->side.video.receives = direction & RECEIVE;
	offer->side.video.send_time = video->send_time;
	offer->side.video.orientation = video->orientation;
}

static bool settle(const struct reader *r, struct tl_browser_offer *offer, GError **error)
{
	const struct section *audio = find_audio(r);
	if (!audio)
		return refuse(error, "expected m=audio");
	if (strcmp(audio->stream.protocol, "UDP/TLS/RTP/SAVPF") && strcmp(audio->stream.protocol, "UDP/TLS/RTP/SAVP"))
		return refuse(error, "audio: expected UDP/TLS/RTP/SAVPF, found %s", audio->stream.protocol);
	if (!settle_transport(r, audio, offer, error) || !settle_formats(audio, offer, error))
		return false;
	unsigned direction = audio->has_direction ? audio->direction :
			     r->whole.has_direction ? r->whole.direction : SEND | RECEIVE;
	offer->side.sends = direction & SEND;
	offer->side.receives = direction & RECEIVE;
	offer->side.ptime_ms = MIN(audio->ptime_ms - audio->ptime_ms % 10, 60);
	if (!offer->side.ptime_ms)
		offer->side.ptime_ms = 20;
	g_strlcpy(offer->session, r->session, sizeof offer->session);
	offer->audio = audio - r->sections;
	offer->n_streams = r->n_sections;
	settle_video(r, audio, offer);
	for (unsigned i = 0; i < r->n_sections; i++)
		offer->streams[i] = r->sections[i].stream;
	return true;
}

bool tl_browser_offer_parse(const char *text, struct tl_browser_offer *offer, GError **error)
{
	g_autofree struct reader *r = g_new0(struct reader, 1);
	struct tl_browser_offer read = { 0 };
	if (!read_lines(r, text, error) || !settle(r, &read, error))
		return false;
	*offer = read;
	return true;
}
