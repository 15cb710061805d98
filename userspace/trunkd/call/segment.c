/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/segment.h"

#include <errno.h>
#include <string.h>

#define FIXED_OCTETS 26 /* sequence 8 + at_ns 8 + utc_us 8 + kind 1 + subject length 1 */

uint32_t tl_crc32c(const uint8_t *octets, size_t n_octets)
{
	uint32_t crc = ~0u;
	for (size_t i = 0; i < n_octets; i++) {
		crc ^= octets[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0x82f63b78u & -(crc & 1));
	}
	return ~crc;
}

static void put_u32(uint8_t *to, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	memcpy(to, &value, sizeof value);
}

static void put_u64(uint8_t *to, uint64_t value)
{
	value = GUINT64_TO_LE(value);
	memcpy(to, &value, sizeof value);
}

static uint32_t get_u32(const uint8_t *from)
{
	uint32_t value;
	memcpy(&value, from, sizeof value);
	return GUINT32_FROM_LE(value);
}

static uint64_t get_u64(const uint8_t *from)
{
	uint64_t value;
	memcpy(&value, from, sizeof value);
	return GUINT64_FROM_LE(value);
}

int tl_record_format(const struct tl_record *record, GByteArray *out)
{
	size_t octets = FIXED_OCTETS + record->n_subject + record->n_payload;
	if (record->n_subject > 255 || octets > TL_RECORD_MAX_OCTETS)
		return -EMSGSIZE;
	size_t start = out->len;
	g_byte_array_set_size(out, start + TL_RECORD_HEAD_OCTETS + octets);
	uint8_t *head = out->data + start, *body = head + TL_RECORD_HEAD_OCTETS;
	put_u64(body, record->sequence);
	put_u64(body + 8, record->at_ns);
	put_u64(body + 16, record->utc_us);
	body[24] = record->kind;
	body[25] = record->n_subject;
	if (record->n_subject)
		memcpy(body + FIXED_OCTETS, record->subject, record->n_subject);
	if (record->n_payload)
		memcpy(body + FIXED_OCTETS + record->n_subject, record->payload, record->n_payload);
	put_u32(head, octets);
	put_u32(head + 4, tl_crc32c(body, octets));
	return 0;
}

int tl_record_parse(const uint8_t *octets, size_t n_octets, size_t *offset, struct tl_record *record)
{
	size_t left = n_octets - *offset;
	if (!left)
		return 0;
	if (left < TL_RECORD_HEAD_OCTETS + FIXED_OCTETS)
		return -EBADMSG;
	const uint8_t *head = octets + *offset, *body = head + TL_RECORD_HEAD_OCTETS;
	size_t length = get_u32(head);
	if (length < FIXED_OCTETS || length > TL_RECORD_MAX_OCTETS || length > left - TL_RECORD_HEAD_OCTETS ||
	    get_u32(head + 4) != tl_crc32c(body, length))
		return -EBADMSG;
	size_t n_subject = body[25];
	if (FIXED_OCTETS + n_subject > length || body[24] < TL_RECORD_OPENS || body[24] > TL_RECORD_CARRY)
		return -EBADMSG;
	*record = (struct tl_record){
		.sequence = get_u64(body), .at_ns = get_u64(body + 8), .utc_us = get_u64(body + 16), .kind = body[24],
		.subject = (const char *)body + FIXED_OCTETS, .n_subject = n_subject,
		.payload = (const char *)body + FIXED_OCTETS + n_subject,
		.n_payload = length - FIXED_OCTETS - n_subject,
	};
	*offset += TL_RECORD_HEAD_OCTETS + length;
	return 1;
}
