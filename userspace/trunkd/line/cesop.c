/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/cesop.h"

#include <string.h>

#define RTP_OCTETS 12
#define CONTROL_OCTETS 4
#define LEN_LIMIT 64 /* LEN tells sizes below this, 0 above (RFC 5086 4.3) */

const char *tl_cesop_error_name(enum tl_cesop_error error)
{
	static const char *const names[] = {
		[TL_CESOP_OK] = "ok",
		[TL_CESOP_TOO_SHORT] = "too-short",
		[TL_CESOP_BAD_RTP] = "bad-rtp",
		[TL_CESOP_BAD_CONTROL] = "bad-control",
		[TL_CESOP_BAD_LENGTH] = "bad-length",
	};

	return (unsigned)error < sizeof(names) / sizeof(names[0]) ? names[error] : "unknown";
}

static uint16_t get16(const uint8_t *octets)
{
	return (uint16_t)(octets[0] << 8 | octets[1]);
}

static uint32_t get32(const uint8_t *octets)
{
	return (uint32_t)get16(octets) << 16 | get16(octets + 2);
}

static void put16(uint8_t *octets, uint16_t value)
{
	octets[0] = (uint8_t)(value >> 8);
	octets[1] = (uint8_t)value;
}

static void put32(uint8_t *octets, uint32_t value)
{
	put16(octets, (uint16_t)(value >> 16));
	put16(octets + 2, (uint16_t)value);
}

/* Two timeslots an octet; an odd last one is padded (RFC 5086 4.4.2). */
static size_t cas_octets(const struct tl_cesop_format *format)
{
	return (format->slots + 1) / 2;
}

static bool fragment_is_last(uint8_t fragment)
{
	return fragment == 0 || fragment == 2;
}

/* A multiframe is whole in one packet, or begins, goes on and ends: never both. */
static bool fragment_fits(const struct tl_cesop_format *format, uint8_t fragment)
{
	if (!format->cas || format->frames == format->multiframe)
		return fragment == 0;
	return fragment != 0 && (fragment != 3 || format->multiframe / format->frames > 2);
}

/* RFC 5086 table 1; L=0 M=3 is a signalling packet of its own stream, which is not ours. */
static bool control_is_defined(bool l, uint8_t m)
{
	return m == 0 || (!l && m == 2);
}

static bool rtp_fits(const struct tl_cesop_format *format, const uint8_t *octets, uint16_t sequence)
{
	return octets[0] == 0x80 && (octets[1] & 0x7f) == format->rtp_payload_type &&
	       get16(octets + 2) == sequence && get32(octets + 8) == format->rtp_ssrc;
}

static void cas_read(const struct tl_cesop_format *format, const uint8_t *octets, uint8_t *cas)
{
	memset(cas, 0, TL_CESOP_SLOTS_MAX + 1);
	for (unsigned slot = 1; slot <= format->slots; slot++) {
		uint8_t pair = octets[(slot - 1) / 2];

		cas[slot] = slot & 1 ? pair >> 4 : pair & 0xf;
	}
}

static void cas_write(const struct tl_cesop_format *format, const uint8_t *cas, uint8_t *octets)
{
	memset(octets, 0, cas_octets(format));
	for (unsigned slot = 1; slot <= format->slots; slot++)
		octets[(slot - 1) / 2] |= (uint8_t)((cas[slot] & 0xf) << (slot & 1 ? 4 : 0));
}

/* LEN says the packet's size, with or without the RTP header as implementations read it, or nothing. */
static bool len_fits(unsigned len, size_t length, size_t header)
{
	if (len == 0)
		return true;
	return len == length || len == length - (header - CONTROL_OCTETS);
}

enum tl_cesop_error tl_cesop_parse(const struct tl_cesop_format *format, const uint8_t *octets,
				   size_t length, struct tl_cesop_packet *packet)
{
	size_t header = (format->rtp ? RTP_OCTETS : 0) + CONTROL_OCTETS;
	size_t tdm = (size_t)format->frames * format->slots;

	if (length < header)
		return TL_CESOP_TOO_SHORT;

	const uint8_t *control = octets + header - CONTROL_OCTETS;
	bool l = control[0] & 0x08;
	uint8_t m = control[0] & 0x03;
	uint8_t fragment = control[1] >> 6;
	uint16_t sequence = get16(control + 2);

	if (format->rtp && !rtp_fits(format, octets, sequence))
		return TL_CESOP_BAD_RTP;
	if (control[0] & 0xf0 || !control_is_defined(l, m) || !fragment_fits(format, fragment))
		return TL_CESOP_BAD_CONTROL;

	bool omitted = l && length == header;
	bool has_cas = format->cas && !omitted && fragment_is_last(fragment);

	if (!omitted && length != header + tdm + (has_cas ? cas_octets(format) : 0))
		return TL_CESOP_BAD_LENGTH;
	if (!len_fits(control[1] & 0x3f, length, header))
		return TL_CESOP_BAD_LENGTH;

	packet->l = l;
	packet->r = control[0] & 0x04;
	packet->m = m;
	packet->fragment = fragment;
	packet->sequence = sequence;
	packet->rtp_timestamp = format->rtp ? get32(octets + 4) : 0;
	packet->payload = omitted ? NULL : octets + header;
	packet->has_cas = has_cas;
	if (has_cas)
		cas_read(format, octets + header + tdm, packet->cas);
	return TL_CESOP_OK;
}

static uint8_t *rtp_write(const struct tl_cesop_format *format, const struct tl_cesop_packet *packet,
			  uint8_t *octets)
{
	octets[0] = 0x80;
	octets[1] = format->rtp_payload_type & 0x7f;
	put16(octets + 2, packet->sequence);
	put32(octets + 4, packet->rtp_timestamp);
	put32(octets + 8, format->rtp_ssrc);
	return octets + RTP_OCTETS;
}

size_t tl_cesop_format_packet(const struct tl_cesop_format *format,
			      const struct tl_cesop_packet *packet, uint8_t *octets)
{
	size_t tdm = (size_t)format->frames * format->slots;
	uint8_t *control = format->rtp ? rtp_write(format, packet, octets) : octets;
	uint8_t *end = control + CONTROL_OCTETS;

	if (packet->payload) {
		/* A sender that staged its frames in place has nothing to copy. */
		if (packet->payload != end)
			memmove(end, packet->payload, tdm);
		end += tdm;
		if (format->cas && fragment_is_last(packet->fragment)) {
			cas_write(format, packet->cas, end);
			end += cas_octets(format);
		}
	}

	size_t length = (size_t)(end - octets);

	control[0] = (uint8_t)(packet->l << 3 | packet->r << 2 | (packet->m & 3));
	control[1] = (uint8_t)(packet->fragment << 6 | (length < LEN_LIMIT ? length : 0));
	put16(control + 2, packet->sequence);
	return length;
}
