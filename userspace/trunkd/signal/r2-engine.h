/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * OpenR2 and the thread it lives on: all bearers of one span. It knows descriptors, tones and bits; what a call means is
 * main's business. Between the two: orders one way, news the other, values in rings. Each bearer's news come in order.
 * Inside R2 only. Thread of every function here: main.
 */
#pragma once

#include "signal/r2.h"

enum r2_order_kind {
	R2_OPEN,       /* begin anew with a descriptor that is lent; idle or blocked towards the far end; R2_OPENED follows */
	R2_CLOSE,      /* forget every bearer; R2_CLOSED follows */
	R2_LENT,       /* the descriptor may be read and written again */
	R2_LOOK,       /* the received bits may have changed */
	R2_BLOCK,      /* towards the far end, when the call in progress is over */
	R2_UNBLOCK,
	R2_CALL, R2_ACCEPT, R2_ANSWER, R2_DISCONNECT,
};

struct r2_order {
	enum r2_order_kind kind;
	unsigned slot;
	int fd;                           /* OPEN */
	bool blocked;                     /* OPEN */
	unsigned cause;                   /* DISCONNECT: Q.850 */
	bool refused_collect;             /* DISCONNECT: because of its category */
	bool restricted;                  /* CALL: the caller's number is not sent */
	char called[TL_DIGITS_MAX + 1], calling[TL_DIGITS_MAX + 1]; /* CALL */
};

enum r2_news_kind {
	R2_OPENED, R2_CLOSED,
	R2_FAR_IDLE,     /* the far end would take a call */
	R2_FAR_BUSY,     /* it is blocked, or shows something else that is not idle */
	R2_SEIZED,       /* a call begins to arrive */
	R2_OFFERED,
	R2_ACCEPTED,     /* either way: registers are done, OpenR2 leaves the audio alone from now on */
	R2_ANSWERED,
	R2_DISCONNECTED, /* by the far end or a timer of OpenR2; what is due has been answered, R2_ENDED follows */
	R2_ENDED,        /* the bearer is idle */
	R2_FAILED,       /* likewise, by a fault */
	R2_REFUSED,      /* CALL: the bearer was not idle after all; nothing was sent */
	R2_PULSE,        /* of metering */
	R2_LOG,
};

struct r2_news {
	enum r2_news_kind kind;
	unsigned slot;
	unsigned cause;          /* DISCONNECTED, FAILED: Q.850 */
	bool collect;            /* OFFERED */
	bool accepting;          /* OFFERED: by itself, and hears of nothing else until R2_ACCEPTED */
	bool in_call;            /* FAILED */
	char called[TL_DIGITS_MAX + 1], calling[TL_DIGITS_MAX + 1]; /* OFFERED */
	char text[128];          /* LOG */
};

struct r2_engine;

/** @on_news is called on main. (transfer full) */
struct r2_engine *tl_r2_engine_new(const struct tl_r2_config *config, void (*on_news)(const struct r2_news *news, void *user),
				   void *user);
/** Ends the thread, which takes it a few ms. NULL is legal. */
void tl_r2_engine_free(struct r2_engine *engine);
void tl_r2_engine_order(struct r2_engine *engine, const struct r2_order *order);
