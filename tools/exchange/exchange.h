/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The far end: the network side of trunks, telephones and agents, driven by
 * scripts. It is what a node's spans are plugged into when there is no carrier.
 * Thread: main (audio moves in media's thread).
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "base/config.h"
#include "fax/fax.h"
#include "ip/ip.h"
#include "line/line.h"
#include "media/media.h"
#include "signal/signal.h"

#define EXCHANGE_ERROR (exchange_error_quark())
GQuark exchange_error_quark(void);

struct exchange;
struct party;

/* ---- scripts: what a party does, step by step (script.c) ---- */

enum verb {
	VERB_DIAL, VERB_WAIT, VERB_EXPECT, VERB_PLAY, VERB_SAY, VERB_TONE, VERB_STOP, VERB_SEND, VERB_RECORD,
	VERB_PAUSE, VERB_ECHO, VERB_PROCEED, VERB_ALERT, VERB_PROGRESS, VERB_ANSWER, VERB_REJECT, VERB_HANGUP,
	VERB_HOLD, VERB_RETRIEVE, VERB_FAX, VERB_FLASH,
};

struct step {
	enum verb verb;
	char **words; /* as written, the verb first */
	char *text;
};

struct script {
	unsigned n_steps;
	struct step *steps;
	bool listens; /* needs the received audio: record, expect tone, audio or silence */
};

/** Reads steps separated by ';' or line ends. The message names the step and what was expected. (transfer full) */
struct script *script_parse(const char *text, GError **error);
void script_free(struct script *script);
/** Every verb with its words and meaning, for --help. Static. */
const char *script_help(void);

/* ---- parties: one call of one script (party.c, steps.c) ---- */

/** Called once when a party has ended; @result is borrowed. */
typedef void (*party_done)(JsonObject *result, void *user);

/** A party that starts by dialling. @number replaces %n in file names and numbers. Frees itself at its end. */
void party_start(struct exchange *exchange, const struct script *script, const char *directory, unsigned number,
		 party_done on_done, void *user);
/** A party for a call that came in; @dialog (transfer full). */
void party_accept(struct exchange *exchange, const struct script *script, const char *directory,
		  struct tl_dialog *dialog, const struct tl_leg_setup *setup);

/** The ports' events, for media; every port's user is its party. */
extern const struct tl_media_handler party_media_handler;

/* ---- hearing (ear.c): level and tones of received octets ---- */

struct ear {
	enum tl_law law;
	unsigned hz;           /* tone listened for; 0: none */
	double tone_dbm0, level_dbm0; /* of the last block of 10 ms x 4 */
	int16_t samples[TL_BLOCK_OCTETS * 4];
	unsigned n_samples;
	unsigned heard_blocks, silent_blocks, tone_blocks; /* in a row, 40 ms each */
};

void ear_init(struct ear *ear, enum tl_law law, unsigned hz);
void ear_hear(struct ear *ear, const uint8_t block[TL_BLOCK_OCTETS]);

/* ---- the exchange (exchange.c) ---- */

struct trunk_end {
	struct exchange *exchange;
	char *name;
	struct tl_span *span;
	struct tl_signalling *signalling; /* NULL without */
};

struct exchange {
	struct tl_config *config;
	struct tl_media *media;
	bool line_time;         /* drives media's ticks, not the clock */
	struct tl_fax_pool *fax_pool; /* made when the first fax begins */
	struct tl_sip *sip;
	GPtrArray *trunks;      /* struct trunk_end */
	GHashTable *scripts;    /* name -> struct script */
	GPtrArray *agents;      /* struct agent: telephones that register and answer */
	GPtrArray *callers;     /* struct caller: calls that come by themselves */
	unsigned calls_offered, calls_answered, calls_failed;
	unsigned next_trunk;    /* round robin for dialling */
	char *directory;        /* of the configuration: what relative names in it start from */
};

struct exchange *exchange_new(const char *path, GError **error);
void exchange_free(struct exchange *exchange);
/** The trunk end called @name, or the next one with an idle channel when NULL; NULL when there is none. */
struct trunk_end *exchange_trunk(struct exchange *exchange, const char *name);
/** Line time since its begin; UINT64_MAX where the clock drives the ticks. */
uint64_t exchange_line_ms(const struct exchange *exchange);
JsonObject *exchange_status(struct exchange *exchange);

extern const struct tl_config_key exchange_keys[];

/* ---- the door (door.c): a running exchange takes orders on a UNIX socket, one JSON object a line ---- */

struct door;
struct door *door_new(struct exchange *exchange, const char *path, GError **error);
void door_free(struct door *door);
/** The other side: sends @order, prints progress, returns the last object. (transfer full) */
JsonObject *door_ask(const char *path, JsonObject *order, void (*on_progress)(JsonObject *progress), GError **error);

/** Runs @count calls of @script at @rate a second through party_start(); the summary goes to @on_done. */
void load_start(struct exchange *exchange, struct script *script, const char *directory, unsigned count, double rate,
		void (*on_result)(JsonObject *result, void *user), party_done on_done, void *user);
