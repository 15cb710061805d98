/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Items on their way: listed or told, fetched, committed, freed. An item is under way at most once. */
#include "archive/archive.h"

#include <curl/curl.h>
#include <string.h>

#include "archive/transfer.h"
#include "base/clock.h"
#include "base/thread.h"

#define TL_ROOM "archive"
#include "base/log.h"

#define AT_ONCE 4
#define AGAIN_MS 10000 /* after a failure the spool is listed anew */
#define DAY_US (86400 * (int64_t)G_USEC_PER_SEC)

struct tl_archive {
	struct tl_store *store;
	struct tl_blobs *blobs;
	unsigned keep_fax_days, keep_recording_days;
	struct tl_archive_handler handler;
	void *user;
	GHashTable *nodes;   /* name -> struct node */
	GHashTable *items;   /* "node/item" -> struct item, under way or waiting */
	GQueue waiting;      /* struct item */
	unsigned working;    /* tasks on workers */
	unsigned storing;    /* transactions */
	bool stopping;
};

struct node {
	struct tl_archive *archive;
	char *name;
	int64_t epoch;
	struct transfer_place *place;
	struct tl_control_client *client; /* borrowed */
	struct tl_timer *again;
	bool listing;
};

struct item {
	struct tl_archive *archive;
	char *key, *node, *name;
	int64_t epoch;
	struct transfer_place *place;
	JsonObject *meta;
	struct tl_spool_part *parts;
	unsigned n_parts;
	GError *error; /* of the worker */
};

struct put {
	struct tl_archive *archive;
	struct transfer_place *place;
	char *sha256;
	GError *error;
	tl_archive_put_done on_done;
	void *user;
};

static void take_next(struct tl_archive *archive);

/* ---- items ---- */

static void item_free(struct item *item)
{
	for (unsigned i = 0; i < item->n_parts; i++)
		g_free(item->parts[i].name);
	g_free(item->parts);
	g_free(item->key);
	g_free(item->node);
	g_free(item->name);
	transfer_place_unref(item->place);
	json_object_unref(item->meta);
	g_clear_error(&item->error);
	g_free(item);
}

static void forget(struct item *item)
{
	struct tl_archive *archive = item->archive;
	g_hash_table_remove(archive->items, item->key);
	item_free(item);
	take_next(archive);
}

static void look_again(struct tl_archive *archive, const char *name)
{
	struct node *node = g_hash_table_lookup(archive->nodes, name);
	if (node && !tl_timer_running(node->again))
		tl_timer_start(node->again, AGAIN_MS);
}

static struct tl_spool_item view(const struct item *item)
{
	JsonObject *tags = json_object_has_member(item->meta, "tags") ? json_object_get_object_member(item->meta, "tags") : NULL;
	return (struct tl_spool_item){
		.node = item->node, .item = item->name, .kind = json_object_get_string_member(item->meta, "kind"),
		.id = json_object_get_string_member(item->meta, "id"),
		.partial = !strcmp(json_object_get_string_member(item->meta, "state"), "partial"),
		.contact = tags ? json_object_get_string_member_with_default(tags, "contact", NULL) : NULL,
		.agent = tags ? json_object_get_string_member_with_default(tags, "agent", NULL) : NULL,
		.leg = json_object_get_string_member_with_default(item->meta, "leg", NULL), .meta = item->meta,
		.parts = item->parts, .n_parts = item->n_parts,
	};
}

/* ---- after the commit: the node may forget it ---- */

static void on_freed(JsonObject *result, const GError *error, void *user)
{
	struct item *item = user;
	struct tl_archive *archive = item->archive;
	(void)result;
	/* Freed before, its answer was lost: just as good. */
	if (!error || error->code == TL_CONTROL_UNKNOWN) {
		struct tl_transaction *t = tl_transaction_new("item freed");
		tl_transaction_add(t, "UPDATE spool_item SET freed_utc_us = now_us() WHERE node = $1 AND item = $2",
				   TL_VALUES(tl_text(item->node), tl_text(item->name)));
		tl_store_submit(archive->store, t, NULL, NULL);
	} else if (error->code != TL_CONTROL_CLOSED) {
		tl_warning("%s: %s", item->key, error->message);
		look_again(archive, item->node);
	}
	forget(item);
}

