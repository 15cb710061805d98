/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Faxes on a whole node's legs, by the control protocol: into the spool, out of a blob, cut short, with a full disk. */
#include <string.h>
#include <sys/socket.h>

#include "call-rig.h"
#include "fax-paper.h"
#include "fax/fax.h"

static const struct fax_paper paper = { .pages = 2, .width = 1728, .length = 60, .x_dpi = 204, .y_dpi = 98 };

struct bench {
	struct rig rig;
	struct tl_fax_pool *pool; /* the far end's */
	struct desk *desk;
	char *document;
	bool ended;
	unsigned pages;
	struct tl_fax_result result;
};

static void set_up(struct bench *b, gconstpointer reserve_mib)
{
	rig_init(&b->rig);
	rig_on_fast_line(&b->rig);
	if (reserve_mib)
		b->rig.config.spool_reserve_mib = GPOINTER_TO_UINT(reserve_mib);
	rig_start(&b->rig);
	const struct tl_fax_pool_config pool = { .media = b->rig.media, .threads = 1, .depth_ms = 60, .keep_within_ms = 20000 };
	b->pool = tl_fax_pool_new(&pool);
	b->desk = desk_new(&b->rig, "conductor", 1);
	b->document = g_build_filename(b->rig.state_dir, "document.tif", NULL);
	fax_paper_write(b->document, &paper);
}

static void tear_down(struct bench *b, gconstpointer data)
{
	desk_free(b->desk);
	tl_fax_pool_free(b->pool);
	rig_done(&b->rig);
	g_free(b->document);
}

static void on_page(struct tl_fax *fax, const struct tl_fax_page *page, void *user)
{
	struct bench *b = user;
	b->pages++;
}

static void on_ended(struct tl_fax *fax, const struct tl_fax_result *result, void *user)
{
	struct bench *b = user;
	b->ended = true;
	b->result = *result;
}

static int keep(unsigned number, const void *octets, size_t n, unsigned within_ms, void *user)
{
	struct bench *b = user;
	g_autofree char *path = g_strdup_printf("%s/far-%u.tif", b->rig.state_dir, number);
	return g_file_set_contents(path, octets, n, NULL) ? 0 : -5;
}

static struct tl_fax *far_machine(struct bench *b, struct far *far, bool sends)
{
	static const struct tl_fax_handler handler = { NULL, on_page, on_ended, keep };
	const struct tl_fax_config config = {
		.sends = sends, .calling = sends, .document = b->document,
		.options = { .ident = "+49 30 9", .ecm = true, .modems = TL_FAX_ALL, .codings = TL_FAX_ALL,
			     .resolutions = TL_FAX_ALL, .widths = TL_FAX_ALL },
	};
	g_autoptr(GError) error = NULL;
	tl_port_detect_dtmf(far->port, false);
	struct tl_fax *fax = tl_fax_start(b->pool, far->port, &config, &handler, b, &error);
	g_assert_no_error(error);
	return fax;
}

/* A call of the network, answered; its leg. (transfer full) */
static char *answered(struct bench *b, struct far **far)
{
	*far = rig_call(&b->rig, "555");
	JsonObject *leg = json_object_get_object_member(desk_await(b->desk, "leg.offered", NULL), "leg");
	char *id = g_strdup(json_object_get_string_member(leg, "leg"));
	desk_do(b->desk, "leg.answer", "{\"leg\": \"%s\"}", id);
	await((*far)->heard[TL_DIALOG_ANSWERED] && (*far)->port);
	return id;
}

static void test_receive(struct bench *b, gconstpointer data)
{
	struct far *far;
	g_autofree char *leg = answered(b, &far);
	far_machine(b, far, true);
	desk_do(b->desk, "fax.receive", "{\"leg\": \"%s\", \"fax\": \"f1\", \"options\": {\"ident\": \"+49 30 1\"}}", leg);
	JsonObject *negotiated = desk_await(b->desk, "fax.negotiated", leg);
	g_assert_cmpstr(json_object_get_string_member(negotiated, "remote_ident"), ==, "+49 30 9");
	JsonObject *page = desk_await(b->desk, "fax.page", leg);
	g_assert_cmpstr(json_object_get_string_member(page, "part"), ==, "page-0001.tif");
	JsonObject *ended = desk_await(b->desk, "fax.ended", leg);
	g_assert_cmpstr(json_object_get_string_member(ended, "result"), ==, "ok");
	g_assert_cmpint(json_object_get_int_member(ended, "pages"), ==, 2);
	for (unsigned i = 1; i <= 2; i++) {
		g_autofree char *path = g_strdup_printf("%s/spool/%s/page-%04u.tif", b->rig.state_dir,
							json_object_get_string_member(ended, "item"), i);
		fax_paper_assert(path, &paper, i);
	}
	await(b->ended);
	g_assert_cmpstr(b->result.words, ==, "ok");
	g_assert_cmpstr(b->result.remote_ident, ==, "+49 30 1");
	/* The leg lives on. */
	desk_do(b->desk, "leg.release", "{\"leg\": \"%s\"}", leg);
	desk_await(b->desk, "leg.ended", leg);
}

static void put_blob(struct bench *b, char digest[65])
{
	g_autofree char *octets = NULL;
	gsize n;
	g_assert_true(g_file_get_contents(b->document, &octets, &n, NULL));
	g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)octets, n);
	g_autofree char *blobs = g_build_filename(b->rig.state_dir, "blobs", NULL);
	g_autofree char *path = g_build_filename(blobs, sum, NULL);
	g_mkdir_with_parents(blobs, 0700);
	g_assert_true(g_file_set_contents(path, octets, n, NULL));
	g_strlcpy(digest, sum, 65);
}

