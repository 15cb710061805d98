/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* trunkd's configuration: each mistake gets one line that names file, line, section, key and what was expected. */
#include <glib/gstdio.h>
#include <string.h>

#include "settings.h"

#define GOOD_SPAN "[span e1]\nkind = e1\nlocal = 127.0.0.1:4001\nremote = 127.0.0.1:4002\n"
#define GOOD_SIP "[sip]\nlisten = sip:127.0.0.1:5060\n"

static struct tl_settings *load(const char *text, GError **error)
{
	g_autofree char *directory = g_dir_make_tmp("settings-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "trunkd.conf", NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	struct tl_settings *settings = tl_settings_load(path, error);
	g_unlink(path);
	g_rmdir(directory);
	return settings;
}

static void test_mistakes(void)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "[node]\nnmae = x\n", ":2: [node] nmae: unknown key; expected one of name, " },
		{ "[nodes]\n", ":1: [nodes]: unknown section" },
		{ "[node]\nmax_legs = many\n", ":2: [node] max_legs = many: expected a whole number from 1 to 4096" },
		{ "[node]\nname = a b\n", ":2: [node] name: expected letters" },
		{ "[node]\ncountry = deu\n", ":2: [node] country: deu: expected one of " },
		{ "[node]\ncountry = zz\n", ":2: [node] country: zz: expected one of " },
		{ "[token a]\ntoken = short\nrole = operator\n", ":2: [token a] token: expected a secret of 8" },
		{ "[token a]\ntoken = longenough\n", ":1: [token a] role is missing" },
		{ "[token a]\ntoken = longenough\nrole = king\n", ":3: [token] role = king: expected one of" },
		{ GOOD_SPAN "signalling = pri-cpe\nd_channel = 0\n", ":6: [span e1] d_channel: expected a timeslot from 1 to 31, because "
								    "signalling is pri-cpe" },
		{ "[span t1]\nkind = t1\nlocal = 127.0.0.1:4001\nremote = 127.0.0.1:4002\nd_channel = 25\n",
		  ":5: [span t1] d_channel: expected a timeslot from 1 to 24" },
		{ GOOD_SPAN "frames = 7\n", ":5: [span e1] frames: expected a divisor of 80" },
		{ GOOD_SPAN "t309_ms = -1\n", ":5: [span] t309_ms = -1: expected a whole number" },
		{ "[span e1]\nkind = e1\nlocal = localhost:1\n", ":3: [span] local = localhost:1: expected a numeric address" },
		{ "[span]\nkind = e1\nlocal = 127.0.0.1:1\nremote = 127.0.0.1:2\n", "the section's name" },
		{ "[span e1]\nkind = e1\nlocal = 127.0.0.1:1\n", ":1: [span e1] remote: expected an address and port" },
		{ "[span e1]\nkind = e1\nbackend = dahdi\n", ":1: [span e1] dahdi_span: expected DAHDI's number" },
		{ "[span e1]\nkind = e1\nbackend = dahdi\ndahdi_span = 1\ndahdi_depth_ms = 25\n",
		  ":5: [span e1] dahdi_depth_ms: expected tens" },
		{ "[media]\nrtp_port_min = 3000\nrtp_port_max = 2000\n", ":3: [media] rtp_port_max: expected more than rtp_port_min (3000)" },
		{ "[media]\nrtp_host = example.net\n", ":2: [media] rtp_host: expected a numeric address" },
		{ "[sip]\n", "[sip] listen is missing" },
		{ "[sip]\nlisten = 127.0.0.1\n", ":2: [sip] listen: 127.0.0.1: expected sip:host:port" },
		{ GOOD_SIP "[user a]\n", "[user a] password: expected either password or ha1" },
		{ GOOD_SIP "[user a]\nha1 = xyz\n", ":4: [user a] ha1: expected 32 hexadecimal digits" },
		{ GOOD_SIP "[trunk a]\ntarget = sip:1.2.3.4\npeers = there\n", ":5: [trunk a] peers: there: expected a numeric address" },
		{ "[route a]\nto = nowhere\n", ":2: [route a] to: nowhere: expected group:NAME" },
		{ "[route a]\nto = group:none\n", ":2: [route a] to: group:none: expected the name of a group" },
		{ "[route a]\nto = route\n", ":2: [route a] to: route: expected group:NAME" },
		{ "[route a]\nprefix = 12x\nto = sip:a@b\n", ":2: [route] prefix = 12x: expected a telephone number" },
		{ "[route a]\nto = sip:a@b\n[route b]\nto = sip:a@b\n", "another route has no prefix, too" },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		if (load(cases[i].text, &error))
			g_error("taken: %s", cases[i].text);
		if (!strstr(error->message, cases[i].expected))
			g_error("said: %s\nexpected: %s", error->message, cases[i].expected);
		g_assert_nonnull(strstr(error->message, ".conf:"));
		g_assert_null(strchr(error->message, '\n'));
	}
}

