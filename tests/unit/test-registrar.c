/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Bindings and their expiry: RFC 3261 10.3. */
#include <glib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "ip/registrar.h"

static GString *told;

static void on_change(const char *name, bool registered, const char *contact, void *user)
{
	g_string_append_printf(told, "%c%s %s;", registered ? '+' : '-', name, contact);
}

static bool bind(struct tl_registrar *r, const char *name, const char *contact, const char *call_id, uint32_t cseq,
		 unsigned expires_s)
{
	struct tl_binding b = { .contact = contact, .call_id = call_id, .cseq = cseq, .expires_s = expires_s };
	return tl_registrar_bind(r, name, &b);
}

static void assert_told(const char *what)
{
	g_assert_cmpstr(told->str, ==, what);
	g_string_truncate(told, 0);
}

static void test_bind(void)
{
	struct tl_registrar *r = tl_registrar_new(on_change, NULL);
	struct tl_binding b[TL_REGISTRAR_CONTACTS_MAX];
	g_assert_true(bind(r, "a", "sip:1", "x", 1, 100));
	assert_told("+a sip:1;");
	g_assert_true(bind(r, "a", "sip:2", "y", 1, 100));
	assert_told("");
	g_assert_cmpuint(tl_registrar_lookup(r, "a", b), ==, 2);
	g_assert_cmpstr(b[0].contact, ==, "sip:2");
	/* Out of order: refused; a new Call-ID is a phone that has restarted. */
	g_assert_false(bind(r, "a", "sip:1", "x", 1, 100));
	g_assert_true(bind(r, "a", "sip:1", "z", 1, 100));
	g_assert_cmpuint(tl_registrar_lookup(r, "a", b), ==, 2);
	g_assert_cmpstr(b[0].contact, ==, "sip:1");
	g_assert_true(bind(r, "a", "sip:1", "z", 2, 0));
	assert_told("");
	g_assert_true(bind(r, "a", "sip:2", "y", 2, 0));
	assert_told("-a sip:2;");
	g_assert_cmpuint(tl_registrar_lookup(r, "a", b), ==, 0);
	tl_registrar_free(r);
}

static void test_expiry(void)
{
	struct tl_registrar *r = tl_registrar_new(on_change, NULL);
	struct tl_binding b[TL_REGISTRAR_CONTACTS_MAX];
	bind(r, "a", "sip:1", "x", 1, 60);
	bind(r, "a", "sip:2", "y", 1, 90);
	tl_clock_advance(59 * 1000000);
	g_assert_cmpuint(tl_registrar_lookup(r, "a", b), ==, 2);
	g_assert_cmpuint(b[0].expires_s, ==, 31);
	tl_clock_advance(2 * 1000000);
	g_assert_cmpuint(tl_registrar_lookup(r, "a", b), ==, 1);
	bind(r, "a", "sip:2", "y", 2, 90);
	tl_clock_advance(60 * 1000000);
	g_assert_cmpuint(tl_registrar_lookup(r, "a", b), ==, 1);
	g_string_truncate(told, 0);
	tl_clock_advance(31 * 1000000);
	assert_told("-a sip:2;");
	tl_registrar_free(r);
}

static void test_limit(void)
{
	struct tl_registrar *r = tl_registrar_new(on_change, NULL);
	struct tl_binding b[TL_REGISTRAR_CONTACTS_MAX];
	for (unsigned i = 0; i <= TL_REGISTRAR_CONTACTS_MAX; i++) {
		char contact[16];
		g_snprintf(contact, sizeof(contact), "sip:%u", i);
		bind(r, "a", contact, contact, 1, 100);
	}
	g_assert_cmpuint(tl_registrar_lookup(r, "a", b), ==, TL_REGISTRAR_CONTACTS_MAX);
	g_assert_cmpstr(b[TL_REGISTRAR_CONTACTS_MAX - 1].contact, ==, "sip:1");
	assert_told("+a sip:0;");
	tl_registrar_clear(r, "a");
	assert_told("-a sip:8;");
	tl_registrar_clear(r, "a");
	assert_told("");
	tl_registrar_free(r);
}

static bool keep_b(const char *name, void *user)
{
	return !strcmp(name, "b");
}

static void test_retain(void)
{
	struct tl_registrar *r = tl_registrar_new(on_change, NULL);
	struct tl_binding b[TL_REGISTRAR_CONTACTS_MAX];
	bind(r, "a", "sip:1", "x", 1, 60);
	bind(r, "b", "sip:2", "x", 1, 60);
	g_string_truncate(told, 0);
	tl_registrar_retain(r, keep_b, NULL);
	assert_told("-a sip:1;");
	g_assert_cmpuint(tl_registrar_lookup(r, "b", b), ==, 1);
	tl_registrar_free(r);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	tl_clock_fake(1000000);
	told = g_string_new(NULL);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/registrar/bind", test_bind);
	g_test_add_func("/registrar/expiry", test_expiry);
	g_test_add_func("/registrar/limit", test_limit);
	g_test_add_func("/registrar/retain", test_retain);
	int result = g_test_run();
	g_string_free(told, TRUE);
	return result;
}
