/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "fax-desk.h"

#include <string.h>

#include "base/clock.h"

#define TL_ROOM "desk"
#include "base/log.h"

#define SWEEP_MS 60000
/* What a transaction under way may still come to keep. */
#define ORPHAN_GRACE_S 86400

struct fax_desk {
	struct tl_config *config; /* while starting and reloading only */
	GHashTable *addresses, *tokens; /* of nodes, by name */
	struct tl_store *store;
	struct tl_blobs *blobs;
	struct tl_papers *papers;
	struct tl_post *post;
	struct tl_archive *archive;
	struct tl_faxes *faxes;
	struct tl_contacts *contacts;
	struct tl_post_door *door;
	struct tl_timer *sweep;
	int64_t epoch;
};

static void on_sweep(void *user)
{
	struct fax_desk *desk = user;
	if (desk->epoch)
		tl_blobs_sweep(desk->blobs, desk->store);
	tl_timer_start(desk->sweep, SWEEP_MS);
}

static GArray *webhooks_of(struct tl_config *config)
{
	GArray *webhooks = g_array_new(FALSE, TRUE, sizeof(struct tl_post_webhook));
	const struct tl_config_section *s = NULL;
	while ((s = tl_config_next(config, "webhook", s))) {
		struct tl_post_webhook webhook = { .url = tl_config_string(s, "url"), .token = tl_config_string(s, "token"),
						   .secret = tl_config_string(s, "secret") };
		g_array_append_val(webhooks, webhook);
	}
	return webhooks;
}

static void configure_post(struct fax_desk *desk, const struct fax_desk_handler *handler, void *user)
{
	const struct tl_config_section *s = tl_config_section(desk->config, "mail");
	g_autoptr(GArray) webhooks = webhooks_of(desk->config);
	struct tl_post_config config = {
		.webhooks = (void *)webhooks->data, .n_webhooks = webhooks->len,
		.server = tl_config_string(s, "server"), .tls_required = tl_config_choice(s, "tls"), .ca_file = tl_config_string(s, "ca_file"),
		.user = tl_config_string(s, "user"), .password = tl_config_string(s, "password"), .hello = tl_config_string(s, "hello"),
		.bounce_domain = tl_config_string(s, "bounces"),
		.retry_first_s = tl_config_int(s, "retry_first_s"), .retry_max_s = tl_config_int(s, "retry_max_s"),
		.give_up_s = tl_config_int(s, "give_up_h") * 3600, .store = desk->store, .blobs = desk->blobs,
	};
	if (desk->post)
		tl_post_configure(desk->post, &config);
	else
		desk->post = tl_post_new(&config, handler->on_delivery, user);
}

static void start_papers(struct fax_desk *desk, const char *state_dir)
{
	const struct tl_config_section *s = tl_config_section(desk->config, "faxes");
	g_autofree char *folder = g_build_filename(state_dir, "papers", NULL);
	struct tl_papers_config config = {
		.program = tl_config_string(s, "converter"), .folder = folder, .blobs = desk->blobs,
		.at_once = tl_config_int(s, "convert_at_once"), .memory_mib = tl_config_int(s, "convert_mib"),
		.time_s = tl_config_int(s, "convert_s"), .pages_max = tl_config_int(s, "convert_pages"),
	};
	desk->papers = tl_papers_new(&config);
}

static GArray *boxes_of(struct tl_config *config)
{
	GArray *boxes = g_array_new(FALSE, TRUE, sizeof(struct tl_fax_box));
	const struct tl_config_section *s = NULL;
	while ((s = tl_config_next(config, "fax", s))) {
		struct tl_fax_box box = {
			.name = tl_config_name(s), .ident = tl_config_string(s, "ident"), .header = tl_config_string(s, "header"),
			.header_zone = tl_config_string(s, "header_zone"), .number = tl_config_string(s, "number"),
			.deliver = tl_config_list(s, "deliver"), .subject = tl_config_string(s, "subject"), .text = tl_config_string(s, "text"),
			.ocr = tl_config_string(s, "ocr"), .tiff = tl_config_choice(s, "format"), .no_ecm = !tl_config_bool(s, "ecm"),
			.pages_max = tl_config_int(s, "pages_max"),
		};
		g_array_append_val(boxes, box);
	}
	return boxes;
}

