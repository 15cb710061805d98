/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* SRTP's keys agreed by two stacks over TLS, and what is refused: RFC 4568 7, RFC 3261 26. */
#include "sip-pair.h"

#include <glib/gstdio.h>
#include <string.h>

#include "secure/secure.h"

static enum tl_srtp_policy policy_a, policy_b;
static bool in_clear;

static void policy(struct tl_sip_config *config, enum tl_srtp_policy srtp)
{
	for (unsigned i = 0; i < config->n_trunks; i++)
		((struct tl_sip_trunk *)config->trunks)[i].srtp = srtp;
	config->keys_in_clear = in_clear;
}

static void as_a(struct tl_sip_config *config)
{
	policy(config, policy_a);
}

static void as_b(struct tl_sip_config *config)
{
	policy(config, policy_b);
}

static void start(struct pair *p, enum transport transport, enum tl_srtp_policy a, enum tl_srtp_policy b)
{
	policy_a = a, policy_b = b;
	p->transport = transport;
	end_start(&p->b, transport, "sip:127.0.0.1:9", as_b);
	p->b_uri = end_uri(&p->b, transport);
	end_start(&p->a, transport, p->b_uri, as_a);
}

static void stop(struct pair *p)
{
	if (p->a.dialog) {
		tl_dialog_release(p->a.dialog, TL_CAUSE_NORMAL_CLEARING);
		pair_await_released(p);
	}
	pair_stop(p);
	in_clear = false;
}

static void assert_opposite(const struct pair *p, enum tl_srtp_profile profile)
{
	const struct tl_dtls_keys *a = p->a.dialog->keys, *b = p->b.dialog->keys;
	size_t salt = tl_srtp_salt_octets(profile);
	g_assert_true(a && b);
	g_assert_true(a->profile == profile && b->profile == profile);
	g_assert_cmpmem(a->send.key, 16, b->receive.key, 16);
	g_assert_cmpmem(b->send.key, 16, a->receive.key, 16);
	g_assert_cmpmem(a->send.salt, salt, b->receive.salt, salt);
	g_assert_cmpmem(b->send.salt, salt, a->receive.salt, salt);
	g_assert_true(memcmp(a->send.key, b->send.key, 16));
}

/* Who allows or requires it, and what comes of it. */
static void test_policies(void)
{
	static const struct {
		enum transport transport;
		enum tl_srtp_policy a, b;
		bool secured;
	} cases[] = {
		{ TLS4, TL_SRTP_OFF, TL_SRTP_OFF, false },	   { TLS4, TL_SRTP_ALLOW, TL_SRTP_ALLOW, true },
		{ TLS4, TL_SRTP_OFF, TL_SRTP_ALLOW, false },	   { TLS4, TL_SRTP_ALLOW, TL_SRTP_OFF, false },
		{ TLS4, TL_SRTP_REQUIRE, TL_SRTP_ALLOW, true },	   { TLS4, TL_SRTP_ALLOW, TL_SRTP_REQUIRE, true },
		{ TLS4, TL_SRTP_REQUIRE, TL_SRTP_REQUIRE, true },  { UDP4, TL_SRTP_ALLOW, TL_SRTP_ALLOW, false },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct pair p;
		g_test_message("case %u", i);
		start(&p, cases[i].transport, cases[i].a, cases[i].b);
		pair_connect(&p);
		await(p.b.dialog);
		if (cases[i].secured)
			assert_opposite(&p, TL_SRTP_AEAD_AES_128_GCM);
		else
			g_assert_true(!p.a.dialog->keys && !p.b.dialog->keys);
		stop(&p);
	}
}

static void test_in_clear_if_told(void)
{
	struct pair p;
	in_clear = true;
	start(&p, UDP4, TL_SRTP_REQUIRE, TL_SRTP_REQUIRE);
	pair_connect(&p);
	assert_opposite(&p, TL_SRTP_AEAD_AES_128_GCM);
	stop(&p);
}

