/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/taping.h"

#include <errno.h>
#include <string.h>

#include "call/play.h"
#include "call/report.h"

#define TL_ROOM "call"
#include "base/log.h"

#define RETRY_MS 5000

enum state { OPENING, STARTING, RECORDING, ENDING };

struct tl_taping {
	struct tl_node *node;
	char id[TL_ID_MAX + 1], bridge[TL_ID_MAX + 1];
	char *leg;                      /* the left one's id */
	const char *owner;
	enum tl_record_format format;
	char **notice;
	enum state state;
	bool paused, stopped;
	struct tl_spool_item *item;
	struct tl_recorder *recorder;   /* NULL: not yet, or no more */
	struct tl_recorded recorded;
	struct tl_control_reply *reply; /* until it is known whether it can be recorded */
	struct tl_timer *retry;
};

static void taping_free(void *data)
{
	struct tl_taping *taping = data;
	g_autoptr(GError) error = g_error_new(TL_CONTROL_ERROR, TL_CONTROL_OVERLOAD, "the node is stopping");
	if (taping->reply)
		tl_control_reply_error(taping->reply, error);
	tl_timer_free(taping->retry);
	g_strfreev(taping->notice);
	g_free(taping->leg);
	g_free(taping);
}

static void forget(struct tl_taping *taping)
{
	struct tl_node *node = taping->node;
	g_hash_table_remove(node->tapings, taping->id);
	tl_node_leg_gone(node);
}

struct tl_taping *tl_taping_find(const struct tl_node *node, const char *id)
{
	return g_hash_table_lookup(node->tapings, id);
}

const char *tl_taping_owner(const struct tl_taping *taping)
{
	return taping->owner;
}

JsonObject *tl_taping_describe(const struct tl_taping *taping)
{
	static const char *const states[] = { "starting", "starting", "recording", "ending" };
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "recording", taping->id);
	json_object_set_string_member(object, "bridge", taping->bridge);
	json_object_set_string_member(object, "state", taping->paused && taping->state == RECORDING ? "paused" : states[taping->state]);
	if (taping->item)
		json_object_set_string_member(object, "item", tl_spool_item_name(taping->item));
	return object;
}

static void tell(struct tl_taping *taping, const char *event, JsonObject *params)
{
	json_object_set_string_member(params, "recording", taping->id);
	json_object_set_string_member(params, "bridge", taping->bridge);
	if (taping->item)
		json_object_set_string_member(params, "item", tl_spool_item_name(taping->item));
	tl_report_recording(taping->node, taping->owner, event, params);
}

/* ---- the end ---- */

static void on_committed(int result, void *user)
{
	struct tl_taping *taping = user;
	if (result && result != -ENOENT) { /* it stays where it is until the disk is better */
		tl_timer_start(taping->retry, RETRY_MS);
		return;
	}
	bool complete = !result && !taping->recorded.result && !taping->recorded.missed_ms;
	JsonObject *params = json_object_new();
	json_object_set_int_member(params, "ms", taping->recorded.ms);
	json_object_set_int_member(params, "missed_ms", taping->recorded.missed_ms);
	json_object_set_boolean_member(params, "complete", complete);
	if (taping->recorded.result)
		json_object_set_string_member(params, "error", g_strerror(-taping->recorded.result));
	tell(taping, "recording.ended", params);
	tl_spool_close(taping->item, complete);
	forget(taping);
}

static void commit(void *user)
{
	struct tl_taping *taping = user;
	tl_spool_submit(taping->item, tl_record_file(taping->format), on_committed, taping);
}

static void on_ended(const struct tl_recorded *recorded, void *user)
{
	struct tl_taping *taping = user;
	g_autofree char *ms = g_strdup_printf("%" G_GUINT64_FORMAT, recorded->ms);
	taping->recorder = NULL;
	taping->state = ENDING;
	taping->recorded = *recorded;
	tl_spool_note(taping->item, "ms", ms);
	commit(taping);
}

/* ---- the beginning ---- */

static void on_started(void *user)
{
	struct tl_taping *taping = user;
	struct tl_junction *junction = tl_junction_find(taping->node, taping->bridge);
	taping->state = RECORDING;
	tell(taping, "recording.started", json_object_new());
	for (unsigned i = 0; junction && taping->notice && i < tl_junction_size(junction); i++) {
		g_autoptr(GError) error = NULL;
		struct tl_leg *leg = tl_junction_leg(junction, i);
		if (!tl_play_start(leg, taping->id, (const char *const *)taping->notice, 1, &error))
			tl_warning("leg %s: the notice of recording %s: %s", leg->id, taping->id, error->message);
	}
}

/* Says why, once, and is gone. */
static void give_up(struct tl_taping *taping, GError *error)
{
	tl_control_reply_error(g_steal_pointer(&taping->reply), error);
	g_error_free(error);
	if (taping->item)
		tl_spool_discard(taping->item);
	forget(taping);
}

