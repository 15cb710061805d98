/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/video.h"

#include <errno.h>
#include <string.h>

#include "media/octets.h"

#define HEADER 12
#define ONE_BYTE 0xbede    /* RFC 8285 4.2 */
#define EXTENSION_MAX 16   /* octets of the elements that are kept: a header, two of up to 4 with a padding */
#define STEP_90KHZ 3000    /* between two sources' frames: a thirtieth of a second */

enum { SR = 200, RR = 201, RTPFB = 205, PSFB = 206 };
enum { NACK = 1, PLI = 1, FIR = 4, AFB = 15 };

#define SENDER_INFO 20
#define BLOCK 24

/* ---- packets ---- */

int tl_video_packet_parse(const uint8_t *o, size_t n, struct tl_video_packet *packet)
{
	if (n < HEADER || o[0] >> 6 != 2)
		return -EBADMSG;
	*packet = (struct tl_video_packet){ .payload_type = o[1] & 0x7f, .marker = o[1] & 0x80, .sequence = get16(o + 2),
					    .timestamp = get32(o + 4), .ssrc = get32(o + 8) };
	return 0;
}

bool tl_video_row_join(struct tl_video_row *row, const struct tl_video_packet *packet)
{
	if (row->running && row->source == packet->ssrc)
		return false;
	if (row->running) {
		row->sequence = row->newest_sequence + 1 - packet->sequence;
		row->timestamp = row->newest_timestamp + STEP_90KHZ - packet->timestamp;
	} else {
		row->newest_sequence = packet->sequence - 1;
	}
	row->running = true;
	row->source = packet->ssrc;
	return true;
}

void tl_video_row_note(struct tl_video_row *row, uint16_t sequence, uint32_t timestamp)
{
	if ((int16_t)(sequence - row->newest_sequence) <= 0)
		return;
	row->newest_sequence = sequence;
	row->newest_timestamp = timestamp;
}

static uint8_t number_of(const struct tl_video_way *way, uint8_t from)
{
	for (unsigned i = 0; i < TL_VIDEO_EXTENSIONS; i++)
		if (way->from[i] == from)
			return way->to[i];
	return 0;
}

/* The elements that both sides have, under the receiver's numbers (RFC 8285 4.2). Returns octets, 0: none. */
static size_t extension(const uint8_t *in, size_t n, const struct tl_video_way *way, uint8_t out[EXTENSION_MAX])
{
	size_t at = 0, made = 4;
	while (at < n) {
		unsigned id = in[at] >> 4, octets = 1 + (in[at] & 0x0f);
		if (!in[at]) {
			at++; /* padding */
			continue;
		}
		if (id == 15 || at + 1 + octets > n)
			break;
		uint8_t number = number_of(way, id);
		if (id && number && made + 1 + octets <= EXTENSION_MAX) {
			out[made++] = number << 4 | (octets - 1);
			memcpy(out + made, in + at + 1, octets);
			made += octets;
		}
		at += 1 + octets;
	}
	if (made == 4)
		return 0;
	while (made % 4)
		out[made++] = 0;
	put16(out, ONE_BYTE);
	put16(out + 2, made / 4 - 1);
	return made;
}

/* Where the payload begins; 0: malformed. @elements: of an extension that can be read. */
static size_t payload_of(const uint8_t *in, size_t n, const uint8_t **elements, size_t *n_elements)
{
	size_t start = HEADER + 4 * (in[0] & 0x0f);
	*n_elements = 0;
	if (in[0] & 0x10) {
		if (n < start + 4)
			return 0;
		size_t octets = 4 * (size_t)get16(in + start + 2);
		*elements = in + start + 4;
		if (get16(in + start) == ONE_BYTE)
			*n_elements = octets;
		start += 4 + octets;
	}
	return start <= n ? start : 0;
}

size_t tl_video_forward(const uint8_t *in, size_t n, const struct tl_video_way *way, uint8_t *out, size_t room)
{
	uint8_t kept[EXTENSION_MAX];
	const uint8_t *elements = NULL;
	struct tl_video_packet packet;
	size_t n_elements;
	if (tl_video_packet_parse(in, n, &packet))
		return 0;
	size_t start = payload_of(in, n, &elements, &n_elements);
	size_t padding = start && start < n && in[0] & 0x20 ? in[n - 1] : 0;
	if (!start || padding > n - start)
		return 0;
	size_t extended = extension(elements, n_elements, way, kept), at = HEADER + extended;
	if (at + n - start > room)
		return 0;
	out[0] = 2 << 6 | (in[0] & 0x20) | (extended ? 0x10 : 0);
	out[1] = (in[1] & 0x80) | way->payload_type;
	put16(out + 2, packet.sequence + way->sequence);
	put32(out + 4, packet.timestamp + way->timestamp);
	put32(out + 8, way->ssrc);
	memcpy(out + HEADER, kept, extended);
	memcpy(out + at, in + start, n - start);
	if (way->is_retransmission && n - start - padding >= 2)
		put16(out + at, get16(out + at) + way->original);
	return at + n - start;
}

/* ---- reports and feedback ---- */

struct writer {
	const struct tl_video_view *view;
	uint8_t *out;
	size_t n, room;
};

