/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Out: when a fax is tried, over which line, and what follows from how it ended. */
#include "faxjob/inside.h"

#include <string.h>

#define TL_ROOM "fax"
#include "base/log.h"

#define LOOK_MAX_MS 60000
#define LAST_WORDS_MS 5000 /* of a machine whose call has ended */
#define CAUSE_NORMAL 16
#define CAUSE_CONGESTION 42
#define NO_LINE_MAX_S 900
#define NO_FAX_TRIES 2 /* a voice answers: it is not rung up again and again */

/* ---- quiet hours (pure) ---- */

bool tl_fax_quiet(const char *quiet, unsigned minute, unsigned *left_min)
{
	unsigned h1, m1, h2, m2;
	if (!quiet || sscanf(quiet, "%u:%u-%u:%u", &h1, &m1, &h2, &m2) != 4)
		return false;
	unsigned from = (h1 * 60 + m1) % 1440, to = (h2 * 60 + m2) % 1440;
	bool holds = from <= to ? minute >= from && minute < to : minute >= from || minute < to;
	if (holds && left_min)
		*left_min = (to + 1440 - minute) % 1440;
	return holds;
}

static bool is_quiet(struct tl_faxes *faxes, unsigned *left_min)
{
	g_autoptr(GTimeZone) zone = faxes->zone ? g_time_zone_new_identifier(faxes->zone) : g_time_zone_new_local();
	g_autoptr(GDateTime) now = zone ? g_date_time_new_now(zone) : g_date_time_new_now_local();
	return tl_fax_quiet(faxes->quiet, g_date_time_get_hour(now) * 60 + g_date_time_get_minute(now), left_min);
}

/* ---- numbers and lines ---- */

static bool begins_with_one(char *const *prefixes, const char *number)
{
	for (; *prefixes; prefixes++)
		if (g_str_has_prefix(number, *prefixes))
			return true;
	return false;
}

bool outgoing_is_blocked(const struct tl_faxes *faxes, const char *number)
{
	return begins_with_one(faxes->block, number);
}

static struct line *line_for(struct tl_faxes *faxes, const char *number, bool *any)
{
	struct line *free_one = NULL;
	for (unsigned i = 0; i < faxes->lines->len; i++) {
		struct line *line = faxes->lines->pdata[i];
		if (line->prefixes[0] && !begins_with_one(line->prefixes, number))
			continue;
		*any = true;
		if (line->busy < line->lines && !free_one)
			free_one = line;
	}
	return free_one;
}

static void give_line_back(struct fax *fax)
{
	if (fax->line) {
		fax->line->busy--;
		line_unref(g_steal_pointer(&fax->line));
	}
}

static void take_line(struct fax *fax, struct line *line)
{
	line->busy++;
	fax->line = g_rc_box_acquire(line);
}

/* ---- the end of a fax, told with it ---- */

void outgoing_finish(struct fax *fax, enum fax_event event, const char *why)
{
	struct tl_faxes *faxes = fax->faxes;
	give_line_back(fax);
	if (!fax_fire(fax, event, NULL))
		return;
	g_autofree char *own = g_strdup(why);
	g_free(fax->why);
	fax->why = g_steal_pointer(&own);
	struct tl_transaction *t = tl_transaction_new("fax result");
	tl_transaction_guard(t, faxes->epoch);
	fax->ended_utc_us = tl_clock_utc_us();
	fax->next_utc_us = 0;
	fax_save(fax, t);
	letters_result(fax, t);
	tl_store_submit(faxes->config.store, t, NULL, NULL);
	tl_post_look(faxes->config.post); /* transactions run in their order: the letter is there */
	tl_notice("%s to %s: %s%s%s, %u of %u pages", fax->id, fax->called, fax_state_name(fax), fax->why ? ": " : "", fax->why ? fax->why : "",
		  fax->pages_done, fax->pages);
	fax_tell(fax);
	g_hash_table_remove(faxes->open, fax->id);
	outgoing_look(faxes);
}

