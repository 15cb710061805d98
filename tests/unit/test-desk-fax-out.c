/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Faxes that a whole desk sends. */
#include <string.h>
#include <tiffio.h>

#include "base/thread.h"
#include "desk-fax-rig.h"

static void test_mail(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "anna@example.org", "555-1000@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	desk_fax_mail(centre, "anna@example.org", "5551000@fax.example", DESK_FAX_MAIL, "250 2.0.0"); /* brought again: no second fax */
	wait_until(desk_fax_leg(centre));
	fake_node_answer(centre->node, desk_fax_leg(centre)->id);
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
	desk_fax_confirm(centre, 1, 1);
	fake_node_fax_ended(centre->node, "ok", "none", 1, TRUE);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'sent' AND pages = 1 AND pages_done = 1 AND subject = 'Hello'"));
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM delivery WHERE target = 'anna@example.org' AND letter LIKE '%Page 1: confirmed%' AND "
				 "letter LIKE '%first-page.png%' AND letter LIKE '%Given:   20% IST%'"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax"), ==, 1);
	desk_rig_free(centre);
}

static void test_refused(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "eve@evil.example", "5551000@fax.example", DESK_FAX_MAIL, "550 5.7.1");
	desk_fax_mail(centre, "eve@evil.example", "5551000+wrong@fax.example", DESK_FAX_MAIL, "550 5.7.1");
	desk_fax_mail(centre, "anna@example.org", "09001000@fax.example", DESK_FAX_MAIL, "550 5.7.1");
	desk_fax_mail(centre, "anna@example.org", "postmaster@fax.example", DESK_FAX_MAIL, "550 5.1.1");
	desk_fax_mail(centre, "anna@example.org", "5551000@other.example", DESK_FAX_MAIL, "550 5.1.2");
	desk_fax_mail(centre, "", "5551000@fax.example", DESK_FAX_MAIL, "550 5.7.1");
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax"), ==, 0);
	desk_fax_mail(centre, "eve@evil.example", "5551000+secret@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	desk_rig_free(centre);
}

/* What cannot be faxed is told to who sent it, and the next one goes on. */
static void test_unfit(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "anna@example.org", "5551000@fax.example",
		  "Subject: Bad\r\nMIME-Version: 1.0\r\nContent-Type: application/pdf; name=\"../../a.pdf\"\r\n"
		  "Content-Disposition: attachment\r\n\r\n%PDF-1.4 nonsense", "250 2.0.0");
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'failed' AND why LIKE '%the PDF is broken%'"));
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM delivery WHERE target = 'anna@example.org' AND letter LIKE '%NOT sent%'"));
	desk_fax_mail(centre, "anna@example.org", "5551001@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	wait_until(desk_fax_leg(centre));
	desk_rig_free(centre);
}

/* The desk's settings, read again with @to instead of @from. */
static void change(struct desk_rig *centre, const char *from, const char *to)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_true(g_file_get_contents(centre->config, &text, NULL, NULL));
	g_autoptr(GString) other = g_string_new(text);
	g_assert_cmpuint(g_string_replace(other, from, to, 0), ==, 1);
	g_assert_true(g_file_set_contents(centre->config, other->str, -1, NULL));
	struct settings *settings = settings_load(centre->config, &error);
	g_assert_no_error(error);
	desk_reload(centre->desk, settings);
}

static unsigned times_killed(struct desk_rig *centre)
{
	g_autofree char *path = g_build_filename(centre->dir, "killed", NULL), *text = NULL;
	gsize n = 0;
	return g_file_get_contents(path, &text, &n, NULL) ? n : 0;
}

/* Its reader is killed, as the kernel does when there is no memory: that may pass. If it does not, nobody says that it was the document. */
static void test_machine(void)
{
	struct desk_rig *centre = desk_fax_new();
	g_autofree char *always = g_strdup_printf("echo >>%s/killed; kill -9 $$", centre->dir);
	desk_fax_convert(centre, always);
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "anna@example.org", "5551000@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'converting' AND why LIKE 'this machine could not convert it: %signal 9%'"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM delivery"), ==, 0);
	desk_fax_convert(centre, "");
	wait_until(desk_fax_leg(centre));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax WHERE why IS NOT NULL"), ==, 0);
	desk_fax_convert(centre, always);
	change(centre, "convert_give_up_s = 600", "convert_give_up_s = 1");
	unsigned before = times_killed(centre);
	desk_fax_mail(centre, "anna@example.org", "5551001@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM delivery WHERE target = 'anna@example.org' AND "
				 "letter LIKE '%failed: this machine could not convert it: %signal 9%'"));
	g_assert_cmpuint(times_killed(centre) - before, >=, 2);
	desk_rig_free(centre);
}

