/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "card/elastic.h"

#include <string.h>

void tl_elastic_init(struct tl_elastic *elastic)
{
	memset(elastic, 0, sizeof(*elastic));
	elastic->count = TL_ELASTIC_FRAMES / 2;
	for (unsigned i = 0; i < elastic->count; i++)
		elastic->frames[i].los = true;
}

bool tl_elastic_slip(struct tl_elastic *elastic, bool positive)
{
	int after = (int)elastic->count + elastic->slips + (positive ? 1 : -1);

	if (after < 1 || after >= TL_ELASTIC_FRAMES)
		return false;
	elastic->slips += positive ? 1 : -1;
	return true;
}

const struct tl_line_frame *tl_elastic_pass(struct tl_elastic *elastic, const struct tl_line_frame *in)
{
	const struct tl_line_frame *out = &elastic->frames[elastic->head];

	elastic->frames[(elastic->head + elastic->count) % TL_ELASTIC_FRAMES] = *in;
	if (elastic->slips > 0) {
		elastic->slips--;
		elastic->count++;
		return out;
	}
	if (elastic->slips < 0) {
		elastic->slips++;
		elastic->count--;
		elastic->head = (elastic->head + 1) % TL_ELASTIC_FRAMES;
		out = &elastic->frames[elastic->head];
	}
	elastic->head = (elastic->head + 1) % TL_ELASTIC_FRAMES;
	return out;
}
