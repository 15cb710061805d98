/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * machines DIR: draws every state machine of the daemons into DIR/NAME.dot and
 * fails on one with a state that is never reached, a row out of range, or a
 * row that an earlier one hides. machines.inc, made from the rooms' archives,
 * names them all.
 */
#include <glib.h>
#include <stdio.h>

#include "base/fsm.h"

#define MACHINE(name) extern const struct tl_fsm_machine name;
#include "machines.inc"
#undef MACHINE

#define MACHINE(name) &name,
static const struct tl_fsm_machine *const machines[] = {
#include "machines.inc"
	NULL,
};

static unsigned hidden_rows(const struct tl_fsm_machine *machine)
{
	unsigned hidden = 0;

	for (unsigned i = 0; i < machine->n_rows; i++)
		for (unsigned j = 0; j < i; j++)
			if (machine->rows[i].state == machine->rows[j].state &&
			    machine->rows[i].event == machine->rows[j].event) {
				fprintf(stderr, "%s: row %u (%s, %s) is hidden by row %u\n", machine->name, i,
					machine->states[machine->rows[i].state],
					machine->events[machine->rows[i].event], j);
				hidden++;
			}
	return hidden;
}

static unsigned check(const struct tl_fsm_machine *machine, const char *folder)
{
	g_autofree char *path = g_strdup_printf("%s/%s.dot", folder, machine->name);
	unsigned faults = tl_fsm_faults(machine, stderr);
	FILE *out;

	if (faults)
		return faults;
	out = fopen(path, "w");
	if (!out) {
		perror(path);
		return 1;
	}
	tl_fsm_print_dot(machine, out);
	if (fclose(out)) {
		perror(path);
		return 1;
	}
	printf("%s: %u states, %u events, %u rows\n", machine->name, machine->n_states, machine->n_events,
	       machine->n_rows);
	return hidden_rows(machine);
}

int main(int argc, char **argv)
{
	unsigned faults = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: machines DIR\n");
		return 2;
	}
	if (!machines[0]) {
		fprintf(stderr, "no machine was found: expected symbols named tl_*_machine\n");
		return 1;
	}
	for (unsigned i = 0; machines[i]; i++)
		faults += check(machines[i], argv[1]);
	return faults != 0;
}