static void free_item(struct item *item)
{
	struct node *node = g_hash_table_lookup(item->archive->nodes, item->node);
	if (!node) { /* listed again when the node is back */
		forget(item);
		return;
	}
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "item", item->name);
	tl_control_client_call(node->client, "spool.free", params, on_freed, item);
}

/* ---- the commit ---- */

static void on_stored(const struct tl_result *result, const GError *error, void *user)
{
	struct item *item = user;
	struct tl_archive *archive = item->archive;
	struct tl_spool_item seen = view(item);
	(void)result;
	archive->storing--;
	if (error) {
		tl_warning("%s: %s", item->key, error->message);
		look_again(archive, item->node);
		forget(item);
		return;
	}
	tl_info("%s: %s of %u parts stored%s", item->key, seen.kind, seen.n_parts, seen.partial ? ", partial" : "");
	if (!archive->stopping)
		archive->handler.on_stored(&seen, archive->user);
	free_item(item);
}

static void add_rows(struct tl_archive *archive, struct tl_transaction *t, const struct tl_spool_item *item)
{
	bool fax = !strcmp(item->kind, "fax");
	unsigned days = fax ? archive->keep_fax_days : archive->keep_recording_days;
	int64_t until = days ? tl_clock_utc_us() + days * DAY_US : 0;
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), item->meta);
	g_autofree char *meta = json_to_string(node, FALSE);
	/* The primary key: the second of two attempts fails as a whole. */
	tl_transaction_add(t, "INSERT INTO spool_item (node, item, id, kind, state, contact, leg, meta, agent, stored_utc_us) "
			      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now_us())",
			   TL_VALUES(tl_text(item->node), tl_text(item->item), tl_text(item->id), tl_text(item->kind), tl_text(item->partial ? "partial" : "complete"),
				     tl_text(item->contact), tl_text(item->leg), tl_text(meta), tl_text(item->agent)));
	for (unsigned i = 0; i < item->n_parts; i++) {
		const struct tl_spool_part *part = &item->parts[i];
		const char *type = fax ? "image/tiff" : g_str_has_suffix(part->name, ".opus") ? "audio/ogg" : "audio/wav";
		tl_blob_keep(t, &part->blob, type, until);
		tl_transaction_add(t, "INSERT INTO spool_part (node, item, name, size, sha256) VALUES ($1, $2, $3, $4, $5)",
				   TL_VALUES(tl_text(item->node), tl_text(item->item), tl_text(part->name), tl_int(part->blob.size),
					     tl_text(part->blob.sha256)));
	}
}

static void store_item(struct item *item)
{
	struct tl_archive *archive = item->archive;
	struct tl_spool_item seen = view(item);
	struct tl_transaction *t = tl_transaction_new("spool item");
	tl_transaction_guard(t, item->epoch);
	add_rows(archive, t, &seen);
	archive->handler.on_item(t, &seen, archive->user);
	archive->storing++;
	tl_store_submit(archive->store, t, on_stored, item);
}

/* ---- fetching, on a worker ---- */

static void fetch(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct item *item = data;
	JsonArray *parts = json_object_get_array_member(item->meta, "parts");
	(void)source, (void)cancellable;
	for (unsigned i = 0; i < item->n_parts && !item->error; i++) {
		JsonObject *part = json_array_get_object_element(parts, i);
		g_autofree char *name = g_uri_escape_string(item->parts[i].name, NULL, FALSE);
		g_autofree char *path = g_strdup_printf("/spool/%s/%s", item->name, name);
		transfer_get(item->place, path, json_object_get_string_member(part, "sha256"), json_object_get_int_member(part, "size"),
			     item->archive->blobs, &item->parts[i].blob, &item->error);
	}
	g_task_return_boolean(task, TRUE);
}

