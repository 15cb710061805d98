/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The pool of handshake workers: hundreds of handshakes at a time between two
 * channels of one pool, with a thread in the middle that carries the datagrams as
 * media threads do; failures, floods, farewells, limits.
 */
#include <glib.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "secure/secure.h"

#define PAIRS_MAX 200
enum { SERVERS, CLIENTS }; /* channels */

struct side {
	struct pair *pair;
	struct tl_association *association;
	unsigned keys, failed, closed;
	struct tl_dtls_keys key;
	char reason[160];
};

struct pair {
	struct side sides[2];
	bool is_flooded;
};

struct rig {
	struct tl_certificate *certificates[2];
	struct tl_dtls_pool *pool;
	unsigned n_pairs;
	struct pair pairs[PAIRS_MAX];
	GThread *carrier;
	atomic_bool stop, paused, is_paused;
};

static void on_keys(struct tl_association *association, const struct tl_dtls_keys *keys, void *user)
{
	struct side *side = user;

	tl_assert_main();
	side->keys++;
	side->key = *keys;
}

static void on_failed(struct tl_association *association, const char *reason, void *user)
{
	struct side *side = user;

	side->failed++;
	g_strlcpy(side->reason, reason, sizeof(side->reason));
}

static void on_closed(struct tl_association *association, void *user)
{
	((struct side *)user)->closed++;
}

static const struct tl_dtls_handler handler = { on_keys, on_failed, on_closed };

static union tl_address address_of(unsigned pair)
{
	union tl_address address = { .v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(1000 + pair)) } };

	address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static bool carry_one(struct rig *rig, unsigned channel)
{
	struct tl_dtls_datagram datagram;
	unsigned pair;

	if (!tl_dtls_pool_take(rig->pool, channel, &datagram))
		return false;
	pair = ntohs(datagram.to.v4.sin_port) - 1000u;
	g_assert_cmpuint(pair, <, PAIRS_MAX);
	if (!rig->pairs[pair].sides[!channel].association)
		return true; /* let go of: what is still under way to it is lost */
	/* A thousand pieces of garbage beside each true one, for those whose peer is under attack. */
	for (unsigned i = 0; rig->pairs[pair].is_flooded && i < 1000; i++) {
		uint8_t garbage[64] = { 22, 0xfe, 0xfd, [12] = 51, [13] = 1 };

		garbage[2] = i % 2 ? 0xfd : 0x11;
		tl_association_feed(rig->pairs[pair].sides[!channel].association, &datagram.to, garbage, sizeof(garbage),
				    g_get_monotonic_time());
	}
	tl_association_feed(rig->pairs[pair].sides[!channel].association, &datagram.to, datagram.octets, datagram.n_octets,
			    g_get_monotonic_time());
	return true;
}

static gpointer carry(gpointer data)
{
	struct rig *rig = data;

	while (!atomic_load(&rig->stop)) {
		bool some = false;

		if (atomic_load(&rig->paused)) {
			atomic_store(&rig->is_paused, true);
			g_usleep(1000);
			continue;
		}
		atomic_store(&rig->is_paused, false);
		for (unsigned channel = 0; channel < 2; channel++)
			while (carry_one(rig, channel))
				some = true;
		if (!some)
			g_usleep(1000); /* a media thread's tick */
	}
	return NULL;
}

/* When it returns, the carrier touches no association: what a media thread promises before main frees. */
static void pause_carrier(struct rig *rig)
{
	atomic_store(&rig->paused, true);
	while (!atomic_load(&rig->is_paused))
		g_thread_yield();
}

static struct tl_association_config config_of(struct rig *rig, unsigned pair, unsigned channel)
{
	struct tl_association_config config = { .certificate = rig->certificates[channel], .channel = channel,
						.role = channel == CLIENTS ? TL_DTLS_CLIENT : TL_DTLS_SERVER,
						.address = address_of(pair), .cookie = pair % 2 };

	g_assert_true(tl_fingerprint_parse(tl_certificate_fingerprint(rig->certificates[!channel]), &config.peer, NULL));
	return config;
}

