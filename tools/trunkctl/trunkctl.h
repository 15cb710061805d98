/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The operator's program: asks nodes and desks over the control protocol and prints what they say. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdio.h>

#include "control/control.h"

/** Where to ask, as the options and the running system say. */
struct place {
	char *node, *desk;   /* control addresses */
	char *token;
	gboolean json, check;
};

/** One command: asks, prints, returns the exit status. @words are what followed its name. */
struct command {
	const char *name, *usage, *help;
	int (*run)(const struct place *place, char **words);
	int (*explain)(FILE *out, int status); /* what its words are; returns @status; NULL: the usage says it all */
};
extern const struct command commands[];

/* ask.c */

/** Calls @method of the "node" or "desk" and waits; prints the error and returns NULL on failure. (transfer full) */
JsonObject *ask(const struct place *place, const char *whom, const char *method, JsonObject *params);
/** Stays connected and hands every event to @on_event until Ctrl-C or @on_event quits @loop; first calls @method. */
int listen_to(const struct place *place, const char *whom, const char *method, JsonObject *params,
	      void (*on_event)(const char *name, JsonObject *params, void *user), void *user);

/* table.c */

/** Prints @rows as columns; each column is a member's path ("party.name") with its title. */
struct column {
	const char *title, *path;
};
void print_table(JsonArray *rows, const struct column *columns);
void print_json(JsonObject *object);
/** The text of the member at @path, "" when absent. (transfer full) */
char *text_at(JsonObject *object, const char *path);

/* fax.c */
int run_fax(const struct place *place, char **words);
int explain_fax(FILE *out, int status);

/* recording.c */
int run_recording(const struct place *place, char **words);
int explain_recording(FILE *out, int status);

/* trace.c */
int run_trace(const struct place *place, char **words);