/* The head of one more packet with @octets in all; NULL: no room. An RR, empty, goes before the first (RFC 4585 3.1). */
static uint8_t *add(struct writer *w, unsigned count, unsigned type, size_t octets)
{
	size_t before = w->n ? w->n : 8;
	if (before + octets > w->room)
		return NULL;
	if (!w->n) {
		w->out[0] = 2 << 6;
		w->out[1] = RR;
		put16(w->out + 2, 1);
		put32(w->out + 4, w->view->seen);
	}
	uint8_t *o = w->out + before;
	o[0] = 2 << 6 | count;
	o[1] = type;
	put16(o + 2, octets / 4 - 1);
	put32(o + 4, w->view->seen);
	w->n = before + octets;
	return o;
}

static void add_sender(struct writer *w, const uint8_t *in)
{
	uint8_t *o = w->view->has_sent ? add(w, 0, SR, 8 + SENDER_INFO) : NULL;
	if (!o)
		return;
	memcpy(o + 8, in + 8, SENDER_INFO);
	put32(o + 16, get32(in + 16) + w->view->timestamp);
}

static void add_block(struct writer *w, const uint8_t *in)
{
	uint8_t *o = w->view->has_source ? add(w, 1, RR, 8 + BLOCK) : NULL;
	if (!o)
		return;
	memcpy(o + 8, in, BLOCK);
	put32(o + 8, w->view->source);
	put32(o + 16, get32(in + 8) - w->view->sequence);
}

static void read_report(struct writer *w, const uint8_t *in, size_t n)
{
	size_t at = 8 + (in[1] == SR ? SENDER_INFO : 0);
	unsigned count = in[0] & 0x1f;
	if (n < at + count * BLOCK)
		return;
	if (in[1] == SR && get32(in + 4) == w->view->sends)
		add_sender(w, in);
	for (unsigned i = 0; i < count; i++, at += BLOCK)
		if (get32(in + at) == w->view->gets)
			add_block(w, in + at);
}

static void add_losses(struct writer *w, const uint8_t *in, size_t n)
{
	uint8_t *o = add(w, NACK, RTPFB, n);
	if (!o)
		return;
	put32(o + 8, w->view->source);
	for (size_t at = 12; at + 4 <= n; at += 4) {
		put16(o + at, get16(in + at) - w->view->sequence);
		memcpy(o + at + 2, in + at + 2, 2);
	}
}

static void add_refresh(struct writer *w)
{
	uint8_t *o = add(w, PLI, PSFB, 12);
	if (o)
		put32(o + 8, w->view->source);
}

/* Asks once, of whichever entry is about the stream (RFC 5104 4.3.1). */
static void read_full_refresh(struct writer *w, const uint8_t *in, size_t n)
{
	for (size_t at = 12; at + 8 <= n; at += 8) {
		if (get32(in + at) != w->view->gets)
			continue;
		uint8_t *o = add(w, FIR, PSFB, 20);
		if (!o)
			return;
		put32(o + 8, 0);
		memcpy(o + 12, in + at, 8);
		put32(o + 12, w->view->source);
		return;
	}
}

/* draft-alvestrand-rmcat-remb-03 2.2 */
static void read_estimate(struct writer *w, const uint8_t *in, size_t n)
{
	if (n < 20 || memcmp(in + 12, "REMB", 4) || n < 20 + 4u * in[16])
		return;
	for (unsigned i = 0; i < in[16]; i++) {
		if (get32(in + 20 + 4 * i) != w->view->gets)
			continue;
		uint8_t *o = add(w, AFB, PSFB, 24);
		if (!o)
			return;
		put32(o + 8, 0);
		memcpy(o + 12, in + 12, 8);
		o[16] = 1;
		put32(o + 20, w->view->source);
		return;
	}
}

static void read_feedback(struct writer *w, const uint8_t *in, size_t n)
{
	unsigned format = in[0] & 0x1f;
	bool about = n >= 12 && get32(in + 8) == w->view->gets;
	if (n < 12 || !w->view->has_source)
		return;
	if (in[1] == RTPFB && format == NACK && about)
		add_losses(w, in, n);
	else if (in[1] == PSFB && format == PLI && about)
		add_refresh(w);
	else if (in[1] == PSFB && format == FIR)
		read_full_refresh(w, in, n);
	else if (in[1] == PSFB && format == AFB)
		read_estimate(w, in, n);
}

size_t tl_video_feedback(const uint8_t *in, size_t n_in, const struct tl_video_view *view, uint8_t *out, size_t room)
{
	struct writer w = { .view = view, .out = out, .room = room };
	for (size_t at = 0, n; at + 4 <= n_in && in[at] >> 6 == 2; at += n) {
		n = 4 * (1 + (size_t)get16(in + at + 2));
		if (n > n_in - at)
			break;
		if (n < 8)
			continue;
		if (in[at + 1] == SR || in[at + 1] == RR)
			read_report(&w, in + at, n);
		else
			read_feedback(&w, in + at, n);
	}
	return w.n;
}

size_t tl_video_ask_refresh(uint32_t sender, uint32_t source, uint8_t out[TL_VIDEO_REFRESH_OCTETS])
{
	const struct tl_video_view view = { .source = source, .seen = sender };
	struct writer w = { .view = &view, .out = out, .room = TL_VIDEO_REFRESH_OCTETS };
	add_refresh(&w);
	return w.n;
}
