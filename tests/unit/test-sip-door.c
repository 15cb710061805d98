/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* SIP's TLS before anybody has said a word: who may come in and how slowly, what certificate is shown, what Contact says. */
#include "sip-pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "secure/secure.h"

#define HANDSHAKE_MS 5000

static struct tl_tls_limits limits;
static const char *own_folder, *certificate;

static void adjust_b(struct tl_sip_config *config)
{
	config->tls_connections = limits.connections;
	config->tls_connections_per_address = limits.per_address;
	config->tls_handshake_ms = HANDSHAKE_MS;
	if (own_folder)
		config->tls_folder = own_folder, config->certificate = certificate;
}

/* b is who is come to. */
static void start(struct pair *p, unsigned connections, unsigned per_address)
{
	limits = (struct tl_tls_limits){ connections, per_address };
	p->transport = TLS4;
	end_start(&p->b, TLS4, "sip:127.0.0.1:9", adjust_b);
	p->b_uri = end_uri(&p->b, TLS4);
	end_start(&p->a, TLS4, p->b_uri, adjust_b);
}

static void stop(struct pair *p)
{
	if (p->a.dialog) {
		tl_dialog_release(p->a.dialog, TL_CAUSE_NORMAL_CLEARING);
		pair_await_released(p);
	}
	pair_stop(p);
}

static struct tl_sip_counters counters(const struct end *end)
{
	struct tl_sip_counters now;
	tl_sip_counters(end->sip, &now);
	return now;
}

/* A connection to @end; the kernel takes it, the stack may not. */
static int knock(const struct end *end)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)tl_sip_port(end->sip)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(connect(fd, (struct sockaddr *)&to, sizeof to), ==, 0);
	return fd;
}

static bool is_hung_up_on(int fd)
{
	char octet;
	ssize_t n = recv(fd, &octet, 1, MSG_DONTWAIT);
	return !n || (n < 0 && errno != EAGAIN);
}

static void test_per_address(void)
{
	struct pair p;
	start(&p, 10, 2);
	struct tl_sip_counters before = counters(&p.b);
	int fds[3];
	for (unsigned i = 0; i < 2; i++) {
		fds[i] = knock(&p.b);
		await(counters(&p.b).tls_accepted == before.tls_accepted + i + 1);
	}
	for (unsigned i = 0; i < 50; i++) {
		fds[2] = knock(&p.b);
		await(is_hung_up_on(fds[2]));
		close(fds[2]);
	}
	g_assert_cmpuint(counters(&p.b).tls_refused_address, ==, before.tls_refused_address + 50);
	g_assert_cmpuint(counters(&p.b).tls_refused_full, ==, before.tls_refused_full);
	g_assert_cmpuint(counters(&p.b).tls_connections, ==, 2);
	/* One leaves, another may come: a call. */
	close(fds[0]);
	await(counters(&p.b).tls_connections == 1);
	pair_connect(&p);
	g_assert_cmpuint(counters(&p.b).tls_connections, ==, 2);
	close(fds[1]);
	stop(&p);
	g_assert_cmpuint(tl_clock_us(), ==, 1000000); /* so nobody was late */
}

static void test_full(void)
{
	struct pair p;
	start(&p, 1, 10);
	struct tl_sip_counters before = counters(&p.b);
	pair_connect(&p);
	int fd = knock(&p.b);
	await(is_hung_up_on(fd));
	close(fd);
	g_assert_cmpuint(counters(&p.b).tls_refused_full, ==, before.tls_refused_full + 1);
	stop(&p);
}

/* Who is silent, and who says other things than TLS; a call that stands meanwhile stays. */
static void test_slow(void)
{
	struct pair p;
	start(&p, 10, 10);
	struct tl_sip_counters before = counters(&p.b);
	pair_connect(&p);
	int silent = knock(&p.b), partial = knock(&p.b);
	g_assert_cmpint(send(partial, "\x16\x03\x01\x02\x00", 5, MSG_NOSIGNAL), ==, 5);
	await(counters(&p.b).tls_accepted == before.tls_accepted + 3);
	tl_clock_advance(1000 * HANDSHAKE_MS - 1000);
	g_assert_cmpuint(counters(&p.b).tls_refused_slow, ==, before.tls_refused_slow);
	tl_clock_advance(2000);
	await(is_hung_up_on(silent) && is_hung_up_on(partial));
	g_assert_cmpuint(counters(&p.b).tls_refused_slow, ==, before.tls_refused_slow + 2);
	await(counters(&p.b).tls_connections == 1);
	close(silent), close(partial);
	unsigned heard = p.b.heard[TL_DIALOG_MEDIA];
	p.a.dialog->local.receives = false;
	g_assert_cmpint(tl_dialog_update(p.a.dialog), ==, 0);
	await(p.b.heard[TL_DIALOG_MEDIA] > heard);
	g_assert_cmpuint(counters(&p.b).tls_accepted, ==, before.tls_accepted + 3); /* by the same connection */
	stop(&p);
}

