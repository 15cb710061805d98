/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the last run left: read at start; what it left open is settled on the thread of chores. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "spool/inside.h"

#define TL_ROOM "spool"
#include "base/log.h"

struct settlement {
	struct tl_spool_job job;
	struct tl_spool_item *item;
	int result;
};

static void settle_run(struct tl_spool_job *job)
{
	struct settlement *settlement = (struct settlement *)job;
	struct tl_spool_item *item = settlement->item;
	g_array_set_size(item->parts, 0);
	settlement->result = tl_spool_disk_settle(item->path, item->spool->config.salvage, item->parts);
	if (!settlement->result && !item->parts->len) {
		settlement->result = tl_spool_disk_remove(item->path);
	} else if (!settlement->result) {
		g_autofree char *meta = tl_spool_item_format(item);
		settlement->result = tl_spool_disk_meta(item->path, meta);
	}
}

static void settle_done(struct tl_spool_job *job)
{
	struct settlement *settlement = (struct settlement *)job;
	struct tl_spool_item *item = settlement->item;
	struct tl_spool *spool = item->spool;
	if (settlement->result)
		tl_spool_fault(spool, item->name, settlement->result);
	if (item->parts->len) {
		g_tree_insert(spool->items, item->name, item);
		tl_spool_told(spool, item);
	} else {
		tl_spool_item_free(item);
	}
	g_free(settlement);
}

static void settle(struct tl_spool *spool, struct tl_spool_item *item)
{
	struct settlement *settlement = g_new0(struct settlement, 1);
	settlement->job = (struct tl_spool_job){ settle_run, settle_done };
	settlement->item = item;
	item->state = TL_SPOOL_PARTIAL;
	item->ended_utc_us = tl_clock_utc_us();
	tl_spool_work_chore(spool->work, &settlement->job);
}

static void find(struct tl_spool *spool, const char *name)
{
	struct tl_spool_item *item = tl_spool_item_new(spool, name);
	g_autofree char *path = g_build_filename(item->path, TL_SPOOL_META, NULL);
	g_autofree char *text = NULL;
	bool read = g_file_get_contents(path, &text, NULL, NULL);
	if (!read || !tl_spool_item_parse(item, text)) {
		/* Without its meta.json nobody was ever told of it; with a garbled one a person should look. */
		if (read || tl_spool_disk_remove(item->path))
			tl_warning("%s: expected the description of an item; it is left as it is", path);
		tl_spool_item_free(item);
	} else if (item->state == TL_SPOOL_OPEN) {
		settle(spool, item);
	} else {
		g_tree_insert(spool->items, item->name, item);
	}
}

bool tl_spool_recover(struct tl_spool *spool, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autoptr(GDir) dir = g_mkdir_with_parents(spool->directory, 0750) ? NULL : g_dir_open(spool->directory, 0, &cause);
	if (!dir) {
		g_set_error(error, TL_SPOOL_ERROR, TL_SPOOL_ERROR_DISK, "%s: expected a directory that can be written: %s",
			    spool->directory, cause ? cause->message : g_strerror(errno));
		return false;
	}
	for (const char *name; (name = g_dir_read_name(dir));) {
		if (strlen(name) != 16 || strspn(name, G_CSET_DIGITS) != 16)
			continue;
		spool->last_name = MAX(spool->last_name, g_ascii_strtoll(name, NULL, 10));
		find(spool, name);
	}
	return true;
}