static void call_refused(enum tl_srtp_policy a, enum tl_srtp_policy b)
{
	struct tl_sip_counters counters;
	struct pair p;
	start(&p, TLS4, a, b);
	end_call(&p.a, "trunk:far", "4930123", "+49891");
	await(p.a.heard[TL_DIALOG_RELEASED]);
	g_assert_cmpuint(p.a.cause, ==, TL_CAUSE_BEARER_NOT_IMPLEMENTED); /* 488 */
	g_assert_cmpuint(p.b.offered, ==, 0);
	tl_sip_counters(p.b.sip, &counters);
	g_assert_cmpuint(counters.sdp_refused, ==, 1);
	pair_stop(&p);
}

static void test_refused(void)
{
	call_refused(TL_SRTP_OFF, TL_SRTP_REQUIRE);
	call_refused(TL_SRTP_REQUIRE, TL_SRTP_OFF);
}

/* Without TLS there is nothing to require it by: said at once. */
static void test_not_secret(void)
{
	struct pair p;
	struct tl_leg_setup setup = { .called_complete = true };
	struct tl_rtp_side local = side(20000, TL_LAW_ALAW);
	g_autoptr(GError) error = NULL;
	start(&p, UDP4, TL_SRTP_REQUIRE, TL_SRTP_ALLOW);
	g_assert_null(tl_sip_call(p.a.sip, "trunk:far", &setup, &local, end_on_dialog, &p.a, &error));
	g_assert_error(error, TL_IP_ERROR, TL_IP_ERROR_TARGET);
	g_assert_nonnull(strstr(error->message, "SRTP is required"));
	pair_stop(&p);
}

/* Hold and retrieve keep the keys; nobody begins his key stream anew. */
static void test_reoffer_keeps(void)
{
	struct pair p;
	start(&p, TLS4, TL_SRTP_REQUIRE, TL_SRTP_REQUIRE);
	pair_connect(&p);
	struct tl_dtls_keys before = *p.a.dialog->keys;
	for (unsigned i = 1; i <= 4; i++) {
		struct end *from = i <= 2 ? &p.a : &p.b, *to = i <= 2 ? &p.b : &p.a;
		unsigned heard = to->heard[TL_DIALOG_MEDIA];
		from->dialog->local.receives = i % 2 == 0;
		g_assert_cmpint(tl_dialog_update(from->dialog), ==, 0);
		await(to->heard[TL_DIALOG_MEDIA] > heard);
		linger(50); /* the ACK, before the other end re-offers */
		assert_opposite(&p, TL_SRTP_AEAD_AES_128_GCM);
		g_assert_cmpmem(p.a.dialog->keys, sizeof before, &before, sizeof before);
	}
	stop(&p);
}

/* What is traced is everybody's to read who may trace. */
static void test_trace_hides_keys(void)
{
	struct pair p;
	start(&p, TLS4, TL_SRTP_REQUIRE, TL_SRTP_REQUIRE);
	tl_sip_set_trace(p.a.sip, true);
	pair_connect(&p);
	g_assert_nonnull(strstr(p.a.trace->str, "a=crypto:1 AEAD_AES_128_GCM inline:****************************************\r\n"));
	g_assert_null(g_regex_match_simple("inline:[^*]", p.a.trace->str, 0, 0) ? p.a.trace->str : NULL);
	stop(&p);
}

/* ---- certificates ---- */

static char *own_folder, *authorities;

static void with_authorities(struct tl_sip_config *config)
{
	config->tls_folder = own_folder;
	config->authorities = authorities;
}