/* ---- who is none of the stack ---- */

struct other {
	atomic_bool over;
	atomic_uint rounds;
};

/* Connections and TLS of its own, by the functions in whose place the door stands. */
static gpointer run_other(gpointer data)
{
	struct other *other = data;
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof at;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(listener, (struct sockaddr *)&at, length) | listen(listener, 1), ==, 0);
	g_assert_cmpint(getsockname(listener, (struct sockaddr *)&at, &length), ==, 0);
	for (; !other->over; other->rounds++) {
		int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		g_assert_cmpint(connect(to, (struct sockaddr *)&at, sizeof at), ==, 0);
		int fd = accept(listener, NULL, NULL);
		g_assert_cmpint(fd, >=, 0);
		SSL *ssl = SSL_new(ctx);
		BIO *bio = BIO_new_socket(fd, BIO_CLOSE);
		SSL_set_bio(ssl, bio, bio);
		SSL_shutdown(ssl);
		SSL_free(ssl);
		ERR_clear_error();
		close(to);
	}
	close(listener);
	SSL_CTX_free(ctx);
	return NULL;
}

/* They pass the door unseen while others are let in and refused. */
static void test_other_threads(void)
{
	static struct other others[2];
	GThread *threads[G_N_ELEMENTS(others)];
	struct pair p;
	for (unsigned i = 0; i < G_N_ELEMENTS(others); i++)
		threads[i] = g_thread_new("other", run_other, &others[i]);
	start(&p, 1, 10);
	pair_connect(&p);
	for (unsigned i = 0; i < 5; i++) {
		int fd = knock(&p.b);
		await(is_hung_up_on(fd));
		close(fd);
	}
	await(others[0].rounds && others[1].rounds);
	struct tl_sip_counters now = counters(&p.b);
	g_assert_cmpuint(now.tls_accepted, ==, 1);
	g_assert_cmpuint(now.tls_refused_full, ==, 5);
	stop(&p);
	for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
		others[i].over = true;
		g_thread_join(threads[i]);
	}
}

/* ---- certificates ---- */

/* The kind of key that @end shows a stranger, and its certificate's subject, "RSA first". (transfer full) */
static char *shown(const struct end *end)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	int fd = knock(end), done = 0;
	g_assert_true(g_unix_set_fd_nonblocking(fd, TRUE, NULL));
	SSL_set_fd(ssl, fd);
	await((done = SSL_connect(ssl)) == 1 || SSL_get_error(ssl, done) != SSL_ERROR_WANT_READ);
	g_assert_cmpint(done, ==, 1);
	X509 *x509 = SSL_get1_peer_certificate(ssl);
	char name[64] = "";
	X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, name, sizeof name);
	char *text = g_strdup_printf("%s %s", EVP_PKEY_is_a(X509_get0_pubkey(x509), "RSA") ? "RSA" : "EC", name);
	X509_free(x509);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	return text;
}

static void make(const char *path, const char *key, const char *name)
{
	g_autofree char *subject = g_strconcat("/CN=", name, NULL);
	g_autoptr(GError) error = NULL;
	const char *argv[] = { "openssl", "req", "-x509", "-newkey", key, "-nodes", "-days", "2", "-subj", subject, "-keyout", path,
			       "-out", path, NULL, NULL, NULL };
	if (!strcmp(key, "ec"))
		argv[14] = "-pkeyopt", argv[15] = "ec_paramgen_curve:P-256";
	int status;
	g_unlink(path);
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL,
				   &status, &error));
	g_assert_no_error(error);
	g_assert_cmpint(status, ==, 0);
	g_assert_cmpint(g_chmod(path, 0600), ==, 0);
}