/* ---- what follows from how a try ended ---- */

struct verdict {
	bool again;
	unsigned after_s;
	const char *why;
	bool no_try; /* there was no line for it: nobody was disturbed, nothing is to be paid */
};

static struct verdict no_line(const struct fax *fax)
{
	unsigned first_s = fax->faxes->config.retry_trouble_s, after_s = first_s << MIN(fax->without_line, 10);
	return (struct verdict){ true, MAX(first_s, MIN(after_s, NO_LINE_MAX_S)), "no line was free", true };
}

/* Q.850: what the network said when no fax machine spoke. */
static struct verdict of_cause(const struct fax *fax, unsigned cause)
{
	const struct tl_faxes *faxes = fax->faxes;
	switch (cause) {
	case 34:
	case CAUSE_CONGESTION:
	case 44:
	case 47:
		return no_line(fax);
	case 17:
		return (struct verdict){ true, faxes->config.retry_busy_s, "busy" };
	case 18:
	case 19:
	case 20:
	case 102:
		return (struct verdict){ true, faxes->config.retry_no_answer_s, "no answer" };
	case 1:
	case 2:
	case 3:
	case 22:
	case 28:
		return (struct verdict){ false, 0, "there is no such number" };
	case 21:
	case 57:
		return (struct verdict){ false, 0, "the call was rejected" };
	default:
		return (struct verdict){ true, faxes->config.retry_trouble_s, "the call did not come about" };
	}
}

static struct verdict of_trouble(const struct fax *fax)
{
	const struct tl_faxes *faxes = fax->faxes;
	const char *trouble = fax->trouble;
	if (!strcmp(trouble, "no-fax"))
		return (struct verdict){ fax->tried < NO_FAX_TRIES, faxes->config.retry_no_answer_s, NULL };
	if (!strcmp(trouble, "incompatible") || !strcmp(trouble, "refused") || !strcmp(trouble, "document"))
		return (struct verdict){ false, 0, NULL };
	return (struct verdict){ true, faxes->config.retry_trouble_s, NULL };
}

static void store_try_end(struct fax *fax, const char *result)
{
	struct tl_transaction *t = tl_transaction_new("try over");
	tl_transaction_add(t, "UPDATE fax_try SET ended_utc_us = now_us(), result = $1, "
			      "pages = (SELECT count(*) FROM fax_page p WHERE p.fax = fax_try.fax AND p.number = fax_try.number) "
			      "WHERE fax = $2 AND number = $3 AND ended_utc_us IS NULL",
			   TL_VALUES(tl_text(result), tl_text(fax->id), tl_int(fax->tries)));
	tl_store_submit(fax->faxes->config.store, t, NULL, NULL);
}

static bool is_sent(const struct fax *fax)
{
	return fax->pages && fax->pages_done >= fax->pages;
}

/* Whether it is tried again, as far as tries and patience go. */
static bool count_try(struct fax *fax, const struct verdict *verdict)
{
	if (!verdict->no_try) {
		fax->without_line = 0;
		fax->without_line_utc_us = 0;
		return fax->tried < fax->faxes->config.tries;
	}
	fax->tried -= fax->tried > 0;
	fax->without_line++;
	if (!fax->without_line_utc_us)
		fax->without_line_utc_us = tl_clock_utc_us();
	return tl_clock_utc_us() - fax->without_line_utc_us < fax->faxes->config.no_line_h * G_TIME_SPAN_HOUR;
}

static void decide(struct fax *fax, struct verdict verdict, const char *why)
{
	bool patient = count_try(fax, &verdict);
	tl_timer_stop(fax->again);
	give_line_back(fax);
	store_try_end(fax, why);
	if (is_sent(fax)) { /* whatever went wrong with the farewell */
		outgoing_finish(fax, FAX_DONE, NULL);
	} else if (fax->cancelled) {
		outgoing_finish(fax, FAX_CANCEL, "cancelled");
	} else if (verdict.again && patient) {
		fax_fire(fax, FAX_AGAIN, NULL);
		tl_info("%s to %s: %s; again in %u s from page %u", fax->id, fax->called, why, verdict.after_s, fax->pages_done + 1);
		fax_settle(fax, why, tl_clock_utc_us() + (int64_t)verdict.after_s * G_USEC_PER_SEC);
		outgoing_look(fax->faxes);
	} else {
		outgoing_finish(fax, FAX_GIVE_UP, why);
	}
}