/* Busy, then a line that breaks after the first of three pages: it goes on with the second. */
static void test_again(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "anna@example.org", "5551000@fax.example", "Subject: Three\r\n\r\none\f\r\ntwo\f\r\nthree", "250 2.0.0");
	wait_until(desk_fax_leg(centre));
	fake_node_end(centre->node, desk_fax_leg(centre)->id, 17);
	wait_until(desk_fax_leg(centre));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax_try WHERE number = 1 AND result LIKE 'busy%'"), ==, 1);
	fake_node_answer(centre->node, desk_fax_leg(centre)->id);
	wait_until(centre->node->fax_document);
	g_clear_pointer(&centre->node->fax_document, g_free);
	desk_fax_confirm(centre, 1, 1);
	fake_node_fax_ended(centre->node, "the line is bad", "line", 1, TRUE);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state IN ('waiting', 'calling') AND pages_done = 1 AND pages = 3"));
	wait_until(desk_fax_leg(centre) && fake_node_count(centre->node, "leg.originate") == 3);
	fake_node_answer(centre->node, desk_fax_leg(centre)->id);
	wait_until(centre->node->fax_document);
	g_assert_cmpuint(centre->node->fax_first_page, ==, 2);
	desk_fax_confirm(centre, 2, 3);
	fake_node_fax_ended(centre->node, "ok", "none", 2, TRUE);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'sent' AND tries = 3"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax_page"), ==, 3);
	desk_rig_free(centre);
}

/* The other side hangs up before its machine's last words are known: what it confirmed was sent, and is not sent again. */
static void test_farewell(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "anna@example.org", "5551000@fax.example", "Subject: Two\r\n\r\none\f\r\ntwo", "250 2.0.0");
	wait_until(desk_fax_leg(centre));
	fake_node_answer(centre->node, desk_fax_leg(centre)->id);
	wait_until(centre->node->fax_document);
	desk_fax_confirm(centre, 1, 1);
	fake_node_end(centre->node, desk_fax_leg(centre)->id, 16);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM contact WHERE ended_utc_us IS NOT NULL"));
	desk_fax_confirm(centre, 2, 2);
	fake_node_fax_ended(centre->node, "the call ended", "ended", 2, TRUE);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'sent' AND pages_done = 2 AND tries = 1"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax_try WHERE pages = 2 AND result = 'the call ended'"), ==, 1);
	desk_rig_free(centre);
}