static void assert_shown(const struct end *end, const char *expected)
{
	g_autofree char *text = shown(end);
	g_assert_cmpstr(text, ==, expected);
}

/* Who comes later sees the new one, of another kind even; a call of before goes on; a bad one changes nothing. */
static void test_renewed(void)
{
	g_autofree char *folder = g_dir_make_tmp("tl-door-XXXXXX", NULL), *tls = g_build_filename(folder, "tls", NULL);
	g_autofree char *file = g_build_filename(folder, "mine.pem", NULL), *agent = g_build_filename(tls, "agent.pem", NULL);
	g_autofree char *trusted = g_build_filename(tls, "cafile.pem", NULL);
	g_autoptr(GError) error = NULL;
	struct pair p;
	own_folder = tls, certificate = file;
	make(file, "rsa:2048", "first");
	start(&p, 0, 0);
	assert_shown(&p.b, "RSA first");
	pair_connect(&p);
	make(file, "ec", "second");
	assert_shown(&p.b, "RSA first");
	g_assert_true(tl_sip_renew_certificate(p.b.sip, file, NULL, &error));
	assert_shown(&p.b, "EC second");
	g_assert_true(g_file_set_contents(file, "", -1, NULL));
	g_assert_cmpint(g_chmod(file, 0600), ==, 0);
	g_assert_false(tl_sip_renew_certificate(p.b.sip, file, NULL, &error));
	g_assert_error(error, TL_SECURE_ERROR, TL_SECURE_ERROR_CERTIFICATE);
	assert_shown(&p.b, "EC second");
	uint64_t accepted = counters(&p.b).tls_accepted;
	stop(&p);
	struct tl_tls_counters after;
	tl_tls_door_counters(&after);
	g_assert_cmpuint(after.accepted, ==, accepted); /* its end came by the connection of its beginning */
	own_folder = certificate = NULL;
	g_unlink(file), g_unlink(agent), g_unlink(trusted), g_rmdir(tls);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

/* ---- Contact ---- */

static void at_all_addresses(struct tl_sip_config *config)
{
	static const char *const any[] = { "sip:0.0.0.0:0;transport=tls", NULL };
	config->listen = any;
}

static void assert_contact(const char *trace, const struct end *of)
{
	g_autofree char *contact = g_strdup_printf("Contact: <sip:127.0.0.1:%u;transport=tls>\r\n", tl_sip_port(of->sip));
	g_assert_nonnull(strstr(trace, contact));
	g_assert_null(strstr(trace, "sips:"));
	g_assert_null(strstr(trace, "0.0.0.0"));
}

/* Chosen as sip: with transport=tls, told as such: where the other end finds it, never sips: nor 0.0.0.0. */
static void test_contact_of_a_wildcard(void)
{
	struct pair p = { .transport = TLS4 };
	end_start(&p.b, TLS4, "sip:127.0.0.1:9", at_all_addresses);
	p.b_uri = end_uri(&p.b, TLS4);
	end_start(&p.a, TLS4, p.b_uri, NULL);
	tl_sip_set_trace(p.a.sip, true);
	pair_connect(&p);
	assert_contact(p.a.trace->str, &p.b);
	stop(&p); /* the BYE has found its way */
	/* It calls; its address is not its trunk's, perhaps, so nobody is let in. */
	end_start(&p.b, TLS4, NULL, NULL);
	p.b_uri = end_uri(&p.b, TLS4);
	end_start(&p.a, TLS4, p.b_uri, at_all_addresses);
	tl_sip_set_trace(p.a.sip, true);
	end_call(&p.a, "trunk:far", "4930123", "+49891");
	await(p.a.heard[TL_DIALOG_RELEASED]);
	assert_contact(p.a.trace->str, &p.a);
	pair_stop(&p);
}

int main(int argc, char **argv)
{
	test_main_init(&argc, &argv);
	tl_clock_fake(1000000);
	g_test_add_func("/sip-door/other-threads", test_other_threads); /* first: they find the functions behind ours together */
	g_test_add_func("/sip-door/per-address", test_per_address);
	g_test_add_func("/sip-door/full", test_full);
	g_test_add_func("/sip-door/slow", test_slow);
	g_test_add_func("/sip-door/renewed", test_renewed);
	g_test_add_func("/sip-door/contact-of-a-wildcard", test_contact_of_a_wildcard);
	return g_test_run();
}