static void on_opened(struct tl_spool_item *item, const GError *error, void *user)
{
	static const struct tl_recorder_handler handler = { on_started, on_ended };
	struct tl_taping *taping = user;
	struct tl_junction *junction = tl_junction_find(taping->node, taping->bridge);
	struct tl_leg *left = tl_leg_find(taping->node, taping->leg);
	int result = 0;
	taping->item = item;
	if (!item || !junction || taping->stopped) {
		give_up(taping, item ? g_error_new(TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN, "bridge %s has gone", taping->bridge) :
				       g_error_new(TL_CONTROL_ERROR, TL_CONTROL_STORAGE, "%s", error->message));
		return;
	}
	g_autofree char *path = tl_spool_part_path(item, tl_record_file(taping->format));
	taping->recorder = tl_recorder_new(taping->node->record_pool, tl_junction_bridge(junction), left ? left->port : NULL,
					   taping->format, path, &handler, taping, &result);
	if (!taping->recorder) {
		give_up(taping, g_error_new(TL_CONTROL_ERROR, TL_CONTROL_OVERLOAD, "bridge %s: %s", taping->bridge,
					    result == -EBUSY ? "it is being recorded" : "too many recordings at once"));
		return;
	}
	taping->state = STARTING;
	tl_recorder_pause(taping->recorder, taping->paused);
	JsonNode *node = json_node_alloc();
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "item", tl_spool_item_name(item));
	json_node_take_object(json_node_init(node, JSON_NODE_OBJECT), object);
	tl_control_reply_result(taping->reply, node);
	taping->reply = NULL;
}

static JsonObject *merge_tags(const struct tl_leg *left, JsonObject *more)
{
	JsonObject *tags = json_object_new();
	JsonObjectIter iter;
	GHashTableIter own;
	const char *name;
	JsonNode *value;
	gpointer key, text;
	g_hash_table_iter_init(&own, left->tags);
	while (g_hash_table_iter_next(&own, &key, &text))
		json_object_set_string_member(tags, key, text);
	if (more) {
		json_object_iter_init(&iter, more);
		while (json_object_iter_next(&iter, &name, &value))
			json_object_set_member(tags, name, json_node_copy(value));
	}
	return tags;
}

void tl_taping_new(struct tl_junction *junction, const struct tl_taping_order *order, struct tl_control_reply *reply)
{
	struct tl_node *node = order->left->node;
	struct tl_taping *taping = g_new0(struct tl_taping, 1);
	taping->node = node;
	g_strlcpy(taping->id, order->id, sizeof taping->id);
	g_strlcpy(taping->bridge, tl_junction_id(junction), sizeof taping->bridge);
	taping->leg = g_strdup(order->left->id);
	taping->owner = order->owner;
	taping->format = order->format;
	taping->notice = g_strdupv((char **)order->notice);
	taping->reply = reply;
	taping->retry = tl_timer_new("recording-retry", commit, taping);
	g_hash_table_insert(node->tapings, taping->id, taping);
	g_autoptr(JsonObject) tags = merge_tags(order->left, order->tags);
	const struct tl_spool_about about = { TL_SPOOL_RECORDING, taping->id, taping->leg, tags };
	tl_spool_open(node->spool, &about, on_opened, taping);
}

void tl_taping_pause(struct tl_taping *taping, bool on)
{
	if (taping->paused == on)
		return;
	taping->paused = on;
	if (taping->recorder)
		tl_recorder_pause(taping->recorder, on);
	tell(taping, on ? "recording.paused" : "recording.resumed", json_object_new());
}

void tl_taping_stop(struct tl_taping *taping)
{
	taping->stopped = true;
	tl_recorder_stop(taping->recorder);
}

/* ---- the pool ---- */

static void on_trouble(const char *why, void *user)
{
	struct tl_node *node = user;
	node->record_trouble = why != NULL;
	if (why)
		tl_error("alarm record-disk: %s", why);
	else
		tl_notice("alarm record-disk is over");
	tl_node_changed(node);
}

void tl_tapings_start(struct tl_node *node)
{
	g_autofree char *directory = g_build_filename(node->config->state_dir, "spool", NULL);
	const struct tl_record_pool_config config = { .threads = node->config->record_threads, .directory = directory,
						      .on_trouble = on_trouble, .user = node };
	node->tapings = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, taping_free);
	node->record_pool = tl_record_pool_new(&config);
}

void tl_tapings_end(struct tl_node *node)
{
	tl_record_pool_free(node->record_pool);
	tl_spool_free(g_steal_pointer(&node->spool)); /* what it still says of items is of those in the table */
	if (node->tapings)
		g_hash_table_unref(node->tapings);
}
