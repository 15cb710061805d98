/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Configuration: values of every type, and the exact words of every refusal. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/config.h"

static const struct tl_config_key keys[] = {
	{ "node", "name", TL_CONFIG_STRING, .fallback = "trunkline", .help = "name of this node" },
	{ "node", "calls", TL_CONFIG_INT, .fallback = "100", .min = 1, .max = 5000, .help = "calls at once" },
	{ "node", "verbose", TL_CONFIG_BOOL, .fallback = "no", .help = "yes or no" },
	{ "span", "kind", TL_CONFIG_CHOICE, .choices = "e1|t1", .required = TRUE, .help = "e1 or t1" },
	{ "span", "remote", TL_CONFIG_ADDRESS, .help = "the peer" },
	{ "span", "hunt", TL_CONFIG_LIST, .help = "order of slots" },
	{ "route", "prefix", TL_CONFIG_NUMBER, .help = "first digits" },
	{ 0 },
};

static char *path; /* of the file that each case writes */

static struct tl_config *load(const char *text, GError **error)
{
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	return tl_config_load(path, keys, error);
}

/* @expected: what follows "<path>:". */
static void assert_refused(const char *text, int code, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_assert_null(load(text, &error));
	g_assert_error(error, TL_CONFIG_ERROR, code);
	g_autofree char *whole = g_strdup_printf("%s:%s", path, expected);
	g_assert_cmpstr(error->message, ==, whole);
}

static const struct {
	const char *text;
	int code;
	const char *expected;
} refusals[] = {
	{ "name = x\n", TL_CONFIG_ERROR_SYNTAX, "1: expected a [section] first" },
	{ "[node\n", TL_CONFIG_ERROR_SYNTAX, "1: expected [kind] or [kind name]" },
	{ "[node] x\n", TL_CONFIG_ERROR_SYNTAX, "1: expected [kind] or [kind name]" },
	{ "\n# note\n[nod]\n", TL_CONFIG_ERROR_SYNTAX, "3: [nod]: unknown section; expected one of node, span, route" },
	{ "[node]\nname\n", TL_CONFIG_ERROR_SYNTAX, "2: expected key = value" },
	{ "[node]\nnaem = x\n", TL_CONFIG_ERROR_SYNTAX,
	  "2: [node] naem: unknown key; expected one of name, calls, verbose" },
	{ "[node]\nkind = e1\n", TL_CONFIG_ERROR_SYNTAX,
	  "2: [node] kind: unknown key; expected one of name, calls, verbose" },
	{ "[node]\nname =\n", TL_CONFIG_ERROR_VALUE, "2: [node] name = : expected a value" },
	{ "[node]\ncalls = 0\n", TL_CONFIG_ERROR_VALUE, "2: [node] calls = 0: expected a whole number from 1 to 5000" },
	{ "[node]\ncalls = 5001\n", TL_CONFIG_ERROR_VALUE,
	  "2: [node] calls = 5001: expected a whole number from 1 to 5000" },
	{ "[node]\ncalls = 1e3\n", TL_CONFIG_ERROR_VALUE,
	  "2: [node] calls = 1e3: expected a whole number from 1 to 5000" },
	{ "[node]\ncalls = 99999999999999999999\n", TL_CONFIG_ERROR_VALUE,
	  "2: [node] calls = 99999999999999999999: expected a whole number from 1 to 5000" },
	{ "[node]\nverbose = true\n", TL_CONFIG_ERROR_VALUE, "2: [node] verbose = true: expected yes or no" },
	{ "[span a]\nkind = E1\n", TL_CONFIG_ERROR_VALUE, "2: [span] kind = E1: expected one of e1|t1" },
	{ "[span a]\nremote = localhost:99\n", TL_CONFIG_ERROR_VALUE,
	  "2: [span] remote = localhost:99: expected a numeric address with port, such as 127.0.0.1:5060 or [::1]:5060" },
	{ "[span a]\nremote = 127.0.0.1:65536\n", TL_CONFIG_ERROR_VALUE,
	  "2: [span] remote = 127.0.0.1:65536: expected a numeric address with port, such as 127.0.0.1:5060 or "
	  "[::1]:5060" },
	{ "[span a]\nremote = 127.0.0.1\n", TL_CONFIG_ERROR_VALUE,
	  "2: [span] remote = 127.0.0.1: expected a numeric address with port, such as 127.0.0.1:5060 or [::1]:5060" },
	{ "[route a]\nprefix = 12a\n", TL_CONFIG_ERROR_VALUE,
	  "2: [route] prefix = 12a: expected a telephone number of digits, * and #, perhaps with a leading +" },
	{ "[route a]\nprefix = 1+2\n", TL_CONFIG_ERROR_VALUE,
	  "2: [route] prefix = 1+2: expected a telephone number of digits, * and #, perhaps with a leading +" },
	{ "[span a]\n\nremote = 127.0.0.1:1\n", TL_CONFIG_ERROR_VALUE, "1: [span a] kind is missing: expected e1 or t1" },
	{ "[span a]\nkind = e1\n[span a]\n", TL_CONFIG_ERROR_SYNTAX, "3: [span a]: stands already at line 1" },
	{ "[node]\n[node]\n", TL_CONFIG_ERROR_SYNTAX, "2: [node]: stands already at line 1" },
	{ "[node]\ncalls = 1\ncalls = 2\n", TL_CONFIG_ERROR_SYNTAX, "3: [node] calls: stands already at line 2" },
};

