/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A party's life: its dialog, its port, the order of its steps, its report. */
#include "party.h"

#include <string.h>

#include "fax.h"

#define TL_ROOM "exchange"
#include "base/log.h"

#define LISTEN_EVERY_MS 20
#define RECORD_RING_S 2
#define RECORD_OCTETS_MAX (8000 * 60 * 20)

void party_fail(struct party *party, const char *format, ...)
{
	va_list args;
	if (party->failure)
		return;
	va_start(args, format);
	party->failure = g_strdup_vprintf(format, args);
	va_end(args);
}

char *party_text(const struct party *party, const char *text)
{
	g_autofree char *number = g_strdup_printf("%u", party->number);
	GString *string = g_string_new(text);
	g_string_replace(string, "%n", number, 0);
	return g_string_free(string, FALSE);
}

char *party_file(const struct party *party, const char *name)
{
	g_autofree char *text = party_text(party, name);
	return g_canonicalize_filename(text, party->directory);
}

void party_limit(struct party *party, const struct step *step, unsigned word, double fallback_s)
{
	double s = g_strv_length(step->words) > word ? g_ascii_strtod(step->words[word], NULL) : fallback_s;
	unsigned ms = CLAMP(s, 0, 86400) * 1000;
	uint64_t line_ms = exchange_line_ms(party->exchange);
	party->limit_line_ms = line_ms == UINT64_MAX ? 0 : line_ms + ms;
	tl_timer_start(party->step_timer, ms);
}

/* ---- audio ---- */

static gboolean keep_listening(gpointer user)
{
	struct party *party = user;
	uint8_t block[TL_BLOCK_OCTETS];
	while (party->port && tl_port_recorded(party->port, block)) {
		ear_hear(&party->ear, block);
		if (party->recording && party->recording->len < RECORD_OCTETS_MAX)
			g_byte_array_append(party->recording, block, sizeof block);
	}
	party_continue(party);
	return G_SOURCE_CONTINUE;
}

static void start_listening(struct party *party)
{
	party->law = tl_port_law(party->port);
	ear_init(&party->ear, party->law, party->ear.hz);
	tl_port_detect_dtmf(party->port, true);
	if (!party->script->listens)
		return;
	tl_port_record(party->port, RECORD_RING_S);
	if (!party->listener)
		party->listener = g_timeout_add(LISTEN_EVERY_MS, keep_listening, party);
}

bool party_connect(struct party *party)
{
	struct tl_dialog *dialog = party->dialog;
	if (!dialog)
		return false;
	if (dialog->media == TL_MEDIA_RTP) {
		if (party->port && dialog->remote.port)
			tl_port_set_remote(party->port, &dialog->remote);
		return party->port != NULL;
	}
	if (party->port || !dialog->slot)
		return party->port != NULL;
	party->port = tl_port_new_timeslot(party->exchange->media, dialog->span, dialog->slot, party);
	start_listening(party);
	return true;
}

static void take_last_audio(struct party *party)
{
	uint8_t block[TL_BLOCK_OCTETS];
	while (party->recording && party->port && tl_port_recorded(party->port, block))
		g_byte_array_append(party->recording, block, sizeof block);
}

static void disconnect(struct party *party)
{
	machine_lost(party);
	take_last_audio(party);
	g_clear_pointer(&party->port, tl_port_free);
}

void party_save_recording(struct party *party)
{
	g_autoptr(GError) error = NULL;
	if (!party->recording)
		return;
	take_last_audio(party);
	if (!tl_sound_save(party->record_path, party->law, party->recording->data, party->recording->len, &error))
		party_fail(party, "%s", error->message);
	g_clear_pointer(&party->recording, g_byte_array_unref);
	g_clear_pointer(&party->record_path, g_free);
}

/* ---- the end ---- */

