/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Faxes: their table of states, their rows, and which of them are open. */
#include "faxjob/inside.h"

#include <string.h>

#include "base/thread.h"

#define TL_ROOM "fax"
#include "base/log.h"

G_DEFINE_QUARK(tl-faxjob-error-quark, tl_faxjob_error)

static const char *const states[FAX_STATES] = { "converting", "waiting", "calling", "sending", "receiving", "received", "sent", "failed", "cancelled" };
static const char *const events[FAX_EVENTS] = { "pages-made", "unfit", "call", "answered", "again", "done", "give-up", "cancel", "arrived", "deliver", "offered" };

static const struct tl_fsm_row rows[] = {
	{ FAX_CONVERTING, FAX_OFFERED, FAX_RECEIVING, NULL },
	{ FAX_CONVERTING, FAX_PAGES_MADE, FAX_WAITING, NULL },
	{ FAX_CONVERTING, FAX_UNFIT, FAX_FAILED, NULL },
	{ FAX_CONVERTING, FAX_CANCEL, FAX_CANCELLED, NULL },
	{ FAX_CONVERTING, FAX_DELIVER, FAX_RECEIVED, NULL },
	{ FAX_CONVERTING, FAX_ARRIVED, FAX_CONVERTING, NULL },
	{ FAX_WAITING, FAX_CALL, FAX_CALLING, NULL },
	{ FAX_WAITING, FAX_CANCEL, FAX_CANCELLED, NULL },
	{ FAX_WAITING, FAX_GIVE_UP, FAX_FAILED, NULL },
	{ FAX_CALLING, FAX_ANSWERED, FAX_SENDING, NULL },
	{ FAX_CALLING, FAX_AGAIN, FAX_WAITING, NULL },
	{ FAX_CALLING, FAX_GIVE_UP, FAX_FAILED, NULL },
	{ FAX_CALLING, FAX_CANCEL, FAX_CANCELLED, NULL },
	{ FAX_SENDING, FAX_ANSWERED, FAX_SENDING, NULL }, /* once more after a take-over */
	{ FAX_SENDING, FAX_DONE, FAX_SENT, NULL },
	{ FAX_SENDING, FAX_AGAIN, FAX_WAITING, NULL },
	{ FAX_SENDING, FAX_GIVE_UP, FAX_FAILED, NULL },
	{ FAX_SENDING, FAX_CANCEL, FAX_CANCELLED, NULL },
	{ FAX_RECEIVING, FAX_ARRIVED, FAX_CONVERTING, NULL },
	{ FAX_RECEIVING, FAX_UNFIT, FAX_FAILED, NULL }, /* not one page came */
};

const struct tl_fsm_machine tl_faxjob_machine = {
	.name = "fax-job", .states = states, .n_states = FAX_STATES, .events = events, .n_events = FAX_EVENTS,
	.rows = rows, .n_rows = G_N_ELEMENTS(rows), .initial = FAX_CONVERTING,
};

bool fax_fire(struct fax *fax, enum fax_event event, const void *data)
{
	return tl_fsm_fire(&fax->fsm, event, fax, data);
}

const char *fax_state_name(const struct fax *fax)
{
	return states[fax->fsm.state];
}

char *fax_state_fault(const char *name)
{
	g_autoptr(GString) fault = g_string_new("state: expected one of");
	for (unsigned i = 0; i < FAX_STATES; i++) {
		if (!strcmp(states[i], name))
			return NULL;
		g_string_append_printf(fault, "%s %s", i ? "," : "", states[i]);
	}
	return g_strdup(fault->str);
}

char *fax_new_id(struct tl_faxes *faxes)
{
	return g_strdup_printf("f%" G_GINT64_MODIFIER "x%02x%04x", tl_clock_utc_us(), faxes->number++ & 255, g_random_int() & 0xffff);
}

#define STEP_AGAIN_MAX_S 900

bool fax_try_step_again(struct fax *fax, const char *why)
{
	const struct tl_faxes_config *config = &fax->faxes->config;
	int64_t now = tl_clock_us();
	if (!fax->faults++)
		fax->faulty_since_us = now;
	unsigned after_s = MIN(config->convert_retry_s << MIN(fax->faults - 1, 10), STEP_AGAIN_MAX_S);
	if (now - fax->faulty_since_us >= (int64_t)config->convert_give_up_s * G_USEC_PER_SEC)
		return false;
	tl_warning("%s: %s; again in %u s", fax->id, why, after_s);
	tl_timer_start(fax->again, after_s * 1000);
	return true;
}

static void on_again(void *user)
{
	struct fax *fax = user;
	if (fax->fsm.state == FAX_SENDING)
		outgoing_try_over(fax, fax->cause);
	else if (fax->fsm.state != FAX_CONVERTING || fax->busy)
		return;
	else if (fax->incoming)
		incoming_deliver(fax);
	else
		outgoing_convert(fax);
}

