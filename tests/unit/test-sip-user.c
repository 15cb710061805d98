/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Registration, digest both ways, who is let in, and what goes wrong: RFC 3261 10, 22; RFC 7616; RFC 4028. */
#include "sip-pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a telephone (b) that registers at a server (a) which knows no trunk ---- */

static struct tl_sip_registration *registration;

static void on_state(bool registered, unsigned status, void *user_data)
{
	struct end *end = user_data;
	end->client_registered = registered;
	end->client_status = status;
	end->client_reports++;
}

static void phone_start(struct pair *p, enum transport transport, const char *user, const char *password,
			void (*adjust)(struct tl_sip_config *))
{
	p->transport = transport;
	end_start(&p->a, transport, NULL, adjust);
	char *uri = end_uri(&p->a, transport);
	end_start(&p->b, transport, uri, NULL);
	p->b_uri = uri; /* here: the server's */
	GError *error = NULL;
	registration = tl_sip_register(p->b.sip, uri, user, password, on_state, &p->b, &error);
	g_assert_no_error(error);
	await(p->b.client_reports);
}

static void test_register(gconstpointer data)
{
	struct pair p;
	phone_start(&p, GPOINTER_TO_INT(data), USER, PASSWORD, NULL);
	g_assert_true(p.b.client_registered);
	g_assert_true(p.a.registered);
	g_assert_true(tl_sip_is_registered(p.a.sip, USER));
	g_assert_nonnull(strstr(p.a.registered_contact, USER "@"));
	tl_sip_unregister(registration);
	await(!p.a.registered);
	g_assert_cmpuint(p.a.registrations, ==, 2);
	g_assert_false(tl_sip_is_registered(p.a.sip, USER));
	pair_stop(&p);
}

/* A telephone that is switched off takes its registration back. */
static void test_switched_off(gconstpointer data)
{
	struct pair p;
	phone_start(&p, GPOINTER_TO_INT(data), USER, PASSWORD, NULL);
	g_assert_true(p.a.registered);
	end_stop(&p.b);
	await(!p.a.registered);
	end_stop(&p.a);
	g_free(p.b_uri);
}

static char *kept_path;

static void keep(struct tl_sip_config *config)
{
	config->registrations_path = kept_path;
}

/* The server is started anew: the telephone, which knows nothing of it, is reached all the same. */
static void test_kept(gconstpointer data)
{
	struct pair p;
	g_autofree char *directory = g_dir_make_tmp("tl-kept-XXXXXX", NULL);
	kept_path = g_build_filename(directory, "registrations", NULL);
	phone_start(&p, GPOINTER_TO_INT(data), USER, PASSWORD, keep);
	g_assert_true(p.a.registered);
	end_stop(&p.a);
	end_start(&p.a, p.transport, NULL, keep);
	await(p.a.registered);
	g_assert_true(tl_sip_is_registered(p.a.sip, USER));
	end_call(&p.a, "user:" USER, "4711", "+4930");
	await(p.b.offered);
	g_assert_cmpint(tl_dialog_answer(p.b.dialog), ==, 0);
	await(p.a.heard[TL_DIALOG_ANSWERED]);
	tl_dialog_release(p.a.dialog, TL_CAUSE_NORMAL_CLEARING);
	pair_await_released(&p);
	pair_stop(&p);
	unlink(kept_path);
	rmdir(directory);
	g_clear_pointer(&kept_path, g_free);
}

