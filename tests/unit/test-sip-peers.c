/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Against another implementation, SIPp: scenarios of tests/unit/sipp, and its own caller in numbers. */
#include "sip-pair.h"

#include <gio/gio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* An end that takes every call: rings, early media, answer. */
struct robot {
	struct tl_sip *sip;
	unsigned offered, released, media;
	unsigned cause;
	bool by_peer, hang_up;
	char called[TL_DIGITS_MAX + 1], calling[TL_DIGITS_MAX + 1];
	GString *digits;
	struct tl_rtp_side remote; /* at the latest MEDIA */
};

static void on_event(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *user)
{
	struct robot *robot = user;
	if (event->kind == TL_DIALOG_DTMF) {
		g_string_append(robot->digits, event->digits);
	} else if (event->kind == TL_DIALOG_MEDIA) {
		robot->media++;
		robot->remote = dialog->remote;
		if (robot->hang_up)
			tl_dialog_release(dialog, TL_CAUSE_NORMAL_CLEARING);
	} else if (event->kind == TL_DIALOG_RELEASED) {
		robot->released++;
		robot->cause = event->cause;
		robot->by_peer = event->by_peer;
		tl_dialog_free(dialog);
	}
}

static void on_offered(struct tl_sip *sip, struct tl_dialog *dialog, const struct tl_leg_setup *setup,
		       const struct tl_sip_origin *origin, void *user)
{
	struct robot *robot = user;
	robot->offered++;
	g_strlcpy(robot->called, setup->called.digits, sizeof(robot->called));
	g_strlcpy(robot->calling, setup->calling.digits, sizeof(robot->calling));
	dialog->on_event = on_event;
	dialog->user = robot;
	dialog->local = side(30000, TL_LAW_ALAW);
	g_assert_cmpint(tl_dialog_alert(dialog, false), ==, 0);
	g_assert_cmpint(tl_dialog_progress(dialog, true), ==, 0);
	g_assert_cmpint(tl_dialog_answer(dialog), ==, 0);
}

static const char *const hosts[TLS4] = { "127.0.0.1", "127.0.0.1", "::1", "::1" };
static const char *const uri_hosts[TLS4] = { "127.0.0.1", "127.0.0.1", "[::1]", "[::1]" };

static void robot_start(struct robot *robot, enum transport transport, unsigned session_s)
{
	static const char *const peers[] = { "127.0.0.1", "::1", NULL };
	static const struct tl_sip_handler handler = { .on_offered = on_offered };
	/* Both transports behind one URL, as configured by default. */
	char *url = g_strdup_printf("sip:%s:0", uri_hosts[transport]);
	const char *const listen[] = { url, NULL };
	struct tl_sip_trunk trunk = { "far", "sip:127.0.0.1:9", peers };
	struct tl_sip_config config = { .listen = listen, .realm = REALM, .trunks = &trunk, .n_trunks = 1, .session_expires_s = session_s };
	GError *error = NULL;
	*robot = (struct robot){ .digits = g_string_new(NULL) };
	robot->sip = tl_sip_new(&config, &handler, robot, &error);
	g_assert_no_error(error);
	g_free(url);
}

static void robot_stop(struct robot *robot)
{
	tl_sip_free(robot->sip);
	g_string_free(robot->digits, TRUE);
}

static unsigned free_port(enum transport transport)
{
	bool v6 = transport >= UDP6, stream = transport == TCP4 || transport == TCP6;
	struct sockaddr_in6 address = { .sin6_family = v6 ? AF_INET6 : AF_INET };
	socklen_t length = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int fd = socket(address.sin6_family, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, length), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &length), ==, 0);
	close(fd);
	return ntohs(address.sin6_port);
}

struct sipp {
	GSubprocess *process;
	unsigned port;
	bool over;
	GBytes *said;
};

static void on_sipp_over(GObject *object, GAsyncResult *result, gpointer user)
{
	struct sipp *sipp = user;
	GError *error = NULL;
	g_subprocess_communicate_finish(G_SUBPROCESS(object), result, NULL, &sipp->said, &error);
	g_assert_no_error(error);
	sipp->over = true;
}