struct fax *fax_new(struct tl_faxes *faxes, const char *id, bool incoming)
{
	struct fax *fax = g_new0(struct fax, 1);
	fax->faxes = faxes;
	fax->serial = ++faxes->serials;
	fax->id = g_strdup(id);
	fax->incoming = incoming;
	fax->priority = 5;
	fax->called = g_strdup("");
	fax->calling = g_strdup("");
	fax->created_utc_us = tl_clock_utc_us();
	fax->again = tl_timer_new("fax-again", on_again, fax);
	tl_fsm_init(&fax->fsm, &tl_faxjob_machine);
	if (incoming)
		fax_fire(fax, FAX_OFFERED, NULL);
	g_hash_table_replace(faxes->open, fax->id, fax);
	return fax;
}

void fax_free(void *data)
{
	struct fax *fax = data;
	char **texts[] = { &fax->id,	 &fax->box,	&fax->contact,	   &fax->called,   &fax->calling, &fax->remote_ident, &fax->sender,
			   &fax->subject, &fax->source, &fax->source_type, &fax->document, &fax->batch,	  &fax->why,	     &fax->trouble,
			   &fax->picture };
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(*texts[i]);
	if (fax->line) {
		fax->line->busy--;
		line_unref(fax->line);
	}
	g_clear_pointer(&fax->parts, g_ptr_array_unref);
	g_clear_pointer(&fax->replaced, g_ptr_array_unref);
	tl_timer_free(fax->again);
	g_free(fax);
}

/* Pages may be stored while their call's events and end are still on their way here: those do not undo it. */
#define NOT_BACK "NOT (fax.direction = 'in' AND fax.state IN ('converting', 'received') AND excluded.state IN ('receiving', 'failed'))"

void fax_save(struct fax *fax, struct tl_transaction *t)
{
	tl_transaction_add(t,
			   "INSERT INTO fax (" FAX_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, "
			   "$18, $19, $20, $21, $22, $23, $24, $25, $26, $27) ON CONFLICT (id) DO UPDATE SET state = excluded.state, partial = excluded.partial, "
			   "contact = excluded.contact, remote_ident = excluded.remote_ident, subject = excluded.subject, "
			   "document = excluded.document, picture = excluded.picture, pages = excluded.pages, pages_done = excluded.pages_done, tries = excluded.tries, "
			   "priority = excluded.priority, next_utc_us = excluded.next_utc_us, why = excluded.why, ended_utc_us = excluded.ended_utc_us, "
			   "cancelled = excluded.cancelled, tried = excluded.tried, without_line_utc_us = excluded.without_line_utc_us WHERE " NOT_BACK,
			   TL_VALUES(tl_text(fax->id), tl_text(fax->incoming ? "in" : "out"), tl_text(fax_state_name(fax)), tl_int(fax->partial),
				     tl_text(fax->box), tl_text(fax->contact), tl_text(fax->called), tl_text(fax->calling),
				     tl_text(fax->remote_ident), tl_text(fax->sender), tl_text(fax->subject), tl_text(fax->source),
				     tl_text(fax->source_type), tl_text(fax->document), tl_text(fax->picture), tl_int(fax->pages), tl_int(fax->pages_done),
				     tl_text(fax->batch), tl_int(fax->priority), tl_int(fax->tries), tl_time(fax->next_utc_us),
				     tl_text(fax->why), tl_int(fax->created_utc_us), tl_time(fax->ended_utc_us),
				     tl_int(fax->cancelled), tl_int(fax->tried), tl_time(fax->without_line_utc_us)));
}

struct fax *fax_load(struct tl_faxes *faxes, const struct tl_result *result, unsigned statement, unsigned row)
{
	enum { ID, DIRECTION, STATE, PARTIAL, BOX, CONTACT, CALLED, CALLING, REMOTE, SENDER, SUBJECT, SOURCE, TYPE, DOCUMENT, PICTURE, PAGES, DONE, BATCH,
	       PRIORITY, TRIES, NEXT, WHY, CREATED, ENDED, CANCELLED, TRIED, WITHOUT_LINE };
	const char *state = tl_result_text(result, statement, row, STATE);
	struct fax *fax = fax_new(faxes, tl_result_text(result, statement, row, ID),
				  !strcmp(tl_result_text(result, statement, row, DIRECTION), "in"));
	const struct { char **to; unsigned column; } texts[] = {
		{ &fax->box, BOX }, { &fax->contact, CONTACT }, { &fax->called, CALLED }, { &fax->calling, CALLING },
		{ &fax->remote_ident, REMOTE }, { &fax->sender, SENDER }, { &fax->subject, SUBJECT }, { &fax->source, SOURCE },
		{ &fax->source_type, TYPE }, { &fax->document, DOCUMENT }, { &fax->picture, PICTURE }, { &fax->batch, BATCH }, { &fax->why, WHY } };
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_free(*texts[i].to);
		*texts[i].to = g_strdup(tl_result_text(result, statement, row, texts[i].column));
	}
	for (unsigned i = 0; i < FAX_STATES; i++)
		if (!strcmp(states[i], state))
			fax->fsm.state = i;
	fax->partial = tl_result_int(result, statement, row, PARTIAL);
	fax->cancelled = tl_result_int(result, statement, row, CANCELLED);
	fax->pages = tl_result_int(result, statement, row, PAGES);
	fax->pages_done = tl_result_int(result, statement, row, DONE);
	fax->priority = tl_result_int(result, statement, row, PRIORITY);
	fax->tries = tl_result_int(result, statement, row, TRIES);
	fax->tried = tl_result_int(result, statement, row, TRIED);
	fax->without_line_utc_us = tl_result_int(result, statement, row, WITHOUT_LINE);
	fax->next_utc_us = tl_result_int(result, statement, row, NEXT);
	fax->created_utc_us = tl_result_int(result, statement, row, CREATED);
	fax->ended_utc_us = tl_result_int(result, statement, row, ENDED);
	return fax;
}

