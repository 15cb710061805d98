/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The index, on main: items begin, end, are listed and forgotten. */
#include "spool/spool.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "spool/inside.h"

#define TL_ROOM "spool"
#include "base/log.h"

/* A folder that is begun, ended or removed. */
struct chore {
	struct tl_spool_job job;
	struct tl_spool *spool;
	struct tl_spool_item *item;
	char *meta;
	GArray *parts; /* closing */
	tl_spool_opened on_opened;
	void *user;
	int result;
	uint64_t free_octets;
	enum tl_spool_state state; /* closing */
};

G_DEFINE_QUARK(tl-spool-error-quark, tl_spool_error)

static gint by_name(gconstpointer a, gconstpointer b, gpointer user)
{
	return strcmp(a, b);
}

static struct chore *chore_new(struct tl_spool *spool, struct tl_spool_item *item, void (*run)(struct tl_spool_job *job),
			       void (*done)(struct tl_spool_job *job))
{
	struct chore *chore = g_new0(struct chore, 1);
	chore->job = (struct tl_spool_job){ run, done };
	chore->spool = spool;
	chore->item = item;
	chore->meta = tl_spool_item_format(item);
	return chore;
}

static void chore_free(struct chore *chore)
{
	if (chore->parts)
		g_array_unref(chore->parts);
	g_free(chore->meta);
	g_free(chore);
}

void tl_spool_told(struct tl_spool *spool, const struct tl_spool_item *item)
{
	if (spool->closing)
		return;
	JsonObject *described = tl_spool_item_describe(item);
	spool->handler.on_changed(described, spool->user);
	json_object_unref(described);
}

/* ---- life ---- */

struct tl_spool *tl_spool_new(const struct tl_spool_config *config, const struct tl_spool_handler *handler, void *user,
			      GError **error)
{
	tl_assert_main();
	struct tl_spool *spool = g_new0(struct tl_spool, 1);
	spool->config = *config;
	spool->directory = g_strdup(config->directory);
	spool->handler = *handler;
	spool->user = user;
	spool->items = g_tree_new_full(by_name, NULL, NULL, tl_spool_item_free);
	spool->work = tl_spool_work_new();
	spool->watch = tl_timer_new("spool-watch", tl_spool_watch, spool);
	if (!tl_spool_recover(spool, error)) {
		tl_spool_free(spool);
		return NULL;
	}
	uint64_t free_octets = 0;
	int result = tl_spool_disk_look(spool->directory, true, &free_octets);
	tl_spool_looked(spool, result, free_octets);
	tl_timer_start(spool->watch, spool->config.watch_ms ? spool->config.watch_ms : 5000);
	return spool;
}

void tl_spool_free(struct tl_spool *spool)
{
	if (!spool)
		return;
	tl_assert_main();
	spool->closing = true;
	tl_timer_free(spool->watch);
	tl_spool_work_free(spool->work);
	g_tree_unref(spool->items);
	g_free(spool->fault);
	g_free(spool->directory);
	g_free(spool);
}

/* ---- opening ---- */

static void open_run(struct tl_spool_job *job)
{
	struct chore *chore = (struct chore *)job;
	struct tl_spool *spool = chore->spool;
	if (!chore->item)
		return;
	chore->result = tl_spool_disk_look(spool->directory, false, &chore->free_octets);
	if (!chore->result && chore->free_octets < spool->config.reserve_octets)
		chore->result = -EDQUOT;
	if (!chore->result)
		chore->result = tl_spool_disk_begin(spool->directory, chore->item->path, chore->meta);
}

