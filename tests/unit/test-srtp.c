/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What both backends of SRTP owe: packets come back, tampering and replays are
 * refused and counted, the rollover counter is followed through loss, reordering
 * and wraps, keys are used up, nothing of ours allocates.
 */
#include "secure/srtp.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "openssl-memory.h"
#include "secure/srtp-window.h"
#include "srtp-packets.h"

#define SSRC 0xcafebabe

struct variant {
	enum tl_srtp_backend backend;
	enum tl_srtp_profile profile;
	const char *name;
};

static const struct variant variants[] = {
	{ TL_SRTP_EVP, TL_SRTP_AEAD_AES_128_GCM, "evp-gcm" },
	{ TL_SRTP_EVP, TL_SRTP_AES128_CM_SHA1_80, "evp-cm" },
	{ TL_SRTP_LIBSRTP, TL_SRTP_AEAD_AES_128_GCM, "libsrtp-gcm" },
	{ TL_SRTP_LIBSRTP, TL_SRTP_AES128_CM_SHA1_80, "libsrtp-cm" },
};

struct pair {
	struct tl_srtp *send, *receive;
};

static struct pair pair_new(const struct variant *v)
{
	return (struct pair){ srtp_context(v->backend, v->profile, TL_SRTP_SEND),
			      srtp_context(v->backend, v->profile, TL_SRTP_RECEIVE) };
}

static void pair_free(struct pair *pair)
{
	tl_srtp_free(pair->send);
	tl_srtp_free(pair->receive);
}

static struct tl_srtp_counters counters_of(const struct tl_srtp *srtp)
{
	struct tl_srtp_counters counters;

	tl_srtp_counters(srtp, &counters);
	return counters;
}

static size_t protect(struct pair *pair, uint8_t *packet, uint64_t number)
{
	size_t n = rtp_packet(packet, SSRC, number);

	g_assert_cmpint(tl_srtp_protect(pair->send, packet, &n, PACKET_ROOM), ==, 0);
	return n;
}

static int receive(struct pair *pair, const uint8_t *packet, size_t n)
{
	uint8_t copy[PACKET_ROOM];

	memcpy(copy, packet, n);
	return tl_srtp_unprotect(pair->receive, copy, &n);
}

/* Sends @number and has it received. */
static void pass(struct pair *pair, uint64_t number)
{
	uint8_t packet[PACKET_ROOM];
	size_t n = protect(pair, packet, number);

	g_assert_cmpint(tl_srtp_unprotect(pair->receive, packet, &n), ==, 0);
	rtp_assert(packet, n, SSRC, number);
}

static void test_tamper(gconstpointer data)
{
	struct pair pair = pair_new(data);
	uint8_t packet[PACKET_ROOM];
	size_t n = protect(&pair, packet, 3), forged = 0;
	struct tl_srtp_counters counters;

	for (size_t i = 0; i < n * 8; i++) {
		int error;

		packet[i / 8] ^= (uint8_t)(1 << i % 8);
		error = receive(&pair, packet, n);
		packet[i / 8] ^= (uint8_t)(1 << i % 8);
		/* Bits of the header's shape make it another packet, or none. */
		g_assert_true(error == -EBADMSG || error == -EINVAL);
		forged += error == -EBADMSG;
	}
	counters = counters_of(pair.receive);
	g_assert_cmpuint(forged, >, n * 8 - 40);
	g_assert_cmpuint(counters.forged, ==, forged);
	g_assert_cmpuint(counters.malformed, ==, n * 8 - forged);
	for (size_t shorter = 0; shorter < n; shorter++)
		g_assert_cmpint(receive(&pair, packet, shorter), <, 0);
	/* None of it has moved anything. */
	g_assert_cmpint(receive(&pair, packet, n), ==, 0);
	pair_free(&pair);
}

static void test_tamper_rtcp(gconstpointer data)
{
	struct pair pair = pair_new(data);
	uint8_t packet[PACKET_ROOM], copy[PACKET_ROOM];
	size_t n = rtcp_packet(packet, SSRC, 1), length = n;

	g_assert_cmpint(tl_srtp_protect_rtcp(pair.send, packet, &n, sizeof(packet)), ==, 0);
	for (size_t i = 0; i < n * 8; i++) {
		int error;

		memcpy(copy, packet, n);
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
		length = n;
		error = tl_srtp_unprotect_rtcp(pair.receive, copy, &length);
		/* Bits of a libsrtp packet's index may make it older than anything. */
		g_assert_true(error == -EBADMSG || error == -EINVAL || error == -ESTALE);
	}
	length = n;
	g_assert_cmpint(tl_srtp_unprotect_rtcp(pair.receive, packet, &length), ==, 0);
	rtcp_assert(packet, length, SSRC, 1);
	pair_free(&pair);
}