static void test_refusals(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(refusals); i++)
		assert_refused(refusals[i].text, refusals[i].code, refusals[i].expected);
}

static void test_file_that_cannot_be_read(void)
{
	g_autoptr(GError) error = NULL;
	g_assert_null(tl_config_load("/nowhere/trunkd.conf", keys, &error));
	g_assert_error(error, TL_CONFIG_ERROR, TL_CONFIG_ERROR_READ);
	g_assert_true(g_str_has_prefix(error->message, "/nowhere/trunkd.conf: cannot be read: "));
	g_clear_error(&error);

	g_assert_true(g_file_set_contents(path, "[node]\n\0", 8, NULL));
	g_assert_null(tl_config_load(path, keys, &error));
	g_autofree char *whole = g_strdup_printf("%s: expected text, found a NUL octet", path);
	g_assert_cmpstr(error->message, ==, whole);
}

static void test_values(void)
{
	g_autoptr(GError) error = NULL;
	struct tl_config *config = load(" # note\n[node]\nname = the node = 1 \r\ncalls=7\n  verbose = yes\n"
					"[span b]\nkind = t1\nremote = [::1]:5000\nhunt = 1, 2  3,4\n[span a]\nkind = e1\n",
					&error);
	g_assert_no_error(error);
	const struct tl_config_section *node = tl_config_section(config, "node");
	g_assert_cmpstr(tl_config_path(config), ==, path);
	g_assert_cmpstr(tl_config_string(node, "name"), ==, "the node = 1");
	g_assert_cmpint(tl_config_int(node, "calls"), ==, 7);
	g_assert_true(tl_config_bool(node, "verbose"));

	const struct tl_config_section *b = tl_config_next(config, "span", NULL);
	g_assert_cmpstr(tl_config_name(b), ==, "b");
	g_assert_cmpuint(tl_config_choice(b, "kind"), ==, 1);
	g_autofree char *hunt = g_strjoinv("|", (char **)tl_config_list(b, "hunt"));
	g_assert_cmpstr(hunt, ==, "1|2|3|4");
	const struct tl_config_section *a = tl_config_next(config, "span", b);
	g_assert_cmpstr(tl_config_name(a), ==, "a");
	g_assert_cmpuint(tl_config_choice(a, "kind"), ==, 0);
	g_assert_null(tl_config_string(a, "remote"));
	g_assert_null(tl_config_list(a, "hunt")[0]);
	g_assert_null(tl_config_next(config, "span", a));
	tl_config_free(config);
}

static void test_fallbacks(void)
{
	struct tl_config *config = load("", NULL);
	const struct tl_config_section *node = tl_config_section(config, "node");
	g_assert_null(tl_config_next(config, "node", NULL));
	g_assert_null(tl_config_name(node));
	g_assert_cmpstr(tl_config_string(node, "name"), ==, "trunkline");
	g_assert_cmpint(tl_config_int(node, "calls"), ==, 100);
	g_assert_false(tl_config_bool(node, "verbose"));
	g_assert_true(tl_config_section(config, "node") == node);
	tl_config_free(config);
	tl_config_free(NULL);
}

static void assert_caller_refuses(const struct tl_config_section *section, const char *key, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_assert_false(tl_config_refuse(section, key, &error, "expected %s", "better"));
	g_assert_error(error, TL_CONFIG_ERROR, TL_CONFIG_ERROR_VALUE);
	g_autofree char *whole = g_strdup_printf("%s:%s", path, expected);
	g_assert_cmpstr(error->message, ==, whole);
}

/* The line of the key where it stands, else that of its section. */
static void test_refusal_by_the_caller(void)
{
	struct tl_config *config = load("[span x]\nkind = e1\n\nremote = 127.0.0.1:9\n", NULL);
	const struct tl_config_section *span = tl_config_next(config, "span", NULL);
	assert_caller_refuses(span, "remote", "4: [span x] remote: expected better");
	assert_caller_refuses(span, "hunt", "1: [span x] hunt: expected better");
	assert_caller_refuses(tl_config_section(config, "node"), "name", " [node] name: expected better"); /* no such line */
	tl_config_free(config);
}

static void assert_address(const char *text, const char *host, unsigned port)
{
	char got[64];
	unsigned got_port;
	tl_config_address(text, got, &got_port);
	g_assert_cmpstr(got, ==, host);
	g_assert_cmpuint(got_port, ==, port);
}

static void test_address(void)
{
	assert_address("127.0.0.1:5060", "127.0.0.1", 5060);
	assert_address("[2001:db8::1]:0", "2001:db8::1", 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *folder = g_dir_make_tmp("config-XXXXXX", NULL);
	path = g_build_filename(folder, "test.conf", NULL);
	g_test_add_func("/config/refusals", test_refusals);
	g_test_add_func("/config/file-that-cannot-be-read", test_file_that_cannot_be_read);
	g_test_add_func("/config/values", test_values);
	g_test_add_func("/config/fallbacks", test_fallbacks);
	g_test_add_func("/config/refusal-by-the-caller", test_refusal_by_the_caller);
	g_test_add_func("/config/address", test_address);
	int status = g_test_run();
	g_unlink(path);
	g_rmdir(folder);
	g_free(path);
	return status;
}
