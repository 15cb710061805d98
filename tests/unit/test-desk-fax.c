/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Faxes that come to a whole desk, and what comes back of its letters. */
#include <gio/gio.h>
#include <sqlite3.h>
#include <string.h>

#include "base/thread.h"
#include "desk-fax-rig.h"
#include "faxjob/faxjob.h"

static unsigned delivered(struct desk_rig *centre)
{
	g_autofree char *out = g_build_filename(centre->dir, "out", NULL);
	g_autoptr(GDir) dir = g_dir_open(out, 0, NULL);
	unsigned n = 0;
	for (const char *name; (name = g_dir_read_name(dir));)
		n += g_str_has_suffix(name, ".pdf");
	return n;
}

/* ---- in ---- */

static void receive(struct desk_rig *centre, const char *leg, const char *called)
{
	fake_node_offer(centre->node, leg, called, "030123");
	wait_until(fake_node_count(centre->node, "fax.receive") > 0);
	g_assert_cmpstr(centre->node->fax_leg, ==, leg);
}

static void test_receive(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	receive(centre, "l1", "100");
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM contact WHERE kind = 'fax'"));
	g_autofree char *page = desk_fax_page(centre);
	const char *paths[] = { page, page, NULL };
	fake_node_fax_page(centre->node, 1, FALSE);
	fake_node_fax_page(centre->node, 2, FALSE);
	fake_node_fax_ended(centre->node, "ok", "none", 2, FALSE);
	fake_node_spool(centre->node, "1001", "fax", centre->node->fax_id, "complete", "l1", paths);
	wait_until(centre->node->freed == 1);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM delivery WHERE state = 'done'"));
	g_assert_cmpuint(delivered(centre), ==, 1);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax WHERE state = 'received' AND pages = 2 AND partial = 0 AND box = 'office' AND "
				      "remote_ident = '+49 30 4711' AND called = '100'"), ==, 1);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM contact WHERE ended_utc_us IS NOT NULL"));
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM spool_item WHERE freed_utc_us IS NOT NULL"));
	desk_rig_free(centre);
}

/* The call breaks off: what came is delivered, and says so. */
static void test_partial(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	receive(centre, "l1", "100");
	g_autofree char *page = desk_fax_page(centre);
	const char *paths[] = { page, NULL };
	fake_node_fax_page(centre->node, 1, FALSE);
	fake_node_fax_ended(centre->node, "the call dropped", "ended", 1, FALSE);
	fake_node_spool(centre->node, "1001", "fax", centre->node->fax_id, "partial", "l1", paths);
	fake_node_end(centre->node, "l1", 16);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM delivery WHERE state = 'done' AND letter LIKE '%INCOMPLETE%'"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT partial FROM fax"), ==, 1);
	desk_rig_free(centre);
}

/* No page, no fax: nobody is told of an empty one. */
static void test_empty(void)
{
	struct desk_rig *centre = desk_fax_new();
	const char *none[] = { NULL };
	wait_until(centre->node->conductor);
	receive(centre, "l1", "100");
	fake_node_fax_ended(centre->node, "nobody spoke T.30", "no-fax", 0, FALSE);
	fake_node_spool(centre->node, "1001", "fax", centre->node->fax_id, "complete", "l1", none);
	wait_until(centre->node->freed == 1);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'failed'"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM delivery"), ==, 0);
	desk_rig_free(centre);
}

/* A fax machine in the voice flow. */
static void test_tone(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	fake_node_offer(centre->node, "l1", "200", "030123");
	wait_until(fake_node_count(centre->node, "leg.detect_fax l1") == 1 && fake_node_count(centre->node, "leg.play l1") == 1);
	fake_node_fax_tone(centre->node, "l1");
	wait_until(fake_node_count(centre->node, "fax.receive l1") == 1);
	desk_rig_free(centre);
}