static void test_replay(gconstpointer data)
{
	struct pair pair = pair_new(data);
	uint8_t old[PACKET_ROOM], packet[PACKET_ROOM];
	size_t n_old = protect(&pair, old, 1000), n;

	g_assert_cmpint(receive(&pair, old, n_old), ==, 0);
	g_assert_cmpint(receive(&pair, old, n_old), ==, -EALREADY);
	for (unsigned i = 1; i < TL_SRTP_WINDOW; i++)
		pass(&pair, 1000 + i);
	g_assert_cmpint(receive(&pair, old, n_old), ==, -EALREADY);
	pass(&pair, 1000 + TL_SRTP_WINDOW);
	g_assert_cmpint(receive(&pair, old, n_old), ==, -ESTALE);
	g_assert_cmpuint(counters_of(pair.receive).replayed, ==, 3);
	/* Sending a sequence number again would give the key stream away. */
	n = rtp_packet(packet, SSRC, 1100);
	g_assert_cmpint(tl_srtp_protect(pair.send, packet, &n, sizeof(packet)), ==, -EALREADY);
	pair_free(&pair);
}

static void test_replay_rtcp(gconstpointer data)
{
	struct pair pair = pair_new(data);
	uint8_t first[PACKET_ROOM], packet[PACKET_ROOM];
	size_t n_first = rtcp_packet(first, SSRC, 1), n;

	g_assert_cmpint(tl_srtp_protect_rtcp(pair.send, first, &n_first, sizeof(first)), ==, 0);
	for (unsigned i = 0; i < 3; i++) {
		memcpy(packet, first, n_first);
		n = n_first;
		g_assert_cmpint(tl_srtp_unprotect_rtcp(pair.receive, packet, &n), ==, i ? -EALREADY : 0);
	}
	for (unsigned i = 2; i < 400; i++) {
		n = rtcp_packet(packet, SSRC, i);
		g_assert_cmpint(tl_srtp_protect_rtcp(pair.send, packet, &n, sizeof(packet)), ==, 0);
		g_assert_cmpint(tl_srtp_unprotect_rtcp(pair.receive, packet, &n), ==, 0);
		rtcp_assert(packet, n, SSRC, i);
	}
	n = n_first;
	g_assert_cmpint(tl_srtp_unprotect_rtcp(pair.receive, first, &n), ==, -ESTALE);
	pair_free(&pair);
}

/* Through two rollovers; of each hundred packets three are lost and two come late. */
static void test_loss_and_wraps(gconstpointer data)
{
	const struct variant *v = data;
	struct pair pair = pair_new(v);
	uint64_t last = v->backend == TL_SRTP_EVP ? 150000 : 70000, lost = 0;
	uint8_t held[PACKET_ROOM], packet[PACKET_ROOM];
	size_t n_held = 0, n;

	for (uint64_t i = 30000; i < last; i++) {
		n = protect(&pair, packet, i);
		if (i % 100 < 3) {
			lost++;
		} else if (i % 50 == 20) {
			memcpy(held, packet, n);
			n_held = n;
		} else {
			g_assert_cmpint(tl_srtp_unprotect(pair.receive, packet, &n), ==, 0);
			rtp_assert(packet, n, SSRC, i);
		}
		if (i % 50 == 45) {
			g_assert_cmpint(tl_srtp_unprotect(pair.receive, held, &n_held), ==, 0);
			rtp_assert(held, n_held, SSRC, i - 25);
		}
	}
	g_assert_cmpuint(counters_of(pair.receive).packets, ==, last - 30000 - lost);
	g_assert_cmpuint(counters_of(pair.receive).replayed, ==, 0);
	pair_free(&pair);
}

/* A late packet from before a rollover, and a gap of 30,000 packets over one. */
static void test_reorder_over_wrap(gconstpointer data)
{
	struct pair pair = pair_new(data);
	uint8_t early[PACKET_ROOM], packet[PACKET_ROOM];
	size_t n_early, n;

	pass(&pair, 65533);
	n_early = protect(&pair, early, 65534);
	for (uint64_t i = 65535; i < 65600; i++)
		pass(&pair, i);
	g_assert_cmpint(tl_srtp_unprotect(pair.receive, early, &n_early), ==, 0);
	rtp_assert(early, n_early, SSRC, 65534);
	for (uint64_t i = 65600; i < 120000; i += 20000)
		pass(&pair, i);
	for (uint64_t i = 120000; i < 180000; i++) {
		n = protect(&pair, packet, i);
		if (i % 30000 == 0) {
			g_assert_cmpint(tl_srtp_unprotect(pair.receive, packet, &n), ==, 0);
			rtp_assert(packet, n, SSRC, i);
		}
	}
	pair_free(&pair);
}

