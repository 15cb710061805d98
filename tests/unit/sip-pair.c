/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "sip-pair.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"

#define PATIENCE_S 60

const char *const transport_names[N_TRANSPORTS] = { "udp4", "tcp4", "udp6", "tcp6", "tls4" };

struct patience {
	const char *what;
	int64_t deadline_us;
	guint source;
};

static gboolean on_look(gpointer user)
{
	return G_SOURCE_CONTINUE;
}

struct patience *patience_new(const char *what)
{
	struct patience *patience = g_new0(struct patience, 1);
	patience->what = what;
	patience->deadline_us = g_get_monotonic_time() + (int64_t)PATIENCE_S * G_USEC_PER_SEC;
	patience->source = g_timeout_add(100, on_look, NULL);
	return patience;
}

void patience_spend(struct patience *patience)
{
	if (g_get_monotonic_time() > patience->deadline_us)
		g_error("waited in vain for %s", patience->what);
	g_main_context_iteration(NULL, TRUE);
}

void patience_free(struct patience *patience)
{
	g_source_remove(patience->source);
	g_free(patience);
}

static gboolean on_over(gpointer user)
{
	*(bool *)user = true;
	return G_SOURCE_REMOVE;
}

void linger(unsigned ms)
{
	bool over = false;
	g_timeout_add(ms, on_over, &over);
	while (!over)
		g_main_context_iteration(NULL, TRUE);
}

struct tl_rtp_side side(unsigned port, enum tl_law law)
{
	return (struct tl_rtp_side){ .host = "127.0.0.1", .port = port, .law = law, .dtmf_payload_type = 101, .ptime_ms = 20,
				     .sends = true, .receives = true };
}

void end_on_dialog(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *user)
{
	struct end *end = user;
	end->heard[event->kind]++;
	end->inband = event->inband;
	if (event->digits)
		g_string_append(end->digits, event->digits);
	if (event->kind != TL_DIALOG_RELEASED)
		return;
	end->cause = event->cause;
	end->by_peer = event->by_peer;
	if (end->keep_released || dialog != end->dialog)
		return;
	tl_dialog_free(end->dialog);
	end->dialog = NULL;
}

static void on_offered(struct tl_sip *sip, struct tl_dialog *dialog, const struct tl_leg_setup *setup,
		       const struct tl_sip_origin *origin, void *user)
{
	struct end *end = user;
	g_assert_null(end->dialog);
	end->dialog = dialog;
	dialog->on_event = end_on_dialog;
	dialog->user = end;
	dialog->local = end->answer;
	end->setup = *setup;
	end->origin = origin->kind;
	g_strlcpy(end->origin_name, origin->name, sizeof(end->origin_name));
	end->offered++;
}

static void on_registration(struct tl_sip *sip, const char *name, bool registered, const char *contact, void *user)
{
	struct end *end = user;
	g_assert_cmpstr(name, ==, USER);
	end->registered = registered;
	end->registrations++;
	g_strlcpy(end->registered_contact, contact, sizeof(end->registered_contact));
}

static void on_trace(struct tl_sip *sip, bool sent, const char *message, size_t length, void *user)
{
	struct end *end = user;
	g_assert_cmpuint(strlen(message), ==, length);
	*(sent ? &end->traced_sent : &end->traced_received) += 1;
	g_string_append(end->trace, message);
}

static const struct tl_sip_handler handler = { on_offered, on_registration, on_trace };

static char *folder;

static void forget_folder(void)
{
	static const char *const names[] = { "agent.pem", "cafile.pem" };
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL);
		unlink(path);
	}
	rmdir(folder);
	g_free(folder);
}

const char *tls_folder(void)
{
	if (!folder) {
		folder = g_dir_make_tmp("tl-sip-XXXXXX", NULL);
		atexit(forget_folder);
	}
	return folder;
}