static GArray *senders_of(struct tl_config *config)
{
	GArray *senders = g_array_new(FALSE, TRUE, sizeof(struct tl_fax_sender));
	const struct tl_config_section *s = NULL;
	while ((s = tl_config_next(config, "fax-sender", s))) {
		struct tl_fax_sender sender = { .addresses = tl_config_list(s, "addresses"), .token = tl_config_string(s, "token"),
						.box = tl_config_string(s, "box"), .priority = tl_config_int(s, "priority") };
		g_array_append_val(senders, sender);
	}
	return senders;
}

static GArray *lines_of(struct tl_config *config)
{
	GArray *lines = g_array_new(FALSE, TRUE, sizeof(struct tl_fax_line));
	const struct tl_config_section *s = NULL;
	while ((s = tl_config_next(config, "fax-line", s))) {
		struct tl_fax_line line = { .name = tl_config_name(s), .to = tl_config_string(s, "to"),
					    .prefixes = tl_config_list(s, "prefixes"), .lines = tl_config_int(s, "lines") };
		g_array_append_val(lines, line);
	}
	return lines;
}

static void configure_faxes(struct fax_desk *desk, const struct fax_desk_handler *handler, void *user)
{
	const struct tl_config_section *s = tl_config_section(desk->config, "faxes");
	g_autoptr(GArray) boxes = boxes_of(desk->config), senders = senders_of(desk->config), lines = lines_of(desk->config);
	const char *body = tl_config_string(s, "body");
	struct tl_faxes_config config = {
		.name = tl_config_string(tl_config_section(desk->config, "desk"), "name"),
		.mail_from = tl_config_string(tl_config_section(desk->config, "mail"), "from"),
		.domains = tl_config_list(tl_config_section(desk->config, "lmtp"), "domains"), .quiet = tl_config_string(s, "quiet"),
		.zone = tl_config_string(s, "zone"), .block = tl_config_list(s, "block"), .cover = tl_config_string(s, "cover"),
		.body = strcmp(body, "auto") ? body : NULL, .standard = !tl_config_choice(s, "resolution"), .letter = tl_config_choice(s, "paper"),
		.tries = tl_config_int(s, "tries"), .no_line_h = tl_config_int(s, "no_line_h"), .retry_busy_s = tl_config_int(s, "retry_busy_s"),
		.retry_no_answer_s = tl_config_int(s, "retry_no_answer_s"), .retry_trouble_s = tl_config_int(s, "retry_trouble_s"),
		.convert_retry_s = tl_config_int(s, "convert_retry_s"), .convert_give_up_s = tl_config_int(s, "convert_give_up_s"),
		.keep_days = tl_config_int(tl_config_section(desk->config, "blobs"), "keep_fax_days"),
		.boxes = (void *)boxes->data, .n_boxes = boxes->len, .senders = (void *)senders->data, .n_senders = senders->len,
		.lines = (void *)lines->data, .n_lines = lines->len, .store = desk->store, .blobs = desk->blobs, .papers = desk->papers,
		.post = desk->post, .archive = desk->archive, .contacts = desk->contacts,
	};
	if (desk->faxes)
		tl_faxes_configure(desk->faxes, &config);
	else
		desk->faxes = tl_faxes_new(&config, handler->on_fax, user);
}

/* The archive is there before the faxes that it tells. */
static void on_item(struct tl_transaction *transaction, const struct tl_spool_item *item, void *user)
{
	tl_faxes_item(transaction, item, ((struct fax_desk *)user)->faxes);
}

static void on_stored(const struct tl_spool_item *item, void *user)
{
	tl_faxes_stored(item, ((struct fax_desk *)user)->faxes);
}

static gboolean open_door(struct fax_desk *desk, GError **error)
{
	static const struct tl_post_door_handler handler = { tl_faxes_recipient, tl_faxes_mail };
	const struct tl_config_section *s = tl_config_section(desk->config, "lmtp");
	struct tl_post_door_config config = { .path = tl_config_string(s, "socket"), .group = tl_config_string(s, "group"),
					      .name = g_get_host_name(), .message_max_octets = tl_config_int(s, "max_mib") << 20, .blobs = desk->blobs };
	g_autoptr(GError) cause = NULL;
	if (!config.path)
		return TRUE;
	desk->door = tl_post_door_new(&config, &handler, desk->faxes, &cause);
	return desk->door || tl_config_refuse(s, "socket", error, "%s", cause->message);
}