/* One line: one at a time, the urgent before those that wait longer. Other settings: more at once, and none to a number. */
static void test_order(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "anna@example.org", "5551@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	wait_until(desk_fax_calls(centre, "5551"));
	desk_fax_mail(centre, "anna@example.org", "5552@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	desk_fax_mail(centre, "eve@evil.example", "5553+secret@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	desk_fax_mail(centre, "eve@evil.example", "5554+secret@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	wait_until(desk_fax_holds(centre, "SELECT count(*) = 3 FROM fax WHERE state = 'waiting'"));
	g_assert_cmpuint(fake_node_count(centre->node, "leg.originate"), ==, 1);
	fake_node_end(centre->node, desk_fax_leg(centre)->id, 1);
	wait_until(desk_fax_calls(centre, "5553"));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax WHERE state = 'waiting'"), ==, 2);
	change(centre, "lines = 1", "lines = 3");
	change(centre, "block = 0900", "block = 0900 0190");
	wait_until(desk_fax_holds(centre, "SELECT count(*) = 3 FROM fax WHERE state = 'calling'"));
	desk_fax_mail(centre, "anna@example.org", "01901@fax.example", DESK_FAX_MAIL, "550 5.7.1");
	desk_rig_free(centre);
}

/* Said to be well by both machines with a page missing: it was not. */
static void test_truth(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "anna@example.org", "5551000@fax.example", "Subject: Two\r\n\r\none\f\r\ntwo", "250 2.0.0");
	for (unsigned try = 1; try <= 3; try++) {
		wait_until(desk_fax_leg(centre) && fake_node_count(centre->node, "leg.originate") == try);
		fake_node_answer(centre->node, desk_fax_leg(centre)->id);
		wait_until(fake_node_count(centre->node, "fax.send") == try && centre->node->fax_id);
		if (try == 1)
			desk_fax_confirm(centre, 1, 1);
		fake_node_fax_ended(centre->node, "ok", "none", 2, TRUE);
	}
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'failed' AND pages_done = 1"));
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM delivery WHERE letter LIKE '%Page 2: not confirmed%' AND letter LIKE '%1 of 2 pages%'"));
	desk_rig_free(centre);
}

/* The desk goes away before the call, while it rings, and while it sends. */
static void test_take_over(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "anna@example.org", "5551000@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	desk_fax_restart(centre);
	wait_until(desk_fax_leg(centre));
	desk_fax_restart(centre);
	wait_until(fake_node_count(centre->node, "node.snapshot") >= 3);
	fake_node_answer(centre->node, desk_fax_leg(centre)->id);
	wait_until(fake_node_count(centre->node, "fax.send") == 1);
	g_autofree char *first = g_strdup(centre->node->fax_id);
	desk_fax_restart(centre);
	wait_until(fake_node_count(centre->node, "fax.send") == 2); /* the same again: the node knows it by its id */
	g_assert_cmpstr(centre->node->fax_id, ==, first);
	desk_fax_confirm(centre, 1, 1);
	fake_node_fax_ended(centre->node, "ok", "none", 1, TRUE);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'sent' AND tries = 1"));
	g_assert_cmpuint(fake_node_count(centre->node, "leg.originate"), ==, 1);
	desk_rig_free(centre);
}

/* Pages that were confirmed, and how it ended, while no desk heard: the journal tells, and nothing is sent twice. */
static void test_unheard(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "anna@example.org", "5551000@fax.example", "Subject: Three\r\n\r\none\f\r\ntwo\f\r\nthree", "250 2.0.0");
	wait_until(desk_fax_leg(centre));
	fake_node_answer(centre->node, desk_fax_leg(centre)->id);
	wait_until(fake_node_count(centre->node, "fax.send") == 1);
	desk_rig_stop(centre);
	desk_fax_confirm(centre, 1, 1);
	fake_node_fax_ended(centre->node, "the line is bad", "line", 1, TRUE);
	fake_node_end(centre->node, desk_fax_leg(centre)->id, 16);
	desk_rig_start(centre);
	wait_until(desk_fax_leg(centre));
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax_try WHERE number = 1 AND pages = 1 AND result = 'the line is bad'"), ==, 1);
	fake_node_answer(centre->node, desk_fax_leg(centre)->id);
	wait_until(fake_node_count(centre->node, "fax.send") == 2);
	g_assert_cmpuint(centre->node->fax_first_page, ==, 2);
	desk_rig_stop(centre);
	desk_fax_confirm(centre, 2, 3);
	fake_node_fax_ended(centre->node, "ok", "none", 2, TRUE);
	desk_rig_start(centre); /* the other side stays on the line */
	wait_until(fake_node_count(centre->node, "leg.release") >= 1);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'sent' AND pages_done = 3 AND tries = 2"));
	g_assert_cmpuint(fake_node_count(centre->node, "fax.send"), ==, 2);
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax_page"), ==, 3);
	desk_rig_free(centre);
}

/* No line is free, more often than it is tried: that counts for nothing, and the next call is the one that does. */
static void test_no_line(void)
{
	static const unsigned causes[] = { 34, 42, 47 };
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "anna@example.org", "5551000@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	for (unsigned i = 0; i < G_N_ELEMENTS(causes); i++) {
		wait_until(desk_fax_leg(centre));
		fake_node_end(centre->node, desk_fax_leg(centre)->id, causes[i]);
		wait_until(!desk_fax_leg(centre) && desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'waiting' AND tried = 0"));
		g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax WHERE why LIKE 'no line was free, cause %'"), ==, 1);
	}
	wait_until(desk_fax_leg(centre));
	fake_node_end(centre->node, desk_fax_leg(centre)->id, 17);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE tries = 4 AND tried = 1 AND without_line_utc_us IS NULL"));
	/* Half a day without a line: who sent it is told. */
	wait_until(desk_fax_leg(centre));
	unsigned looks = fake_node_count(centre->node, "node.snapshot");
	desk_rig_stop(centre);
	desk_rig_query(centre, "UPDATE fax SET without_line_utc_us = 1 RETURNING 1");
	desk_rig_start(centre);
	wait_until(fake_node_count(centre->node, "node.snapshot") > looks);
	fake_node_end(centre->node, desk_fax_leg(centre)->id, 34);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'failed' AND why LIKE 'no line was free%'"));
	desk_rig_free(centre);
}

