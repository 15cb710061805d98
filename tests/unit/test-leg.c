/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <string.h>

#include "signal/leg.h"

static void test_cause_names(void)
{
	char text[48];
	g_assert_cmpstr(tl_cause_name(TL_CAUSE_NORMAL_CLEARING, text), ==, "normal-clearing");
	g_assert_cmpstr(tl_cause_name(TL_CAUSE_USER_BUSY, text), ==, "user-busy");
	g_assert_cmpstr(tl_cause_name(5, text), ==, "cause-5");
	g_assert_cmpstr(tl_cause_name(4000000000u, text), ==, "cause-4000000000");
}

static void test_cause_round_trip(void)
{
	for (unsigned cause = 1; cause <= 127; cause++) {
		char text[48];
		unsigned read = 0;
		g_assert_true(tl_cause_parse(tl_cause_name(cause, text), &read));
		g_assert_cmpuint(read, ==, cause);
		g_snprintf(text, sizeof(text), "%u", cause);
		g_assert_true(tl_cause_parse(text, &read));
		g_assert_cmpuint(read, ==, cause);
	}
}

static void test_cause_refused(void)
{
	static const char *const wrong[] = { "", "0", "128", "1x", "-1", " 16", "0016", "user busy", "cause-", "cause-0", "cause-999" };
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
		unsigned cause = 77;
		g_assert_false(tl_cause_parse(wrong[i], &cause));
		g_assert_cmpuint(cause, ==, 77);
	}
}

static void test_number_kinds(void)
{
	struct tl_number number;
	char text[TL_DIGITS_MAX + 2];
	g_assert_true(tl_number_parse("+4930123", &number));
	g_assert_cmpint(number.type, ==, TL_NUMBER_INTERNATIONAL);
	g_assert_cmpint(number.plan, ==, TL_PLAN_ISDN);
	g_assert_cmpstr(number.digits, ==, "4930123");
	g_assert_cmpstr(tl_number_format(&number, text), ==, "+4930123");
	g_assert_true(tl_number_parse("0123*#AD", &number));
	g_assert_cmpint(number.type, ==, TL_NUMBER_UNKNOWN);
	g_assert_cmpstr(tl_number_format(&number, text), ==, "0123*#AD");
	g_assert_true(tl_number_parse("", &number));
	g_assert_cmpstr(tl_number_format(&number, text), ==, "");
}

static void test_number_refused(void)
{
	static const char *const wrong[] = { "+", "++1", "1+", "12 3", "12a", "E", "1-2",
					     "123456789012345678901234567890123" };
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
		struct tl_number number = { .digits = "kept" };
		g_assert_false(tl_number_parse(wrong[i], &number));
		g_assert_cmpstr(number.digits, ==, "kept");
	}
}

static void test_number_longest(void)
{
	struct tl_number number;
	char text[TL_DIGITS_MAX + 2];
	const char *longest = "+12345678901234567890123456789012";
	g_assert_true(tl_number_parse(longest, &number));
	g_assert_cmpstr(tl_number_format(&number, text), ==, longest);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/leg/cause/names", test_cause_names);
	g_test_add_func("/leg/cause/round-trip", test_cause_round_trip);
	g_test_add_func("/leg/cause/refused", test_cause_refused);
	g_test_add_func("/leg/number/kinds", test_number_kinds);
	g_test_add_func("/leg/number/refused", test_number_refused);
	g_test_add_func("/leg/number/longest", test_number_longest);
	return g_test_run();
}
