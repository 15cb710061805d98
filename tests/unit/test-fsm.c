/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* State machines: what happens, what is only counted, and the faults that the build's check finds. */
#include <glib.h>
#include <stdlib.h>

#include "base/fsm.h"

enum { IDLE, RINGING, TALKING, N_STATES };
enum { RING, ANSWER, HANG_UP, N_EVENTS };

static const char *const states[] = { "idle", "ringing", "talking" };
static const char *const events[] = { "ring", "answer", "hang-up" };

struct owner {
	struct tl_fsm fsm;
	GString *log;
};

static void note(void *user, const void *data)
{
	struct owner *owner = user;
	g_string_append_printf(owner->log, "%s(%s) ", tl_fsm_state_name(&owner->fsm), data ? (const char *)data : "-");
}

static void refuse(void *user, const void *data)
{
	struct owner *owner = user;
	note(user, data);
	g_assert_true(tl_fsm_fire(&owner->fsm, HANG_UP, user, "at once"));
}

static const struct tl_fsm_row rows[] = {
	{ IDLE, RING, RINGING, note },
	{ RINGING, RING, RINGING, refuse },
	{ RINGING, ANSWER, TALKING, note },
	{ RINGING, HANG_UP, IDLE, note },
	{ TALKING, HANG_UP, IDLE, NULL },
};

static const struct tl_fsm_machine telephone = {
	.name = "telephone", .states = states, .n_states = N_STATES, .events = events, .n_events = N_EVENTS,
	.rows = rows, .n_rows = G_N_ELEMENTS(rows), .initial = IDLE,
};

static struct owner *owner_new(void)
{
	struct owner *owner = g_new0(struct owner, 1);
	owner->log = g_string_new(NULL);
	tl_fsm_init(&owner->fsm, &telephone);
	return owner;
}

static void owner_free(struct owner *owner)
{
	g_string_free(owner->log, TRUE);
	g_free(owner);
}

static void test_runs_the_table(void)
{
	struct owner *owner = owner_new();
	g_assert_cmpstr(tl_fsm_state_name(&owner->fsm), ==, "idle");
	g_assert_true(tl_fsm_fire(&owner->fsm, RING, owner, "100"));
	g_assert_true(tl_fsm_fire(&owner->fsm, ANSWER, owner, NULL));
	g_assert_true(tl_fsm_fire(&owner->fsm, HANG_UP, owner, NULL));
	g_assert_cmpstr(owner->log->str, ==, "ringing(100) talking(-) ");
	g_assert_cmpstr(tl_fsm_state_name(&owner->fsm), ==, "idle");
	g_assert_cmpuint(owner->fsm.unexpected, ==, 0);
	owner_free(owner);
}

static void test_action_fires_again(void)
{
	struct owner *owner = owner_new();
	tl_fsm_fire(&owner->fsm, RING, owner, "100");
	g_assert_true(tl_fsm_fire(&owner->fsm, RING, owner, "200"));
	g_assert_cmpstr(owner->log->str, ==, "ringing(100) ringing(200) idle(at once) ");
	g_assert_cmpint(owner->fsm.state, ==, IDLE);
	owner_free(owner);
}

static void fire_unexpected(void)
{
	struct owner *owner = owner_new();
	for (int i = 0; i < 3; i++)
		g_assert_false(tl_fsm_fire(&owner->fsm, ANSWER, owner, NULL));
	g_assert_false(tl_fsm_fire(&owner->fsm, HANG_UP, owner, NULL));
	g_assert_cmpuint(owner->fsm.unexpected, ==, 4);
	g_assert_cmpint(owner->fsm.state, ==, IDLE);
	g_assert_cmpstr(owner->log->str, ==, "");
	owner_free(owner);
}

/* Counted each time, said once for each state and event. */
static void test_unexpected(void)
{
	if (g_test_subprocess()) {
		fire_unexpected();
		fire_unexpected();
		return;
	}
	g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr("*telephone: answer not expected in idle*telephone: hang-up not expected in idle*");
	g_test_trap_assert_stderr_unmatched("*answer not expected*answer not expected*");
}

/* The faults of @machine and what is said about them. */
static unsigned faults(const struct tl_fsm_machine *machine, char **said)
{
	size_t n;
	char *text = NULL;
	FILE *report = open_memstream(&text, &n);
	unsigned found = tl_fsm_faults(machine, report);
	fclose(report);
	*said = g_strdup(text);
	free(text);
	return found;
}

static void test_sound_machine_has_no_faults(void)
{
	g_autofree char *said = NULL;
	g_assert_cmpuint(faults(&telephone, &said), ==, 0);
	g_assert_cmpstr(said, ==, "");
}

/* Talking leads to ringing, but nothing leads to talking. */
static void test_unreachable_state(void)
{
	static const struct tl_fsm_row cut[] = { { IDLE, RING, RINGING, NULL }, { TALKING, HANG_UP, RINGING, NULL } };
	struct tl_fsm_machine machine = telephone;
	g_autofree char *said = NULL;
	machine.rows = cut;
	machine.n_rows = G_N_ELEMENTS(cut);
	g_assert_cmpuint(faults(&machine, &said), ==, 1);
	g_assert_cmpstr(said, ==, "telephone: state talking is never reached\n");
}

static void test_row_out_of_range(void)
{
	static const struct tl_fsm_row bad[] = {
		{ IDLE, RING, N_STATES, NULL }, { IDLE, N_EVENTS, IDLE, NULL }, { -1, RING, IDLE, NULL },
	};
	struct tl_fsm_machine machine = telephone;
	g_autofree char *said = NULL;
	machine.rows = bad;
	machine.n_rows = G_N_ELEMENTS(bad);
	g_assert_cmpuint(faults(&machine, &said), ==, 3);
	g_assert_cmpstr(said, ==, "telephone: row 0 is out of range\ntelephone: row 1 is out of range\n"
				   "telephone: row 2 is out of range\n");
}

static void test_dot(void)
{
	static const struct tl_fsm_row one[] = { { IDLE, RING, RINGING, NULL } };
	struct tl_fsm_machine machine = telephone;
	size_t n;
	char *text = NULL;
	FILE *out = open_memstream(&text, &n);
	machine.rows = one;
	machine.n_rows = 1;
	tl_fsm_print_dot(&machine, out);
	fclose(out);
	g_assert_cmpstr(text, ==, "digraph \"telephone\" {\n\t\"idle\" [style=bold];\n"
				   "\t\"idle\" -> \"ringing\" [label=\"ring\"];\n}\n");
	free(text);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fsm/runs-the-table", test_runs_the_table);
	g_test_add_func("/fsm/action-fires-again", test_action_fires_again);
	g_test_add_func("/fsm/unexpected", test_unexpected);
	g_test_add_func("/fsm/sound-machine-has-no-faults", test_sound_machine_has_no_faults);
	g_test_add_func("/fsm/unreachable-state", test_unreachable_state);
	g_test_add_func("/fsm/row-out-of-range", test_row_out_of_range);
	g_test_add_func("/fsm/dot", test_dot);
	return g_test_run();
}