void outgoing_over(struct fax *fax, unsigned cause)
{
	fax->cause = cause;
	if (fax->fsm.state == FAX_SENDING && !is_sent(fax))
		tl_timer_start(fax->again, LAST_WORDS_MS);
	else
		outgoing_try_over(fax, cause);
}

void outgoing_try_over(struct fax *fax, unsigned cause)
{
	struct verdict verdict = of_cause(fax, cause);
	bool spoke = fax->fsm.state == FAX_SENDING;
	g_autofree char *why = is_sent(fax) ? g_strdup("the call ended") :
			       spoke ? g_strdup_printf("the call ended in the middle, cause %u", cause) :
				       g_strdup_printf("%s, cause %u", verdict.why, cause);
	if (spoke)
		verdict = (struct verdict){ true, fax->faxes->config.retry_trouble_s, NULL, false };
	decide(fax, verdict, why);
}

/* Heard as an event and as a fact, the first time counts. */
static void on_page(struct fax *fax, JsonObject *params)
{
	unsigned page = json_object_get_int_member(params, "page");
	if (page <= fax->pages_done)
		return;
	fax->pages_done = page;
	struct tl_transaction *t = tl_transaction_new("page confirmed");
	tl_transaction_guard(t, fax->faxes->epoch);
	tl_transaction_add(t, "INSERT INTO fax_page (fax, page, number, at_utc_us) VALUES ($1, $2, $3, now_us()) ON CONFLICT DO NOTHING",
			   TL_VALUES(tl_text(fax->id), tl_int(page), tl_int(fax->tries)));
	fax_save(fax, t);
	tl_store_submit(fax->faxes->config.store, t, NULL, NULL);
	fax_tell(fax);
}

static void on_ended(struct fax *fax, JsonObject *params)
{
	const char *result = json_object_get_string_member(params, "result"), *trouble = json_object_get_string_member(params, "trouble");
	const char *ident = json_object_get_string_member_with_default(params, "remote_ident", "");
	if (*ident) {
		g_free(fax->remote_ident);
		fax->remote_ident = g_utf8_make_valid(ident, -1);
	}
	g_free(fax->trouble);
	fax->trouble = g_strdup(trouble);
	/* Only what was confirmed counts, whatever the machines say of each other. */
	if (!strcmp(trouble, "none") && !is_sent(fax))
		result = "not all pages were confirmed";
	decide(fax, of_trouble(fax), result);
}

void outgoing_event(struct fax *fax, const char *event, JsonObject *params)
{
	if (fax->fsm.state == FAX_CALLING) /* by the desk before us, which could not say so any more */
		fax_fire(fax, FAX_ANSWERED, NULL);
	if (fax->fsm.state != FAX_SENDING)
		return;
	if (!strcmp(event, "fax.page"))
		on_page(fax, params);
	else if (!strcmp(event, "fax.ended"))
		on_ended(fax, params);
}

void outgoing_answered(struct fax *fax, struct tl_contact *contact)
{
	const struct box *box = fax_box(fax->faxes, fax->box);
	if (is_sent(fax)) { /* the desk before us saw it, and not its end */
		tl_contact_release(contact, CAUSE_NORMAL);
		return;
	}
	g_autoptr(JsonObject) options = fax_options(box ? box : fax_box(fax->faxes, NULL), true);
	/* The id says which try it is: after a take-over the same command is asked for again. */
	struct tl_contact_fax send = { .fax = fax->contact, .options = options, .document = fax->document, .first_page = fax->pages_done + 1 };
	if (fax->fsm.state == FAX_CALLING) {
		fax_fire(fax, FAX_ANSWERED, NULL);
		fax_settle(fax, NULL, 0);
	}
	tl_contact_fax(contact, &send);
}

