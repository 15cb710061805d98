/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Who comes in by the SIP stack's TLS: how many, how slowly, what certificate they are shown. sofia-sip 1.12.11 has no word
 * for any of these, nor for its connections' end, so three functions that it calls for each connection stand here in the
 * place of the C library's and OpenSSL's. One door a process. Thread: main, but for what others than the stack call.
 */
#include "secure/secure.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sofia-sip/su.h>
#include <sofia-sip/sofia_features.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"

#define CONNECTIONS 2000
#define PER_ADDRESS 200
#define HANDSHAKE_MS 10000

/* A connection that was let in; lives as long as its SSL. */
struct guest {
	SSL *ssl;
	char *address;
	int64_t deadline_us;
	GList link; /* in waiting; data NULL: no longer */
};

static struct door {
	struct tl_tls_limits limits;
	struct tl_tls_counters counters;
	uint8_t guarded[65536 / 8]; /* bits: local ports that the stack listens on with TLS */
	GHashTable *addresses; /* how many have come from each */
	GQueue waiting;        /* struct guest, until their time for the handshake is over; the first's ends first */
	struct tl_timer *timer;
	SSL_CTX *renewed;      /* what is shown and trusted since the last tl_tls_door_renew(); NULL: the stack's own */
	int slot;              /* of a struct guest in an SSL */
} door;

static unsigned limit(unsigned configured, unsigned otherwise)
{
	return configured ? configured : otherwise;
}

/* ---- how many ---- */

static unsigned guests_from(const char *address)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(door.addresses, address));
}

static void count_from(const char *address, int change)
{
	unsigned n = guests_from(address) + (unsigned)change;
	if (n)
		g_hash_table_insert(door.addresses, g_strdup(address), GUINT_TO_POINTER(n));
	else
		g_hash_table_remove(door.addresses, address);
}

/* Of IPv6 the network: whoever has one address of it mostly has them all. (transfer full); NULL: not connected to us. */
static char *address_of(int fd)
{
	union { struct sockaddr sa; struct sockaddr_in v4; struct sockaddr_in6 v6; } peer;
	socklen_t length = sizeof peer;
	char text[INET6_ADDRSTRLEN];
	if (fd < 0 || getpeername(fd, &peer.sa, &length))
		return NULL;
	if (peer.sa.sa_family == AF_INET)
		return g_strdup(inet_ntop(AF_INET, &peer.v4.sin_addr, text, sizeof text));
	if (peer.sa.sa_family != AF_INET6)
		return NULL;
	if (IN6_IS_ADDR_V4MAPPED(&peer.v6.sin6_addr))
		return g_strdup(inet_ntop(AF_INET, &peer.v6.sin6_addr.s6_addr[12], text, sizeof text));
	memset(&peer.v6.sin6_addr.s6_addr[8], 0, 8);
	return g_strdup(inet_ntop(AF_INET6, &peer.v6.sin6_addr, text, sizeof text));
}

/* ---- how slowly ---- */

static void stop_waiting(struct guest *guest)
{
	if (guest->link.data)
		g_queue_unlink(&door.waiting, &guest->link);
	guest->link.data = NULL;
}

static void await_next(void)
{
	const struct guest *first = g_queue_peek_head(&door.waiting);
	int64_t left_us = first ? first->deadline_us - tl_clock_us() : 0;
	if (first)
		tl_timer_start(door.timer, left_us > 0 ? (unsigned)(left_us / 1000) + 1 : 1);
}

static void on_late(void *user)
{
	int64_t now_us = tl_clock_us();
	for (struct guest *guest; (guest = g_queue_peek_head(&door.waiting)) && guest->deadline_us <= now_us;) {
		stop_waiting(guest);
		if (SSL_is_init_finished(guest->ssl))
			continue;
		door.counters.refused_slow++;
		shutdown(SSL_get_fd(guest->ssl), SHUT_RDWR); /* the stack hears of the hangup and lets go of it */
	}
	await_next();
}

/* ---- in and out ---- */

static void on_gone(void *ssl, void *user, CRYPTO_EX_DATA *data, int slot, long number, void *pointer)
{
	struct guest *guest = user;
	if (!guest)
		return;
	tl_assert_main();
	stop_waiting(guest);
	count_from(guest->address, -1);
	door.counters.connections--;
	g_free(guest->address);
	g_free(guest);
}

static void open_door(void)
{
	if (door.timer)
		return;
	door.timer = tl_timer_new("sip-tls", on_late, NULL);
	door.addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	door.slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_gone);
}

/* (transfer full of @address) */
static void let_in(SSL *ssl, char *address)
{
	struct guest *guest = g_new0(struct guest, 1);
	guest->ssl = ssl;
	guest->address = address;
	guest->deadline_us = tl_clock_us() + INT64_C(1000) * limit(door.limits.handshake_ms, HANDSHAKE_MS);
	guest->link.data = guest;
	SSL_set_ex_data(ssl, door.slot, guest);
	count_from(address, 1);
	door.counters.connections++;
	door.counters.accepted++;
	g_queue_push_tail_link(&door.waiting, &guest->link);
	if (!tl_timer_running(door.timer))
		await_next();
}

static bool is_guarded(int listener)
{
	union { struct sockaddr sa; struct sockaddr_in v4; struct sockaddr_in6 v6; } own;
	socklen_t length = sizeof own;
	if (getsockname(listener, &own.sa, &length))
		return false;
	unsigned port = ntohs(own.sa.sa_family == AF_INET6 ? own.v6.sin6_port : own.v4.sin_port);
	return door.guarded[port / 8] & 1 << port % 8;
}

