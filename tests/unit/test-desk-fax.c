/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Faxes through a whole desk: the real protocol and HTTP to the node's end, the real faxpages, letters into a directory.
 * A desk that stops between any two steps and comes back stands for one that was killed there.
 */
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <tiffio.h>

#include "base/thread.h"
#include "faxjob/faxjob.h"
#include "desk-rig.h"

static const char config_text[] =
	"[desk]\nname = test\nstate_dir = %s\nlog_level = warning\nlease_ms = 20000\n"
	"[web]\nlisten = 127.0.0.1:0\n"
	"[control]\nsocket = %s/desk.sock\n[token op]\ntoken = operator\nrole = operator\n"
	"[node north]\naddress = %s\ntoken = " FAKE_TOKEN "\n"
	"[lmtp]\nsocket = %s/lmtp.sock\ndomains = fax.example\n"
	"[faxes]\nconverter = %s\nretry_busy_s = 1\nretry_trouble_s = 1\nretry_no_answer_s = 1\ntries = 3\nblock = 0900\nzone = Asia/Kolkata\n"
	"[fax office]\nident = +49 30 1000\nheader = Office\nheader_zone = Europe/Berlin\ndeliver = dir:%s/out\n"
	"[fax-sender staff]\naddresses = *@example.org\nbox = office\n"
	"[fax-sender program]\ntoken = secret\nbox = office\npriority = 2\n"
	"[fax-line pstn]\nto = group:pstn\nlines = 1\n"
	"[queue sales]\nmusic = file:music\n"
	"[agent anna]\nphone = user:anna\nqueues = sales\n"
	"[service 100]\notherwise = fax:office\n"
	"[service 200]\nannounce = file:hello\notherwise = queue:sales\nfax_tone = fax:office\n"
	"[service 300]\notherwise = clear:user:fax\n";

static void restart(struct desk_rig *centre)
{
	desk_rig_stop(centre);
	desk_rig_start(centre);
}

/* A page as a node's machine writes it: G3, one black line at the place that tells it from others. */
static void make_page(const char *path, unsigned number)
{
	TIFF *tiff = TIFFOpen(path, "w");
	guint8 row[1728 / 8];
	TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 1728);
	TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 1000);
	TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
	TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
	TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITT_T4);
	TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
	TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 204.0);
	TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 196.0);
	TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
	for (unsigned y = 0; y < 1000; y++) {
		memset(row, y / 10 == number ? 0xff : 0, sizeof row);
		g_assert_cmpint(TIFFWriteScanline(tiff, row, y, 0), ==, 1);
	}
	TIFFClose(tiff);
}

static char *page_of(struct desk_rig *centre)
{
	return g_build_filename(centre->dir, "page-1.tif", NULL);
}

/* @more: further sections. */
static struct desk_rig *centre_with(const char *more)
{
	struct desk_rig *centre = desk_rig_new();
	g_autofree char *own = g_file_read_link("/proc/self/exe", NULL), *folder = g_path_get_dirname(own);
	g_autofree char *converter = g_build_filename(folder, "..", "..", "faxpages", NULL);
	g_autofree char *out = g_build_filename(centre->dir, "out", NULL), *page = page_of(centre);
	make_page(page, 1);
	g_mkdir(out, 0750);
	g_autofree char *text = g_strdup_printf(config_text, centre->dir, centre->dir, centre->node->address, centre->dir, converter, centre->dir);
	desk_rig_configure(centre, g_strconcat(text, more, NULL));
	desk_rig_start(centre);
	return centre;
}

static struct desk_rig *centre_new(void)
{
	return centre_with("");
}

