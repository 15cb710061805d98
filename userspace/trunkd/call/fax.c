/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/fax.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "call/play.h"
#include "call/report.h"
#include "call/t38.h"
#include "call/wire.h"

#define TL_ROOM "call"
#include "base/log.h"

/* A fax outlives its leg: the last page may still be on its way to the disk. */
struct tl_leg_fax {
	struct tl_node *node;
	struct tl_leg *leg;              /* NULL once it has gone */
	char *id, *leg_id, *path;        /* path: sends, the blob */
	const char *owner;               /* interned */
	JsonObject *tags;
	struct tl_fax_config config;
	struct tl_spool_item *item;      /* receives */
	struct tl_fax *fax;              /* NULL while it is being begun */
	bool stopped;                    /* while it is being begun */
	tl_fax_begun on_begun;
	void *begun_user;
};

static void leg_fax_free(struct tl_leg_fax *fax)
{
	if (fax->leg)
		fax->leg->fax = NULL;
	g_ptr_array_remove_fast(fax->node->faxes, fax);
	if (fax->tags)
		json_object_unref(fax->tags);
	g_free(fax->id);
	g_free(fax->leg_id);
	g_free(fax->path);
	g_free(fax);
}

/* ---- events ---- */

static void report(struct tl_leg_fax *fax, const char *event, JsonObject *params)
{
	json_object_set_string_member(params, "fax", fax->id);
	tl_report_owned(fax->node, fax->owner, fax->leg_id, fax->tags, event, params);
}

/* A far end's idents are octets of any kind. */
static void set_text(JsonObject *params, const char *member, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	json_object_set_string_member(params, member, valid);
}

/* What has come is an item of the spool; what was sent is only a word, and must not be lost with who was to hear it. */
static void journal(struct tl_leg_fax *fax, const char *fact, JsonObject *more)
{
	json_object_set_string_member(more, "fax", fax->id);
	tl_fact_owned(fax->node, fax->leg_id, fax->tags, fact, more);
}

static void journal_page(struct tl_leg_fax *fax, unsigned page)
{
	JsonObject *more = json_object_new();
	json_object_set_int_member(more, "page", page);
	journal(fax, "fax-page", more);
}

static void journal_end(struct tl_leg_fax *fax, const struct tl_fax_result *result)
{
	JsonObject *more = json_object_new();
	json_object_set_string_member(more, "result", result->words);
	json_object_set_string_member(more, "trouble", tl_fax_trouble_name(result->trouble));
	json_object_set_int_member(more, "pages", result->pages);
	set_text(more, "remote_ident", result->remote_ident);
	journal(fax, "fax-ended", more);
}

static void set_direction(struct tl_leg_fax *fax, JsonObject *params)
{
	json_object_set_string_member(params, "direction", fax->config.sends ? "out" : "in");
}

static void set_item(struct tl_leg_fax *fax, JsonObject *params)
{
	if (fax->item)
		json_object_set_string_member(params, "item", tl_spool_item_name(fax->item));
}

static void on_negotiated(struct tl_fax *machine, const struct tl_fax_negotiated *negotiated, void *user)
{
	JsonObject *params = json_object_new();
	set_text(params, "remote_ident", negotiated->remote_ident);
	if (*negotiated->sub_address)
		set_text(params, "sub_address", negotiated->sub_address);
	json_object_set_int_member(params, "bit_rate", negotiated->bit_rate);
	json_object_set_boolean_member(params, "ecm", negotiated->ecm);
	json_object_set_boolean_member(params, "t38", negotiated->t38);
	report(user, "fax.negotiated", params);
}

static void part_name(unsigned page, char name[32])
{
	g_snprintf(name, 32, "page-%04u.tif", page);
}