static JsonObject *party_result(struct party *party)
{
	JsonObject *result = json_object_new();
	char called[TL_DIGITS_MAX + 2], calling[TL_DIGITS_MAX + 2];
	json_object_set_boolean_member(result, "ok", !party->failure);
	if (party->failure)
		json_object_set_string_member(result, "failure", party->failure);
	json_object_set_int_member(result, "number", party->number);
	json_object_set_string_member(result, "called", tl_number_format(&party->setup.called, called));
	json_object_set_string_member(result, "calling", tl_number_format(&party->setup.calling, calling));
	json_object_set_int_member(result, "cause", party->cause);
	json_object_set_boolean_member(result, "by_peer", party->by_peer);
	json_object_set_string_member(result, "digits", party->digits->str);
	json_object_set_boolean_member(result, "answered", party->answered);
	if (party->answered)
		json_object_set_int_member(result, "answer_us", party->answered_us - party->start_us);
	json_object_set_int_member(result, "duration_us", tl_clock_us() - party->start_us);
	if (party->faxes)
		json_object_set_array_member(result, "faxes", json_array_ref(party->faxes));
	json_object_set_array_member(result, "steps", json_array_ref(party->report));
	return result;
}

static gboolean party_free(gpointer user)
{
	struct party *party = user;
	tl_dialog_free(party->dialog);
	g_free(party->directory);
	g_free(party->failure);
	g_string_free(party->digits, TRUE);
	g_ptr_array_unref(party->sounds);
	json_array_unref(party->report);
	g_clear_pointer(&party->faxes, json_array_unref);
	g_free(party);
	return G_SOURCE_REMOVE;
}

static void party_end(struct party *party)
{
	party->ended = true;
	party_save_recording(party);
	disconnect(party);
	machine_leave(party);
	g_clear_pointer(&party->step_timer, tl_timer_free);
	if (party->listener)
		g_source_remove(party->listener);
	if (party->failure) {
		party->exchange->calls_failed++;
		tl_notice("call to %s: %s", party->setup.called.digits, party->failure);
	}
	if (party->on_done) {
		g_autoptr(JsonObject) result = party_result(party);
		party->on_done(result, party->user);
	}
	/* Events, steps and libraries may still have the party on their stacks. */
	party->on_done = NULL;
	g_idle_add(party_free, party);
}

static void report_step(struct party *party, const struct step *step, bool good)
{
	JsonObject *entry = json_object_new();
	json_object_set_string_member(entry, "step", step->text);
	json_object_set_boolean_member(entry, "ok", good);
	json_object_set_int_member(entry, "us", tl_clock_us() - party->step_us);
	json_array_add_object_element(party->report, entry);
}

/* RELEASED follows, and with it the end. */
static void clear(struct party *party)
{
	party->clearing = true;
	tl_dialog_release(party->dialog, party->failure && !party->answered ? TL_CAUSE_TEMPORARY_FAILURE :
									     TL_CAUSE_NORMAL_CLEARING);
}

/* Runs steps until one waits; releases and ends after the last. */
static void advance(struct party *party)
{
	while (!party->failure && party->at < party->script->n_steps) {
		const struct step *step = &party->script->steps[party->at];
		bool begin = !party->begun;
		if (begin)
			party->step_us = tl_clock_us();
		party->begun = true;
		if (step_run(party, step, begin) == STEP_WAITS) {
			if (!party->timed_out)
				return;
			party_fail(party, "%s: not within its time", step->text);
		}
		report_step(party, step, !party->failure);
		tl_timer_stop(party->step_timer);
		party->timed_out = party->begun = false;
		party->at++;
	}
	if (!party->dialog || party->released)
		party_end(party);
	else if (!party->clearing)
		clear(party);
}

/* A step may bring about an event at once: it is looked at when the step has returned. */
void party_continue(struct party *party)
{
	party->again = true;
	if (party->running || party->ended)
		return;
	party->running = true;
	while (party->again && !party->ended) {
		party->again = false;
		advance(party);
	}
	party->running = false;
}

static void on_step_timer(void *user)
{
	struct party *party = user;
	uint64_t line_ms = exchange_line_ms(party->exchange);
	if (line_ms < party->limit_line_ms) {
		tl_timer_start(party->step_timer, party->limit_line_ms - line_ms);
		return;
	}
	party->timed_out = true;
	party_continue(party);
}