static GError *why_refused(const struct tl_spool *spool, int result)
{
	if (result == -EDQUOT)
		return g_error_new(TL_SPOOL_ERROR, TL_SPOOL_ERROR_RESERVE, "less than the reserve of %" G_GUINT64_FORMAT
				   " MiB is free for the spool", spool->config.reserve_octets >> 20);
	if (spool->fault && !result)
		return g_error_new(TL_SPOOL_ERROR, TL_SPOOL_ERROR_DISK, "%s", spool->fault);
	return g_error_new(TL_SPOOL_ERROR, TL_SPOOL_ERROR_DISK, "%s: cannot be written: %s", spool->directory, g_strerror(-result));
}

static void open_done(struct tl_spool_job *job)
{
	struct chore *chore = (struct chore *)job;
	struct tl_spool *spool = chore->spool;
	struct tl_spool_item *item = chore->item;
	g_autoptr(GError) error = chore->result || !item ? why_refused(spool, chore->result) : NULL;
	if (chore->result == -EDQUOT)
		tl_spool_looked(spool, 0, chore->free_octets);
	else if (chore->result)
		tl_spool_fault(spool, "an item could not be begun", chore->result);
	if (error) {
		spool->counters.refused++;
		g_clear_pointer(&item, tl_spool_item_free);
	} else {
		spool->counters.opened++;
		g_tree_insert(spool->items, item->name, item);
		tl_spool_told(spool, item);
	}
	if (!spool->closing)
		chore->on_opened(item, error, chore->user);
	chore_free(chore);
}

static struct tl_spool_item *begin(struct tl_spool *spool, const struct tl_spool_about *about)
{
	/* Names ascend even when the wall clock does not. */
	spool->last_name = MAX(spool->last_name + 1, tl_clock_utc_us());
	g_autofree char *name = g_strdup_printf("%016" G_GINT64_FORMAT, spool->last_name);
	struct tl_spool_item *item = tl_spool_item_new(spool, name);
	item->kind = about->kind;
	item->id = g_strdup(about->id);
	item->leg = g_strdup(about->leg);
	item->tags = about->tags ? json_object_ref(about->tags) : NULL;
	item->begun_utc_us = tl_clock_utc_us();
	return item;
}

void tl_spool_open(struct tl_spool *spool, const struct tl_spool_about *about, tl_spool_opened on_opened, void *user)
{
	tl_assert_main();
	struct tl_spool_item *item = begin(spool, about);
	struct chore *chore = chore_new(spool, item, open_run, open_done);
	chore->on_opened = on_opened;
	chore->user = user;
	if (spool->fault)
		g_clear_pointer(&chore->item, tl_spool_item_free); /* no need to ask the disk */
	tl_spool_work_chore(spool->work, &chore->job);
}

/* ---- parts ---- */

void tl_spool_committed(struct tl_spool *spool, const char *name, const struct tl_spool_part *part, int result, gint64 took_us,
			bool abandoned)
{
	struct tl_spool_item *item = g_tree_lookup(spool->items, name);
	spool->counters.commit_us_max = MAX(spool->counters.commit_us_max, (uint64_t)took_us);
	spool->counters.commit_timeouts += abandoned;
	spool->counters.commit_failures += result != 0;
	if (abandoned)
		tl_spool_fault(spool, "a part was not durable in time", -ETIMEDOUT);
	else if (result && result != -ENOENT)
		tl_spool_fault(spool, "a part could not be written", result);
	if (abandoned || result || !item)
		return;
	spool->counters.commits++;
	for (unsigned i = 0; i < item->parts->len; i++)
		if (!strcmp(g_array_index(item->parts, struct tl_spool_part, i).name, part->name))
			g_array_remove_index(item->parts, i--);
	g_array_append_val(item->parts, *part);
	tl_spool_told(spool, item);
}

/* ---- closing ---- */

static void close_run(struct tl_spool_job *job)
{
	struct chore *chore = (struct chore *)job;
	chore->result = tl_spool_disk_sweep(chore->item->path, chore->parts);
	int result = tl_spool_disk_meta(chore->item->path, chore->meta);
	if (result)
		chore->result = result;
}

