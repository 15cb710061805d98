/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* One bearer under OpenR2: its callbacks, and orders as OpenR2's words. Inside R2's engine only. Thread: the engine's. */
#pragma once

#include <stddef.h>
#include <openr2.h>

#include "signal/r2-engine.h"

struct r2_bearer {
	const struct tl_r2_config *config; /* borrowed */
	void (*tell)(const struct r2_news *news, void *user);
	void *user;
	unsigned slot;
	openr2_context_t *context; /* its own, for OpenR2 frees a channel only with its context; NULL: not open */
	openr2_chan_t *chan;
	int fd;
	bool lent;                 /* audio is ours */
	bool registers;            /* tones are exchanged */
	bool in_call;
	bool offered;              /* and told so */
	bool blocked;              /* towards the far end, now or after the call */
};

/** All but R2_CLOSE. */
void tl_r2_bearer_obey(struct r2_bearer *bearer, const struct r2_order *order);
/** Milliseconds until something must be done, -1: nothing. */
int tl_r2_bearer_time_left(const struct r2_bearer *bearer);
/** @ready: its descriptor has something. */
void tl_r2_bearer_run(struct r2_bearer *bearer, bool ready);
/** Forgets it without a word to the far end. */
void tl_r2_bearer_close(struct r2_bearer *bearer);
/** Clear forward or blocked, then closes it. */
void tl_r2_bearer_leave(struct r2_bearer *bearer);