static JsonObject *wire_image(const struct tl_fax_page *page)
{
	JsonObject *image = json_object_new();
	json_object_set_string_member(image, "resolution", page->resolution);
	json_object_set_int_member(image, "width", page->width);
	json_object_set_int_member(image, "length", page->length);
	json_object_set_int_member(image, "bad_rows", page->bad_rows);
	json_object_set_int_member(image, "ms", page->ms);
	json_object_set_int_member(image, "bit_rate", page->bit_rate);
	json_object_set_string_member(image, "coding", page->coding);
	json_object_set_boolean_member(image, "ecm", page->ecm);
	return image;
}

static void on_page(struct tl_fax *machine, const struct tl_fax_page *page, void *user)
{
	struct tl_leg_fax *fax = user;
	JsonObject *params = json_object_new();
	char part[32];
	set_direction(fax, params);
	json_object_set_int_member(params, "page", page->number);
	json_object_set_object_member(params, "image", wire_image(page));
	set_item(fax, params);
	part_name(page->number, part);
	if (fax->item)
		json_object_set_string_member(params, "part", part);
	report(fax, "fax.page", params);
	if (fax->config.sends)
		journal_page(fax, page->number);
}

static void close_item(struct tl_leg_fax *fax, const struct tl_fax_result *result)
{
	if (!fax->item)
		return;
	g_autofree char *ident = g_utf8_make_valid(result->remote_ident, -1);
	g_autofree char *sub = g_utf8_make_valid(result->sub_address, -1);
	tl_spool_note(fax->item, "remote_ident", ident);
	tl_spool_note(fax->item, "sub_address", sub);
	tl_spool_note(fax->item, "result", result->words);
	tl_spool_close(g_steal_pointer(&fax->item), result->trouble == TL_FAX_FINE);
}

static void on_ended(struct tl_fax *machine, const struct tl_fax_result *result, void *user)
{
	struct tl_leg_fax *fax = user;
	JsonObject *params = json_object_new();
	set_direction(fax, params);
	json_object_set_string_member(params, "result", result->words);
	json_object_set_int_member(params, "code", result->code);
	json_object_set_string_member(params, "trouble", tl_fax_trouble_name(result->trouble));
	json_object_set_int_member(params, "pages", result->pages);
	set_text(params, "remote_ident", result->remote_ident);
	set_text(params, "sub_address", result->sub_address);
	set_text(params, "password", result->password);
	json_object_set_boolean_member(params, "t38", result->t38);
	json_object_set_int_member(params, "bit_rate", result->bit_rate);
	json_object_set_boolean_member(params, "ecm", result->ecm);
	json_object_set_int_member(params, "ms", result->ms);
	set_item(fax, params);
	tl_info("leg %s: fax %s: %s, %u pages", fax->leg_id, fax->id, result->words, result->pages);
	close_item(fax, result);
	report(fax, "fax.ended", params);
	if (fax->config.sends)
		journal_end(fax, result);
	leg_fax_free(fax);
}

/* ---- pages to the spool; thread: a keeper ---- */

static int write_file(const char *path, const uint8_t *octets, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640), result = 0;
	if (fd < 0)
		return -errno;
	for (ssize_t written; n && !result; octets += written, n -= written) {
		written = write(fd, octets, n);
		if (written < 0)
			result = -errno;
		if (written < 0)
			break;
	}
	if (close(fd) != 0 && !result)
		result = -errno;
	return result;
}

static int keep(unsigned page, const void *octets, size_t n, unsigned within_ms, void *user)
{
	struct tl_leg_fax *fax = user;
	int64_t began = tl_clock_us();
	char part[32];
	part_name(page, part);
	g_autofree char *path = tl_spool_part_path(fax->item, part);
	int result = write_file(path, octets, n);
	int64_t spent_ms = (tl_clock_us() - began) / 1000;
	if (result)
		return result;
	return spent_ms < within_ms ? tl_spool_commit(fax->item, part, within_ms - spent_ms) : -ETIMEDOUT;
}

/* ---- beginning ---- */

