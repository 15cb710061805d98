/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Where a flow can lead, as text and read. */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum tl_destination_kind { TL_TO_QUEUE, TL_TO_SERVICE, TL_TO_ANNOUNCEMENT, TL_TO_CONNECT, TL_TO_RELEASE,
			   TL_TO_FAX, TL_TO_CLEAR };

struct tl_destination {
	enum tl_destination_kind kind;
	const char *what; /* into the text: queue, number, sound, target or box */
	unsigned cause;   /* RELEASE */
};

/** Reads @text, which must outlive @destination. Errors say what was expected. */
bool tl_destination_parse(const char *text, struct tl_destination *destination, GError **error);
/** Whether @text looks like a sound of the node's protocol. */
bool tl_sound_check(const char *text, GError **error);