static void test_streams(gconstpointer data)
{
	const struct variant *v = data;
	struct pair pair = pair_new(v);
	uint8_t packet[PACKET_ROOM];
	size_t n;
	int error;

	for (uint64_t number = 0; number < 20; number++)
		for (uint32_t ssrc = 0; ssrc < TL_SRTP_STREAMS_MAX; ssrc++) {
			n = rtp_packet(packet, ssrc, number);
			g_assert_cmpint(tl_srtp_protect(pair.send, packet, &n, sizeof(packet)), ==, 0);
			/* Forged packets of other sources take no place. */
			packet[11] ^= 0x80;
			error = receive(&pair, packet, n);
			g_assert_true(error == -EBADMSG || (error == -EUSERS && number));
			packet[11] ^= 0x80;
			g_assert_cmpint(tl_srtp_unprotect(pair.receive, packet, &n), ==, 0);
			rtp_assert(packet, n, ssrc, number);
		}
	if (v->backend == TL_SRTP_EVP) {
		n = rtp_packet(packet, 99, 0);
		g_assert_cmpint(tl_srtp_protect(pair.send, packet, &n, sizeof(packet)), ==, -EUSERS);
		g_assert_cmpuint(counters_of(pair.send).refused, ==, 1);
	}
	pair_free(&pair);
}

static void test_bad_shape(gconstpointer data)
{
	struct pair pair = pair_new(data);
	static const uint8_t bad[][16] = {
		{ 0 },                                        /* version 0 */
		{ 0x8f, 8 },                                  /* more sources than octets */
		{ 0x90, 8 },                                  /* an extension's header is missing */
		{ 0x90, 8, [14] = 0xff, [15] = 0xff },        /* an extension longer than the packet */
	};
	uint8_t packet[PACKET_ROOM];

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		size_t n = i == 2 ? 14 : 16;

		memcpy(packet, bad[i], 16);
		g_assert_cmpint(tl_srtp_protect(pair.send, packet, &n, sizeof(packet)), ==, -EINVAL);
		g_assert_cmpuint(n, ==, i == 2 ? 14 : 16);
	}
	for (size_t n = 0, same; n < 12; n++) {
		same = n;
		g_assert_cmpint(tl_srtp_protect(pair.send, packet, &same, sizeof(packet)), ==, -EINVAL);
		g_assert_cmpint(tl_srtp_unprotect_rtcp(pair.receive, packet, &same), ==, -EINVAL);
	}
	g_assert_cmpuint(counters_of(pair.send).malformed, ==, 16);
	pair_free(&pair);
}

static void test_room(gconstpointer data)
{
	struct pair pair = pair_new(data);
	uint8_t packet[PACKET_ROOM];
	size_t n = rtp_packet(packet, SSRC, 1), length = n;

	g_assert_cmpint(tl_srtp_protect(pair.send, packet, &length, n + TL_SRTP_GROWTH_MAX - 1), ==, -ENOSPC);
	g_assert_cmpuint(length, ==, n);
	g_assert_cmpint(tl_srtp_protect(pair.send, packet, &length, n + TL_SRTP_GROWTH_MAX), ==, 0);
	pair_free(&pair);
}

static void test_key_used_up(gconstpointer data)
{
	const struct variant *v = data;
	struct tl_srtp_config config = { .backend = v->backend, .profile = v->profile, .packets_max = 10,
					 .rtcp_packets_max = 3 };
	struct tl_srtp *srtp = tl_srtp_new(&config, NULL);
	uint8_t packet[PACKET_ROOM];

	for (unsigned i = 0; i < 12; i++) {
		size_t n = rtp_packet(packet, SSRC, i);

		g_assert_cmpint(tl_srtp_protect(srtp, packet, &n, sizeof(packet)), ==, i < 10 ? 0 : -EKEYEXPIRED);
	}
	for (unsigned i = 0; i < 4; i++) {
		size_t n = rtcp_packet(packet, SSRC, i);

		g_assert_cmpint(tl_srtp_protect_rtcp(srtp, packet, &n, sizeof(packet)), ==, i < 3 ? 0 : -EKEYEXPIRED);
	}
	g_assert_cmpuint(counters_of(srtp).refused, ==, 3);
	tl_srtp_free(srtp);
}