/* ---- what the dialog says ---- */

static void on_released(struct party *party, const struct tl_dialog_event *event)
{
	party->released = true;
	party->cause = event->cause;
	party->by_peer = event->by_peer;
	disconnect(party);
}

static void on_event(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *user)
{
	struct party *party = user;
	bool media = false;
	party->dialog = dialog;
	switch (event->kind) {
	case TL_DIALOG_PROCEEDING: party->proceeding = true; break;
	case TL_DIALOG_ALERTING: party->alerting = true; break;
	case TL_DIALOG_PROGRESS: party->progress = true; break;
	case TL_DIALOG_ANSWERED:
		party->answered = true;
		party->answered_us = tl_clock_us();
		party->exchange->calls_answered++;
		break;
	case TL_DIALOG_DIGITS: g_strlcat(party->setup.called.digits, event->digits, sizeof party->setup.called.digits); break;
	case TL_DIALOG_DTMF: g_string_append(party->digits, event->digits); break;
	case TL_DIALOG_FLASH: party->flashes++; break;
	case TL_DIALOG_MEDIA: media = true; break;
	case TL_DIALOG_RELEASED: on_released(party, event); break;
	}
	if (!party->released)
		party_connect(party);
	if (media)
		machine_media(party);
	party_continue(party);
}

static bool may_go_t38(struct tl_dialog *dialog, void *user)
{
	return machine_may_go_t38(user);
}

static struct party *party_new(struct exchange *exchange, const struct script *script, const char *directory)
{
	struct party *party = g_new0(struct party, 1);
	party->exchange = exchange;
	party->script = script;
	party->directory = g_strdup(directory);
	party->digits = g_string_new(NULL);
	party->sounds = g_ptr_array_new_with_free_func((GDestroyNotify)tl_sound_unref);
	party->report = json_array_new();
	party->step_timer = tl_timer_new("step", on_step_timer, party);
	party->start_us = tl_clock_us();
	return party;
}

void party_start(struct exchange *exchange, const struct script *script, const char *directory, unsigned number,
		 party_done on_done, void *user)
{
	struct party *party = party_new(exchange, script, directory);
	party->number = number;
	party->on_done = on_done;
	party->user = user;
	exchange->calls_offered++;
	party_continue(party);
}

void party_accept(struct exchange *exchange, const struct script *script, const char *directory,
		  struct tl_dialog *dialog, const struct tl_leg_setup *setup)
{
	struct party *party = party_new(exchange, script, directory);
	g_autoptr(GError) error = NULL;
	party->setup = *setup;
	party->dialog = dialog;
	dialog->on_event = on_event;
	dialog->user = party;
	dialog->may_go_t38 = may_go_t38;
	if (dialog->media == TL_MEDIA_RTP) {
		party->port = tl_port_new_rtp(exchange->media, dialog->remote.port ? dialog->remote.law : TL_LAW_ALAW,
					      &dialog->local, party, &error);
		if (party->port)
			start_listening(party);
		else
			party_fail(party, "%s", error->message);
	}
	party_connect(party);
	party_continue(party);
}

/* ---- dialling ---- */

static bool read_number(struct party *party, const char *text, struct tl_number *number)
{
	g_autofree char *digits = party_text(party, text);
	if (tl_number_parse(digits, number))
		return true;
	party_fail(party, "dial: \"%s\" is not a number", digits);
	return false;
}

static bool read_bearer(struct party *party, const char *word)
{
	static const char *const names[] = { "speech", "audio-3k1", "unrestricted" };
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(word, names[i])) {
			party->setup.bearer = i;
			return true;
		}
	party_fail(party, "dial: bearer \"%s\": expected speech, audio-3k1 or unrestricted", word);
	return false;
}