/* Whom nobody vouches for is not talked to; a self-signed one that is named vouches for itself, but not for an address. */
static void test_stranger(void)
{
	g_autofree char *trusted = NULL, *agent = NULL;
	g_autoptr(GError) error = NULL;
	struct pair p;
	own_folder = g_dir_make_tmp("tl-sip-XXXXXX", NULL);
	authorities = g_build_filename(own_folder, "authorities.pem", NULL);
	struct tl_certificate *other = tl_certificate_open(authorities, 30, &error);
	g_assert_no_error(error);
	end_start(&p.b, TLS4, "sip:127.0.0.1:9", NULL);
	p.b_uri = end_uri(&p.b, TLS4);
	end_start(&p.a, TLS4, p.b_uri, with_authorities);
	end_call(&p.a, "trunk:far", "4930123", "+49891");
	await(p.a.heard[TL_DIALOG_RELEASED]);
	g_assert_cmpuint(p.b.offered, ==, 0);
	g_assert_cmpuint(p.a.cause, ==, TL_CAUSE_NETWORK_OUT_OF_ORDER);
	pair_stop(&p);
	tl_certificate_unref(other);
	trusted = g_build_filename(own_folder, "cafile.pem", NULL);
	agent = g_build_filename(own_folder, "agent.pem", NULL);
	g_unlink(trusted), g_unlink(agent), g_unlink(authorities);
	g_assert_cmpint(g_rmdir(own_folder), ==, 0);
	g_free(own_folder), g_free(authorities);
}

static void test_certificates_refused(void)
{
	g_autofree char *folder = g_dir_make_tmp("tl-tls-XXXXXX", NULL), *file = g_build_filename(folder, "mine.pem", NULL);
	g_autofree char *tls = g_build_filename(folder, "tls", NULL), *agent = g_build_filename(tls, "agent.pem", NULL);
	g_autofree char *trusted = g_build_filename(tls, "cafile.pem", NULL);
	static const struct {
		const char *text;
		int mode;
		const char *why;
	} cases[] = {
		{ NULL, 0, "No such file" },
		{ "", 0600, "expected a private key" },
		{ "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0600, "expected a private key" },
		{ "", 0644, "expected mode 0600" },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		if (cases[i].text) {
			g_assert_true(g_file_set_contents(file, cases[i].text, -1, NULL));
			g_assert_cmpint(g_chmod(file, cases[i].mode), ==, 0);
		}
		g_assert_false(tl_tls_folder_make(tls, file, NULL, &error));
		g_assert_error(error, TL_SECURE_ERROR, TL_SECURE_ERROR_CERTIFICATE);
		g_assert_nonnull(strstr(error->message, cases[i].why));
	}
	/* One given is linked; without it, ours comes in its place. */
	g_autoptr(GError) error = NULL;
	g_unlink(file);
	tl_certificate_unref(tl_certificate_open(file, 30, &error));
	g_assert_no_error(error);
	g_assert_true(tl_tls_folder_make(tls, file, NULL, &error));
	g_assert_true(g_file_test(agent, G_FILE_TEST_IS_SYMLINK));
	g_assert_true(tl_tls_folder_make(tls, NULL, NULL, &error));
	g_assert_false(g_file_test(agent, G_FILE_TEST_IS_SYMLINK));
	g_assert_false(tl_tls_folder_make(tls, NULL, "/dev/null", &error));
	g_unlink(file), g_unlink(agent), g_unlink(trusted), g_rmdir(tls);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int main(int argc, char **argv)
{
	test_main_init(&argc, &argv);
	g_test_add_func("/sip-secure/policies", test_policies);
	g_test_add_func("/sip-secure/in-clear-if-told", test_in_clear_if_told);
	g_test_add_func("/sip-secure/refused", test_refused);
	g_test_add_func("/sip-secure/not-secret", test_not_secret);
	g_test_add_func("/sip-secure/reoffer-keeps", test_reoffer_keeps);
	g_test_add_func("/sip-secure/trace-hides-keys", test_trace_hides_keys);
	g_test_add_func("/sip-secure/stranger", test_stranger);
	g_test_add_func("/sip-secure/certificates-refused", test_certificates_refused);
	return g_test_run();
}