/* @scenario: a file's name, or "-sn uac" and the like; @remote_port 0: it waits to be called. */
static void sipp_start(struct sipp *sipp, enum transport transport, const char *scenario, unsigned remote_port, const char *more)
{
	bool built_in = scenario[0] == '-';
	sipp->port = free_port(transport);
	sipp->over = false;
	sipp->said = NULL;
	char *remote = remote_port ? g_strdup_printf("%s:%u", uri_hosts[transport], remote_port) : g_strdup("");
	char *line = g_strdup_printf("sipp %s %s%s -i %s -p %u -t %s -m 1 -nostdin -timeout 50s -timeout_error %s %s",
				     built_in ? scenario : "-sf", built_in ? "" : "tests/unit/sipp/", built_in ? "" : scenario,
				     hosts[transport], sipp->port, transport == TCP4 || transport == TCP6 ? "t1" : "u1", more, remote);
	char **arguments = g_strsplit_set(line, " ", -1), **out = arguments;
	for (char **in = arguments; *in; in++) {
		if (**in)
			*out++ = *in;
		else
			g_free(*in);
	}
	*out = NULL;
	GError *error = NULL;
	sipp->process = g_subprocess_newv((const char *const *)arguments, G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
					  G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
	g_assert_no_error(error);
	g_subprocess_communicate_async(sipp->process, NULL, NULL, on_sipp_over, sipp);
	g_strfreev(arguments), g_free(line), g_free(remote);
}

static void sipp_await(struct sipp *sipp)
{
	await(sipp->over);
	int status = g_subprocess_get_exit_status(sipp->process);
	if (status)
		g_test_message("sipp: %.*s", (int)g_bytes_get_size(sipp->said), (const char *)g_bytes_get_data(sipp->said, NULL));
	g_assert_cmpint(status, ==, 0);
	g_bytes_unref(sipp->said);
	g_object_unref(sipp->process);
}

/* A socket on @port is there: SIPp can be called. */
static bool listens(enum transport transport, unsigned port)
{
	bool stream = transport == TCP4 || transport == TCP6;
	char *path = g_strdup_printf("/proc/net/%s%s", stream ? "tcp" : "udp", transport >= UDP6 ? "6" : "");
	char *text = NULL, *want = g_strdup_printf(":%04X ", port);
	g_file_get_contents(path, &text, NULL, NULL);
	bool found = text && strstr(text, want);
	g_free(path), g_free(text), g_free(want);
	return found;
}

static void test_caller(gconstpointer data)
{
	enum transport transport = GPOINTER_TO_INT(data);
	struct robot robot;
	struct sipp sipp;
	robot_start(&robot, transport, 1800);
	sipp_start(&sipp, transport, "caller.xml", tl_sip_port(robot.sip), "");
	sipp_await(&sipp);
	await(robot.released);
	g_assert_cmpstr(robot.called, ==, "0800555");
	g_assert_cmpstr(robot.calling, ==, "4930777");
	g_assert_cmpstr(robot.digits->str, ==, "5");
	g_assert_cmpuint(robot.media, ==, 2);
	g_assert_cmpint(robot.remote.law, ==, TL_LAW_ULAW);
	g_assert_true(robot.remote.receives);
	g_assert_cmpuint(robot.cause, ==, 31);
	g_assert_true(robot.by_peer);
	robot_stop(&robot);
}

static void test_offerless(gconstpointer data)
{
	struct robot robot;
	struct sipp sipp;
	robot_start(&robot, UDP4, 1800);
	robot.hang_up = true;
	sipp_start(&sipp, UDP4, "offerless.xml", tl_sip_port(robot.sip), "");
	sipp_await(&sipp);
	g_assert_cmpuint(robot.released, ==, 1);
	g_assert_cmpint(robot.remote.law, ==, TL_LAW_ULAW);
	robot_stop(&robot);
}

/* RFC 4028 9: the caller leaves the refreshing to us and knows no UPDATE; our INVITE then lets it offer. */
static void test_refresh_by_us(gconstpointer data)
{
	struct robot robot;
	struct sipp sipp;
	robot_start(&robot, UDP4, 4);
	robot.hang_up = true; /* at the MEDIA that its new offer brings */
	sipp_start(&sipp, UDP4, "refresh-by-us.xml", tl_sip_port(robot.sip), "");
	sipp_await(&sipp);
	g_assert_cmpuint(robot.released, ==, 1);
	g_assert_cmpint(robot.remote.law, ==, TL_LAW_ALAW);
	robot_stop(&robot);
}

static void test_refused(gconstpointer data)
{
	struct tl_sip_counters counters;
	struct robot robot;
	struct sipp sipp;
	robot_start(&robot, UDP4, 1800);
	sipp_start(&sipp, UDP4, "refused.xml", tl_sip_port(robot.sip), "");
	sipp_await(&sipp);
	tl_sip_counters(robot.sip, &counters);
	g_assert_cmpuint(counters.sdp_refused, ==, 2);
	g_assert_cmpuint(robot.offered, ==, 0);
	robot_stop(&robot);
}

static void test_many(gconstpointer data)
{
	enum transport transport = GPOINTER_TO_INT(data);
	struct robot robot;
	struct sipp sipp;
	robot_start(&robot, transport, 1800);
	sipp_start(&sipp, transport, "-sn uac", tl_sip_port(robot.sip), "-m 100 -r 100 -d 50 -s 4711");
	sipp_await(&sipp);
	await(robot.released == 100);
	g_assert_cmpuint(robot.offered, ==, 100);
	g_assert_cmpuint(robot.cause, ==, TL_CAUSE_NORMAL_CLEARING);
	robot_stop(&robot);
}

/* Every tenth message is lost: retransmissions carry the calls over, and none is left. They last so long that SIPp
 * has seen the 200 again, and sent its ACK again, before its BYE. */
static void test_losses(gconstpointer data)
{
	struct robot robot;
	struct sipp sipp;
	robot_start(&robot, UDP4, 1800);
	sipp_start(&sipp, UDP4, "-sn uac", tl_sip_port(robot.sip), "-m 20 -r 60 -d 2500 -s 4711 -lost 10 -nd");
	sipp_await(&sipp);
	await(robot.released == robot.offered);
	g_assert_cmpuint(robot.offered, ==, 20);
	robot_stop(&robot);
}

static void trunk_account(struct tl_sip_config *config)
{
	struct tl_sip_trunk *trunk = (struct tl_sip_trunk *)config->trunks;
	trunk->user = "acct";
	trunk->password = "trunk secret";
	config->session_expires_s = 4;
}

/* @end calls SIPp, which plays @scenario. */
static void call_sipp(struct end *end, struct sipp *sipp, enum transport transport, const char *scenario)
{
	sipp_start(sipp, transport, scenario, 0, "");
	await(listens(transport, sipp->port) || sipp->over);
	bool tcp = transport == TCP4 || transport == TCP6;
	char *target = g_strdup_printf("sip:%s:%u%s", uri_hosts[transport], sipp->port, tcp ? ";transport=tcp" : "");
	end_start(end, transport, target, trunk_account);
	end_call(end, "trunk:far", "4930", "+4989");
	g_free(target);
}

static void test_callee(gconstpointer data)
{
	struct end end;
	struct sipp sipp;
	call_sipp(&end, &sipp, GPOINTER_TO_INT(data), "callee.xml");
	await(end.heard[TL_DIALOG_PROGRESS]);
	await(end.heard[TL_DIALOG_ANSWERED]);
	g_assert_cmpint(end.dialog->remote.law, ==, TL_LAW_ULAW);
	await(!end.dialog->remote.receives);
	g_assert_cmpuint(end.heard[TL_DIALOG_MEDIA], ==, 2);
	await(end.heard[TL_DIALOG_DTMF]);
	tl_dialog_release(end.dialog, TL_CAUSE_NORMAL_CLEARING);
	sipp_await(&sipp);
	await(end.heard[TL_DIALOG_RELEASED]);
	end_stop(&end);
}

static void test_ringing(gconstpointer data)
{
	struct end end;
	struct sipp sipp;
	call_sipp(&end, &sipp, GPOINTER_TO_INT(data), "ringing.xml");
	await(end.heard[TL_DIALOG_ALERTING]);
	tl_dialog_release(end.dialog, TL_CAUSE_NO_ANSWER);
	sipp_await(&sipp);
	await(end.heard[TL_DIALOG_RELEASED]);
	end_stop(&end);
}

static void test_crossing(gconstpointer data)
{
	struct end end;
	struct sipp sipp;
	call_sipp(&end, &sipp, UDP4, "crossing.xml");
	await(end.heard[TL_DIALOG_ALERTING]);
	tl_dialog_release(end.dialog, TL_CAUSE_NO_ANSWER);
	sipp_await(&sipp);
	g_assert_cmpuint(end.heard[TL_DIALOG_ANSWERED], ==, 0);
	g_assert_cmpuint(end.cause, ==, TL_CAUSE_NO_ANSWER);
	end_stop(&end);
}

/* RFC 4028 7.4 with a peer that knows no UPDATE: the INVITE is repeated, description and all. */
static void test_refreshed(gconstpointer data)
{
	struct end end;
	struct sipp sipp;
	call_sipp(&end, &sipp, UDP4, "refreshed.xml");
	await(end.heard[TL_DIALOG_ANSWERED]);
	tl_sip_set_trace(end.sip, true);
	await(strstr(end.trace->str, "\r\nACK ") || strstr(end.trace->str, "ACK sip:"));
	g_assert_nonnull(strstr(end.trace->str, "INVITE sip:"));
	tl_sip_set_trace(end.sip, false);
	tl_dialog_release(end.dialog, TL_CAUSE_NORMAL_CLEARING);
	sipp_await(&sipp);
	await(end.heard[TL_DIALOG_RELEASED]);
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
		{ "caller", test_caller, true }, { "offerless", test_offerless, false }, { "refused", test_refused, false },
		{ "refresh-by-us", test_refresh_by_us, false },
		{ "many", test_many, true }, { "losses", test_losses, false }, { "callee", test_callee, true },
		{ "ringing", test_ringing, true }, { "crossing", test_crossing, false }, { "refreshed", test_refreshed, false },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
		for (int t = 0; t < (tests[i].everywhere ? TLS4 : 1 /* SIPp has no TLS */); t++) {
			char *path = g_strdup_printf("/sip-peers/%s/%s", transport_names[t], tests[i].name);
			g_test_add_data_func(path, GINT_TO_POINTER(t), tests[i].run);
			g_free(path);
		}
	return g_test_run();
}
