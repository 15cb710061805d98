/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Where a call may be sent, as the control protocol and the configuration write it. Pure. */
#pragma once

#include <stdbool.h>

#define TL_TARGET_MAX 256

enum tl_target_kind {
	TL_TARGET_GROUP,        /* group:NAME, a trunk group */
	TL_TARGET_SPAN,         /* span:NAME/SLOT */
	TL_TARGET_USER,         /* user:NAME, a registered phone */
	TL_TARGET_TRUNK,        /* trunk:NAME, a SIP trunk */
	TL_TARGET_SIP,          /* sip:URI */
	TL_TARGET_ANNOUNCEMENT, /* announcement:SOUND, played without answering, then released */
	TL_TARGET_ROUTE,        /* route, the node's own routes by number */
};

struct tl_target {
	enum tl_target_kind kind;
	char name[TL_TARGET_MAX + 1]; /* of group, span, user or trunk; the whole URI; the sound; "" */
	unsigned slot;                /* SPAN */
};

/** Reads @text; false (target untouched) when it is none. */
bool tl_target_parse(const char *text, struct tl_target *target);

/** What tl_target_parse() takes, for messages. */
#define TL_TARGET_EXPECTED "group:NAME, span:NAME/SLOT, user:NAME, trunk:NAME, sip:URI, announcement:SOUND or route"