/* Refused for good; given again by hand it is another call, and who sent it hears of that, too. */
static void test_given_again(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "anna@example.org", "5551000@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	wait_until(desk_fax_leg(centre));
	g_autofree char *first = g_strdup(desk_fax_leg(centre)->id), *fax = desk_fax_to(centre, "5551000");
	fake_node_end(centre->node, first, 21);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'failed' AND why LIKE 'the call was rejected%'"));
	g_autoptr(JsonObject) said = desk_rig_ask(centre, "fax.retry", fax);
	wait_until(desk_fax_leg(centre));
	g_assert_cmpstr(desk_fax_leg(centre)->id, !=, first); /* a record of its own */
	fake_node_answer(centre->node, desk_fax_leg(centre)->id);
	wait_until(centre->node->fax_document);
	desk_fax_confirm(centre, 1, 1);
	fake_node_fax_ended(centre->node, "ok", "none", 1, TRUE);
	wait_until(desk_fax_holds(centre, "SELECT count(*) FROM fax WHERE state = 'sent' AND tries = 2"));
	wait_until(desk_fax_holds(centre, "SELECT count(*) = 2 FROM delivery WHERE target = 'anna@example.org'"));
	wait_until(desk_fax_holds(centre, "SELECT count(*) = 2 FROM fax_try WHERE ended_utc_us IS NOT NULL"));
	wait_until(desk_fax_holds(centre, "SELECT count(*) = 2 FROM contact WHERE kind = 'fax' AND ended_utc_us IS NOT NULL"));
	desk_rig_free(centre);
}

static void cancel(struct desk_rig *centre, const char *number)
{
	g_autofree char *fax = desk_fax_to(centre, number);
	g_autoptr(JsonObject) said = desk_rig_ask(centre, "fax.cancel", fax);
	g_assert_cmpint(json_object_get_int_member(said, "cancelled"), ==, 1);
}

/* The node was told to end the call, and is told again by the desk that comes next. */
static void go_away_cancelled(struct desk_rig *centre, unsigned told)
{
	wait_until(fake_node_count(centre->node, "leg.release") > told);
	told = fake_node_count(centre->node, "leg.release");
	desk_fax_restart(centre);
	wait_until(fake_node_count(centre->node, "leg.release") > told);
}

/* Cancelled while it rings and while it sends; the desk goes away before the line is clear. The next one knows. */
static void test_cancel(void)
{
	struct desk_rig *centre = desk_fax_new();
	wait_until(centre->node->conductor);
	desk_fax_mail(centre, "anna@example.org", "5551@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	wait_until(desk_fax_calls(centre, "5551"));
	desk_fax_mail(centre, "anna@example.org", "5552@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	desk_fax_mail(centre, "anna@example.org", "5553@fax.example", DESK_FAX_MAIL, "250 2.0.0");
	wait_until(desk_fax_holds(centre, "SELECT count(*) = 2 FROM fax WHERE state = 'waiting'"));
	centre->node->deaf_to_release = TRUE;
	cancel(centre, "5553");
	cancel(centre, "5551");
	g_assert_cmpint(desk_rig_query(centre, "SELECT count(*) FROM fax WHERE called = '5551' AND cancelled = 1 AND ended_utc_us IS NULL"), ==, 1);
	go_away_cancelled(centre, 0);
	fake_node_end(centre->node, desk_fax_leg(centre)->id, 16);
	wait_until(desk_fax_holds(centre, "SELECT count(*) = 2 FROM fax WHERE state = 'cancelled' AND tries <= 1"));
	wait_until(desk_fax_calls(centre, "5552"));
	fake_node_answer(centre->node, desk_fax_leg(centre)->id);
	wait_until(fake_node_count(centre->node, "fax.send") == 1);
	unsigned told = fake_node_count(centre->node, "leg.release");
	cancel(centre, "5552");
	go_away_cancelled(centre, told);
	g_assert_cmpuint(fake_node_count(centre->node, "fax.send"), ==, 1);
	fake_node_fax_ended(centre->node, "the call ended", "ended", 0, TRUE);
	fake_node_end(centre->node, desk_fax_leg(centre)->id, 16);
	wait_until(desk_fax_holds(centre, "SELECT count(*) = 3 FROM fax WHERE state = 'cancelled' AND next_utc_us IS NULL"));
	wait_until(desk_fax_holds(centre, "SELECT count(*) = 3 FROM delivery WHERE letter LIKE '%NOT sent%'"));
	g_assert_cmpuint(fake_node_count(centre->node, "leg.originate"), ==, 2);
	desk_rig_free(centre);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	tl_thread_become_main();
	g_test_add_func("/fax/mail", test_mail);
	g_test_add_func("/fax/refused", test_refused);
	g_test_add_func("/fax/unfit", test_unfit);
	g_test_add_func("/fax/machine", test_machine);
	g_test_add_func("/fax/again", test_again);
	g_test_add_func("/fax/farewell", test_farewell);
	g_test_add_func("/fax/order", test_order);
	g_test_add_func("/fax/truth", test_truth);
	g_test_add_func("/fax/take-over", test_take_over);
	g_test_add_func("/fax/unheard", test_unheard);
	g_test_add_func("/fax/no-line", test_no_line);
	g_test_add_func("/fax/given-again", test_given_again);
	g_test_add_func("/fax/cancel", test_cancel);
	return g_test_run();
}
