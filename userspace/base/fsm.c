/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "base/fsm.h"

#include <glib.h>

#define TL_ROOM "fsm"
#include "base/log.h"

void tl_fsm_init(struct tl_fsm *fsm, const struct tl_fsm_machine *machine)
{
	fsm->machine = machine;
	fsm->state = machine->initial;
	fsm->unexpected = 0;
}

static const struct tl_fsm_row *find_row(const struct tl_fsm_machine *machine, int state, int event)
{
	for (unsigned i = 0; i < machine->n_rows; i++)
		if (machine->rows[i].state == state && machine->rows[i].event == event)
			return &machine->rows[i];
	return NULL;
}

static void log_once(const struct tl_fsm *fsm, int event)
{
	static GHashTable *said;
	if (!said)
		said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	char *text = g_strdup_printf("%s: %s not expected in %s", fsm->machine->name,
				     fsm->machine->events[event], fsm->machine->states[fsm->state]);
	if (g_hash_table_add(said, text))
		tl_notice("%s (counted; said once)", text);
}

bool tl_fsm_fire(struct tl_fsm *fsm, int event, void *user, const void *data)
{
	g_assert(event >= 0 && (unsigned)event < fsm->machine->n_events);
	const struct tl_fsm_row *row = find_row(fsm->machine, fsm->state, event);
	if (!row) {
		fsm->unexpected++;
		log_once(fsm, event);
		return false;
	}
	fsm->state = row->next;
	if (row->action)
		row->action(user, data);
	return true;
}

const char *tl_fsm_state_name(const struct tl_fsm *fsm)
{
	return fsm->machine->states[fsm->state];
}

void tl_fsm_print_dot(const struct tl_fsm_machine *machine, FILE *out)
{
	fprintf(out, "digraph \"%s\" {\n\t\"%s\" [style=bold];\n", machine->name, machine->states[machine->initial]);
	for (unsigned i = 0; i < machine->n_rows; i++) {
		const struct tl_fsm_row *row = &machine->rows[i];
		fprintf(out, "\t\"%s\" -> \"%s\" [label=\"%s\"];\n", machine->states[row->state],
			machine->states[row->next], machine->events[row->event]);
	}
	fprintf(out, "}\n");
}

static unsigned rows_out_of_range(const struct tl_fsm_machine *machine, FILE *report)
{
	unsigned faults = 0;
	for (unsigned i = 0; i < machine->n_rows; i++) {
		const struct tl_fsm_row *row = &machine->rows[i];
		if (row->state >= 0 && (unsigned)row->state < machine->n_states && row->event >= 0 &&
		    (unsigned)row->event < machine->n_events && row->next >= 0 && (unsigned)row->next < machine->n_states)
			continue;
		fprintf(report, "%s: row %u is out of range\n", machine->name, i);
		faults++;
	}
	return faults;
}

unsigned tl_fsm_faults(const struct tl_fsm_machine *machine, FILE *report)
{
	unsigned faults = rows_out_of_range(machine, report);
	if (faults)
		return faults;
	g_autofree bool *reached = g_new0(bool, machine->n_states);
	reached[machine->initial] = true;
	for (bool grew = true; grew;) {
		grew = false;
		for (unsigned i = 0; i < machine->n_rows; i++) {
			const struct tl_fsm_row *row = &machine->rows[i];
			if (reached[row->state] && !reached[row->next])
				reached[row->next] = grew = true;
		}
	}
	for (unsigned s = 0; s < machine->n_states; s++)
		if (!reached[s]) {
			fprintf(report, "%s: state %s is never reached\n", machine->name, machine->states[s]);
			faults++;
		}
	return faults;
}
