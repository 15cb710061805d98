/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * One file of the journal: the form of its records, and nothing of threads or
 * of what they mean. Pure, so that a torn or garbled file is easily tried.
 *
 *   "TLJRNL1\n"  then records:
 *   u32 octets  u32 crc32c | u64 sequence  i64 at_ns  i64 utc_us  u8 kind  u8 n  subject[n]  payload
 *               \________/   \___________________ octets, covered by the CRC ___________________/
 *
 * Integers are little endian. A record counts only when its CRC fits.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#define TL_SEGMENT_MAGIC "TLJRNL1\n"
#define TL_SEGMENT_MAGIC_OCTETS 8
#define TL_RECORD_HEAD_OCTETS 8
#define TL_RECORD_MAX_OCTETS 65536

enum tl_record_kind {
	TL_RECORD_OPENS = 1,  /* the first of its subject */
	TL_RECORD_NOTE = 2,
	TL_RECORD_CLOSES = 3, /* the last of its subject */
	TL_RECORD_CARRY = 4,  /* the opening record of a subject that still lives, repeated from an earlier file */
};

struct tl_record {
	uint64_t sequence;
	int64_t at_ns, utc_us;
	enum tl_record_kind kind;
	const char *subject;  /* not terminated; may be empty */
	size_t n_subject;
	const char *payload;  /* not terminated */
	size_t n_payload;
};

/** CRC-32C (Castagnoli; RFC 3720 B.4). Any thread. */
uint32_t tl_crc32c(const uint8_t *octets, size_t n_octets);

/** Appends @record to @out. -EMSGSIZE when it is beyond TL_RECORD_MAX_OCTETS or its subject beyond 255. Any thread. */
int tl_record_format(const struct tl_record *record, GByteArray *out);

/**
 * tl_record_parse - read the record at *@offset and move *@offset behind it; @record points into @octets.
 * Returns 1; 0 at the exact end; -EBADMSG (nothing touched) for a torn or garbled one. Any thread.
 */
int tl_record_parse(const uint8_t *octets, size_t n_octets, size_t *offset, struct tl_record *record);