static void pair_begin(struct rig *rig, unsigned pair, const struct tl_fingerprint *client_expects)
{
	for (unsigned channel = 0; channel < 2; channel++) {
		struct tl_association_config config = config_of(rig, pair, channel);
		struct side *side = &rig->pairs[pair].sides[channel];

		if (channel == CLIENTS && client_expects)
			config.peer = *client_expects;
		side->association = tl_association_new(rig->pool, &config, side);
		g_assert_nonnull(side->association);
	}
}

static struct rig *rig_new(const struct tl_dtls_config *config)
{
	struct rig *rig = g_new0(struct rig, 1);
	GError *error = NULL;

	for (unsigned channel = 0; channel < 2; channel++)
		rig->certificates[channel] = tl_certificate_new(30, NULL);
	rig->pool = tl_dtls_pool_new(config, &handler, &error);
	g_assert_no_error(error);
	return rig;
}

static void rig_run(struct rig *rig)
{
	rig->carrier = g_thread_new("carrier", carry, rig);
}

static void rig_free(struct rig *rig)
{
	atomic_store(&rig->stop, true);
	if (rig->carrier)
		g_thread_join(rig->carrier);
	tl_dtls_pool_free(rig->pool);
	for (unsigned channel = 0; channel < 2; channel++)
		tl_certificate_unref(rig->certificates[channel]);
	g_free(rig);
}

static struct tl_dtls_counters counters_of(struct rig *rig)
{
	struct tl_dtls_counters counters;

	tl_dtls_pool_counters(rig->pool, &counters);
	return counters;
}

static void test_many(void)
{
	struct tl_dtls_config config = { .workers = 2, .channels = 2, .queue = 4096 };
	struct rig *rig = rig_new(&config);
	struct tl_dtls_counters counters;

	for (unsigned i = 0; i < PAIRS_MAX; i++)
		pair_begin(rig, i, NULL);
	rig_run(rig);
	while (counters_of(rig).connected < 2 * PAIRS_MAX)
		g_main_context_iteration(NULL, TRUE);
	for (unsigned i = 0; i < PAIRS_MAX; i++) {
		const struct tl_dtls_keys *server = &rig->pairs[i].sides[SERVERS].key, *client = &rig->pairs[i].sides[CLIENTS].key;

		g_assert_cmpuint(rig->pairs[i].sides[SERVERS].keys, ==, 1);
		g_assert_cmpmem(&server->send, sizeof(server->send), &client->receive, sizeof(client->receive));
		g_assert_cmpmem(&server->receive, sizeof(server->receive), &client->send, sizeof(client->send));
	}
	/* The clients go; the servers hear it. */
	pause_carrier(rig);
	for (unsigned i = 0; i < PAIRS_MAX; i++)
		tl_association_free(g_steal_pointer(&rig->pairs[i].sides[CLIENTS].association));
	while (counters_of(rig).associations > PAIRS_MAX)
		g_main_context_iteration(NULL, TRUE);
	atomic_store(&rig->paused, false);
	while (counters_of(rig).closed < PAIRS_MAX)
		g_main_context_iteration(NULL, TRUE);
	for (unsigned i = 0; i < PAIRS_MAX; i++)
		g_assert_cmpuint(rig->pairs[i].sides[SERVERS].closed, ==, 1);
	counters = counters_of(rig);
	g_assert_cmpuint(counters.failed + counters.refused_malformed + counters.refused_rate, ==, 0);
	g_assert_cmpuint(counters.started, ==, 2 * PAIRS_MAX);
	rig_free(rig);
}

