/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "dtls-link.h"

#include <poll.h>

struct tl_fingerprint fingerprint_of(const struct tl_certificate *certificate)
{
	struct tl_fingerprint fingerprint;
	GError *error = NULL;

	g_assert_true(tl_fingerprint_parse(tl_certificate_fingerprint(certificate), &fingerprint, &error));
	g_assert_no_error(error);
	return fingerprint;
}

static void on_send(const uint8_t *octets, size_t n_octets, void *user)
{
	struct dtls_end *end = user;
	struct dtls_link *link = end->link;
	struct dtls_end *other = end == &link->server ? &link->client : &link->server;

	end->sent++;
	end->octets_sent_max = MAX(end->octets_sent_max, n_octets);
	if ((unsigned)g_rand_int_range(link->dice, 0, 1000) >= link->lose)
		g_queue_push_tail(other->inbox, g_bytes_new(octets, n_octets));
}

static void end_init(struct dtls_link *link, struct dtls_end *end)
{
	GError *error = NULL;

	end->link = link;
	end->inbox = g_queue_new();
	end->certificate = tl_certificate_new(30, &error);
	g_assert_no_error(error);
}

void dtls_link_init(struct dtls_link *link)
{
	*link = (struct dtls_link){ .address.v4 = { .sin_family = AF_INET, .sin_port = 4321 } };
	end_init(link, &link->server);
	end_init(link, &link->client);
	link->dice = g_rand_new_with_seed(6347);
	link->server_config = (struct tl_association_config){ .certificate = link->server.certificate,
							      .role = TL_DTLS_SERVER,
							      .peer = fingerprint_of(link->client.certificate) };
	link->client_config = (struct tl_association_config){ .certificate = link->client.certificate,
							      .role = TL_DTLS_CLIENT,
							      .peer = fingerprint_of(link->server.certificate) };
}

void dtls_link_begin(struct dtls_link *link)
{
	link->server.dtls = tl_dtls_new(&link->server_config, on_send, &link->server);
	link->client.dtls = tl_dtls_new(&link->client_config, on_send, &link->client);
	tl_dtls_tick(link->client.dtls);
}

static void end_done(struct dtls_end *end)
{
	tl_dtls_free(end->dtls);
	end->dtls = NULL;
	tl_certificate_unref(end->certificate);
}

void dtls_link_done(struct dtls_link *link)
{
	end_done(&link->server);
	end_done(&link->client);
	g_queue_free_full(link->server.inbox, (GDestroyNotify)g_bytes_unref);
	g_queue_free_full(link->client.inbox, (GDestroyNotify)g_bytes_unref);
	g_rand_free(link->dice);
}

static gboolean deliver(struct dtls_link *link, struct dtls_end *end)
{
	GBytes *bytes = g_queue_pop_head(end->inbox);
	size_t n;
	const uint8_t *octets = bytes ? g_bytes_get_data(bytes, &n) : NULL;

	if (!bytes)
		return FALSE;
	if (end->dtls)
		tl_dtls_feed(end->dtls, end == &link->server ? &link->address : NULL, octets, n);
	g_bytes_unref(bytes);
	return TRUE;
}

void dtls_link_pump(struct dtls_link *link)
{
	gboolean more = TRUE;

	while (more) {
		more = deliver(link, &link->server);
		more = deliver(link, &link->client) || more;
	}
}

static int sooner(int a, int b)
{
	return a < 0 ? b : b < 0 ? a : MIN(a, b);
}

void dtls_link_settle(struct dtls_link *link)
{
	dtls_link_pump(link);
	while (tl_dtls_get_state(link->server.dtls) == TL_DTLS_HANDSHAKE ||
	       tl_dtls_get_state(link->client.dtls) == TL_DTLS_HANDSHAKE) {
		int wait_ms = sooner(tl_dtls_timeout_ms(link->server.dtls), tl_dtls_timeout_ms(link->client.dtls));

		g_assert_cmpint(wait_ms, >=, 0);
		poll(NULL, 0, wait_ms);
		tl_dtls_tick(link->server.dtls);
		tl_dtls_tick(link->client.dtls);
		dtls_link_pump(link);
	}
}