/* Pass-through: the bridge is a clear one. */
static void test_clear(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	fake_node_offer(centre->node, "l1", "300", "030123");
	wait_until(fake_node_leg_to(centre->node, "user:fax"));
	fake_node_answer(centre->node, fake_node_leg_to(centre->node, "user:fax")->id);
	wait_until(centre->node->last_bridge_kind && !strcmp(centre->node->last_bridge_kind, "clear"));
	desk_rig_free(centre);
}

/* The desk goes away before the free is answered: one fax, one letter, freed in the end. */
static void test_once(void)
{
	struct desk_rig *centre = desk_fax_new();
	g_autofree char *page = desk_fax_page(centre);
	const char *paths[] = { page, NULL };
	wait_until(centre->node->conductor);
	receive(centre, "l1", "100");
	fake_node_fax_page(centre->node, 1, FALSE);
	centre->node->deaf_to_free = TRUE;
	fake_node_spool(centre->node, "1001", "fax", centre->node->fax_id, "complete", "l1", paths);
	wait_until(fake_node_count(centre->node, "spool.free") == 1);
	desk_fax_restart(centre);
	wait_until(fake_node_count(centre->node, "spool.free") == 2);
	centre->node->deaf_to_free = FALSE;
	desk_fax_restart(centre);
	wait_until(centre->node->freed == 1);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM delivery WHERE state = 'done'"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM spool_item"), ==, 1);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax"), ==, 1);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM delivery"), ==, 1);
	g_assert_cmpuint(delivered(centre), ==, 1);
	desk_rig_free(centre);
}

/* Received while no desk was there: found by the list, whatever the desk knew of it. */
static void test_found(void)
{
	struct desk_rig *centre = desk_fax_new();
	g_autofree char *page = desk_fax_page(centre);
	const char *paths[] = { page, NULL };
	wait_until(centre->node->conductor);
	receive(centre, "l1", "100");
	g_autofree char *id = g_strdup(centre->node->fax_id);
	desk_stop(centre->desk);
	fake_node_spool(centre->node, "1001", "fax", id, "complete", "l1", paths);
	fake_node_spool(centre->node, "1002", "recording", "r1", "complete", "l1", paths);
	fake_node_end(centre->node, "l1", 16);
	desk_rig_start(centre);
	wait_until(centre->node->freed == 2);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM delivery WHERE state = 'done'"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax WHERE state = 'received'"), ==, 1);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM spool_item i JOIN contact c ON c.id = i.contact WHERE i.kind = 'recording'"), ==, 1);
	desk_rig_free(centre);
}

static void store_pages(struct desk_rig *centre)
{
	sqlite3 *db = NULL;
	g_assert_cmpint(sqlite3_open(centre->db, &db), ==, SQLITE_OK);
	sqlite3_busy_timeout(db, DESK_CEILING_S * 1000);
	g_assert_cmpint(sqlite3_exec(db, "UPDATE fax SET state = 'converting', pages = 1", NULL, NULL, NULL), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_changes(db), ==, 1);
	sqlite3_close(db);
}

/* The call's end is heard after its pages were stored, and before the desk knows that they are: they stay. */
static void test_late_end(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	receive(centre, "l1", "100");
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'receiving'"));
	store_pages(centre);
	fake_node_end(centre->node, "l1", 16);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM contact WHERE ended_utc_us IS NOT NULL"));
	desk_rig_stop(centre); /* all that it had to write is written */
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax WHERE state = 'converting' AND pages = 1"), ==, 1);
	desk_rig_free(centre);
}

/* ---- letters that come back ---- */

/* A mail server that takes everything, and remembers the envelope's sender. On threads of its own. */
struct sink {
	GSocketService *service;
	guint16 port;
	GMutex lock;
	char *sender;
	unsigned taken;
};