static void begun(struct tl_leg_fax *fax, JsonObject *result, const GError *error)
{
	fax->on_begun(result, error, fax->begun_user);
	if (result)
		json_object_unref(result);
	if (!error)
		return;
	if (fax->item)
		tl_spool_close(g_steal_pointer(&fax->item), false);
	leg_fax_free(fax);
}

static void refuse(struct tl_leg_fax *fax, int code, const char *why)
{
	g_autoptr(GError) error = g_error_new_literal(TL_CONTROL_ERROR, code, why);
	begun(fax, NULL, error);
}

/* All that it needs is there: the machine starts. @result: members for the answer (transfer full). */
static void start(struct tl_leg_fax *fax, JsonObject *result)
{
	static const struct tl_fax_handler handler = { on_negotiated, on_page, on_ended, keep };
	g_autoptr(GError) error = NULL, why = NULL;
	struct tl_port *port = fax->leg && !fax->stopped ? tl_leg_audio(fax->leg, &error) : NULL;
	struct tl_fax_config config = fax->config;
	if (!port) {
		json_object_unref(result);
		refuse(fax, TL_CONTROL_STATE, error ? error->message : "the leg has ended, or the fax was stopped");
		return;
	}
	tl_gateway_parted(fax->leg);
	config.document = fax->path;
	if (tl_leg_t38(fax->leg))
		config.t38 = *tl_leg_t38(fax->leg);
	fax->fax = tl_fax_start(fax->node->fax_pool, port, &config, &handler, fax, &why);
	if (!fax->fax) {
		json_object_unref(result);
		refuse(fax, g_error_matches(why, TL_FAX_ERROR, TL_FAX_ERROR_OPTIONS) ? TL_CONTROL_INVALID_PARAMS :
		       TL_CONTROL_STORAGE, why->message);
		return;
	}
	tl_play_stop(fax->leg);
	tl_port_detect_fax(port, false);
	tl_port_detect_dtmf(port, false);
	if (!config.sends)
		tl_leg_t38_offer(fax->leg);
	begun(fax, result, NULL);
}

static void on_item(struct tl_spool_item *item, const GError *error, void *user)
{
	struct tl_leg_fax *fax = user;
	fax->item = item;
	if (error) {
		refuse(fax, TL_CONTROL_STORAGE, error->message);
		return;
	}
	JsonObject *result = json_object_new();
	json_object_set_string_member(result, "item", tl_spool_item_name(item));
	start(fax, result);
}

static void check_document(GTask *task, gpointer source, gpointer path, GCancellable *cancellable)
{
	GError *error = NULL;
	unsigned pages = tl_fax_document_check(path, &error);
	if (error)
		g_task_return_error(task, error);
	else
		g_task_return_int(task, pages);
}

static unsigned pages_of(const struct tl_fax_config *config, unsigned all)
{
	unsigned first = MAX(config->first_page, 1), last = config->last_page ? MIN(config->last_page, all) : all;
	return first <= last ? last - first + 1 : 0;
}

static void on_checked(GObject *source, GAsyncResult *done, gpointer user)
{
	struct tl_leg_fax *fax = user;
	g_autoptr(GError) error = NULL;
	gssize all = g_task_propagate_int(G_TASK(done), &error);
	fax->node->documents_checked--;
	if (error) {
		refuse(fax, TL_CONTROL_INVALID_PARAMS, error->message);
		return;
	}
	unsigned pages = pages_of(&fax->config, all);
	if (!pages) {
		refuse(fax, TL_CONTROL_INVALID_PARAMS, "first_page: expected a page of the document");
		return;
	}
	JsonObject *result = json_object_new();
	json_object_set_int_member(result, "pages", pages);
	start(fax, result);
}

static bool find_document(struct tl_leg *leg, const char *digest, char **path, GError **error)
{
	if (strlen(digest) == 64 && strspn(digest, "0123456789abcdef") == 64)
		*path = g_build_filename(leg->node->config->state_dir, "blobs", digest, NULL);
	if (*path && !access(*path, R_OK))
		return true;
	g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN, "document: %s: no such blob on this node", digest);
	g_clear_pointer(path, g_free);
	return false;
}