/* Before the stack sees it: it keeps whatever it has seen for as long as more come. */
static bool may_come(int fd)
{
	g_autofree char *address = address_of(fd);
	uint64_t *refused = NULL;
	open_door();
	if (door.counters.connections >= limit(door.limits.connections, CONNECTIONS))
		refused = &door.counters.refused_full;
	else if (address && guests_from(address) >= limit(door.limits.per_address, PER_ADDRESS))
		refused = &door.counters.refused_address;
	if (refused)
		++*refused;
	return !refused;
}

/* ---- what they are shown ---- */

static void show_renewed(SSL *ssl)
{
	STACK_OF(X509) *chain = NULL;
	SSL_CTX_get0_chain_certs(door.renewed, &chain);
	SSL_certs_clear(ssl); /* one of another kind of key would stay beside it */
	if (SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(door.renewed), SSL_CTX_get0_privatekey(door.renewed), chain, 1) != 1 ||
	    SSL_set1_verify_cert_store(ssl, SSL_CTX_get_cert_store(door.renewed)) != 1)
		ERR_clear_error(); /* then it has none to show, and the handshake fails */
}

gboolean tl_tls_door_renew(const char *folder, GError **error)
{
	g_autofree char *agent = g_build_filename(folder, "agent.pem", NULL);
	g_autofree char *trusted = g_build_filename(folder, "cafile.pem", NULL);
	SSL_CTX *fresh = SSL_CTX_new(TLS_method());
	tl_assert_main();
	if (!fresh || SSL_CTX_use_certificate_chain_file(fresh, agent) != 1 ||
	    SSL_CTX_use_PrivateKey_file(fresh, agent, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_file(fresh, trusted) != 1) {
		ERR_clear_error();
		SSL_CTX_free(fresh);
		g_set_error(error, TL_SECURE_ERROR, TL_SECURE_ERROR_CERTIFICATE, "%s: cannot be read", agent);
		return FALSE;
	}
	SSL_CTX_free(door.renewed);
	door.renewed = fresh;
	return TRUE;
}

void tl_tls_door_open(const struct tl_tls_limits *limits)
{
	tl_assert_main();
	door.limits = *limits;
	SSL_CTX_free(door.renewed); /* the stack is about to read the folder itself */
	door.renewed = NULL;
}

void tl_tls_door_guard(unsigned port)
{
	tl_assert_main();
	door.guarded[port / 8] |= (uint8_t)(1 << port % 8);
}

void tl_tls_door_counters(struct tl_tls_counters *counters)
{
	*counters = door.counters;
}

/* ---- in others' place; other threads come here, too ---- */

static bool is_stack(const void *caller)
{
	Dl_info info;
	return dladdr(caller, &info) && strstr(info.dli_fname, "libsofia-sip-ua.so");
}

/* Those refused are no error of the stack's: it hears that nobody is there. */
int accept(int listener, struct sockaddr *from, socklen_t *length)
{
	static int (*_Atomic known)(int, struct sockaddr *, socklen_t *);
	int (*next)(int, struct sockaddr *, socklen_t *) = known;
	if (!next)
		known = next = (int (*)(int, struct sockaddr *, socklen_t *))dlsym(RTLD_NEXT, "accept");
	if (!is_stack(__builtin_return_address(0)) || !is_guarded(listener))
		return next(listener, from, length);
	tl_assert_main();
	int fd = next(listener, from, length);
	if (fd < 0 || may_come(fd))
		return fd;
	close(fd);
	errno = EAGAIN;
	return -1;
}

/* The stack calls it once for each connection, when it has the socket and before a word is read from it. */
void SSL_set_bio(SSL *ssl, BIO *from, BIO *to)
{
	static void (*_Atomic known)(SSL *, BIO *, BIO *);
	void (*next)(SSL *, BIO *, BIO *) = known;
	if (!next)
		known = next = (void (*)(SSL *, BIO *, BIO *))dlsym(RTLD_NEXT, "SSL_set_bio");
	next(ssl, from, to);
	if (!is_stack(__builtin_return_address(0)))
		return;
	tl_assert_main();
	if (door.renewed)
		show_renewed(ssl);
	char *address = address_of(SSL_get_fd(ssl));
	if (!address)
		return; /* we connect to it */
	open_door();
	let_in(ssl, address);
}

/*
 * sofia-sip 1.12.11 says goodbye to a TLS connection by this alone and then forgets it, 70 KiB each, whoever connected
 * (later ones free it themselves). References to its context and BIO, which the stack does give back afterwards, are made
 * up for.
 */
int SSL_shutdown(SSL *ssl)
{
	static int (*_Atomic known)(SSL *);
	int (*next)(SSL *) = known;
	if (!next)
		known = next = (int (*)(SSL *))dlsym(RTLD_NEXT, "SSL_shutdown");
	int result = next(ssl);
	if (g_str_has_prefix(SOFIA_SIP_VERSION, "1.12.11") && is_stack(__builtin_return_address(0))) {
		BIO *bio = SSL_get_rbio(ssl);
		if (bio)
			BIO_up_ref(bio);
		SSL_CTX_up_ref(SSL_get_SSL_CTX(ssl));
		SSL_free(ssl);
		ERR_clear_error();
	}
	return result;
}
