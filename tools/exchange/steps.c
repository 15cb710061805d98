/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The steps of scripts: each is begun once and then looked at whenever something happened. */
#include "party.h"

#include <stdlib.h>
#include <string.h>

#include "fax.h"

#define WAIT_S 30.0
#define BLOCKS_OF_CERTAINTY 3 /* of 40 ms each */

static enum outcome failed(struct party *party, const struct step *step, const char *why)
{
	party_fail(party, "%s: %s", step->text, why);
	return STEP_FAILED;
}

static enum outcome cut_short(struct party *party, const struct step *step)
{
	char name[48];
	party_fail(party, "%s: released (%s) meanwhile", step->text, tl_cause_name(party->cause, name));
	return STEP_FAILED;
}

static enum outcome run_dial(struct party *party, const struct step *step)
{
	return party_dial(party, step->words) ? STEP_DONE : STEP_FAILED;
}

static enum outcome run_wait(struct party *party, const struct step *step, bool begin)
{
	const char *what = step->words[1];
	const struct { const char *name; bool happened; } events[] = {
		{ "proceeding", party->proceeding || party->alerting || party->progress || party->answered },
		{ "alerting", party->alerting }, { "progress", party->progress || party->answered },
		{ "answered", party->answered }, { "released", party->released },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(events); i++) {
		if (strcmp(events[i].name, what))
			continue;
		if (events[i].happened)
			return STEP_DONE;
		if (party->released)
			return cut_short(party, step);
		if (begin)
			party_limit(party, step, 2, WAIT_S);
		return STEP_WAITS;
	}
	return failed(party, step, "expected proceeding, alerting, progress, answered or released");
}

static enum outcome expect_cause(struct party *party, const struct step *step, bool begin)
{
	unsigned cause;
	char name[48];
	if (!step->words[2] || !tl_cause_parse(step->words[2], &cause))
		return failed(party, step, "expected a Q.850 cause");
	if (!party->released) {
		if (begin)
			party_limit(party, step, 3, WAIT_S);
		return STEP_WAITS;
	}
	if (party->cause == cause)
		return STEP_DONE;
	return failed(party, step, tl_cause_name(party->cause, name));
}

static enum outcome expect_digits(struct party *party, const struct step *step, bool begin)
{
	const char *wanted = step->words[2] ? step->words[2] : "";
	const char *got = party->digits->str + party->digits_taken;
	if (begin)
		party_limit(party, step, 3, WAIT_S);
	if (strlen(got) >= strlen(wanted)) {
		if (strncmp(got, wanted, strlen(wanted)))
			return failed(party, step, got);
		party->digits_taken += strlen(wanted);
		return STEP_DONE;
	}
	return party->released ? cut_short(party, step) : STEP_WAITS;
}

static enum outcome expect_sound(struct party *party, const struct step *step, bool begin)
{
	bool tone = !strcmp(step->words[1], "tone");
	if (begin) {
		ear_init(&party->ear, party->law, tone && step->words[2] ? atoi(step->words[2]) : 0);
		party_limit(party, step, tone ? 3 : 2, WAIT_S);
		return STEP_WAITS;
	}
	unsigned blocks = tone ? party->ear.tone_blocks :
		!strcmp(step->words[1], "audio") ? party->ear.heard_blocks : party->ear.silent_blocks;
	if (blocks >= BLOCKS_OF_CERTAINTY)
		return STEP_DONE;
	return party->released ? cut_short(party, step) : STEP_WAITS;
}

/* What the call came with; "" when it told none. */
static enum outcome expect_told(struct party *party, const struct step *step, const char *got)
{
	const char *wanted = step->words[2] ? step->words[2] : "";
	return strcmp(got, wanted) ? failed(party, step, got) : STEP_DONE;
}

static enum outcome expect_flash(struct party *party, const struct step *step, bool begin)
{
	if (begin)
		party_limit(party, step, 2, WAIT_S);
	if (party->flashes == party->flashes_taken)
		return party->released ? cut_short(party, step) : STEP_WAITS;
	party->flashes_taken++;
	return STEP_DONE;
}

static enum outcome run_expect(struct party *party, const struct step *step, bool begin)
{
	const char *what = step->words[1];
	if (!strcmp(what, "cause"))
		return expect_cause(party, step, begin);
	if (!strcmp(what, "digits"))
		return expect_digits(party, step, begin);
	if (!strcmp(what, "tone") || !strcmp(what, "audio") || !strcmp(what, "silence"))
		return expect_sound(party, step, begin);
	if (!strcmp(what, "from"))
		return expect_told(party, step, party->setup.calling.digits);
	if (!strcmp(what, "ii"))
		return expect_told(party, step, party->setup.calling_ii);
	if (!strcmp(what, "flash"))
		return expect_flash(party, step, begin);
	return failed(party, step, "expected cause, digits, from, ii, flash, tone, audio or silence");
}

/* A playing step has ended when media says so: party->played. */
static enum outcome run_play(struct party *party, const struct step *step, bool begin)
{
	bool wait = step->verb == VERB_SAY;
	g_autoptr(GError) error = NULL;
	if (!begin)
		return party->played || party->released ? STEP_DONE : STEP_WAITS;
	if (!party_connect(party))
		return failed(party, step, "there is no audio yet");
	g_autofree char *file = party_file(party, step->words[1]);
	struct tl_sound *sound = tl_sound_load_now(file, 3600, &error);
	if (!sound)
		return failed(party, step, error->message);
	g_ptr_array_add(party->sounds, sound);
	party->played = false;
	tl_port_play(party->port, ++party->play_id, &sound, 1, step->words[2] && !wait ? 0 : 1);
	return wait ? STEP_WAITS : STEP_DONE;
}