/* The rollover counter's own end: 2^48. */
static void test_window_end(void)
{
	struct tl_srtp_window window = { 0 };

	tl_srtp_window_accept(&window, ((uint64_t)1 << 48) - 2);
	g_assert_cmpuint(tl_srtp_window_guess(&window, 0xffff), ==, ((uint64_t)1 << 48) - 1);
	g_assert_cmpuint(tl_srtp_window_guess(&window, 0), ==, (uint64_t)1 << 48);
}

/* Against the definition: everything in the window is known exactly, whatever the order. */
static void test_window_model(void)
{
	struct tl_srtp_window window = { 0 };
	g_autoptr(GHashTable) taken = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	g_autoptr(GRand) dice = g_rand_new_with_seed(3711);
	uint64_t highest = 5000;

	tl_srtp_window_accept(&window, highest);
	g_hash_table_add(taken, g_memdup2(&highest, sizeof(highest)));
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t index = highest - 150 + (uint64_t)g_rand_int_range(dice, 0, 155 + (i % 97 == 0) * 200);
		int expected = 0;

		if (index <= highest && highest - index >= TL_SRTP_WINDOW)
			expected = -ESTALE;
		else if (g_hash_table_contains(taken, &index))
			expected = -EALREADY;
		g_assert_cmpint(tl_srtp_window_check(&window, index), ==, expected);
		if (expected)
			continue;
		tl_srtp_window_accept(&window, index);
		g_hash_table_add(taken, g_memdup2(&index, sizeof(index)));
		highest = MAX(highest, index);
	}
	g_assert_cmpuint(window.highest, ==, highest);
}

/* EVP only: nothing is allocated for a packet, be it good or forged, and a context is small. */
static void test_memory(gconstpointer data)
{
	int64_t before_octets;
	uint64_t before;
	struct pair pair;
	uint8_t packet[PACKET_ROOM];

	tl_srtp_free(srtp_context(TL_SRTP_EVP, ((const struct variant *)data)->profile, TL_SRTP_SEND));
	before_octets = openssl_memory_octets();
	pair = pair_new(data);
	/* Ours beside OpenSSL's: streams and keys. */
	g_test_message("OpenSSL holds %" G_GINT64_FORMAT " octets for two contexts", openssl_memory_octets() - before_octets);
	g_assert_cmpint((openssl_memory_octets() - before_octets) / 2 + TL_SRTP_STREAMS_MAX * 72 + 600, <=, 4096);
	before = openssl_memory_allocations();
	for (unsigned i = 0; i < 1000; i++) {
		size_t n = protect(&pair, packet, i);

		packet[n - 1] ^= 1;
		g_assert_cmpint(receive(&pair, packet, n), ==, -EBADMSG);
		packet[n - 1] ^= 1;
		g_assert_cmpint(receive(&pair, packet, n), ==, 0);
		n = rtcp_packet(packet, SSRC, i);
		g_assert_cmpint(tl_srtp_protect_rtcp(pair.send, packet, &n, sizeof(packet)), ==, 0);
		g_assert_cmpint(tl_srtp_unprotect_rtcp(pair.receive, packet, &n), ==, 0);
	}
	g_assert_cmpuint(openssl_memory_allocations(), ==, before);
	pair_free(&pair);
	g_assert_cmpint(openssl_memory_octets(), ==, before_octets);
}

static void add(const char *what, GTestDataFunc test, unsigned n_variants)
{
	for (unsigned i = 0; i < n_variants; i++) {
		g_autofree char *name = g_strdup_printf("/srtp/%s/%s", variants[i].name, what);

		g_test_add_data_func(name, &variants[i], test);
	}
}

int main(int argc, char **argv)
{
	openssl_memory_watch();
	g_test_init(&argc, &argv, NULL);
	add("memory", test_memory, 2);
	add("tamper", test_tamper, 4);
	add("tamper-rtcp", test_tamper_rtcp, 4);
	add("replay", test_replay, 4);
	add("replay-rtcp", test_replay_rtcp, 4);
	add("loss-and-wraps", test_loss_and_wraps, 4);
	add("reorder-over-wrap", test_reorder_over_wrap, 4);
	add("streams", test_streams, 4);
	add("bad-shape", test_bad_shape, 4);
	add("room", test_room, 4);
	add("key-used-up", test_key_used_up, 4);
	g_test_add_func("/srtp/window/end", test_window_end);
	g_test_add_func("/srtp/window/model", test_window_model);
	return g_test_run();
}
