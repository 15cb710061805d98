/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Names of sounds, and commands that are given twice. */
#include <string.h>

#include "call/command.h"
#include "call/sound-name.h"

static void test_sounds(void)
{
	struct tl_sound_name name;
	const char *expected;
	g_assert_true(tl_sound_name_parse("file:demo/hello", &name, &expected));
	g_assert_cmpstr(name.name, ==, "demo/hello.wav");
	g_assert_true(tl_sound_name_parse("file:hello.wav", &name, &expected));
	g_assert_cmpstr(name.name, ==, "hello.wav");
	g_assert_true(tl_sound_name_parse("tone:busy/us", &name, &expected));
	g_assert_cmpint(name.tone, ==, TL_TONE_BUSY);
	g_assert_cmpstr(name.name, ==, "us");
	g_assert_true(tl_sound_name_parse("tone:ringing", &name, &expected));
	g_assert_cmpstr(name.name, ==, "");
	g_assert_true(tl_sound_name_parse("number:0123", &name, &expected));
	g_assert_true(tl_sound_name_parse("silence:500", &name, &expected));
	g_assert_cmpuint(name.silence_ms, ==, 500);
	g_assert_true(tl_sound_name_parse("blob:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", &name,
					  &expected));
}

/* Nothing leads out of the sounds directory, to hidden files, or past it by a trick. */
static void test_no_escape(void)
{
	static const char *const bad[] = {
		"file:", "file:/etc/passwd", "file:../x", "file:a/../b", "file:a/..", "file:.hidden", "file:a/.b", "file:a//b",
		"file:a/", "file:a b", "file:a%2e", "file:a\\b", "file:a\nb", "blob:xyz", "blob:../../etc/passwd", "tone:nothing",
		"tone:busy/usa", "tone:busy/", "number:", "number:12a", "silence:0", "silence:-1", "silence:999999", "hello", "",
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct tl_sound_name name = { .silence_ms = 4711 };
		const char *expected = NULL;
		if (tl_sound_name_parse(bad[i], &name, &expected))
			g_error("%s was taken for a sound", bad[i]);
		g_assert_nonnull(expected);
		g_assert_cmpuint(name.silence_ms, ==, 4711);
	}
	g_autofree char *longest = g_strnfill(300, 'x'), *text = g_strconcat("file:", longest, NULL);
	struct tl_sound_name name;
	const char *expected;
	g_assert_false(tl_sound_name_parse(text, &name, &expected));
}

static void test_commands(void)
{
	struct tl_commands *commands = tl_commands_new(3);
	g_autoptr(JsonNode) result = json_node_init_string(json_node_alloc(), "first");
	g_autoptr(GError) refused = g_error_new_literal(g_quark_from_static_string("test"), 7, "no");
	JsonNode *found = NULL;
	GError *error = NULL;
	g_assert_false(tl_commands_find(commands, "desk", "1", &found, &error));
	tl_commands_keep(commands, "desk", "1", result, NULL);
	tl_commands_keep(commands, "desk", "1", NULL, refused); /* the first answer stands */
	g_assert_true(tl_commands_find(commands, "desk", "1", &found, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(json_node_get_string(found), ==, "first");
	json_node_unref(found);
	g_assert_false(tl_commands_find(commands, "another", "1", &found, &error));
	tl_commands_keep(commands, "desk", "2", NULL, refused);
	g_assert_true(tl_commands_find(commands, "desk", "2", &found, &error));
	g_assert_error(error, refused->domain, 7);
	g_clear_error(&error);
	tl_commands_keep(commands, "desk", "3", NULL, NULL);
	tl_commands_keep(commands, "desk", "4", NULL, NULL);
	g_assert_false(tl_commands_find(commands, "desk", "1", &found, &error));
	g_assert_true(tl_commands_find(commands, "desk", "2", &found, &error));
	g_clear_error(&error);
	found = result;
	g_assert_true(tl_commands_find(commands, "desk", "4", &found, &error));
	g_assert_null(found);
	tl_commands_free(commands);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/call-names/sounds", test_sounds);
	g_test_add_func("/call-names/no-escape", test_no_escape);
	g_test_add_func("/call-names/commands", test_commands);
	return g_test_run();
}
