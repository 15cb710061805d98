/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/route.h"

#include <glib.h>

static void add(struct tl_routes *routes, const char *prefix, const char *to)
{
	struct tl_route route = { .name = to, .prefix = prefix };
	g_assert_true(tl_target_parse(to, &route.to));
	g_assert_true(tl_routes_add(routes, &route));
	g_assert_false(tl_routes_add(routes, &route));
}

static const char *find(struct tl_routes *routes, const char *called)
{
	struct tl_number number = { 0 };
	if (*called)
		g_assert_true(tl_number_parse(called, &number));
	const struct tl_route *route = tl_routes_find(routes, &number);
	return route ? route->name : NULL;
}

static void test_longest_prefix(void)
{
	struct tl_routes *routes = tl_routes_new();
	add(routes, "0", "group:carrier");
	add(routes, "030", "user:berlin");
	add(routes, "+49", "trunk:national");
	add(routes, "*21", "announcement:file:forward");
	g_assert_cmpstr(find(routes, "0401"), ==, "group:carrier");
	g_assert_cmpstr(find(routes, "030"), ==, "user:berlin");
	g_assert_cmpstr(find(routes, "03012345"), ==, "user:berlin");
	g_assert_cmpstr(find(routes, "+4930"), ==, "trunk:national");
	g_assert_cmpstr(find(routes, "*21#"), ==, "announcement:file:forward");
	g_assert_null(find(routes, "4930"));
	g_assert_null(find(routes, ""));
	add(routes, "", "sip:anyone@example.net");
	g_assert_cmpstr(find(routes, "4930"), ==, "sip:anyone@example.net");
	g_assert_cmpstr(find(routes, ""), ==, "sip:anyone@example.net");
	tl_routes_free(routes);
}

static void test_targets(void)
{
	static const struct {
		const char *text;
		enum tl_target_kind kind;
		const char *name;
		unsigned slot;
	} good[] = {
		{ "group:carrier", TL_TARGET_GROUP, "carrier", 0 },
		{ "span:e1/31", TL_TARGET_SPAN, "e1", 31 },
		{ "span:a/b/1", TL_TARGET_SPAN, "a/b", 1 },
		{ "user:anna", TL_TARGET_USER, "anna", 0 },
		{ "trunk:x", TL_TARGET_TRUNK, "x", 0 },
		{ "sip:1@[::1]:5070", TL_TARGET_SIP, "sip:1@[::1]:5070", 0 },
		{ "announcement:tone:busy", TL_TARGET_ANNOUNCEMENT, "tone:busy", 0 },
		{ "route", TL_TARGET_ROUTE, "", 0 },
	};
	static const char *const bad[] = { "", "group:", "span:e1", "span:e1/0", "span:e1/32", "span:/1", "span:e1/-1",
					   "route:x", "anna", "tel:123", "announcement:" };
	struct tl_target target;
	for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
		g_assert_true(tl_target_parse(good[i].text, &target));
		g_assert_cmpint(target.kind, ==, good[i].kind);
		g_assert_cmpstr(target.name, ==, good[i].name);
		g_assert_cmpuint(target.slot, ==, good[i].slot);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		target.slot = 99;
		g_assert_false(tl_target_parse(bad[i], &target));
		g_assert_cmpuint(target.slot, ==, 99);
	}
	g_autofree char *longest = g_strnfill(TL_TARGET_MAX - 5, 'x'), *fits = g_strconcat("user:", longest, NULL);
	g_autofree char *beyond = g_strconcat(fits, "x", NULL);
	g_assert_true(tl_target_parse(fits, &target));
	g_assert_false(tl_target_parse(beyond, &target));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/route/longest-prefix", test_longest_prefix);
	g_test_add_func("/route/targets", test_targets);
	return g_test_run();
}