/* What a start finds in the file is input: nothing of it may do harm. */
static void test_kept_spoilt(gconstpointer data)
{
	static const char *const spoilt[] = { "", "garbage", "[1]\nuser=" USER "\n", "[1]\nuser=nobody\ncontact=sip:x\ncall_id=a\n",
		"[1]\nuser=" USER "\ncontact=sip:a@127.0.0.1\ncall_id=a\ncseq=1\nlistener=99\nuntil_utc_us=9999999999999999\n",
		"[1]\nuser=" USER "\ncontact=sip:a@127.0.0.1\ncall_id=a\ncseq=1\nlistener=0\nuntil_utc_us=1\n" };
	g_autofree char *directory = g_dir_make_tmp("tl-kept-XXXXXX", NULL);
	kept_path = g_build_filename(directory, "registrations", NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(spoilt); i++) {
		struct end end = { 0 };
		g_assert_true(g_file_set_contents(kept_path, spoilt[i], -1, NULL));
		end_start(&end, GPOINTER_TO_INT(data), NULL, keep);
		for (unsigned n = 0; n < 20; n++)
			g_main_context_iteration(NULL, FALSE);
		g_assert_false(tl_sip_is_registered(end.sip, USER));
		end_stop(&end);
	}
	unlink(kept_path);
	rmdir(directory);
	g_clear_pointer(&kept_path, g_free);
}

static void test_call_user(gconstpointer data)
{
	struct pair p;
	phone_start(&p, GPOINTER_TO_INT(data), USER, PASSWORD, NULL);
	end_call(&p.a, "user:" USER, "4711", "+4930");
	await(p.b.offered);
	g_assert_cmpstr(p.b.setup.called.digits, ==, "4711");
	g_assert_cmpstr(p.b.setup.calling.digits, ==, "4930");
	g_assert_cmpint(tl_dialog_answer(p.b.dialog), ==, 0);
	await(p.a.heard[TL_DIALOG_ANSWERED]);
	tl_dialog_release(p.a.dialog, TL_CAUSE_NORMAL_CLEARING);
	pair_await_released(&p);
	pair_stop(&p);
}

/* The telephone's own call: 401, and the INVITE again with credentials. */
static void test_user_calls(gconstpointer data)
{
	struct pair p;
	phone_start(&p, GPOINTER_TO_INT(data), USER, PASSWORD, NULL);
	end_call(&p.b, p.b_uri, "200", "1");
	await(p.a.offered);
	g_assert_cmpint(p.a.origin, ==, TL_SIP_USER);
	g_assert_cmpstr(p.a.origin_name, ==, USER);
	g_assert_cmpstr(p.a.setup.called.digits, ==, "200");
	g_assert_cmpint(tl_dialog_answer(p.a.dialog), ==, 0);
	await(p.b.heard[TL_DIALOG_ANSWERED]);
	/* A re-offer and the BYE are authenticated or not asked for it. */
	unsigned before = p.a.heard[TL_DIALOG_MEDIA];
	p.b.dialog->local.receives = false;
	tl_dialog_update(p.b.dialog);
	await(p.a.heard[TL_DIALOG_MEDIA] > before);
	tl_dialog_release(p.b.dialog, TL_CAUSE_NORMAL_CLEARING);
	pair_await_released(&p);
	g_assert_true(p.a.by_peer);
	pair_stop(&p);
}

static void test_wrong_password(gconstpointer data)
{
	struct tl_sip_counters counters;
	struct pair p;
	phone_start(&p, GPOINTER_TO_INT(data), USER, "wrong", NULL);
	g_assert_false(p.b.client_registered);
	g_assert_cmpuint(p.b.client_status, ==, 403);
	g_assert_false(tl_sip_is_registered(p.a.sip, USER));
	tl_sip_counters(p.a.sip, &counters);
	g_assert_cmpuint(counters.auth_failures, ==, 1);
	g_assert_cmpuint(p.a.registrations, ==, 0);
	pair_stop(&p);
}

static void test_unknown(gconstpointer data)
{
	struct tl_sip_counters counters;
	struct pair p;
	phone_start(&p, GPOINTER_TO_INT(data), "nobody", "x", NULL);
	g_assert_cmpuint(p.b.client_status, ==, 404);
	end_call(&p.b, "trunk:far", "200", "1");
	await(p.b.heard[TL_DIALOG_RELEASED]);
	g_assert_cmpuint(p.b.cause, ==, TL_CAUSE_REJECTED);
	g_assert_true(p.b.by_peer);
	g_assert_cmpuint(p.a.offered, ==, 0);
	tl_sip_counters(p.a.sip, &counters);
	g_assert_cmpuint(counters.unknown_users, ==, 1);
	g_assert_cmpuint(counters.unknown_peers, ==, 1);
	pair_stop(&p);
}