static void on_fetched(GObject *source, GAsyncResult *result, gpointer user)
{
	struct item *item = user;
	struct tl_archive *archive = item->archive;
	(void)source, (void)result;
	archive->working--;
	if (archive->stopping) {
		g_hash_table_remove(archive->items, item->key);
		item_free(item);
		return;
	}
	if (!item->error) {
		store_item(item);
		take_next(archive);
		return;
	}
	tl_warning("%s: %s", item->key, item->error->message);
	look_again(archive, item->node);
	forget(item);
}

/* Stored already: a desk died, or the answer was lost, before it was freed. */
static void on_known(const struct tl_result *result, const GError *error, void *user)
{
	struct item *item = user;
	struct tl_archive *archive = item->archive;
	archive->storing--;
	if (error) {
		look_again(archive, item->node);
		forget(item);
	} else if (tl_result_rows(result, 0)) {
		free_item(item);
	} else {
		g_autoptr(GTask) task = g_task_new(NULL, NULL, on_fetched, item);
		archive->working++;
		g_task_set_task_data(task, item, NULL);
		g_task_run_in_thread(task, fetch);
	}
}

static void take_next(struct tl_archive *archive)
{
	while (!archive->stopping && archive->working + archive->storing < AT_ONCE && archive->waiting.length) {
		struct item *item = g_queue_pop_head(&archive->waiting);
		struct tl_transaction *t = tl_transaction_new("item known?");
		tl_transaction_add(t, "SELECT 1 FROM spool_item WHERE node = $1 AND item = $2", TL_VALUES(tl_text(item->node), tl_text(item->name)));
		archive->storing++;
		tl_store_submit(archive->store, t, on_known, item);
	}
}

static void add_item(struct node *node, JsonObject *meta)
{
	struct tl_archive *archive = node->archive;
	const char *name = json_object_get_string_member(meta, "item");
	g_autofree char *key = g_strdup_printf("%s/%s", node->name, name);
	if (!strcmp(json_object_get_string_member(meta, "state"), "open") || g_hash_table_contains(archive->items, key))
		return;
	struct item *item = g_new0(struct item, 1);
	JsonArray *parts = json_object_get_array_member(meta, "parts");
	item->archive = archive;
	item->key = g_steal_pointer(&key);
	item->node = g_strdup(node->name);
	item->name = g_strdup(name);
	item->epoch = node->epoch;
	item->place = transfer_place_ref(node->place);
	item->meta = json_object_ref(meta);
	item->n_parts = json_array_get_length(parts);
	item->parts = g_new0(struct tl_spool_part, item->n_parts + 1);
	for (unsigned i = 0; i < item->n_parts; i++)
		item->parts[i].name = g_strdup(json_object_get_string_member(json_array_get_object_element(parts, i), "name"));
	g_hash_table_insert(archive->items, item->key, item);
	g_queue_push_tail(&archive->waiting, item);
	take_next(archive);
}

/* ---- nodes ---- */

static void list(struct node *node, const char *after);

/* The node may be detached when the answer comes. */
struct listing {
	struct tl_archive *archive;
	char *node;
};

static void on_list(JsonObject *result, const GError *error, void *user)
{
	struct listing *listing = user;
	struct node *node = g_hash_table_lookup(listing->archive->nodes, listing->node);
	g_free(listing->node);
	g_free(listing);
	if (!node)
		return;
	node->listing = false;
	if (error) {
		if (error->code != TL_CONTROL_CLOSED)
			tl_warning("%s: spool.list: %s", node->name, error->message);
		return;
	}
	JsonArray *items = json_object_get_array_member(result, "items");
	unsigned n = json_array_get_length(items);
	for (unsigned i = 0; i < n; i++)
		add_item(node, json_array_get_object_element(items, i));
	if (n && json_object_get_boolean_member(result, "more"))
		list(node, json_object_get_string_member(json_array_get_object_element(items, n - 1), "item"));
}

static void list(struct node *node, const char *after)
{
	JsonObject *params = json_object_new();
	if (after)
		json_object_set_string_member(params, "after", after);
	node->listing = true;
	struct listing *listing = g_new(struct listing, 1);
	*listing = (struct listing){ node->archive, g_strdup(node->name) };
	tl_control_client_call(node->client, "spool.list", params, on_list, listing);
}

static void on_again(void *user)
{
	struct node *node = user;
	if (!node->listing)
		list(node, NULL);
}