/* ---- a try ---- */

static unsigned cause_of(const GError *error)
{
	return g_error_matches(error, TL_CONTROL_ERROR, TL_CONTROL_OVERLOAD) ? CAUSE_CONGESTION : tl_control_error_cause(error);
}

static void on_placed(struct tl_contact *contact, const GError *error, void *user)
{
	struct fax *fax = step_end(user);
	if (fax && error && fax->fsm.state == FAX_CALLING)
		decide(fax, of_cause(fax, cause_of(error)), error->message);
	else if (fax && fax->cancelled && contact)
		tl_contact_release(contact, CAUSE_NORMAL);
}

static void on_put(const GError *error, void *user)
{
	struct step *step = user;
	struct fax *fax = step_fax(step);
	if (!fax || error || fax->cancelled || fax->fsm.state != FAX_CALLING) {
		g_autofree char *why = g_strdup(error ? error->message : "cancelled");
		step_end(step);
		if (fax && fax->fsm.state == FAX_CALLING)
			decide(fax, no_line(fax), why);
		return;
	}
	const struct box *box = fax_box(fax->faxes, fax->box);
	struct tl_contact_place place = { .id = fax->contact, .to = fax->line->to, .called = fax->called, .fax = fax->contact,
					  .calling = box ? box->number : NULL, .node = step->name };
	tl_contacts_place(fax->faxes->config.contacts, &place, on_placed, step);
}

static void on_try_stored(const struct tl_result *result, const GError *error, void *user)
{
	struct step *step = user;
	struct fax *fax = step_fax(step);
	const char *node = fax ? tl_contacts_any_node(fax->faxes->config.contacts) : NULL;
	(void)result;
	if (fax && !error && node) {
		step->name = g_strdup(node);
		tl_archive_put(fax->faxes->config.archive, node, fax->document, on_put, step);
		return;
	}
	step_end(step);
	if (fax)
		decide(fax, no_line(fax), error ? error->message : "no node is connected");
}

void tl_faxes_storing(struct tl_transaction *transaction, JsonObject *fact, void *faxes)
{
	(void)faxes;
	if (strcmp(json_object_get_string_member(fact, "fact"), "fax-page"))
		return;
	const char *id = json_object_get_string_member(fact, "fax"), *number = strrchr(id, '-'); /* as call() makes it */
	if (!number)
		return;
	g_autofree char *fax = g_strndup(id, number - id);
	tl_transaction_add(transaction, "INSERT INTO fax_page (fax, page, number, at_utc_us) SELECT fax, $3, number, $4 FROM fax_try "
					"WHERE fax = $1 AND number = $2 ON CONFLICT DO NOTHING",
			   TL_VALUES(tl_text(fax), tl_int(g_ascii_strtoll(number + 1, NULL, 10)),
				     tl_int(json_object_get_int_member(fact, "page")), tl_int(json_object_get_int_member(fact, "utc_us"))));
}

static void call(struct fax *fax, struct line *line)
{
	struct tl_faxes *faxes = fax->faxes;
	take_line(fax, line);
	fax->tries++;
	fax->tried++;
	g_free(fax->contact);
	fax->contact = g_strdup_printf("%s-%u", fax->id, fax->tries);
	g_clear_pointer(&fax->trouble, g_free);
	fax->bit_rate = 0;
	fax->next_utc_us = 0;
	fax_fire(fax, FAX_CALL, NULL);
	struct tl_transaction *t = tl_transaction_new("fax try");
	tl_transaction_guard(t, faxes->epoch);
	fax_save(fax, t);
	tl_transaction_add(t, "INSERT INTO fax_try (fax, number, contact, first_page, started_utc_us) VALUES ($1, $2, $3, $4, now_us()) "
			      "ON CONFLICT (fax, number) DO NOTHING",
			   TL_VALUES(tl_text(fax->id), tl_int(fax->tries), tl_text(fax->contact), tl_int(fax->pages_done + 1)));
	tl_store_submit(faxes->config.store, t, on_try_stored, step_new(fax));
	fax_tell(fax);
}