static bool holds(struct desk_rig *centre, const char *sql)
{
	g_usleep(1000);
	return desk_rig_query(centre, sql) != 0;
}

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
	struct desk_rig *centre = centre_new();
	wait_until(centre->node->conductor);
	receive(centre, "l1", "100");
	wait_until(holds(centre, "SELECT count(*) FROM contact WHERE kind = 'fax'"));
	g_autofree char *page = page_of(centre);
	const char *paths[] = { page, page, NULL };
	fake_node_fax_page(centre->node, 1, FALSE);
	fake_node_fax_page(centre->node, 2, FALSE);
	fake_node_fax_ended(centre->node, "ok", "none", 2, FALSE);
	fake_node_spool(centre->node, "1001", "fax", centre->node->fax_id, "complete", "l1", paths);
	wait_until(centre->node->freed == 1);
	wait_until(holds(centre, "SELECT count(*) FROM delivery WHERE state = 'done'"));
	g_assert_cmpuint(delivered(centre), ==, 1);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax WHERE state = 'received' AND pages = 2 AND partial = 0 AND box = 'office' AND "
				      "remote_ident = '+49 30 4711' AND called = '100'"), ==, 1);
	wait_until(holds(centre, "SELECT count(*) FROM contact WHERE ended_utc_us IS NOT NULL"));
	wait_until(holds(centre, "SELECT count(*) FROM spool_item WHERE freed_utc_us IS NOT NULL"));
	desk_rig_free(centre);
}