static void close_done(struct tl_spool_job *job)
{
	struct chore *chore = (struct chore *)job;
	/* The parts are durable all the same; found open next time, the item is only called partial. */
	if (chore->result)
		tl_spool_fault(chore->spool, "an item could not be ended", chore->result);
	chore->item->state = chore->state;
	tl_spool_told(chore->spool, chore->item);
	chore_free(chore);
}

void tl_spool_close(struct tl_spool_item *item, bool complete)
{
	tl_assert_main();
	struct tl_spool *spool = item->spool;
	tl_spool_work_drain(spool->work); /* commits that the writer has seen end must count */
	item->ended_utc_us = tl_clock_utc_us();
	item->state = complete ? TL_SPOOL_COMPLETE : TL_SPOOL_PARTIAL;
	struct chore *chore = chore_new(spool, item, close_run, close_done);
	chore->state = item->state;
	chore->parts = g_array_copy(item->parts);
	item->state = TL_SPOOL_OPEN; /* until the disk says so */
	tl_spool_work_chore(spool->work, &chore->job);
}

/* ---- what is there ---- */

JsonArray *tl_spool_list(struct tl_spool *spool, const char *after, unsigned max)
{
	JsonArray *array = json_array_new();
	GTreeNode *node = after ? g_tree_upper_bound(spool->items, after) : g_tree_node_first(spool->items);
	for (; node && json_array_get_length(array) < max; node = g_tree_node_next(node))
		json_array_add_object_element(array, tl_spool_item_describe(g_tree_node_value(node)));
	return array;
}

char *tl_spool_find(struct tl_spool *spool, const char *name, const char *part)
{
	const struct tl_spool_item *item = g_tree_lookup(spool->items, name);
	for (unsigned i = 0; item && i < item->parts->len; i++)
		if (!strcmp(g_array_index(item->parts, struct tl_spool_part, i).name, part))
			return g_build_filename(item->path, part, NULL);
	return NULL;
}

static void remove_run(struct tl_spool_job *job)
{
	struct chore *chore = (struct chore *)job;
	chore->result = tl_spool_disk_remove(chore->item->path);
}

static void remove_done(struct tl_spool_job *job)
{
	struct chore *chore = (struct chore *)job;
	if (chore->result)
		tl_warning("%s: cannot be removed: %s", chore->item->path, g_strerror(-chore->result));
	tl_spool_item_free(chore->item);
	chore_free(chore);
}

static void take_away(struct tl_spool *spool, struct tl_spool_item *item)
{
	g_tree_steal(spool->items, item->name);
	tl_spool_work_chore(spool->work, &chore_new(spool, item, remove_run, remove_done)->job);
}

void tl_spool_discard(struct tl_spool_item *item)
{
	tl_assert_main();
	take_away(item->spool, item);
}

bool tl_spool_remove(struct tl_spool *spool, const char *name, GError **error)
{
	tl_assert_main();
	struct tl_spool_item *item = g_tree_lookup(spool->items, name);
	if (!item) {
		g_set_error(error, TL_SPOOL_ERROR, TL_SPOOL_ERROR_UNKNOWN, "item %s: no such item", name);
		return false;
	}
	if (item->state == TL_SPOOL_OPEN) {
		g_set_error(error, TL_SPOOL_ERROR, TL_SPOOL_ERROR_OPEN, "item %s is still being written", name);
		return false;
	}
	take_away(spool, item);
	return true;
}

static gboolean count(gpointer name, gpointer value, gpointer user)
{
	const struct tl_spool_item *item = value;
	struct tl_spool_counters *counters = user;
	counters->items++;
	for (unsigned i = 0; i < item->parts->len; i++)
		counters->octets += g_array_index(item->parts, struct tl_spool_part, i).octets;
	return FALSE;
}

void tl_spool_counters(const struct tl_spool *spool, struct tl_spool_counters *counters)
{
	*counters = spool->counters;
	g_tree_foreach(spool->items, count, counters);
}