static void node_free(void *data)
{
	struct node *node = data;
	tl_timer_free(node->again);
	transfer_place_unref(node->place);
	g_free(node->name);
	g_free(node);
}

void tl_archive_attach(struct tl_archive *archive, const char *name, const char *address, const char *token, int64_t epoch,
		       struct tl_control_client *client)
{
	tl_archive_detach(archive, name);
	struct node *node = g_new0(struct node, 1);
	node->archive = archive;
	node->name = g_strdup(name);
	node->epoch = epoch;
	node->place = transfer_place_new(address, token);
	node->client = client;
	node->again = tl_timer_new("spool", on_again, node);
	g_hash_table_insert(archive->nodes, node->name, node);
	list(node, NULL);
}

void tl_archive_detach(struct tl_archive *archive, const char *name)
{
	g_hash_table_remove(archive->nodes, name);
	for (GList *l = archive->waiting.head, *next; l; l = next) {
		struct item *item = l->data;
		next = l->next;
		if (strcmp(item->node, name))
			continue;
		g_queue_delete_link(&archive->waiting, l);
		g_hash_table_remove(archive->items, item->key);
		item_free(item);
	}
}

void tl_archive_changed(struct tl_archive *archive, const char *name, JsonObject *params)
{
	struct node *node = g_hash_table_lookup(archive->nodes, name);
	if (node)
		add_item(node, json_object_get_object_member(params, "item"));
}

/* ---- blobs onto a node ---- */

static void put_work(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct put *put = data;
	(void)source, (void)cancellable;
	if (put->place)
		transfer_put(put->place, put->sha256, put->archive->blobs, &put->error);
	else
		g_set_error(&put->error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED, "the node is not connected");
	g_task_return_boolean(task, TRUE);
}

static void on_put(GObject *source, GAsyncResult *result, gpointer user)
{
	struct put *put = user;
	(void)source, (void)result;
	put->archive->working--;
	put->on_done(put->error, put->user);
	transfer_place_unref(put->place);
	g_clear_error(&put->error);
	g_free(put->sha256);
	g_free(put);
}

void tl_archive_put(struct tl_archive *archive, const char *name, const char *sha256, tl_archive_put_done on_done, void *user)
{
	struct node *node = g_hash_table_lookup(archive->nodes, name);
	struct put *put = g_new0(struct put, 1);
	*put = (struct put){ .archive = archive, .sha256 = g_strdup(sha256), .on_done = on_done, .user = user };
	put->place = node ? transfer_place_ref(node->place) : NULL;
	archive->working++;
	g_autoptr(GTask) task = g_task_new(NULL, NULL, on_put, put);
	g_task_set_task_data(task, put, NULL);
	g_task_run_in_thread(task, put_work);
}

/* ---- the whole ---- */

struct tl_archive *tl_archive_new(struct tl_store *store, struct tl_blobs *blobs, unsigned keep_fax_days, unsigned keep_recording_days,
				  const struct tl_archive_handler *handler, void *user)
{
	tl_assert_main();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	struct tl_archive *archive = g_new0(struct tl_archive, 1);
	archive->store = store;
	archive->blobs = blobs;
	archive->keep_fax_days = keep_fax_days;
	archive->keep_recording_days = keep_recording_days;
	archive->handler = *handler;
	archive->user = user;
	archive->nodes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, node_free);
	archive->items = g_hash_table_new(g_str_hash, g_str_equal);
	return archive;
}

void tl_archive_free(struct tl_archive *archive)
{
	if (!archive)
		return;
	GHashTableIter iter;
	struct item *item;
	archive->stopping = true;
	g_hash_table_iter_init(&iter, archive->items);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&item))
		atomic_store(&item->place->stop, true);
	g_hash_table_remove_all(archive->nodes);
	while (archive->working || archive->storing)
		g_main_context_iteration(NULL, TRUE);
	for (struct item *left; (left = g_queue_pop_head(&archive->waiting));)
		item_free(left);
	g_hash_table_unref(archive->items);
	g_hash_table_unref(archive->nodes);
	g_free(archive);
}