static void test_removed_user(gconstpointer data)
{
	struct pair p;
	phone_start(&p, GPOINTER_TO_INT(data), USER, PASSWORD, NULL);
	tl_sip_set_peers(p.a.sip, NULL, 0, NULL, 0);
	g_assert_false(p.a.registered);
	g_assert_false(tl_sip_is_registered(p.a.sip, USER));
	pair_stop(&p);
}

static void test_call_errors(gconstpointer data)
{
	static const struct {
		const char *target;
		int code;
	} cases[] = {
		{ "user:" USER, TL_IP_ERROR_UNREGISTERED }, { "user:x", TL_IP_ERROR_TARGET }, { "trunk:x", TL_IP_ERROR_TARGET },
		{ "sip:", TL_IP_ERROR_TARGET }, { "mailto:x@y", TL_IP_ERROR_TARGET },
		{ "sip:1@[::1]:5060", TL_IP_ERROR_TARGET }, { "sip:1@127.0.0.1;transport=tls", TL_IP_ERROR_TARGET },
	};
	struct end end;
	end_start(&end, UDP4, NULL, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_leg_setup setup = { .called = { .digits = "1" } };
		struct tl_rtp_side local = side(4000, TL_LAW_ALAW);
		GError *error = NULL;
		g_assert_null(tl_sip_call(end.sip, cases[i].target, &setup, &local, end_on_dialog, &end, &error));
		g_assert_error(error, TL_IP_ERROR, cases[i].code);
		g_error_free(error);
	}
	end_stop(&end);
}

/* ---- faults ---- */

static int bound_socket(int type, unsigned *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, length), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &length), ==, 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void impatient(struct tl_sip_config *config)
{
	config->unreachable_ms = 300;
	config->max_dialogs = 1;
}

static void call_nowhere(enum transport transport, const char *format, unsigned port)
{
	struct end end;
	char *target = g_strdup_printf(format, port);
	end_start(&end, transport, target, impatient);
	end_call(&end, "trunk:far", "1", "2");
	await(end.heard[TL_DIALOG_RELEASED]);
	g_assert_cmpuint(end.cause, ==, TL_CAUSE_NETWORK_OUT_OF_ORDER);
	g_assert_false(end.by_peer);
	end_stop(&end);
	g_free(target);
}

static void test_unreachable(gconstpointer data)
{
	unsigned port;
	int fd = bound_socket(SOCK_DGRAM, &port); /* hears and says nothing */
	call_nowhere(UDP4, "sip:127.0.0.1:%u", port);
	close(fd);
	call_nowhere(UDP4, "sip:127.0.0.1:%u", port);
	fd = bound_socket(SOCK_STREAM, &port); /* bound, not listening */
	call_nowhere(TCP4, "sip:127.0.0.1:%u;transport=tcp", port);
	close(fd);
}

static void test_overload(gconstpointer data)
{
	struct tl_sip_counters counters;
	struct pair p;
	pair_start(&p, UDP4, NULL);
	end_stop(&p.b);
	g_free(p.b_uri);
	end_start(&p.b, UDP4, "sip:127.0.0.1:9", impatient);
	p.b_uri = end_uri(&p.b, UDP4);
	end_call(&p.a, p.b_uri, "1", "2");
	await(p.b.offered);
	struct tl_dialog *first = p.a.dialog;
	end_call(&p.a, p.b_uri, "1", "2");
	await(p.a.heard[TL_DIALOG_RELEASED]);
	g_assert_cmpuint(p.a.cause, ==, TL_CAUSE_TEMPORARY_FAILURE);
	g_assert_true(p.a.by_peer);
	tl_sip_counters(p.b.sip, &counters);
	g_assert_cmpuint(counters.overload_refused, ==, 1);
	g_assert_cmpuint(p.b.offered, ==, 1);
	end_reset(&p.a);
	p.a.dialog = first;
	tl_dialog_release(first, TL_CAUSE_NORMAL_CLEARING);
	pair_await_released(&p);
	pair_stop(&p);
}

