/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the spool's files know of one another. Not for other rooms. */
#pragma once

#include "spool/disk.h"
#include "spool/spool.h"
#include "spool/work.h"

enum tl_spool_state { TL_SPOOL_OPEN, TL_SPOOL_COMPLETE, TL_SPOOL_PARTIAL };

struct tl_spool_item {
	struct tl_spool *spool; /* RO */
	char *name, *path;      /* RO */
	enum tl_spool_kind kind;
	enum tl_spool_state state;
	char *id, *leg;         /* leg: NULL when there is none */
	JsonObject *tags, *notes; /* of strings; NULL: none */
	gint64 begun_utc_us, ended_utc_us;
	GArray *parts;          /* struct tl_spool_part, committed */
};

struct tl_spool {
	struct tl_spool_config config; /* RO */
	char *directory;               /* RO */
	struct tl_spool_work *work;
	/* main */
	struct tl_spool_handler handler;
	void *user;
	GTree *items;                  /* name -> struct tl_spool_item; not those that are being opened or settled */
	gint64 last_name;
	struct tl_timer *watch;
	bool looking;                  /* the disk has not answered yet */
	bool low;                      /* less than the reserve is free */
	char *fault;                   /* NULL: the disk is well */
	bool closing;
	struct tl_spool_counters counters;
};

/* item.c: the item as a value */
struct tl_spool_item *tl_spool_item_new(struct tl_spool *spool, const char *name);
void tl_spool_item_free(void *item);
/** (transfer full) */
JsonObject *tl_spool_item_describe(const struct tl_spool_item *item);
char *tl_spool_item_format(const struct tl_spool_item *item);
/** Reads meta.json's text into @item; false when it is none. */
bool tl_spool_item_parse(struct tl_spool_item *item, const char *text);

/* spool.c */
void tl_spool_told(struct tl_spool *spool, const struct tl_spool_item *item);

/* health.c */
void tl_spool_fault(struct tl_spool *spool, const char *tried, int result);
void tl_spool_looked(struct tl_spool *spool, int result, uint64_t free_octets);
void tl_spool_watch(void *spool);

/* recover.c: blocks. */
bool tl_spool_recover(struct tl_spool *spool, GError **error);

/* commit.c: a commit's outcome, on main */
void tl_spool_committed(struct tl_spool *spool, const char *item, const struct tl_spool_part *part, int result, gint64 took_us,
			bool abandoned);
