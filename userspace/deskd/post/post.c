/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The queue of letters: rows that are due are sent, a few at a time; what came of it is their next row. */
#include "post/post.h"

#include <curl/curl.h>
#include <gmime/gmime.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "post/bounce.h"
#include "post/letter.h"

#define TL_ROOM "post"
#include "base/log.h"

#define AT_ONCE 4
#define LOOK_MAX_MS 60000

struct tl_post {
	struct tl_post_config config;
	struct letter_account *account;
	tl_post_changed on_changed;
	void *user;
	int64_t epoch;
	GHashTable *sending; /* id -> struct letter */
	struct tl_timer *due;
	unsigned looking;    /* reads under way */
	bool again;
};

struct outcome {
	struct tl_post *post;
	struct letter *letter;
};

/* ---- adding ---- */

void tl_post_add(struct tl_transaction *transaction, const struct tl_letter *letter)
{
	static const char *const kinds[] = { "mail", "directory", "webhook" };
	g_autoptr(JsonObject) content = json_object_new();
	JsonArray *attachments = json_array_new();
	for (unsigned i = 0; i < letter->n_attachments; i++) {
		JsonObject *attachment = json_object_new();
		json_object_set_string_member(attachment, "sha256", letter->attachments[i].sha256);
		json_object_set_string_member(attachment, "name", letter->attachments[i].name);
		json_object_set_string_member(attachment, "type", letter->attachments[i].type);
		json_array_add_object_element(attachments, attachment);
	}
	json_object_set_string_member(content, "from", letter->from ? letter->from : "");
	json_object_set_string_member(content, "subject", letter->subject ? letter->subject : "");
	json_object_set_string_member(content, "text", letter->text ? letter->text : "");
	json_object_set_array_member(content, "attachments", attachments);
	json_object_set_object_member(content, "facts", letter->facts ? json_object_ref(letter->facts) : json_object_new());
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), content);
	g_autofree char *text = json_to_string(node, FALSE);
	g_autofree char *id = g_strdup_printf("%s-%s", letter->about, letter->number);
	g_autofree char *bounce = letter->kind == TL_DELIVERY_MAIL ? bounce_token_new() : NULL;
	tl_transaction_add(transaction,
			   "INSERT INTO delivery (id, kind, about, target, letter, state, next_utc_us, created_utc_us, bounce) "
			   "VALUES ($1, $2, $3, $4, $5, 'waiting', now_us(), now_us(), $6) ON CONFLICT (id) DO NOTHING",
			   TL_VALUES(tl_text(id), tl_text(kinds[letter->kind]), tl_text(letter->about), tl_text(letter->target), tl_text(text),
				     tl_text(bounce)));
}

/* ---- one letter ---- */

static void letter_free(struct letter *letter)
{
	g_free(letter->id);
	g_free(letter->kind);
	g_free(letter->about);
	g_free(letter->target);
	g_free(letter->bounce);
	g_free(letter->why);
	g_clear_pointer(&letter->content, json_object_unref);
	g_clear_pointer(&letter->account, letter_account_unref);
	g_free(letter);
}

static int64_t next_try(const struct tl_post *post, const struct letter *letter)
{
	uint64_t wait_s = post->config.retry_first_s;
	for (unsigned i = 0; i < letter->tries && wait_s < post->config.retry_max_s; i++)
		wait_s *= 2;
	return tl_clock_utc_us() + (int64_t)MIN(wait_s, post->config.retry_max_s) * G_USEC_PER_SEC;
}

static const char *state_of(const struct tl_post *post, const struct letter *letter)
{
	if (letter->outcome == LETTER_TAKEN)
		return "done";
	bool old = tl_clock_utc_us() - letter->created_utc_us > (int64_t)post->config.give_up_s * G_USEC_PER_SEC;
	return letter->outcome == LETTER_REFUSED || old ? "failed" : "waiting";
}

static void on_settled(const struct tl_result *result, const GError *error, void *user)
{
	struct outcome *outcome = user;
	struct tl_post *post = outcome->post;
	struct letter *letter = outcome->letter;
	(void)result;
	if (error) {
		tl_warning("%s: %s", letter->id, error->message);
	} else {
		struct tl_delivery_info info = { .id = letter->id, .kind = letter->kind, .about = letter->about, .target = letter->target,
						 .state = state_of(post, letter), .why = letter->why, .tries = letter->tries + 1 };
		tl_log(letter->outcome == LETTER_TAKEN ? TL_LOG_INFO : TL_LOG_NOTICE, TL_ROOM, "%s to %s: %s%s%s", letter->id, letter->target,
		       info.state, letter->why ? ": " : "", letter->why ? letter->why : "");
		bounce_tell(post, &info);
	}
	g_hash_table_remove(post->sending, letter->id);
	letter_free(letter);
	g_free(outcome);
	tl_post_look(post);
}

static void settle(struct tl_post *post, struct letter *letter)
{
	const char *state = state_of(post, letter);
	bool waits = !strcmp(state, "waiting");
	struct outcome *outcome = g_new(struct outcome, 1);
	*outcome = (struct outcome){ post, letter };
	struct tl_transaction *t = tl_transaction_new("delivery");
	tl_transaction_add(t, "UPDATE delivery SET state = $1, tries = tries + 1, next_utc_us = $2, why = $3, ended_utc_us = $4 "
			      "WHERE id = $5 AND state = 'waiting'", /* else it has bounced already */
			   TL_VALUES(tl_text(state), tl_time(waits ? next_try(post, letter) : 0), tl_text(letter->why),
				     tl_time(waits ? 0 : tl_clock_utc_us()), tl_text(letter->id)));
	tl_store_submit(post->config.store, t, on_settled, outcome);
}