static void test_port_in_use(gconstpointer data)
{
	unsigned port;
	int fd = bound_socket(SOCK_DGRAM, &port);
	char *url = g_strdup_printf("sip:127.0.0.1:%u", port);
	const char *const listen[] = { url, NULL }, *const nonsense[] = { "sip:there:5060", NULL };
	struct tl_sip_config config = { .listen = listen, .realm = REALM };
	static const struct tl_sip_handler none;
	GError *error = NULL;
	g_assert_null(tl_sip_new(&config, &none, NULL, &error));
	g_assert_error(error, TL_IP_ERROR, TL_IP_ERROR_LISTEN);
	g_assert_nonnull(strstr(error->message, "port in use"));
	g_assert_nonnull(strstr(error->message, "127.0.0.1"));
	g_clear_error(&error);
	config.listen = nonsense;
	g_assert_null(tl_sip_new(&config, &none, NULL, &error));
	g_assert_error(error, TL_IP_ERROR, TL_IP_ERROR_CONFIG);
	g_clear_error(&error);
	g_free(url);
	close(fd);
}

/* ---- messages by hand ---- */

struct raw {
	int fd;
	unsigned port, to, cseq;
	char answer[4096];
};

static void raw_start(struct raw *raw, const struct end *server)
{
	*raw = (struct raw){ .to = tl_sip_port(server->sip) };
	raw->fd = bound_socket(SOCK_DGRAM, &raw->port);
}

static void raw_send(struct raw *raw, const char *text, size_t length)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)raw->to) };
	g_assert_cmpint(sendto(raw->fd, text, length, 0, (struct sockaddr *)&to, sizeof(to)), ==, (ssize_t)length);
}

static bool raw_hears(struct raw *raw)
{
	ssize_t n = recv(raw->fd, raw->answer, sizeof(raw->answer) - 1, 0);
	raw->answer[n > 0 ? n : 0] = 0;
	return n > 0 && !g_str_has_prefix(raw->answer, "SIP/2.0 100");
}

/* A request of ours; its answer is left in raw->answer. Returns the status. */
static unsigned raw_request(struct raw *raw, const char *method, const char *uri, const char *user, const char *headers)
{
	raw->cseq++;
	char *text = g_strdup_printf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%u\r\nMax-Forwards: 70\r\n"
				     "From: <sip:%s@x>;tag=t%u\r\nTo: <sip:%s@x>\r\nCall-ID: c%u@x\r\nCSeq: %u %s\r\n"
				     "%sContent-Length: 0\r\n\r\n", method, uri, raw->port, g_random_int(), user, raw->cseq, user,
				     raw->port, raw->cseq, method, headers);
	raw_send(raw, text, strlen(text));
	g_free(text);
	await(raw_hears(raw));
	if (!strcmp(method, "INVITE")) {
		char *ack = g_strdup_printf("ACK %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKa%u\r\n"
					    "Max-Forwards: 70\r\nFrom: <sip:%s@x>;tag=t%u\r\nTo: <sip:%s@x>;tag=x\r\n"
					    "Call-ID: c%u@x\r\nCSeq: %u ACK\r\nContent-Length: 0\r\n\r\n", uri, raw->port,
					    g_random_int(), user, raw->cseq, user, raw->port, raw->cseq);
		raw_send(raw, ack, strlen(ack));
		g_free(ack);
	}
	g_assert_true(g_str_has_prefix(raw->answer, "SIP/2.0 "));
	return (unsigned)g_ascii_strtoull(raw->answer + 8, NULL, 10);
}

static char *md5(const char *text)
{
	return g_compute_checksum_for_string(G_CHECKSUM_MD5, text, -1);
}

