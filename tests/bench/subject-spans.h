/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The subjects' spans, as a node has them. */
#pragma once

#include "media/media.h"
#include "plan.h"

/** Opens all of @plan's into @spans, for @media; exits on failure. */
void subject_spans_open(const struct plan *plan, struct tl_media *media, struct tl_span *spans[SPANS_MAX]);
