/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "desk-fax-rig.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <tiffio.h>

static const char config_text[] =
	"[desk]\nname = test\nstate_dir = %s\nlog_level = warning\nlease_ms = 20000\n"
	"[web]\nlisten = 127.0.0.1:0\n"
	"[control]\nsocket = %s/desk.sock\n[token op]\ntoken = operator\nrole = operator\n"
	"[node north]\naddress = %s\ntoken = " FAKE_TOKEN "\n"
	"[lmtp]\nsocket = %s/lmtp.sock\ndomains = fax.example\n"
	"[faxes]\nconverter = %s\nretry_busy_s = 1\nretry_trouble_s = 1\nretry_no_answer_s = 1\ntries = 3\nconvert_retry_s = 1\nconvert_give_up_s = 600\nblock = 0900\nzone = Asia/Kolkata\n"
	"[fax office]\nident = +49 30 1000\nheader = Office\nheader_zone = Europe/Berlin\ndeliver = dir:%s/out\n"
	"[fax-sender staff]\naddresses = *@example.org\nbox = office\n"
	"[fax-sender program]\ntoken = secret\nbox = office\npriority = 2\n"
	"[fax-line pstn]\nto = group:pstn\nlines = 1\n"
	"[queue sales]\nmusic = file:music\n"
	"[agent anna]\nphone = user:anna\nqueues = sales\n"
	"[service 100]\notherwise = fax:office\n"
	"[service 200]\nannounce = file:hello\notherwise = queue:sales\nfax_tone = fax:office\n"
	"[service 300]\notherwise = clear:user:fax\n";

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

char *desk_fax_page(struct desk_rig *centre)
{
	return g_build_filename(centre->dir, "page-1.tif", NULL);
}

static char *converter_of(struct desk_rig *centre)
{
	return g_build_filename(centre->dir, "converter", NULL);
}

void desk_fax_convert(struct desk_rig *centre, const char *script)
{
	g_autofree char *own = g_file_read_link("/proc/self/exe", NULL), *folder = g_path_get_dirname(own), *path = converter_of(centre);
	g_autofree char *text = g_strdup_printf("#!/bin/sh\n%s\nexec %s/../../faxpages \"$@\"\n", script, folder);
	g_assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0700, NULL));
}

/* @more: further sections. */
struct desk_rig *desk_fax_with(const char *more)
{
	struct desk_rig *centre = desk_rig_new();
	g_autofree char *converter = converter_of(centre);
	desk_fax_convert(centre, "");
	g_autofree char *out = g_build_filename(centre->dir, "out", NULL), *page = desk_fax_page(centre);
	make_page(page, 1);
	g_mkdir(out, 0750);
	g_autofree char *text = g_strdup_printf(config_text, centre->dir, centre->dir, centre->node->address, centre->dir, converter, centre->dir);
	desk_rig_configure(centre, g_strconcat(text, more, NULL));
	desk_rig_start(centre);
	return centre;
}

struct desk_rig *desk_fax_new(void)
{
	return desk_fax_with("");
}

void desk_fax_restart(struct desk_rig *centre)
{
	desk_rig_stop(centre);
	desk_rig_start(centre);
}

bool desk_fax_holds(struct desk_rig *centre, const char *sql)
{
	g_usleep(1000);
	return desk_rig_query(centre, sql) != 0;
}

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

void desk_fax_mail(struct desk_rig *centre, const char *from, const char *to, const char *message, const char *expected)
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

struct fake_leg *desk_fax_leg(struct desk_rig *centre)
{
	return fake_node_leg_to(centre->node, "group:pstn");
}

void desk_fax_confirm(struct desk_rig *centre, unsigned from, unsigned to)
{
	for (unsigned page = from; page <= to; page++)
		fake_node_fax_page(centre->node, page, TRUE);
}

bool desk_fax_calls(struct desk_rig *centre, const char *number)
{
	g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM fax WHERE called = '%s' AND state = 'calling'", number);
	return desk_fax_leg(centre) && desk_fax_holds(centre, sql);
}

char *desk_fax_to(struct desk_rig *centre, const char *number)
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