/* Keys from a handshake, packets by them. */
static void test_keys_to_packets(void)
{
	struct tl_dtls_config config = { .channels = 2 };
	struct rig *rig = rig_new(&config);
	struct tl_srtp_config send = { .direction = TL_SRTP_SEND }, receive = { .direction = TL_SRTP_RECEIVE };
	struct tl_srtp *from, *to;
	uint8_t packet[64] = { 0x80, 8, 0, 1, [11] = 9, [12] = 77 };
	size_t n = 20;

	pair_begin(rig, 1, NULL);
	rig_run(rig);
	while (counters_of(rig).connected < 2)
		g_main_context_iteration(NULL, TRUE);
	send.profile = receive.profile = rig->pairs[1].sides[CLIENTS].key.profile;
	send.key = rig->pairs[1].sides[CLIENTS].key.send;
	receive.key = rig->pairs[1].sides[SERVERS].key.receive;
	from = tl_srtp_new(&send, NULL);
	to = tl_srtp_new(&receive, NULL);
	g_assert_cmpint(tl_srtp_protect(from, packet, &n, sizeof(packet)), ==, 0);
	g_assert_cmpint(tl_srtp_unprotect(to, packet, &n), ==, 0);
	g_assert_cmpuint(packet[12], ==, 77);
	tl_srtp_free(from);
	tl_srtp_free(to);
	rig_free(rig);
}

static void test_deceived(void)
{
	struct tl_dtls_config config = { .channels = 2 };
	struct rig *rig = rig_new(&config);
	struct tl_fingerprint wrong = { .n_octets = 32 };

	pair_begin(rig, 0, &wrong);
	rig_run(rig);
	while (!rig->pairs[0].sides[CLIENTS].failed)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpstr(rig->pairs[0].sides[CLIENTS].reason, ==,
			"the peer's certificate is not the one that signalling told");
	g_assert_cmpuint(counters_of(rig).connected, ==, 0);
	rig_free(rig);
}

static void test_silent_peer(void)
{
	struct tl_dtls_config config = { .channels = 2, .handshake_ms = 50 };
	struct rig *rig = rig_new(&config);
	struct tl_association_config server = config_of(rig, 0, SERVERS);
	struct side *side = &rig->pairs[0].sides[SERVERS];

	side->association = tl_association_new(rig->pool, &server, side);
	while (!side->failed)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpstr(side->reason, ==, "the handshake took too long");
	rig_free(rig);
}

/* One peer is buried in garbage: it is refused by the thousand, and the others connect all the same. */
static void test_flood(void)
{
	struct tl_dtls_config config = { .workers = 1, .channels = 2 };
	struct rig *rig = rig_new(&config);
	struct tl_dtls_counters counters;
	unsigned others = 0;

	rig->pairs[0].is_flooded = true;
	for (unsigned i = 0; i < 20; i++)
		pair_begin(rig, i, NULL);
	rig_run(rig);
	while (others < 19) {
		g_main_context_iteration(NULL, TRUE);
		others = 0;
		for (unsigned i = 1; i < 20; i++)
			others += rig->pairs[i].sides[SERVERS].keys;
	}
	counters = counters_of(rig);
	g_assert_cmpuint(counters.refused_malformed, >=, 500);
	g_assert_cmpuint(counters.refused_rate, >=, 400);
	rig_free(rig);
}

static void test_limit_and_early_free(void)
{
	struct tl_dtls_config config = { .channels = 2, .associations_max = 3 };
	struct rig *rig = rig_new(&config);
	struct tl_association_config client = config_of(rig, 0, CLIENTS);
	struct tl_association *associations[3];

	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 3; i++) {
			associations[i] = tl_association_new(rig->pool, &client, &rig->pairs[i].sides[0]);
			g_assert_nonnull(associations[i]);
		}
		g_assert_null(tl_association_new(rig->pool, &client, NULL));
		for (unsigned i = 0; i < 3; i++)
			tl_association_free(associations[i]);
		while (counters_of(rig).associations)
			g_main_context_iteration(NULL, TRUE);
	}
	/* And some that the pool itself must free. */
	for (unsigned i = 0; i < 3; i++)
		tl_association_new(rig->pool, &client, &rig->pairs[i].sides[0]);
	rig_free(rig);
}

int main(int argc, char **argv)
{
	tl_thread_become_main();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dtls-pool/many", test_many);
	g_test_add_func("/dtls-pool/keys-to-packets", test_keys_to_packets);
	g_test_add_func("/dtls-pool/deceived", test_deceived);
	g_test_add_func("/dtls-pool/silent-peer", test_silent_peer);
	g_test_add_func("/dtls-pool/flood", test_flood);
	g_test_add_func("/dtls-pool/limit-and-early-free", test_limit_and_early_free);
	return g_test_run();
}