/* The call breaks off: what came is delivered, and says so. */
static void test_partial(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(centre->node->conductor);
	receive(centre, "l1", "100");
	g_autofree char *page = page_of(centre);
	const char *paths[] = { page, NULL };
	fake_node_fax_page(centre->node, 1, FALSE);
	fake_node_fax_ended(centre->node, "the call dropped", "ended", 1, FALSE);
	fake_node_spool(centre->node, "1001", "fax", centre->node->fax_id, "partial", "l1", paths);
	fake_node_end(centre->node, "l1", 16);
	wait_until(holds(centre, "SELECT count(*) FROM delivery WHERE state = 'done' AND letter LIKE '%INCOMPLETE%'"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT partial FROM fax"), ==, 1);
	desk_rig_free(centre);
}

/* No page, no fax: nobody is told of an empty one. */
static void test_empty(void)
{
	struct desk_rig *centre = centre_new();
	const char *none[] = { NULL };
	wait_until(centre->node->conductor);
	receive(centre, "l1", "100");
	fake_node_fax_ended(centre->node, "nobody spoke T.30", "no-fax", 0, FALSE);
	fake_node_spool(centre->node, "1001", "fax", centre->node->fax_id, "complete", "l1", none);
	wait_until(centre->node->freed == 1);
	wait_until(holds(centre, "SELECT count(*) FROM fax WHERE state = 'failed'"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM delivery"), ==, 0);
	desk_rig_free(centre);
}

/* A fax machine in the voice flow. */
static void test_tone(void)
{
	struct desk_rig *centre = centre_new();
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
	struct desk_rig *centre = centre_new();
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
	struct desk_rig *centre = centre_new();
	g_autofree char *page = page_of(centre);
	const char *paths[] = { page, NULL };
	wait_until(centre->node->conductor);
	receive(centre, "l1", "100");
	fake_node_fax_page(centre->node, 1, FALSE);
	centre->node->deaf_to_free = TRUE;
	fake_node_spool(centre->node, "1001", "fax", centre->node->fax_id, "complete", "l1", paths);
	wait_until(fake_node_count(centre->node, "spool.free") == 1);
	restart(centre);
	wait_until(fake_node_count(centre->node, "spool.free") == 2);
	centre->node->deaf_to_free = FALSE;
	restart(centre);
	wait_until(centre->node->freed == 1);
	wait_until(holds(centre, "SELECT count(*) FROM delivery WHERE state = 'done'"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM spool_item"), ==, 1);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax"), ==, 1);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM delivery"), ==, 1);
	g_assert_cmpuint(delivered(centre), ==, 1);
	desk_rig_free(centre);
}

/* Received while no desk was there: found by the list, whatever the desk knew of it. */
static void test_found(void)
{
	struct desk_rig *centre = centre_new();
	g_autofree char *page = page_of(centre);
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
	wait_until(holds(centre, "SELECT count(*) FROM delivery WHERE state = 'done'"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax WHERE state = 'received'"), ==, 1);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM spool_item i JOIN contact c ON c.id = i.contact WHERE i.kind = 'recording'"), ==, 1);
	desk_rig_free(centre);
}

/* ---- out ---- */

struct mailing {
	bool done;
	char *replies;
};

static void mail_work(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	g_auto(GStrv) words = g_strdupv(data);
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(words[0]);
	g_autoptr(GSocketConnection) connection = g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, NULL);
	g_assert_nonnull(connection);
	GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
	GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(connection));
	g_autofree char *text = g_strdup_printf("LHLO test\r\nMAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n%s\r\n.\r\nQUIT\r\n", words[1], words[2], words[3]);
	GString *heard = g_string_new(NULL);
	char octets[1024];
	g_output_stream_write_all(out, text, strlen(text), NULL, NULL, NULL);
	for (gssize n; (n = g_input_stream_read(in, octets, sizeof octets, NULL, NULL)) > 0;)
		g_string_append_len(heard, octets, n);
	g_task_return_pointer(task, g_string_free(heard, FALSE), g_free);
}

static void on_mailed(GObject *source, GAsyncResult *result, gpointer user)
{
	struct mailing *mailing = user;
	mailing->replies = g_task_propagate_pointer(G_TASK(result), NULL);
	mailing->done = true;
}

static void send_mail(struct desk_rig *centre, const char *from, const char *to, const char *message, const char *expected)
{
	g_autofree char *path = g_build_filename(centre->dir, "lmtp.sock", NULL);
	const char *words[] = { path, from, to, message, NULL };
	struct mailing mailing = { false };
	g_autoptr(GTask) task = g_task_new(NULL, NULL, on_mailed, &mailing);
	g_task_set_task_data(task, g_strdupv((char **)words), (GDestroyNotify)g_strfreev);
	g_task_run_in_thread(task, mail_work);
	wait_until(mailing.done);
	if (!strstr(mailing.replies, expected))
		g_error("\"%s\" is not in: %s", expected, mailing.replies);
	g_free(mailing.replies);
}

#define MAIL "From: Anna <anna@example.org>\r\nSubject: Hello\r\n\r\nA page of text."

/* The leg that the desk called, once there is one. */
static struct fake_leg *called_leg(struct desk_rig *centre)
{
	return fake_node_leg_to(centre->node, "group:pstn");
}

static void send_pages(struct desk_rig *centre, unsigned from, unsigned to)
{
	for (unsigned page = from; page <= to; page++)
		fake_node_fax_page(centre->node, page, TRUE);
}

static void test_mail(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(centre->node->conductor);
	send_mail(centre, "anna@example.org", "555-1000@fax.example", MAIL, "250 2.0.0");
	send_mail(centre, "anna@example.org", "5551000@fax.example", MAIL, "250 2.0.0"); /* brought again: no second fax */
	wait_until(called_leg(centre));
	fake_node_answer(centre->node, called_leg(centre)->id);
	wait_until(centre->node->fax_document);
	g_assert_cmpuint(centre->node->fax_first_page, ==, 1);
	g_assert_cmpstr(centre->node->fax_header, ==, "Office");
	g_assert_cmpstr(centre->node->fax_header_zone, ==, "Europe/Berlin");
	TIFF *tiff = TIFFOpen(centre->node->fax_document, "r");
	uint32_t width = 0, height = 0;
	TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
	TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
	g_assert_cmpuint(width, ==, 1728);
	g_assert_cmpuint(height, ==, 2287); /* A4, fine */
	TIFFClose(tiff);
	send_pages(centre, 1, 1);
	fake_node_fax_ended(centre->node, "ok", "none", 1, TRUE);
	wait_until(holds(centre, "SELECT count(*) FROM fax WHERE state = 'sent' AND pages = 1 AND pages_done = 1 AND subject = 'Hello'"));
	wait_until(holds(centre, "SELECT count(*) FROM delivery WHERE target = 'anna@example.org' AND letter LIKE '%Page 1: confirmed%' AND "
				 "letter LIKE '%first-page.png%' AND letter LIKE '%Given:   20% IST%'"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax"), ==, 1);
	desk_rig_free(centre);
}

static void test_refused(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(centre->node->conductor);
	send_mail(centre, "eve@evil.example", "5551000@fax.example", MAIL, "550 5.7.1");
	send_mail(centre, "eve@evil.example", "5551000+wrong@fax.example", MAIL, "550 5.7.1");
	send_mail(centre, "anna@example.org", "09001000@fax.example", MAIL, "550 5.7.1");
	send_mail(centre, "anna@example.org", "postmaster@fax.example", MAIL, "550 5.1.1");
	send_mail(centre, "anna@example.org", "5551000@other.example", MAIL, "550 5.1.2");
	send_mail(centre, "", "5551000@fax.example", MAIL, "550 5.7.1");
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax"), ==, 0);
	send_mail(centre, "eve@evil.example", "5551000+secret@fax.example", MAIL, "250 2.0.0");
	desk_rig_free(centre);
}

/* What cannot be faxed is told to who sent it, and the next one goes on. */
static void test_unfit(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(centre->node->conductor);
	send_mail(centre, "anna@example.org", "5551000@fax.example",
		  "Subject: Bad\r\nMIME-Version: 1.0\r\nContent-Type: application/pdf; name=\"../../a.pdf\"\r\n"
		  "Content-Disposition: attachment\r\n\r\n%PDF-1.4 nonsense", "250 2.0.0");
	wait_until(holds(centre, "SELECT count(*) FROM fax WHERE state = 'failed' AND why LIKE '%the PDF is broken%'"));
	wait_until(holds(centre, "SELECT count(*) FROM delivery WHERE target = 'anna@example.org' AND letter LIKE '%NOT sent%'"));
	send_mail(centre, "anna@example.org", "5551001@fax.example", MAIL, "250 2.0.0");
	wait_until(called_leg(centre));
	desk_rig_free(centre);
}

/* Busy, then a line that breaks after the first of three pages: it goes on with the second. */
static void test_again(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(centre->node->conductor);
	send_mail(centre, "anna@example.org", "5551000@fax.example", "Subject: Three\r\n\r\none\f\r\ntwo\f\r\nthree", "250 2.0.0");
	wait_until(called_leg(centre));
	fake_node_end(centre->node, called_leg(centre)->id, 17);
	wait_until(called_leg(centre));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax_try WHERE number = 1 AND result LIKE 'busy%'"), ==, 1);
	fake_node_answer(centre->node, called_leg(centre)->id);
	wait_until(centre->node->fax_document);
	g_clear_pointer(&centre->node->fax_document, g_free);
	send_pages(centre, 1, 1);
	fake_node_fax_ended(centre->node, "the line is bad", "line", 1, TRUE);
	wait_until(holds(centre, "SELECT count(*) FROM fax WHERE state IN ('waiting', 'calling') AND pages_done = 1 AND pages = 3"));
	wait_until(called_leg(centre) && fake_node_count(centre->node, "leg.originate") == 3);
	fake_node_answer(centre->node, called_leg(centre)->id);
	wait_until(centre->node->fax_document);
	g_assert_cmpuint(centre->node->fax_first_page, ==, 2);
	send_pages(centre, 2, 3);
	fake_node_fax_ended(centre->node, "ok", "none", 2, TRUE);
	wait_until(holds(centre, "SELECT count(*) FROM fax WHERE state = 'sent' AND tries = 3"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax_page"), ==, 3);
	desk_rig_free(centre);
}

/* The other side hangs up before its machine's last words are known: what it confirmed was sent, and is not sent again. */
static void test_farewell(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(centre->node->conductor);
	send_mail(centre, "anna@example.org", "5551000@fax.example", "Subject: Two\r\n\r\none\f\r\ntwo", "250 2.0.0");
	wait_until(called_leg(centre));
	fake_node_answer(centre->node, called_leg(centre)->id);
	wait_until(centre->node->fax_document);
	send_pages(centre, 1, 1);
	fake_node_end(centre->node, called_leg(centre)->id, 16);
	wait_until(holds(centre, "SELECT count(*) FROM contact WHERE ended_utc_us IS NOT NULL"));
	send_pages(centre, 2, 2);
	fake_node_fax_ended(centre->node, "the call ended", "ended", 2, TRUE);
	wait_until(holds(centre, "SELECT count(*) FROM fax WHERE state = 'sent' AND pages_done = 2 AND tries = 1"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax_try WHERE pages = 2 AND result = 'the call ended'"), ==, 1);
	desk_rig_free(centre);
}

static bool calls(struct desk_rig *centre, const char *number)
{
	g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM fax WHERE called = '%s' AND state = 'calling'", number);
	return called_leg(centre) && holds(centre, sql);
}

/* One line: one at a time, the urgent before those that wait longer. Other settings: more at once, and none to a number. */
static void test_order(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(centre->node->conductor);
	send_mail(centre, "anna@example.org", "5551@fax.example", MAIL, "250 2.0.0");
	wait_until(calls(centre, "5551"));
	send_mail(centre, "anna@example.org", "5552@fax.example", MAIL, "250 2.0.0");
	send_mail(centre, "eve@evil.example", "5553+secret@fax.example", MAIL, "250 2.0.0");
	send_mail(centre, "eve@evil.example", "5554+secret@fax.example", MAIL, "250 2.0.0");
	wait_until(holds(centre, "SELECT count(*) = 3 FROM fax WHERE state = 'waiting'"));
	g_assert_cmpuint(fake_node_count(centre->node, "leg.originate"), ==, 1);
	fake_node_end(centre->node, called_leg(centre)->id, 1);
	wait_until(calls(centre, "5553"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax WHERE state = 'waiting'"), ==, 2);
	g_autofree char *text = NULL, *path = g_build_filename(centre->dir, "other.conf", NULL);
	g_assert_true(g_file_get_contents(centre->config, &text, NULL, NULL));
	g_autoptr(GString) other = g_string_new(text);
	g_string_replace(other, "lines = 1", "lines = 3", 0);
	g_string_replace(other, "block = 0900", "block = 0900 0190", 0);
	g_assert_true(g_file_set_contents(path, other->str, -1, NULL));
	g_autoptr(GError) error = NULL;
	struct settings *settings = settings_load(path, &error);
	g_assert_no_error(error);
	desk_reload(centre->desk, settings);
	wait_until(holds(centre, "SELECT count(*) = 3 FROM fax WHERE state = 'calling'"));
	send_mail(centre, "anna@example.org", "01901@fax.example", MAIL, "550 5.7.1");
	desk_rig_free(centre);
}

/* Said to be well by both machines with a page missing: it was not. */
static void test_truth(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(centre->node->conductor);
	send_mail(centre, "anna@example.org", "5551000@fax.example", "Subject: Two\r\n\r\none\f\r\ntwo", "250 2.0.0");
	for (unsigned try = 1; try <= 3; try++) {
		wait_until(called_leg(centre) && fake_node_count(centre->node, "leg.originate") == try);
		fake_node_answer(centre->node, called_leg(centre)->id);
		wait_until(fake_node_count(centre->node, "fax.send") == try && centre->node->fax_id);
		if (try == 1)
			send_pages(centre, 1, 1);
		fake_node_fax_ended(centre->node, "ok", "none", 2, TRUE);
	}
	wait_until(holds(centre, "SELECT count(*) FROM fax WHERE state = 'failed' AND pages_done = 1"));
	wait_until(holds(centre, "SELECT count(*) FROM delivery WHERE letter LIKE '%Page 2: not confirmed%' AND letter LIKE '%1 of 2 pages%'"));
	desk_rig_free(centre);
}

/* The desk goes away before the call, while it rings, and while it sends. */
static void test_take_over(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(centre->node->conductor);
	send_mail(centre, "anna@example.org", "5551000@fax.example", MAIL, "250 2.0.0");
	restart(centre);
	wait_until(called_leg(centre));
	restart(centre);
	wait_until(fake_node_count(centre->node, "node.snapshot") >= 3);
	fake_node_answer(centre->node, called_leg(centre)->id);
	wait_until(fake_node_count(centre->node, "fax.send") == 1);
	g_autofree char *first = g_strdup(centre->node->fax_id);
	restart(centre);
	wait_until(fake_node_count(centre->node, "fax.send") == 2); /* the same again: the node knows it by its id */
	g_assert_cmpstr(centre->node->fax_id, ==, first);
	send_pages(centre, 1, 1);
	fake_node_fax_ended(centre->node, "ok", "none", 1, TRUE);
	wait_until(holds(centre, "SELECT count(*) FROM fax WHERE state = 'sent' AND tries = 1"));
	g_assert_cmpuint(fake_node_count(centre->node, "leg.originate"), ==, 1);
	desk_rig_free(centre);
}

static char *fax_to(struct desk_rig *centre, const char *number)
{
	g_autoptr(JsonObject) said = desk_rig_ask(centre, "fax.list", "{}");
	JsonArray *faxes = json_object_get_array_member(said, "faxes");
	for (unsigned i = 0; i < json_array_get_length(faxes); i++) {
		JsonObject *fax = json_array_get_object_element(faxes, i);
		if (!strcmp(json_object_get_string_member(fax, "called"), number))
			return g_strdup_printf("{\"fax\":\"%s\"}", json_object_get_string_member(fax, "fax"));
	}
	g_error("no fax to %s", number);
}

static void cancel(struct desk_rig *centre, const char *number)
{
	g_autofree char *fax = fax_to(centre, number);
	g_autoptr(JsonObject) said = desk_rig_ask(centre, "fax.cancel", fax);
	g_assert_cmpint(json_object_get_int_member(said, "cancelled"), ==, 1);
}

/* The node was told to end the call, and is told again by the desk that comes next. */
static void go_away_cancelled(struct desk_rig *centre, unsigned told)
{
	wait_until(fake_node_count(centre->node, "leg.release") > told);
	told = fake_node_count(centre->node, "leg.release");
	restart(centre);
	wait_until(fake_node_count(centre->node, "leg.release") > told);
}

/* Cancelled while it rings and while it sends; the desk goes away before the line is clear. The next one knows. */
static void test_cancel(void)
{
	struct desk_rig *centre = centre_new();
	wait_until(centre->node->conductor);
	send_mail(centre, "anna@example.org", "5551@fax.example", MAIL, "250 2.0.0");
	wait_until(calls(centre, "5551"));
	send_mail(centre, "anna@example.org", "5552@fax.example", MAIL, "250 2.0.0");
	send_mail(centre, "anna@example.org", "5553@fax.example", MAIL, "250 2.0.0");
	wait_until(holds(centre, "SELECT count(*) = 2 FROM fax WHERE state = 'waiting'"));
	centre->node->deaf_to_release = TRUE;
	cancel(centre, "5553");
	cancel(centre, "5551");
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax WHERE called = '5551' AND cancelled = 1 AND ended_utc_us IS NULL"), ==, 1);
	go_away_cancelled(centre, 0);
	fake_node_end(centre->node, called_leg(centre)->id, 16);
	wait_until(holds(centre, "SELECT count(*) = 2 FROM fax WHERE state = 'cancelled' AND tries <= 1"));
	wait_until(calls(centre, "5552"));
	fake_node_answer(centre->node, called_leg(centre)->id);
	wait_until(fake_node_count(centre->node, "fax.send") == 1);
	unsigned told = fake_node_count(centre->node, "leg.release");
	cancel(centre, "5552");
	go_away_cancelled(centre, told);
	g_assert_cmpuint(fake_node_count(centre->node, "fax.send"), ==, 1);
	fake_node_fax_ended(centre->node, "the call ended", "ended", 0, TRUE);
	fake_node_end(centre->node, called_leg(centre)->id, 16);
	wait_until(holds(centre, "SELECT count(*) = 3 FROM fax WHERE state = 'cancelled'"));
	wait_until(holds(centre, "SELECT count(*) = 3 FROM delivery WHERE letter LIKE '%NOT sent%'"));
	g_assert_cmpuint(fake_node_count(centre->node, "leg.originate"), ==, 2);
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
	struct desk_rig *centre = centre_with(more);
	wait_until(centre->node->conductor);
	send_mail(centre, "anna@example.org", "5551000@fax.example", MAIL, "250 2.0.0");
	wait_until(calls(centre, "5551000"));
	fake_node_end(centre->node, called_leg(centre)->id, 1);
	wait_until(holds(centre, "SELECT count(*) FROM delivery WHERE state = 'done'"));
	g_mutex_lock(&sink->lock);
	g_autofree char *sender = g_strdup(sink->sender);
	g_mutex_unlock(&sink->lock);
	g_autofree char *token = tl_post_bounce_token(sender);
	g_assert_nonnull(token);
	g_assert_true(g_str_has_suffix(sender, "@fax.example"));
	g_autofree char *late = report_of("delayed", "4.4.1", "smtp; connect to mx.example.org: timed out");
	g_autofree char *gone = report_of("failed", "5.1.1", "smtp; 550 5.1.1 <anna@example.org>:\r\n    nobody of that name");
	send_mail(centre, "", sender, late, "250 2.0.0 noted");
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM delivery WHERE state = 'done' AND why LIKE 'delayed: connect%'"), ==, 1);
	send_mail(centre, "anna@example.org", sender, "Subject: I am away\r\n\r\nuntil Monday", "250 2.0.0 noted");
	send_mail(centre, "", "bounce+0123456789abcdef0123456789abcdef@fax.example", gone, "550 5.1.1 no such letter");
	send_mail(centre, "", "bounce+0123@fax.example", gone, "550 5.1.1 expected");
	send_mail(centre, sender, "5551000@fax.example", MAIL, "550 5.7.1"); /* no fax because of a letter */
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM delivery WHERE state = 'done'"), ==, 1);
	send_mail(centre, "", sender, gone, "250 2.0.0 noted");
	send_mail(centre, "", sender, gone, "250 2.0.0 noted"); /* brought again */
	g_autofree char *id = fax_to(centre, "5551000");
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
	g_test_add_func("/fax/mail", test_mail);
	g_test_add_func("/fax/refused", test_refused);
	g_test_add_func("/fax/unfit", test_unfit);
	g_test_add_func("/fax/again", test_again);
	g_test_add_func("/fax/farewell", test_farewell);
	g_test_add_func("/fax/order", test_order);
	g_test_add_func("/fax/truth", test_truth);
	g_test_add_func("/fax/take-over", test_take_over);
	g_test_add_func("/fax/cancel", test_cancel);
	g_test_add_func("/fax/bounce", test_bounce);
	g_test_add_func("/fax/quiet", test_quiet);
	g_test_add_func("/fax/addresses", test_addresses);
	return g_test_run();
}