static enum outcome run_tone(struct party *party, const struct step *step)
{
	enum tl_tone_kind tone;
	if (!party_connect(party))
		return failed(party, step, "there is no audio yet");
	if (!tl_tone_parse(step->words[1], &tone) ||
	    tl_port_tone(party->port, ++party->play_id, step->words[2] ? step->words[2] : "de", tone))
		return failed(party, step, "no such tone or country");
	return STEP_DONE;
}

static enum outcome run_send(struct party *party, const struct step *step, bool begin)
{
	if (!begin)
		return party->played ? STEP_DONE : party->released ? cut_short(party, step) : STEP_WAITS;
	if (!party_connect(party))
		return failed(party, step, "there is no audio yet");
	unsigned on_ms = step->words[2] ? atoi(step->words[2]) : 80;
	unsigned off_ms = step->words[2] && step->words[3] ? atoi(step->words[3]) : 80;
	party->played = false;
	if (tl_port_send_dtmf(party->port, ++party->play_id, step->words[1], on_ms, off_ms))
		return failed(party, step, "expected at most 64 digits 0-9 * # A-D w");
	return STEP_WAITS;
}

static enum outcome run_record(struct party *party, const struct step *step)
{
	party_save_recording(party);
	party->record_path = party_file(party, step->words[1]);
	party->recording = g_byte_array_new();
	return STEP_DONE;
}

static enum outcome run_pause(struct party *party, const struct step *step, bool begin)
{
	if (begin) {
		party_limit(party, step, 1, 0);
		return STEP_WAITS;
	}
	if (!party->timed_out && !party->released)
		return STEP_WAITS;
	party->timed_out = false;
	return STEP_DONE;
}

static enum outcome tell(struct party *party, const struct step *step, int result)
{
	return result ? failed(party, step, g_strerror(-result)) : STEP_DONE;
}

static enum outcome run_answering(struct party *party, const struct step *step)
{
	struct tl_dialog *dialog = party->dialog;
	if (!dialog || party->released)
		return cut_short(party, step);
	if (step->verb == VERB_PROCEED)
		return tell(party, step, tl_dialog_proceed(dialog));
	if (step->verb == VERB_ALERT)
		return tell(party, step, tl_dialog_alert(dialog, step->words[1] && !strcmp(step->words[1], "inband")));
	if (step->verb == VERB_PROGRESS)
		return tell(party, step, tl_dialog_progress(dialog, true));
	int result = tl_dialog_answer(dialog);
	if (!result) {
		party->answered = true;
		party->answered_us = tl_clock_us();
		party->exchange->calls_answered++;
		party_connect(party);
	}
	return tell(party, step, result);
}

static enum outcome run_hold(struct party *party, const struct step *step)
{
	if (!party->dialog || party->released)
		return cut_short(party, step);
	party->dialog->local.receives = step->verb == VERB_RETRIEVE;
	party->dialog->local.sends = true;
	return tell(party, step, tl_dialog_update(party->dialog));
}

static enum outcome run_hangup(struct party *party, const struct step *step, bool begin)
{
	unsigned cause = TL_CAUSE_NORMAL_CLEARING;
	if (party->released || !party->dialog)
		return STEP_DONE;
	if (!begin)
		return STEP_WAITS;
	if (step->words[1] && !tl_cause_parse(step->words[1], &cause))
		return failed(party, step, "expected a Q.850 cause");
	party_limit(party, step, 99, WAIT_S);
	int result = tl_dialog_release(party->dialog, cause);
	if (result)
		return tell(party, step, result);
	return party->released ? STEP_DONE : STEP_WAITS;
}

static enum outcome run_echo(struct party *party, const struct step *step)
{
	if (!party_connect(party))
		return failed(party, step, "there is no audio yet");
	tl_port_echo(party->port, !strcmp(step->words[1], "on"));
	return STEP_DONE;
}

static enum outcome run_fax(struct party *party, const struct step *step, bool begin)
{
	if (begin && !machine_start(party, step->words))
		return STEP_FAILED;
	return machine_ended(party) ? STEP_DONE : STEP_WAITS;
}

enum outcome step_run(struct party *party, const struct step *step, bool begin)
{
	switch (step->verb) {
	case VERB_DIAL: return run_dial(party, step);
	case VERB_WAIT: return run_wait(party, step, begin);
	case VERB_EXPECT: return run_expect(party, step, begin);
	case VERB_PLAY:
	case VERB_SAY: return run_play(party, step, begin);
	case VERB_TONE: return run_tone(party, step);
	case VERB_STOP:
		if (party->port)
			tl_port_stop(party->port);
		return STEP_DONE;
	case VERB_SEND: return run_send(party, step, begin);
	case VERB_RECORD: return run_record(party, step);
	case VERB_PAUSE: return run_pause(party, step, begin);
	case VERB_ECHO: return run_echo(party, step);
	case VERB_PROCEED:
	case VERB_ALERT:
	case VERB_PROGRESS:
	case VERB_ANSWER: return run_answering(party, step);
	case VERB_REJECT:
	case VERB_HANGUP: return run_hangup(party, step, begin);
	case VERB_HOLD:
	case VERB_RETRIEVE: return run_hold(party, step);
	case VERB_FAX: return run_fax(party, step, begin);
	case VERB_FLASH: return party->dialog ? tell(party, step, tl_dialog_flash(party->dialog)) : cut_short(party, step);
	}
	return STEP_FAILED;
}