static void begin(struct tl_leg_fax *fax)
{
	if (!fax->config.sends) {
		const struct tl_spool_about about = { TL_SPOOL_FAX, fax->id, fax->leg_id, fax->tags };
		tl_spool_open(fax->node->spool, &about, on_item, fax);
		return;
	}
	GTask *task = g_task_new(NULL, NULL, on_checked, fax);
	fax->node->documents_checked++;
	g_task_set_task_data(task, g_strdup(fax->path), g_free);
	g_task_run_in_thread(task, check_document);
	g_object_unref(task);
}

bool tl_fax_order(struct tl_leg *leg, const struct tl_fax_order *order, tl_fax_begun on_begun, void *user, GError **error)
{
	char *path = NULL;
	if (leg->fax) {
		tl_control_refuse_state(error, "fax", "leg %s has fax %s already", leg->id, leg->fax->id);
		return false;
	}
	if (!tl_leg_audio(leg, error) || (order->config.sends && !find_document(leg, order->document, &path, error)))
		return false;
	struct tl_leg_fax *fax = g_new0(struct tl_leg_fax, 1);
	fax->node = leg->node;
	fax->leg = leg;
	fax->id = g_strdup(order->id);
	fax->leg_id = g_strdup(leg->id);
	fax->owner = leg->owner;
	fax->path = path;
	fax->config = order->config;
	fax->tags = g_hash_table_size(leg->tags) ? tl_wire_tags(leg) : NULL;
	fax->on_begun = on_begun;
	fax->begun_user = user;
	leg->fax = fax;
	g_ptr_array_add(leg->node->faxes, fax);
	begin(fax);
	return true;
}

/* ---- ending ---- */

bool tl_leg_fax_stop(struct tl_leg *leg)
{
	if (!leg->fax)
		return false;
	leg->fax->stopped = true;
	if (leg->fax->fax)
		tl_fax_stop(leg->fax->fax, TL_FAX_STOPPED);
	return true;
}

void tl_leg_fax_go_t38(struct tl_leg *leg, const struct tl_t38_side *remote)
{
	if (leg->fax && leg->fax->fax)
		tl_fax_go_t38(leg->fax->fax, remote);
}

void tl_leg_fax_lost(struct tl_leg *leg)
{
	struct tl_leg_fax *fax = g_steal_pointer(&leg->fax);
	if (!fax)
		return;
	fax->leg = NULL;
	if (!fax->fax)
		return;
	tl_fax_port_gone(fax->fax, leg->port);
	tl_fax_stop(fax->fax, TL_FAX_ENDED);
}

const char *tl_leg_fax_id(const struct tl_leg *leg)
{
	return leg->fax ? leg->fax->id : NULL;
}

/* ---- the pool ---- */

void tl_faxes_start(struct tl_node *node)
{
	const struct tl_node_config *config = node->config;
	const struct tl_fax_pool_config pool = {
		.media = node->media, .depth_ms = config->fax_depth_ms, .keep_within_ms = config->fax_page_timeout_ms,
		.threads = config->fax_threads ? config->fax_threads : CLAMP(g_get_num_processors(), 1, 64),
	};
	node->fax_pool = tl_fax_pool_new(&pool);
}

void tl_fax_end_all(struct tl_node *node)
{
	tl_fax_pool_free(g_steal_pointer(&node->fax_pool));
	tl_gateways_end_all(node);
	while (node->documents_checked)
		g_main_context_iteration(NULL, TRUE);
	for (unsigned i = node->faxes->len; i-- > 0;) {
		struct tl_leg_fax *fax = g_ptr_array_index(node->faxes, i);
		if (!fax->fax)
			continue; /* the spool will answer */
		if (fax->item)
			tl_spool_close(fax->item, false);
		leg_fax_free(fax);
	}
}