static gboolean on_client(GThreadedSocketService *service, GSocketConnection *connection, GObject *source, gpointer user)
{
	struct sink *sink = user;
	g_autoptr(GDataInputStream) in = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
	GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
	const char *reply = "220 sink\r\n";
	bool data = false;
	(void)service, (void)source;
	g_data_input_stream_set_newline_type(in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
	while (true) {
		if (reply)
			g_output_stream_write_all(out, reply, strlen(reply), NULL, NULL, NULL);
		g_autofree char *line = g_data_input_stream_read_line(in, NULL, NULL, NULL);
		if (!line)
			break;
		reply = data && strcmp(line, ".") ? NULL : "250 ok\r\n";
		g_mutex_lock(&sink->lock);
		if (data && reply) {
			sink->taken++;
		} else if (!data && g_str_has_prefix(line, "MAIL FROM:<")) {
			g_free(sink->sender);
			sink->sender = g_strndup(line + strlen("MAIL FROM:<"), strcspn(line + strlen("MAIL FROM:<"), ">"));
		}
		g_mutex_unlock(&sink->lock);
		data = data ? !reply : !strcmp(line, "DATA");
		if (data && reply)
			reply = "354 go on\r\n";
	}
	return TRUE;
}

static struct sink *sink_new(void)
{
	struct sink *sink = g_new0(struct sink, 1);
	g_autoptr(GSocketAddress) any = g_inet_socket_address_new_from_string("127.0.0.1", 0);
	g_autoptr(GSocketAddress) own = NULL;
	g_mutex_init(&sink->lock);
	sink->service = g_threaded_socket_service_new(4);
	g_assert_true(g_socket_listener_add_address(G_SOCKET_LISTENER(sink->service), any, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
						    &own, NULL));
	sink->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(own));
	g_signal_connect(sink->service, "run", G_CALLBACK(on_client), sink);
	return sink;
}

static void sink_free(struct sink *sink)
{
	g_socket_service_stop(sink->service);
	g_socket_listener_close(G_SOCKET_LISTENER(sink->service));
	g_object_unref(sink->service);
	g_mutex_clear(&sink->lock);
	g_free(sink->sender);
	g_free(sink);
}

static char *report_of(const char *action, const char *status, const char *diagnostic)
{
	return g_strdup_printf("From: MAILER-DAEMON@example.org\r\nSubject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n"
			       "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n"
			       "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n\r\n"
			       "--b\r\nContent-Description: Delivery report\r\nContent-Type: message/delivery-status\r\n\r\n"
			       "Reporting-MTA: dns; mail.example.org\r\nArrival-Date: Mon, 30 Nov 2026 12:00:00 +0000\r\n\r\n"
			       "Final-Recipient: rfc822; anna@example.org\r\nOriginal-Recipient: rfc822;anna@example.org\r\nAction: %s\r\n"
			       "Status: %s\r\nRemote-MTA: dns; mx.example.org\r\nDiagnostic-Code: %s\r\n\r\n"
			       "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: Fax\r\n\r\n--b--\r\n", action, status, diagnostic);
}