static bool read_media(struct party *party, const char *word, bool *image)
{
	*image = !strcmp(word, "image");
	if (*image || !strcmp(word, "audio"))
		return true;
	party_fail(party, "dial: media \"%s\": expected audio or image", word);
	return false;
}

/* Reads "dial NUMBER [from N] [name N] [on SPAN[/SLOT]] [bearer B] [media audio|image]". */
static bool read_dial(struct party *party, char **words, char **trunk, unsigned *slot, bool *image)
{
	if (!read_number(party, words[1], &party->setup.called))
		return false;
	for (char **w = words + 2; *w; w += 2) {
		if (!w[1]) {
			party_fail(party, "dial: nothing after \"%s\"", *w);
			return false;
		}
		if (!strcmp(*w, "from")) {
			if (!read_number(party, w[1], &party->setup.calling))
				return false;
		} else if (!strcmp(*w, "ii") && strlen(w[1]) < sizeof party->setup.calling_ii) {
			g_strlcpy(party->setup.calling_ii, w[1], sizeof party->setup.calling_ii);
		} else if (!strcmp(*w, "name")) {
			g_strlcpy(party->setup.calling_name, w[1], sizeof party->setup.calling_name);
		} else if (!strcmp(*w, "bearer")) {
			if (!read_bearer(party, w[1]))
				return false;
		} else if (!strcmp(*w, "on")) {
			char *slash = strchr(w[1], '/');
			*trunk = slash ? g_strndup(w[1], slash - w[1]) : g_strdup(w[1]);
			*slot = slash ? atoi(slash + 1) : 0;
		} else if (!strcmp(*w, "media")) {
			if (!read_media(party, w[1], image))
				return false;
		} else {
			party_fail(party, "dial: \"%s\": expected from, ii (two digits), name, on, bearer or media", *w);
			return false;
		}
	}
	return true;
}

/* @image: T.38 from the beginning. */
static bool dial_sip(struct party *party, const char *uri, bool image)
{
	struct tl_rtp_side local = { 0 };
	g_autoptr(GError) error = NULL;
	party->port = tl_port_new_rtp(party->exchange->media, TL_LAW_ALAW, &local, party, &error);
	if (party->port) {
		start_listening(party);
		if (image)
			local.t38 = tl_sdp_t38(TL_T38_REDUNDANCY);
		party->dialog = tl_sip_call(party->exchange->sip, uri, &party->setup, &local, on_event, party, &error);
	}
	if (party->dialog)
		party->dialog->may_go_t38 = may_go_t38;
	else
		party_fail(party, "%s", error->message);
	return party->dialog != NULL;
}

bool party_dial(struct party *party, char **words)
{
	g_autofree char *name = NULL;
	unsigned slot = 0;
	bool image = false;
	g_autoptr(GError) error = NULL;
	party->setup.called_complete = true;
	if (!read_dial(party, words, &name, &slot, &image))
		return false;
	if (name && (g_str_has_prefix(name, "sip:") || g_str_has_prefix(name, "trunk:")))
		return dial_sip(party, name, image);
	struct trunk_end *trunk = exchange_trunk(party->exchange, name);
	if (!trunk || !trunk->signalling) {
		party_fail(party, "dial: %s%s", name ? "no span called " : "no span has an idle channel", name ? name : "");
		return false;
	}
	party->dialog = tl_signalling_call(trunk->signalling, &party->setup, slot, on_event, party, &error);
	if (!party->dialog) {
		party_fail(party, "%s: %s", trunk->name, error->message);
		return false;
	}
	party_connect(party);
	return true;
}

/* ---- what the audio says ---- */

static void on_digit(struct tl_port *port, char digit, unsigned duration_ms, void *user)
{
	struct party *party = user;
	g_string_append_c(party->digits, digit);
	party_continue(party);
}

static void on_done(struct tl_port *port, uint64_t id, bool completed, void *user)
{
	struct party *party = user;
	if (id == party->play_id)
		party->played = true;
	party_continue(party);
}

const struct tl_media_handler party_media_handler = { .on_digit = on_digit, .on_done = on_done };