static bool journal_has(struct bench *b, const char *fact, unsigned n)
{
	g_autoptr(JsonArray) facts = desk_facts(b->desk, 0);
	return facts_count(facts, fact, "out") == n;
}

static void test_send(struct bench *b, gconstpointer data)
{
	char digest[65];
	int code;
	put_blob(b, digest);
	desk_do(b->desk, "leg.originate", "{\"leg\": \"out\", \"to\": \"group:carrier\", \"setup\": {\"called\": \"777\"}}");
	struct far *far = rig_await_far(&b->rig, 0);
	await(far->port);
	while (strcmp(json_object_get_string_member(desk_await(b->desk, "leg.state", "out"), "state"), "answered"))
		;
	far_machine(b, far, false);
	g_assert_null(desk_try(b->desk, &code, "fax.send", "{\"leg\": \"out\", \"fax\": \"f0\", \"document\": \"%064u\"}", 7));
	g_assert_cmpint(code, ==, TL_CONTROL_UNKNOWN);
	g_assert_null(desk_try(b->desk, &code, "fax.send",
			       "{\"leg\": \"out\", \"fax\": \"f0\", \"document\": \"%s\", \"first_page\": 9}", digest));
	g_assert_cmpint(code, ==, TL_CONTROL_INVALID_PARAMS);
	desk_do(b->desk, "fax.send", "{\"leg\": \"out\", \"fax\": \"f1\", \"document\": \"%s\", \"first_page\": 2}", digest);
	g_assert_null(desk_try(b->desk, &code, "fax.receive", "{\"leg\": \"out\", \"fax\": \"f2\"}"));
	g_assert_cmpint(code, ==, TL_CONTROL_STATE);
	JsonObject *page = desk_await(b->desk, "fax.page", "out");
	g_assert_cmpint(json_object_get_int_member(page, "page"), ==, 2);
	JsonObject *ended = desk_await(b->desk, "fax.ended", "out");
	g_assert_cmpstr(json_object_get_string_member(ended, "result"), ==, "ok");
	g_autofree char *path = g_build_filename(b->rig.state_dir, "far-1.tif", NULL);
	fax_paper_assert(path, &paper, 2);
	await(b->ended);
	await(journal_has(b, "fax-ended", 1)); /* for a desk that was away */
	g_assert_true(journal_has(b, "fax-page", 1));
}

/* The caller hangs up in the middle: what was confirmed is there, and the item is partial. */
static void test_cut_short(struct bench *b, gconstpointer data)
{
	struct far *far;
	g_autofree char *leg = answered(b, &far);
	struct tl_fax *fax = far_machine(b, far, true);
	desk_do(b->desk, "fax.receive", "{\"leg\": \"%s\", \"fax\": \"f1\"}", leg);
	await(b->pages == 1);
	tl_fax_port_gone(fax, far->port);
	tl_fax_stop(fax, TL_FAX_ENDED);
	far_hang_up(far, TL_CAUSE_NORMAL_CLEARING);
	JsonObject *ended = desk_await(b->desk, "fax.ended", leg);
	g_assert_cmpint(json_object_get_int_member(ended, "pages"), >=, 1);
	g_autofree char *path = g_strdup_printf("%s/spool/%s/page-0001.tif", b->rig.state_dir,
						json_object_get_string_member(ended, "item"));
	fax_paper_assert(path, &paper, 1);
	await(b->ended);
}

static void test_no_room(struct bench *b, gconstpointer data)
{
	struct far *far;
	int code;
	g_autofree char *leg = answered(b, &far);
	g_assert_null(desk_try(b->desk, &code, "fax.receive", "{\"leg\": \"%s\", \"fax\": \"f1\"}", leg));
	g_assert_cmpint(code, ==, TL_CONTROL_STORAGE);
	g_assert_null(desk_try(b->desk, &code, "fax.stop", "{\"leg\": \"%s\"}", leg));
	g_assert_cmpint(code, ==, TL_CONTROL_STATE);
}

static void test_tone_and_stop(struct bench *b, gconstpointer data)
{
	struct far *far;
	g_autofree char *leg = answered(b, &far);
	desk_do(b->desk, "leg.detect_fax", "{\"leg\": \"%s\", \"on\": true}", leg);
	far_machine(b, far, true);
	JsonObject *tone = desk_await(b->desk, "leg.fax_tone", leg);
	g_assert_cmpstr(json_object_get_string_member(tone, "tone"), ==, "cng");
	desk_do(b->desk, "fax.receive", "{\"leg\": \"%s\", \"fax\": \"f1\"}", leg);
	desk_do(b->desk, "fax.stop", "{\"leg\": \"%s\"}", leg);
	JsonObject *ended = desk_await(b->desk, "fax.ended", leg);
	g_assert_cmpstr(json_object_get_string_member(ended, "trouble"), ==, "stopped");
}

#define TEST(name, data, test) g_test_add("/call/fax/" name, struct bench, data, set_up, test, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TEST("receive", NULL, test_receive);
	TEST("send", NULL, test_send);
	TEST("cut-short", NULL, test_cut_short);
	TEST("no-room", GUINT_TO_POINTER(16777216), test_no_room);
	TEST("tone-and-stop", NULL, test_tone_and_stop);
	return g_test_run();
}