void end_start(struct end *end, enum transport transport, const char *trunk_target, void (*adjust)(struct tl_sip_config *))
{
	static const char *const listen[N_TRANSPORTS] = {
		"sip:127.0.0.1:0;transport=udp", "sip:127.0.0.1:0;transport=tcp", "sip:[::1]:0;transport=udp",
		"sip:[::1]:0;transport=tcp", "sips:127.0.0.1:0",
	};
	static const char *const peers[] = { "127.0.0.1", "::1", NULL };
	const char *const urls[] = { listen[transport], NULL };
	char *ha1 = g_compute_checksum_for_string(G_CHECKSUM_MD5, USER ":" REALM ":" PASSWORD, -1);
	struct tl_sip_user users[] = { { USER, ha1 } };
	struct tl_sip_trunk trunks[] = { { "far", trunk_target, peers, NULL, NULL } };
	struct tl_sip_config config = {
		.tls_folder = tls_folder(), .listen = urls, .realm = REALM, .users = users, .n_users = 1, .trunks = trunks, .n_trunks = trunk_target ? 1 : 0,
	};
	if (adjust)
		adjust(&config);
	GError *error = NULL;
	*end = (struct end){ .digits = g_string_new(NULL), .trace = g_string_new(NULL), .answer = side(30000, TL_LAW_ALAW) };
	end->sip = tl_sip_new(&config, &handler, end, &error);
	g_assert_no_error(error);
	g_free(ha1);
}

void end_stop(struct end *end)
{
	tl_sip_free(end->sip);
	if (end->dialog && end->keep_released)
		tl_dialog_free(end->dialog);
	else
		g_assert_null(end->dialog);
	g_string_free(end->digits, TRUE);
	g_string_free(end->trace, TRUE);
}

char *end_uri(const struct end *end, enum transport transport)
{
	static const char *const formats[N_TRANSPORTS] = {
		"sip:127.0.0.1:%u", "sip:127.0.0.1:%u;transport=tcp", "sip:[::1]:%u", "sip:[::1]:%u;transport=tcp",
		"sip:127.0.0.1:%u;transport=tls",
	};
	return g_strdup_printf(formats[transport], tl_sip_port(end->sip));
}

void end_call(struct end *from, const char *target, const char *called, const char *calling)
{
	struct tl_leg_setup setup = { .called_complete = true };
	struct tl_rtp_side local = side(20000, TL_LAW_ALAW);
	GError *error = NULL;
	g_assert_true(tl_number_parse(called, &setup.called));
	g_assert_true(tl_number_parse(calling, &setup.calling));
	from->dialog = tl_sip_call(from->sip, target, &setup, &local, end_on_dialog, from, &error);
	g_assert_no_error(error);
}

void end_reset(struct end *end)
{
	g_assert_null(end->dialog);
	memset(end->heard, 0, sizeof(end->heard));
	end->offered = end->cause = 0;
	g_string_truncate(end->digits, 0);
}

void pair_start(struct pair *pair, enum transport transport, void (*adjust)(struct tl_sip_config *))
{
	pair->transport = transport;
	end_start(&pair->b, transport, "sip:127.0.0.1:9", adjust);
	pair->b_uri = end_uri(&pair->b, transport);
	end_start(&pair->a, transport, pair->b_uri, adjust);
}

void pair_stop(struct pair *pair)
{
	end_stop(&pair->a);
	end_stop(&pair->b);
	g_free(pair->b_uri);
}

void pair_connect(struct pair *pair)
{
	end_call(&pair->a, "trunk:far", "4930123", "+49891");
	await(pair->b.offered);
	g_assert_cmpint(tl_dialog_answer(pair->b.dialog), ==, 0);
	await(pair->a.heard[TL_DIALOG_ANSWERED]);
}

void pair_await_released(struct pair *pair)
{
	await(pair->a.heard[TL_DIALOG_RELEASED] && pair->b.heard[TL_DIALOG_RELEASED]);
	g_assert_cmpuint(pair->a.heard[TL_DIALOG_RELEASED], ==, 1);
	g_assert_cmpuint(pair->b.heard[TL_DIALOG_RELEASED], ==, 1);
}

void test_main_init(int *argc, char ***argv)
{
	tl_thread_become_main();
	tl_log_set_level(TL_LOG_NOTICE);
	g_test_init(argc, argv, NULL);
}