/* The Authorization header line for the challenge in raw->answer. */
static char *credentials(const struct raw *raw, const char *method, const char *uri, unsigned nc)
{
	char nonce[128];
	const char *at = strstr(raw->answer, "nonce=\"");
	g_assert_nonnull(at);
	at += strlen("nonce=\"");
	g_strlcpy(nonce, at, (gsize)(strchr(at, '"') - at + 1));
	char *a2 = g_strdup_printf("%s:%s", method, uri), *ha1 = md5(USER ":" REALM ":" PASSWORD), *ha2 = md5(a2);
	char *all = g_strdup_printf("%s:%s:%08x:cn:auth:%s", ha1, nonce, nc, ha2), *response = md5(all);
	char *line = g_strdup_printf("Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
				     "response=\"%s\", qop=auth, nc=%08x, cnonce=\"cn\"\r\n", USER, REALM, nonce, uri, response, nc);
	g_free(a2), g_free(ha1), g_free(ha2), g_free(all), g_free(response);
	return line;
}

static unsigned raw_register(struct raw *raw, const char *line, const char *rest)
{
	char *headers = g_strdup_printf("%s%s", line, rest);
	unsigned status = raw_request(raw, "REGISTER", "sip:x", USER, headers);
	g_free(headers);
	return status;
}

static void test_register_by_hand(gconstpointer data)
{
	struct end end;
	struct raw raw;
	end_start(&end, UDP4, NULL, NULL);
	raw_start(&raw, &end);
	char *contact = g_strdup_printf("Contact: <sip:" USER "@127.0.0.1:%u>\r\n", raw.port);
	char *brief = g_strdup_printf("%sExpires: 10\r\n", contact);
	g_assert_cmpuint(raw_register(&raw, "", contact), ==, 401);
	g_assert_nonnull(strstr(raw.answer, "qop=\"auth\""));
	char *first = credentials(&raw, "REGISTER", "sip:x", 1), *second = credentials(&raw, "REGISTER", "sip:x", 2);
	char *third = credentials(&raw, "REGISTER", "sip:x", 3), *fourth = credentials(&raw, "REGISTER", "sip:x", 4);
	/* RFC 3261 10.2.8: too brief, with Min-Expires. */
	g_assert_cmpuint(raw_register(&raw, first, brief), ==, 423);
	g_assert_nonnull(strstr(raw.answer, "Min-Expires: 60"));
	g_assert_cmpuint(raw_register(&raw, second, contact), ==, 200);
	g_assert_nonnull(strstr(raw.answer, ";expires=3600"));
	g_assert_true(end.registered);
	/* A recorded REGISTER that is sent again only earns a new challenge. */
	g_assert_cmpuint(raw_register(&raw, second, "Contact: *\r\nExpires: 0\r\n"), ==, 401);
	g_assert_nonnull(strstr(raw.answer, "stale=true"));
	g_assert_true(end.registered);
	/* A star is only for leaving altogether (10.3 step 6). */
	g_assert_cmpuint(raw_register(&raw, third, "Contact: *\r\nExpires: 60\r\n"), ==, 400);
	g_assert_cmpuint(raw_register(&raw, fourth, "Contact: *\r\nExpires: 0\r\n"), ==, 200);
	g_assert_false(end.registered);
	g_free(contact), g_free(brief), g_free(first), g_free(second), g_free(third), g_free(fourth);
	close(raw.fd);
	end_stop(&end);
}