static void test_defaults(void)
{
	g_autoptr(GError) error = NULL;
	struct tl_settings *settings = load(GOOD_SPAN "signalling = pri-cpe\ngroup = g\n" GOOD_SIP
					    "realm = r\n[user u]\npassword = p\n[route a]\nto = group:g\n", &error);
	g_assert_no_error(error);
	const struct tl_node_config *node = tl_settings_node(settings);
	g_assert_cmpuint(node->n_accesses, ==, 1);
	g_assert_cmpuint(node->accesses[0].span.d_channel, ==, 16);
	g_assert_cmpint(node->accesses[0].span.law, ==, TL_LAW_ALAW);
	g_assert_cmpint(node->accesses[0].signalling.pri.type, ==, TL_PRI_EUROISDN);
	g_assert_cmpstr(node->accesses[0].span.clock_domain, ==, "e1");
	g_assert_cmpuint(node->n_routes, ==, 1);
	g_assert_true(node->sip_on);
	g_assert_cmpstr(node->sip.users[0].ha1, ==, "44add22b6f3179b751eafd68ee370f7d" /* MD5 of u:r:p */);
	g_assert_true(g_str_has_suffix(node->control.socket_path, "/trunkd.sock"));
	tl_settings_free(settings);
}

static void test_t1(void)
{
	g_autoptr(GError) error = NULL;
	struct tl_settings *settings = load("[span t1]\nkind = t1\nlocal = 127.0.0.1:4001\nremote = [::1]:4002\n"
					    "signalling = pri-network\nhunt = round-robin\nclock = loop\n", &error);
	g_assert_no_error(error);
	const struct tl_access_config *access = tl_settings_node(settings)->accesses;
	g_assert_cmpuint(access->span.d_channel, ==, 24);
	g_assert_cmpint(access->span.law, ==, TL_LAW_ULAW);
	g_assert_cmpint(access->span.pseudowire.clock, ==, TL_CLOCK_LOOP);
	g_assert_cmpstr(access->span.pseudowire.remote_host, ==, "::1");
	g_assert_cmpint(access->signalling.pri.side, ==, TL_PRI_NETWORK);
	g_assert_cmpint(access->signalling.pri.type, ==, TL_PRI_NI2);
	g_assert_cmpint(access->signalling.pri.hunt, ==, TL_HUNT_ROUND_ROBIN);
	g_assert_false(tl_settings_node(settings)->sip_on);
	tl_settings_free(settings);
}

static void test_dahdi(void)
{
	g_autoptr(GError) error = NULL;
	struct tl_settings *settings = load("[span a]\nkind = e1\nbackend = dahdi\ndahdi_span = 3\nsignalling = pri-cpe\n", &error);
	g_assert_no_error(error);
	const struct tl_node_config *node = tl_settings_node(settings);
	g_assert_cmpint(node->accesses[0].span.backend, ==, TL_SPAN_DAHDI);
	g_assert_cmpuint(node->accesses[0].span.dahdi.span, ==, 3);
	g_assert_cmpuint(node->accesses[0].span.dahdi.depth_ms, ==, 20);
	g_assert_cmpint(node->media.tick, ==, TL_TICK_SPAN);
	tl_settings_free(settings);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/call-settings/mistakes", test_mistakes);
	g_test_add_func("/call-settings/defaults", test_defaults);
	g_test_add_func("/call-settings/t1", test_t1);
	g_test_add_func("/call-settings/dahdi", test_dahdi);
	return g_test_run();
}