/* Worker. */
static void send_work(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct letter *letter = data;
	(void)source, (void)cancellable;
	if (!strcmp(letter->kind, "mail"))
		letter_mail(letter);
	else if (!strcmp(letter->kind, "directory"))
		letter_file(letter);
	else
		letter_post(letter);
	g_task_return_boolean(task, TRUE);
}

static void on_sent(GObject *source, GAsyncResult *result, gpointer user)
{
	(void)source;
	settle(user, g_task_get_task_data(G_TASK(result)));
}

static void send_letter(struct tl_post *post, struct letter *letter)
{
	letter->account = g_atomic_rc_box_acquire(post->account);
	letter->blobs = post->config.blobs;
	g_hash_table_insert(post->sending, letter->id, letter);
	g_autoptr(GTask) task = g_task_new(NULL, NULL, on_sent, post);
	g_task_set_task_data(task, letter, NULL);
	g_task_run_in_thread(task, send_work);
}

/* ---- the queue ---- */

static struct letter *letter_of(const struct tl_result *result, unsigned row)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	struct letter *letter = g_new0(struct letter, 1);
	letter->id = g_strdup(tl_result_text(result, 0, row, 0));
	letter->kind = g_strdup(tl_result_text(result, 0, row, 1));
	letter->about = g_strdup(tl_result_text(result, 0, row, 2));
	letter->target = g_strdup(tl_result_text(result, 0, row, 3));
	if (json_parser_load_from_data(parser, tl_result_text(result, 0, row, 4), -1, NULL))
		letter->content = json_object_ref(json_node_get_object(json_parser_get_root(parser)));
	letter->tries = tl_result_int(result, 0, row, 5);
	letter->created_utc_us = tl_result_int(result, 0, row, 6);
	letter->bounce = g_strdup(tl_result_text(result, 0, row, 7));
	return letter;
}

static void on_due(void *user)
{
	tl_post_look(user);
}

static void on_rows(const struct tl_result *result, const GError *error, void *user)
{
	struct tl_post *post = user;
	post->looking--;
	if (!post->epoch)
		return;
	unsigned wait_ms = LOOK_MAX_MS;
	if (error)
		tl_warning("%s", error->message);
	for (unsigned row = 0; result && row < tl_result_rows(result, 0); row++) {
		if (g_hash_table_size(post->sending) >= AT_ONCE)
			break;
		if (!g_hash_table_contains(post->sending, tl_result_text(result, 0, row, 0)))
			send_letter(post, letter_of(result, row));
	}
	int64_t next = result && tl_result_rows(result, 1) ? tl_result_int(result, 1, 0, 0) : 0;
	if (next)
		wait_ms = CLAMP((next - tl_clock_utc_us()) / 1000 + 1, 1, LOOK_MAX_MS);
	tl_timer_start(post->due, wait_ms);
	if (post->again)
		tl_post_look(post);
}

void tl_post_look(struct tl_post *post)
{
	tl_assert_main();
	post->again = post->looking;
	if (!post->epoch || post->looking)
		return;
	post->looking++;
	struct tl_transaction *t = tl_transaction_new("letters due");
	tl_transaction_add(t, "SELECT id, kind, about, target, letter, tries, created_utc_us, bounce FROM delivery "
			      "WHERE state = 'waiting' AND next_utc_us <= now_us() ORDER BY next_utc_us LIMIT $1",
			   TL_VALUES(tl_int(2 * AT_ONCE)));
	tl_transaction_add(t, "SELECT min(next_utc_us) FROM delivery WHERE state = 'waiting' AND next_utc_us > now_us()", TL_VALUES());
	tl_store_submit(post->config.store, t, on_rows, post);
}

struct tl_store *bounce_store(struct tl_post *post)
{
	return post->config.store;
}

void bounce_tell(struct tl_post *post, const struct tl_delivery_info *delivery)
{
	if (post->on_changed && post->epoch)
		post->on_changed(delivery, post->user);
}

void tl_post_configure(struct tl_post *post, const struct tl_post_config *config)
{
	tl_assert_main();
	g_clear_pointer(&post->account, letter_account_unref);
	post->account = letter_account_new(config);
	post->config = *config; /* of its pointers only the rooms are used */
}

struct tl_post *tl_post_new(const struct tl_post_config *config, tl_post_changed on_changed, void *user)
{
	tl_assert_main();
	struct tl_post *post = g_new0(struct tl_post, 1);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	g_mime_init();
	tl_post_configure(post, config);
	post->on_changed = on_changed;
	post->user = user;
	post->sending = g_hash_table_new(g_str_hash, g_str_equal);
	post->due = tl_timer_new("post", on_due, post);
	return post;
}

void tl_post_begin(struct tl_post *post, int64_t epoch)
{
	post->epoch = epoch;
	tl_post_look(post);
}

void tl_post_end(struct tl_post *post)
{
	post->epoch = 0;
	tl_timer_stop(post->due);
}

void tl_post_free(struct tl_post *post)
{
	if (!post)
		return;
	tl_post_end(post);
	while (g_hash_table_size(post->sending) || post->looking)
		g_main_context_iteration(NULL, TRUE);
	g_hash_table_unref(post->sending);
	tl_timer_free(post->due);
	letter_account_unref(post->account);
	g_free(post);
}
