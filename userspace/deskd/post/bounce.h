/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Of the room's inside: where reports of a mail go, and what post.c lends to those that come. Thread: main; tokens any. */
#pragma once

#include "post/post.h"

/** 32 hexadecimal digits that nobody guesses. (transfer full) */
char *bounce_token_new(void);
/** (transfer full) */
char *bounce_address(const char *token, const char *domain);

/* post.c */
struct tl_store *bounce_store(struct tl_post *post);
void bounce_tell(struct tl_post *post, const struct tl_delivery_info *delivery);