static void test_by_hand(gconstpointer data)
{
	struct tl_sip_counters before, after;
	struct end end;
	struct raw raw;
	end_start(&end, UDP4, NULL, NULL);
	raw_start(&raw, &end);
	g_assert_cmpuint(raw_request(&raw, "OPTIONS", "sip:127.0.0.1", "anyone", ""), ==, 200);
	g_assert_nonnull(strstr(raw.answer, "Allow: INVITE"));
	g_assert_cmpuint(raw_request(&raw, "INVITE", "sip:1@127.0.0.1", USER, "Contact: <sip:127.0.0.1>\r\n"), ==, 401);
	g_assert_cmpuint(raw_request(&raw, "INVITE", "sip:1@127.0.0.1", "stranger", "Contact: <sip:127.0.0.1>\r\n"), ==, 403);
	g_assert_cmpuint(raw_request(&raw, "REGISTER", "sip:x", "stranger", ""), ==, 404);
	tl_sip_counters(end.sip, &before);
	g_assert_cmpuint(before.unknown_peers, ==, 1);
	g_assert_cmpuint(before.unknown_users, ==, 1);
	g_assert_cmpuint(raw_register(&raw, "Authorization: Digest username=\"" USER "\", realm=\"" REALM "\"\r\n", ""), ==, 400);
	g_assert_cmpuint(raw_request(&raw, "PUBLISH", "sip:127.0.0.1", "anyone", ""), >=, 400);
	tl_sip_counters(end.sip, &after);
	g_assert_cmpuint(after.messages_refused, >, before.messages_refused);
	g_assert_cmpuint(end.offered, ==, 0);
	close(raw.fd);
	end_stop(&end);
}

/* A million monkeys: nothing comes of it but counts, and the next request is served. */
static void test_garbage(gconstpointer data)
{
	static const char mutilated[] = "INVITE sip:1@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1\r\n"
					"From: <<<\r\nTo: ;;;\r\nCSeq: x\r\nContent-Length: 99999\r\n\r\nv=0";
	struct tl_sip_counters counters;
	struct end end;
	struct raw raw;
	end_start(&end, UDP4, NULL, NULL);
	raw_start(&raw, &end);
	for (unsigned i = 0; i < 200; i++) {
		char noise[300];
		for (unsigned n = 0; n < sizeof(noise); n++)
			noise[n] = (char)g_random_int();
		raw_send(&raw, noise, 1 + g_random_int() % sizeof(noise));
		char text[sizeof(mutilated)];
		memcpy(text, mutilated, sizeof(text));
		for (unsigned n = 0; n < i % 8; n++)
			text[g_random_int() % (sizeof(text) - 1)] = (char)g_random_int();
		raw_send(&raw, text, sizeof(text) - 1);
		while (g_main_context_iteration(NULL, FALSE))
			;
	}
	unsigned status = 0;
	while (status != 200 || !strstr(raw.answer, "OPTIONS"))
		status = raw_request(&raw, "OPTIONS", "sip:127.0.0.1", "anyone", "");
	tl_sip_counters(end.sip, &counters);
	g_assert_cmpuint(counters.messages_refused, >=, 100);
	g_assert_cmpuint(end.offered, ==, 0);
	close(raw.fd);
	end_stop(&end);
}

int main(int argc, char **argv)
{
	test_main_init(&argc, &argv);
	static const struct {
		const char *name;
		void (*run)(gconstpointer data);
		bool everywhere;
	} tests[] = {
		{ "register", test_register, true }, { "switched-off", test_switched_off, false },
		{ "call-user", test_call_user, true }, { "user-calls", test_user_calls, true },
		{ "wrong-password", test_wrong_password, false }, { "unknown", test_unknown, false },
		{ "removed-user", test_removed_user, false }, { "call-errors", test_call_errors, false },
		{ "unreachable", test_unreachable, false }, { "overload", test_overload, false },
		{ "port-in-use", test_port_in_use, false }, { "kept", test_kept, true },
		{ "kept-spoilt", test_kept_spoilt, false }, { "register-by-hand", test_register_by_hand, false },
		{ "by-hand", test_by_hand, false }, { "garbage", test_garbage, false },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
		for (int t = 0; t < (tests[i].everywhere ? N_TRANSPORTS : 1); t++) {
			char *path = g_strdup_printf("/sip-user/%s/%s", transport_names[t], tests[i].name);
			g_test_add_data_func(path, GINT_TO_POINTER(t), tests[i].run);
			g_free(path);
		}
	return g_test_run();
}