static void remember_nodes(struct fax_desk *desk)
{
	const struct tl_config_section *s = NULL;
	desk->addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	desk->tokens = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	while ((s = tl_config_next(desk->config, "node", s))) {
		g_hash_table_insert(desk->addresses, g_strdup(tl_config_name(s)), g_strdup(tl_config_string(s, "address")));
		g_hash_table_insert(desk->tokens, g_strdup(tl_config_name(s)), g_strdup(tl_config_string(s, "token")));
	}
}

struct fax_desk *fax_desk_start(struct settings *settings, struct tl_store *store, struct tl_contacts *contacts,
				const struct fax_desk_handler *handler, void *user, GError **error)
{
	static const struct tl_archive_handler archive_handler = { on_item, on_stored };
	struct fax_desk *desk = g_new0(struct fax_desk, 1);
	const struct tl_config_section *blobs = tl_config_section(settings->config, "blobs");
	const char *state_dir = tl_config_string(tl_config_section(settings->config, "desk"), "state_dir");
	g_autofree char *dir = tl_config_string(blobs, "dir") ? g_strdup(tl_config_string(blobs, "dir")) : g_build_filename(state_dir, "blobs", NULL);
	desk->config = settings->config;
	desk->store = store;
	desk->contacts = contacts;
	remember_nodes(desk);
	desk->blobs = tl_blobs_new(dir, ORPHAN_GRACE_S);
	start_papers(desk, state_dir);
	configure_post(desk, handler, user);
	desk->archive = tl_archive_new(store, desk->blobs, tl_config_int(blobs, "keep_fax_days"), tl_config_int(blobs, "keep_recording_days"),
				       &archive_handler, desk);
	configure_faxes(desk, handler, user);
	desk->sweep = tl_timer_new("sweep", on_sweep, desk);
	tl_timer_start(desk->sweep, SWEEP_MS);
	bool open = open_door(desk, error);
	desk->config = NULL;
	if (open)
		return desk;
	fax_desk_stop(desk);
	fax_desk_free(desk);
	return NULL;
}

void fax_desk_reload(struct fax_desk *desk, struct settings *settings)
{
	desk->config = settings->config;
	configure_post(desk, NULL, NULL);
	configure_faxes(desk, NULL, NULL);
	desk->config = NULL;
}

void fax_desk_stop(struct fax_desk *desk)
{
	if (!desk)
		return;
	fax_desk_reign(desk, 0);
	tl_timer_stop(desk->sweep);
	tl_faxes_stop(desk->faxes);
	tl_post_door_stop(desk->door);
	tl_papers_free(g_steal_pointer(&desk->papers));
	tl_archive_free(g_steal_pointer(&desk->archive));
	tl_post_free(g_steal_pointer(&desk->post));
}

void fax_desk_free(struct fax_desk *desk)
{
	if (!desk)
		return;
	tl_post_door_free(desk->door);
	tl_faxes_free(desk->faxes);
	tl_blobs_free(desk->blobs);
	tl_timer_free(desk->sweep);
	g_hash_table_unref(desk->addresses);
	g_hash_table_unref(desk->tokens);
	g_free(desk);
}

void fax_desk_reign(struct fax_desk *desk, int64_t epoch)
{
	desk->epoch = epoch;
	if (epoch) {
		tl_faxes_begin(desk->faxes, epoch);
		tl_post_begin(desk->post, epoch);
	} else {
		tl_faxes_end(desk->faxes);
		if (desk->post)
			tl_post_end(desk->post);
	}
}

void fax_desk_link(struct fax_desk *desk, const char *node, struct tl_control_client *client)
{
	const char *address = g_hash_table_lookup(desk->addresses, node);
	if (desk->archive && address)
		tl_archive_attach(desk->archive, node, address, g_hash_table_lookup(desk->tokens, node), desk->epoch, client);
}

void fax_desk_unlink(struct fax_desk *desk, const char *node)
{
	if (desk->archive)
		tl_archive_detach(desk->archive, node);
}

void fax_desk_spool(struct fax_desk *desk, const char *node, JsonObject *params)
{
	if (desk->archive)
		tl_archive_changed(desk->archive, node, params);
}

struct tl_faxes *fax_desk_faxes(struct fax_desk *desk)
{
	return desk->faxes;
}

struct tl_blobs *fax_desk_blobs(struct fax_desk *desk)
{
	return desk->blobs;
}