/* Taken by the first mail server, and sent back later by another one: the fax says so, and nobody is written to because of it. */
static void test_bounce(void)
{
	struct sink *sink = sink_new();
	g_autofree char *more = g_strdup_printf("[mail]\nserver = smtp://127.0.0.1:%u\nfrom = fax@example.org\nbounces = fax.example\n", sink->port);
	struct desk_rig *centre = desk_fax_with(more);
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "anna@example.org", "5551000@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	wait_until(desk_fax_calls(centre, "5551000"));
	fake_node_end(centre->node, desk_fax_leg(centre)->id, 1);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM delivery WHERE state = 'done'"));
	g_mutex_lock(&sink->lock);
	g_autofree char *sender = g_strdup(sink->sender);
	g_mutex_unlock(&sink->lock);
	g_autofree char *token = tl_post_bounce_token(sender);
	g_assert_nonnull(token);
	g_assert_true(g_str_has_suffix(sender, "@fax.example"));
	g_autofree char *late = report_of("delayed", "4.4.1", "smtp; connect to mx.example.org: timed out");
	g_autofree char *gone = report_of("failed", "5.1.1", "smtp; 550 5.1.1 <anna@example.org>:\r\n    nobody of that name");
	desk_fax_mail(centre, "", sender, late, "250 2.0.0 noted");
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM delivery WHERE state = 'done' AND why LIKE 'delayed: connect%'"), ==, 1);
	desk_fax_mail(centre, "anna@example.org", sender, "Subject: I am away\r\n\r\nuntil Monday", "250 2.0.0 noted");
	desk_fax_mail(centre, "", "bounce+0123456789abcdef0123456789abcdef@fax.example", gone, "550 5.1.1 no such letter");
	desk_fax_mail(centre, "", "bounce+0123@fax.example", gone, "550 5.1.1 expected");
	desk_fax_mail(centre, sender, "5551000@fax.example", DESK_FAX_MAIL, "550 5.7.1"); /* no fax because of a letter */
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM delivery WHERE state = 'done'"), ==, 1);
	desk_fax_mail(centre, "", sender, gone, "250 2.0.0 noted");
	desk_fax_mail(centre, "", sender, gone, "250 2.0.0 noted"); /* brought again */
	g_autofree char *id = desk_fax_to(centre, "5551000");
	g_autoptr(JsonObject) said = desk_rig_ask(centre, "fax.show", id);
	JsonArray *deliveries = json_object_get_array_member(said, "deliveries");
	g_assert_cmpuint(json_array_get_length(deliveries), ==, 1);
	JsonObject *delivery = json_array_get_object_element(deliveries, 0);
	g_assert_cmpstr(json_object_get_string_member(delivery, "state"), ==, "bounced");
	g_assert_cmpstr(json_object_get_string_member(delivery, "why"), ==, "550 5.1.1 <anna@example.org>: nobody of that name");
	g_assert_cmpuint(sink->taken, ==, 1);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax"), ==, 1);
	desk_rig_free(centre);
	sink_free(sink);
}

/* ---- pure parts ---- */

static void test_quiet(void)
{
	unsigned left = 0;
	g_assert_true(tl_fax_quiet("22:00-07:00", 23 * 60, &left));
	g_assert_cmpuint(left, ==, 8 * 60);
	g_assert_true(tl_fax_quiet("22:00-07:00", 0, &left));
	g_assert_false(tl_fax_quiet("22:00-07:00", 7 * 60, &left));
	g_assert_true(tl_fax_quiet("12:00-13:30", 13 * 60 + 29, &left));
	g_assert_cmpuint(left, ==, 1);
	g_assert_false(tl_fax_quiet("12:00-13:30", 11 * 60, &left));
	g_assert_false(tl_fax_quiet(NULL, 0, NULL));
}

static void test_addresses(void)
{
	static const char *const patterns[] = { "Anna@example.org", "*@law.example", NULL };
	g_assert_true(tl_fax_address_matches(patterns, "anna@EXAMPLE.org"));
	g_assert_true(tl_fax_address_matches(patterns, "anybody@law.example"));
	g_assert_false(tl_fax_address_matches(patterns, "ben@example.org"));
	g_assert_false(tl_fax_address_matches(patterns, "x@sub.law.example"));
	g_assert_false(tl_fax_address_matches(patterns, ""));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	tl_thread_become_main();
	g_test_add_func("/fax/receive", test_receive);
	g_test_add_func("/fax/partial", test_partial);
	g_test_add_func("/fax/empty", test_empty);
	g_test_add_func("/fax/tone", test_tone);
	g_test_add_func("/fax/clear", test_clear);
	g_test_add_func("/fax/once", test_once);
	g_test_add_func("/fax/found", test_found);
	g_test_add_func("/fax/late-end", test_late_end);
	g_test_add_func("/fax/bounce", test_bounce);
	g_test_add_func("/fax/quiet", test_quiet);
	g_test_add_func("/fax/addresses", test_addresses);
	return g_test_run();
}
