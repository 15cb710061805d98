/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The log: its form in a journal, its levels, and that a peer's octets forge nothing. */
#include <glib.h>

#define TL_ROOM "test"
#include "base/log.h"

static void say(void)
{
	tl_error("disk %d is full", 3);
	tl_debug("never seen");
	tl_log_set_level(TL_LOG_DEBUG);
	tl_debug("from a peer: %s", "a\n<0>kernel: forged\x1b[2J");
	tl_log_set_level(TL_LOG_ERROR);
	tl_warning("not seen either");
}

static void test_lines(void)
{
	if (g_test_subprocess()) {
		say();
		return;
	}
	g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr("<3>test: disk 3 is full\n<7>test: from a peer: a <0>kernel: forged [2J\n");
}

static void test_levels(void)
{
	static const char *const names[] = { "error", "warning", "notice", "info", "debug" };
	enum tl_log_level level = TL_LOG_NOTICE;
	g_assert_false(tl_log_parse_level("Error", &level));
	g_assert_false(tl_log_parse_level("", &level));
	g_assert_cmpint(level, ==, TL_LOG_NOTICE);
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_assert_true(tl_log_parse_level(names[i], &level));
		g_assert_cmpint(level, ==, i);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/log/lines", test_lines);
	g_test_add_func("/log/levels", test_levels);
	return g_test_run();
}