static gint by_priority(gconstpointer a, gconstpointer b)
{
	const struct fax *one = *(struct fax *const *)a, *other = *(struct fax *const *)b;
	if (one->priority != other->priority)
		return one->priority < other->priority ? -1 : 1;
	return one->created_utc_us < other->created_utc_us ? -1 : one->created_utc_us > other->created_utc_us;
}

/* Those that may be tried now, the most urgent first; *@wait_ms: until the next one may. */
static GPtrArray *due_faxes(struct tl_faxes *faxes, unsigned *wait_ms)
{
	GPtrArray *due = g_ptr_array_new();
	int64_t now = tl_clock_utc_us();
	GHashTableIter iter;
	struct fax *fax;
	g_hash_table_iter_init(&iter, faxes->open);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&fax)) {
		if (fax->fsm.state != FAX_WAITING || fax->cancelled)
			continue;
		if (fax->next_utc_us <= now)
			g_ptr_array_add(due, fax);
		else
			*wait_ms = MIN(*wait_ms, (fax->next_utc_us - now) / 1000 + 1);
	}
	g_ptr_array_sort(due, by_priority);
	return due;
}

void outgoing_look(struct tl_faxes *faxes)
{
	unsigned wait_ms = LOOK_MAX_MS, left_min = 0;
	if (!faxes->epoch || !tl_contacts_any_node(faxes->config.contacts)) {
		tl_timer_start(faxes->due, faxes->epoch ? 500 : LOOK_MAX_MS);
		return;
	}
	bool quiet = is_quiet(faxes, &left_min);
	g_autoptr(GPtrArray) due = due_faxes(faxes, &wait_ms);
	for (unsigned i = 0; i < due->len; i++) {
		struct fax *fax = due->pdata[i];
		bool any = false;
		struct line *line = line_for(faxes, fax->called, &any);
		if (!any)
			outgoing_finish(fax, FAX_GIVE_UP, "no line is configured for this number");
		else if (line && (!quiet || fax->priority == 1))
			call(fax, line);
		if (!any)
			return; /* it has looked again itself */
	}
	tl_timer_start(faxes->due, wait_ms);
}

void outgoing_cancel(struct fax *fax)
{
	if (fax->fsm.state != FAX_CALLING && fax->fsm.state != FAX_SENDING) {
		outgoing_finish(fax, FAX_CANCEL, "cancelled");
		return;
	}
	fax_tell(fax);
	struct tl_contact *contact = tl_contacts_find(fax->faxes->config.contacts, fax->contact);
	if (contact && tl_contact_reachable(contact))
		tl_contact_release(contact, CAUSE_NORMAL); /* its end ends the try */
}

/* The desk before this one died in the middle: what the store knows of the call decides. */
void outgoing_resume(struct fax *fax, bool has_contact, bool ended, unsigned cause)
{
	struct tl_faxes *faxes = fax->faxes;
	if (fax->fsm.state != FAX_CALLING && fax->fsm.state != FAX_SENDING)
		return;
	bool any = false;
	struct line *line = line_for(faxes, fax->called, &any);
	if (line)
		take_line(fax, line);
	if (!has_contact && fax->cancelled) {
		outgoing_finish(fax, FAX_CANCEL, "cancelled");
	} else if (!has_contact) { /* nobody was called yet */
		give_line_back(fax);
		fax->tries -= fax->tries > 0;
		fax->tried -= fax->tried > 0;
		fax_fire(fax, FAX_AGAIN, NULL);
		fax_settle(fax, NULL, tl_clock_utc_us());
	} else if (ended) {
		outgoing_over(fax, cause); /* its machine's end may be in the journal */
	}
}
