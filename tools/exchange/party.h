/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What a party is, shared by its life (party.c) and its steps (steps.c). */
#pragma once

#include "base/clock.h"
#include "exchange.h"

/** How a step stands after it was begun or looked at again. */
enum outcome { STEP_WAITS, STEP_DONE, STEP_FAILED };

struct machine;

struct party {
	struct exchange *exchange;
	const struct script *script;
	char *directory;
	unsigned number;
	party_done on_done;
	void *user;

	struct tl_dialog *dialog; /* NULL before dial and after RELEASED */
	struct tl_port *port;
	struct tl_leg_setup setup;
	enum tl_law law;

	unsigned at;              /* step under way */
	bool begun, running, again, clearing, ended;
	struct tl_timer *step_timer;
	uint64_t limit_line_ms;   /* exchange_line_ms() before which the step's time is not over: a slow line slows scripts */
	bool timed_out;
	int64_t step_us, start_us;
	char *failure;

	bool proceeding, alerting, progress, answered, released;
	unsigned flashes, flashes_taken; /* heard; by earlier expect steps */
	bool played;              /* the sound of this step has ended */
	unsigned cause;
	bool by_peer;
	int64_t answered_us;
	GString *digits;
	unsigned digits_taken;    /* by earlier expect steps */

	struct ear ear;
	guint listener;
	GByteArray *recording;    /* NULL: not recording */
	char *record_path;
	uint64_t play_id;
	GPtrArray *sounds;
	JsonArray *report;
	struct machine *machine;  /* a fax under way (fax.c) */
	JsonArray *faxes;         /* their results; NULL: none */
};

/** Begins or looks again at the present step. @failure is set on STEP_FAILED. (steps.c) */
enum outcome step_run(struct party *party, const struct step *step, bool begin);

/** Starts the step's own time limit. */
void party_limit(struct party *party, const struct step *step, unsigned word, double fallback_s);
void party_fail(struct party *party, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** %n becomes the party's number; relative names start at its directory. (transfer full) */
char *party_file(const struct party *party, const char *name);
char *party_text(const struct party *party, const char *text);
/** Makes sure of a port on the dialog's timeslot or RTP sides. */
bool party_connect(struct party *party);
/** Dials as the step's words say. */
bool party_dial(struct party *party, char **words);
void party_save_recording(struct party *party);
/** Something happened: looks at the present step again and goes on from there. */
void party_continue(struct party *party);
