/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * State machines as const tables. The table is the documentation: it can be
 * printed as DOT, and a state that cannot be reached is an error of the build's
 * own check. An event without a row is counted and logged once, never fatal.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/** Runs after the state has changed. @user: the owner; @data: what came with the event. */
typedef void (*tl_fsm_action)(void *user, const void *data);

struct tl_fsm_row {
	int state;
	int event;
	int next; /* may equal state */
	tl_fsm_action action; /* NULL: only the state changes */
};

struct tl_fsm_machine {
	const char *name;
	const char *const *states; /* names; index is the state's value */
	unsigned n_states;
	const char *const *events;
	unsigned n_events;
	const struct tl_fsm_row *rows;
	unsigned n_rows;
	int initial;
};

struct tl_fsm {
	const struct tl_fsm_machine *machine;
	int state;
	unsigned unexpected; /* events that had no row */
};

/** Puts @fsm at the machine's initial state. */
void tl_fsm_init(struct tl_fsm *fsm, const struct tl_fsm_machine *machine);

/**
 * tl_fsm_fire - take the row for the present state and @event: set the next state, then run its action
 * (so that the action may fire again).
 * Returns false when there is none: counted, logged once per machine, state and event.
 */
bool tl_fsm_fire(struct tl_fsm *fsm, int event, void *user, const void *data);

/** Name of the present state. Static. */
const char *tl_fsm_state_name(const struct tl_fsm *fsm);

/** Prints the machine as a DOT graph. */
void tl_fsm_print_dot(const struct tl_fsm_machine *machine, FILE *out);

/** How many states no path from the initial one reaches, or rows out of range. */
unsigned tl_fsm_faults(const struct tl_fsm_machine *machine, FILE *report);
