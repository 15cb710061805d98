/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Any octets as a caller id of each kind: what is understood has printable values within their bounds. */
#include <assert.h>
#include <string.h>

#include "media/caller-id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (enum tl_caller_id_kind kind = TL_CALLER_ID_BELL; kind <= TL_CALLER_ID_DTMF; kind++) {
		struct tl_caller_id id;
		if (!tl_caller_id_parse(kind, data, size, &id))
			continue;
		assert(strlen(id.digits) <= TL_CALLER_ID_DIGITS_MAX && strlen(id.name) <= TL_CALLER_ID_NAME_MAX);
		assert(strspn(id.digits, "0123456789*#") == strlen(id.digits));
		for (const char *at = id.name; *at; at++)
			assert(*at >= ' ' && *at < 0x7f);
	}
	return 0;
}