static void put(JsonObject *object, const char *member, const char *text)
{
	if (text && *text)
		json_object_set_string_member(object, member, text);
}

JsonObject *fax_json(const struct fax *fax)
{
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "fax", fax->id);
	json_object_set_string_member(object, "direction", fax->incoming ? "in" : "out");
	json_object_set_string_member(object, "state", fax_state_name(fax));
	json_object_set_boolean_member(object, "partial", fax->partial);
	json_object_set_string_member(object, "called", fax->called);
	json_object_set_string_member(object, "calling", fax->calling);
	put(object, "box", fax->box);
	put(object, "contact", fax->contact);
	put(object, "remote_ident", fax->remote_ident);
	put(object, "sender", fax->sender);
	put(object, "subject", fax->subject);
	put(object, "batch", fax->batch);
	put(object, "why", fax->cancelled && !fax->ended_utc_us ? "being cancelled" : fax->why);
	/* While it is made its first page's picture is not there yet. */
	json_object_set_boolean_member(object, "has_document", fax->document && fax->fsm.state != FAX_CONVERTING);
	json_object_set_int_member(object, "pages", fax->pages);
	json_object_set_int_member(object, "pages_done", fax->pages_done);
	json_object_set_int_member(object, "priority", fax->priority);
	json_object_set_int_member(object, "tries", fax->tries);
	if (fax->bit_rate)
		json_object_set_int_member(object, "bit_rate", fax->bit_rate);
	if (fax->next_utc_us)
		json_object_set_int_member(object, "next_utc_us", fax->next_utc_us);
	json_object_set_int_member(object, "created_utc_us", fax->created_utc_us);
	if (fax->ended_utc_us)
		json_object_set_int_member(object, "ended_utc_us", fax->ended_utc_us);
	return object;
}

void fax_tell(struct fax *fax)
{
	g_autoptr(JsonObject) object = fax_json(fax);
	fax->faxes->on_changed(object, fax->faxes->user);
}

void fax_settle(struct fax *fax, const char *why, int64_t next_utc_us)
{
	struct tl_faxes *faxes = fax->faxes;
	bool over = fax->fsm.state >= FAX_RECEIVED;
	char *own = g_strdup(why);
	g_free(fax->why);
	fax->why = own;
	fax->next_utc_us = next_utc_us;
	if (over)
		fax->ended_utc_us = tl_clock_utc_us();
	struct tl_transaction *t = tl_transaction_new("fax");
	tl_transaction_guard(t, faxes->epoch);
	fax_save(fax, t);
	tl_store_submit(faxes->config.store, t, NULL, NULL);
	fax_tell(fax);
	if (over)
		g_hash_table_remove(faxes->open, fax->id);
}

struct step *step_new(const struct fax *fax)
{
	struct step *step = g_new0(struct step, 1);
	*step = (struct step){ .faxes = fax->faxes, .id = g_strdup(fax->id), .reign = fax->faxes->reign, .serial = fax->serial };
	return step;
}

struct fax *step_fax(const struct step *step)
{
	struct fax *fax = step->reign == step->faxes->reign ? g_hash_table_lookup(step->faxes->open, step->id) : NULL;
	return fax && (!step->serial || step->serial == fax->serial) ? fax : NULL;
}

struct fax *step_end(struct step *step)
{
	struct fax *fax = step_fax(step);
	g_free(step->id);
	g_free(step->name);
	g_free(step);
	return fax;
}

const struct box *fax_box(struct tl_faxes *faxes, const char *name)
{
	for (unsigned i = 0; i < faxes->boxes->len; i++) {
		const struct box *box = faxes->boxes->pdata[i];
		if (!name || !strcmp(box->name, name))
			return box;
	}
	return NULL;
}

struct fax *fax_of_contact(struct tl_faxes *faxes, const char *contact)
{
	GHashTableIter iter;
	struct fax *fax;
	g_hash_table_iter_init(&iter, faxes->open);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&fax))
		if (!g_strcmp0(fax->contact, contact))
			return fax;
	return NULL;
}
