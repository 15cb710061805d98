/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* UDPTL: ITU-T T.38 9.1, octet by octet, and what loss, repetition and disorder make of it. */
#include "fax/udptl.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#define PACKETS 2000

struct ear {
	struct tl_udptl *udptl;
	unsigned n;
	uint16_t last;
	GByteArray *octets;
	bool checks;             /* each packet is what sent_packet() made of its number */
};

/* Of changing lengths; the last octet is never 0, so that padding shows. */
static size_t sent_packet(unsigned number, uint8_t out[300])
{
	size_t n = 1 + number * 37 % 260;
	for (size_t i = 0; i < n; i++)
		out[i] = (number * 31 + i * 7) | 1;
	return n;
}

static void on_packet(const uint8_t *ifp, size_t n, uint16_t sequence, void *user)
{
	struct ear *ear = user;
	uint8_t wanted[300];
	g_assert_true(!ear->n || (int16_t)(sequence - ear->last) > 0);
	ear->last = sequence;
	ear->n++;
	g_byte_array_append(ear->octets, ifp, n);
	if (!ear->checks)
		return;
	size_t length = sent_packet(sequence, wanted);
	g_assert_cmpuint(n, >=, length);
	g_assert_cmpmem(ifp, length, wanted, length);
	for (size_t i = length; i < n; i++) /* out of a parity over longer ones */
		g_assert_cmpuint(ifp[i], ==, 0);
}

static struct ear *ear_open(void)
{
	struct ear *ear = g_new(struct ear, 1);
	static const struct tl_udptl_config config = { .datagram_max = TL_UDPTL_OCTETS_MAX };
	*ear = (struct ear){ .octets = g_byte_array_new() };
	ear->udptl = tl_udptl_new(&config, on_packet, ear);
	return ear;
}

static void ear_close(struct ear *ear)
{
	tl_udptl_free(ear->udptl);
	g_byte_array_unref(ear->octets);
	g_free(ear);
}

static int hear(struct ear *ear, const void *octets, size_t n)
{
	/* On the heap without a terminator, so that a read past the end is seen. */
	void *copy = g_memdup2(octets, n);
	int result = tl_udptl_hear(ear->udptl, copy, n);
	g_free(copy);
	return result;
}

#define HEAR(ear, ...) hear(ear, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void assert_heard(struct ear *ear, const char *octets)
{
	g_assert_cmpmem(ear->octets->data, ear->octets->len, octets, strlen(octets));
	g_byte_array_set_size(ear->octets, 0);
}

/* ---- octets ---- */

static void assert_format(struct tl_udptl *udptl, const char *ifp, const uint8_t *wanted, size_t n_wanted)
{
	uint8_t out[TL_UDPTL_OCTETS_MAX];
	size_t n = tl_udptl_format(udptl, (const uint8_t *)ifp, strlen(ifp), out);
	g_assert_cmpmem(out, n, wanted, n_wanted);
}

#define FORMAT(udptl, ifp, ...) \
	assert_format(udptl, ifp, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void test_format(void)
{
	struct tl_udptl_config config = { .datagram_max = 1000 };
	struct tl_udptl *udptl = tl_udptl_new(&config, on_packet, NULL);
	FORMAT(udptl, "\x06", 0, 0, 1, 6, 0, 0);
	FORMAT(udptl, "\xc0\x01", 0, 1, 2, 0xc0, 1, 0, 0);
	tl_udptl_free(udptl);
	config.correction = TL_T38_REDUNDANCY;
	config.copies = 2;
	udptl = tl_udptl_new(&config, on_packet, NULL);
	FORMAT(udptl, "a", 0, 0, 1, 'a', 0, 0);
	FORMAT(udptl, "bb", 0, 1, 2, 'b', 'b', 0, 1, 1, 'a');
	FORMAT(udptl, "c", 0, 2, 1, 'c', 0, 2, 2, 'b', 'b', 1, 'a');
	FORMAT(udptl, "d", 0, 3, 1, 'd', 0, 2, 1, 'c', 2, 'b', 'b');
	tl_udptl_free(udptl);
	config.correction = TL_T38_FEC;
	config.parities = 1;
	udptl = tl_udptl_new(&config, on_packet, NULL);
	FORMAT(udptl, "a", 0, 0, 1, 'a', 0, 0);
	FORMAT(udptl, "bb", 0, 1, 2, 'b', 'b', 0x80, 1, 1, 1, 1, 'a');
	FORMAT(udptl, "c", 0, 2, 1, 'c', 0x80, 1, 2, 1, 2, 'a' ^ 'b', 'b');
	FORMAT(udptl, "d", 0, 3, 1, 'd', 0x80, 1, 2, 1, 2, 'b' ^ 'c', 'b');
	tl_udptl_free(udptl);
}

static void test_bounds(void)
{
	struct tl_udptl_config config = { .correction = TL_T38_REDUNDANCY, .copies = 3, .datagram_max = 298 };
	uint8_t ifp[TL_UDPTL_IFP_MAX + 1] = { 1 }, out[TL_UDPTL_OCTETS_MAX];
	struct tl_udptl *udptl = tl_udptl_new(&config, on_packet, NULL);
	g_assert_cmpuint(tl_udptl_format(udptl, ifp, 0, out), ==, 0);
	g_assert_cmpuint(tl_udptl_format(udptl, ifp, sizeof ifp, out), ==, 0);
	g_assert_cmpuint(tl_udptl_format(udptl, ifp, 130, out), ==, 2 + 2 + 130 + 2);
	g_assert_cmpuint(tl_udptl_format(udptl, ifp, 30, out), ==, 2 + 1 + 30 + 2 + 2 + 130);
	/* One copy fits, the older one does not. */
	g_assert_cmpuint(tl_udptl_format(udptl, ifp, 130, out), ==, 2 + 2 + 130 + 2 + 1 + 30);
	/* What is larger than the far end takes goes alone: better cut by it than not sent. */
	g_assert_cmpuint(tl_udptl_format(udptl, ifp, 400, out), ==, 2 + 2 + 400 + 2);
	tl_udptl_free(udptl);
	config.correction = TL_T38_FEC;
	config.datagram_max = TL_UDPTL_OCTETS_MAX;
	config.parities = 4;
	udptl = tl_udptl_new(&config, on_packet, NULL);
	for (unsigned i = 0; i < 20; i++)
		g_assert_cmpuint(tl_udptl_format(udptl, ifp, i % 3 ? TL_UDPTL_IFP_MAX : 40, out), <=, TL_UDPTL_OCTETS_MAX);
	tl_udptl_free(udptl);
}

static void test_malformed(void)
{
	struct ear *ear = ear_open();
	uint8_t many[2 + 2 + 1 + 200] = { 0, 0, 1, 1, 0, 0x80, 200 };
	g_assert_cmpint(hear(ear, "", 0), ==, -EBADMSG);
	g_assert_cmpint(HEAR(ear, 0), ==, -EBADMSG);
	g_assert_cmpint(HEAR(ear, 0, 0), ==, -EBADMSG);
	g_assert_cmpint(HEAR(ear, 0, 0, 0, 0, 0), ==, -EBADMSG);             /* no packet in it */
	g_assert_cmpint(HEAR(ear, 0, 0, 2, 1), ==, -EBADMSG);                /* less than it says */
	g_assert_cmpint(HEAR(ear, 0, 0, 0xc1, 1, 2, 3), ==, -EBADMSG);       /* a fragment */
	g_assert_cmpint(HEAR(ear, 0, 0, 0x81), ==, -EBADMSG);
	g_assert_cmpint(HEAR(ear, 0, 0, 1, 1, 0), ==, -EBADMSG);
	g_assert_cmpint(HEAR(ear, 0, 0, 1, 1, 0, 2, 1, 1), ==, -EBADMSG);    /* a copy is missing */
	g_assert_cmpint(HEAR(ear, 0, 0, 1, 1, 0x80, 2, 0, 3, 0), ==, -EBADMSG);
	g_assert_cmpint(HEAR(ear, 0, 0, 1, 1, 0x80, 1, 3, 17, 0), ==, -EBADMSG);
	g_assert_cmpint(HEAR(ear, 0, 0, 1, 1, 0x80, 1, 3, 1), ==, -EBADMSG);
	/* The last of the audio before is none of them. */
	g_assert_cmpint(HEAR(ear, 0x80, 8, 0xff, 1, 0, 0, 0, 160, 1, 2, 3, 4, 0xd5), ==, -EBADMSG);
	g_assert_cmpuint(tl_udptl_counters(ear->udptl)->malformed, ==, 12);
	g_assert_cmpuint(ear->n, ==, 0);
	/* Odd, but of use: no list of copies; more copies than anybody remembers; parities over nothing. */
	g_assert_cmpint(HEAR(ear, 0, 0, 1, 'a'), ==, 0);
	g_assert_cmpint(HEAR(ear, 0, 1, 1, 'b', 0x80, 1, 0, 0), ==, 0);
	g_assert_cmpint(HEAR(ear, 0, 2, 1, 'c', 0x80, 1, 255, 1, 1, 9), ==, 0);
	many[1] = 3, many[3] = 'd', many[4] = 0;
	g_assert_cmpint(hear(ear, many, sizeof many), ==, -EBADMSG);
	uint8_t most[2 + 2 + 3 + 200] = { 0, 3, 1, 'd', 0, 0x80, 200 };
	g_assert_cmpint(hear(ear, most, sizeof most), ==, 0);
	assert_heard(ear, "abcd");
	g_assert_cmpint(HEAR(ear, 0x80, 8, 0xff, 1, 0, 0, 0, 160, 1, 2, 3, 4, 0xd5), ==, -EBADMSG);
	g_assert_cmpuint(tl_udptl_counters(ear->udptl)->malformed, ==, 14);
	ear_close(ear);
}

/* ---- loss ---- */

static void test_copies(void)
{
	struct ear *ear = ear_open();
	HEAR(ear, 0, 1, 1, 'b', 0, 1, 1, 'a'); /* the first one was lost */
	assert_heard(ear, "ab");
	HEAR(ear, 0, 4, 1, 'e', 0, 2, 1, 'd', 1, 'c');
	HEAR(ear, 0, 3, 1, 'd', 0, 2, 1, 'c', 1, 'b'); /* overtaken */
	HEAR(ear, 0, 4, 1, 'e', 0, 2, 1, 'd', 1, 'c'); /* twice */
	assert_heard(ear, "cde");
	HEAR(ear, 0, 8, 1, 'i', 0, 2, 1, 'h', 1, 'g'); /* one too many is gone */
	assert_heard(ear, "ghi");
	const struct tl_udptl_counters *counters = tl_udptl_counters(ear->udptl);
	g_assert_cmpuint(counters->received, ==, 5);
	g_assert_cmpuint(counters->recovered, ==, 5);
	g_assert_cmpuint(counters->repeated, ==, 2);
	g_assert_cmpuint(counters->lost, ==, 1);
	ear_close(ear);
}

static void test_parities(void)
{
	struct ear *ear = ear_open();
	HEAR(ear, 0, 0, 1, 'a', 0, 0);
	HEAR(ear, 0, 1, 2, 'b', 'b', 0, 0);
	/* 2 is lost; one parity over 0, 1, 2. */
	HEAR(ear, 0, 3, 1, 'd', 0x80, 1, 3, 1, 2, 'a' ^ 'b' ^ 'c', 'b');
	g_assert_cmpmem(ear->octets->data, ear->octets->len, "abbc\0d", 6);
	g_byte_array_set_size(ear->octets, 0);
	/* 4 and 5 are lost; two parities: over 2 and 4, over 3 and 5. */
	HEAR(ear, 0, 6, 1, 'g', 0x80, 1, 2, 2, 2, 'c' ^ 'e', 0, 1, 'd' ^ 'f');
	g_assert_cmpmem(ear->octets->data, ear->octets->len, "e\0fg", 4);
	g_byte_array_set_size(ear->octets, 0);
	/* 7 and 8 are lost; one parity is too few. */
	HEAR(ear, 0, 9, 1, 'j', 0x80, 1, 3, 1, 1, 'g' ^ 'h' ^ 'i');
	assert_heard(ear, "j");
	g_assert_cmpuint(tl_udptl_counters(ear->udptl)->recovered, ==, 3);
	g_assert_cmpuint(tl_udptl_counters(ear->udptl)->lost, ==, 2);
	ear_close(ear);
}

static void test_wrap_and_restart(void)
{
	struct ear *ear = ear_open();
	HEAR(ear, 0xff, 0xfe, 1, 'a', 0, 0);
	HEAR(ear, 0, 1, 1, 'd', 0, 2, 1, 'c', 1, 'b');
	assert_heard(ear, "abcd");
	g_assert_cmpuint(tl_udptl_counters(ear->udptl)->lost, ==, 0);
	ear->n = 0; /* numbers may go back now */
	HEAR(ear, 0x80, 0, 1, 'x', 0, 1, 1, 'w');
	assert_heard(ear, "x");
	ear->n = 0;
	HEAR(ear, 0, 0, 1, 'y', 0, 0);
	assert_heard(ear, "y");
	g_assert_cmpuint(tl_udptl_counters(ear->udptl)->restarts, ==, 2);
	ear_close(ear);
}

/* A line that loses, repeats and disorders; what may be lost for good is known from what was dropped. */
struct weather {
	unsigned drop_every, burst, swap_every, repeat_every;
	enum tl_t38_correction correction;
	unsigned copies, parities;
	bool whole;             /* nothing may be missing */
};

static void travel(const struct weather *weather, struct ear *ear, unsigned *dropped)
{
	struct tl_udptl_config config = { weather->correction, weather->copies, weather->parities, TL_UDPTL_OCTETS_MAX };
	struct tl_udptl *from = tl_udptl_new(&config, on_packet, NULL);
	uint8_t ifp[300], waiting[TL_UDPTL_OCTETS_MAX], out[TL_UDPTL_OCTETS_MAX];
	size_t n_waiting = 0;
	for (unsigned i = 0; i < PACKETS; i++) {
		size_t n = tl_udptl_format(from, ifp, sent_packet(i, ifp), out);
		bool last = i == PACKETS - 1;
		if (weather->drop_every && i % weather->drop_every < weather->burst && !last) {
			++*dropped;
			continue;
		}
		if (weather->swap_every && i % weather->swap_every == 0 && !last) {
			memcpy(waiting, out, n_waiting = n);
			continue;
		}
		g_assert_cmpint(hear(ear, out, n), ==, 0);
		if (weather->repeat_every && i % weather->repeat_every == 0)
			hear(ear, out, n);
		if (n_waiting)
			hear(ear, waiting, n_waiting);
		n_waiting = 0;
	}
	tl_udptl_free(from);
}

static void test_weather(gconstpointer data)
{
	const struct weather *weather = data;
	struct ear *ear = ear_open();
	unsigned dropped = 0;
	ear->checks = true;
	travel(weather, ear, &dropped);
	const struct tl_udptl_counters *counters = tl_udptl_counters(ear->udptl);
	g_assert_cmpuint(ear->n + counters->lost, ==, PACKETS);
	if (weather->whole)
		g_assert_cmpuint(counters->lost, ==, 0);
	else
		g_assert_cmpuint(counters->lost, >, 0);
	if (weather->drop_every && weather->whole)
		g_assert_cmpuint(counters->recovered, >=, dropped);
	ear_close(ear);
}

static const struct weather clear = { .whole = true }, plain = { .drop_every = 10, .burst = 1 },
	disorder = { .swap_every = 7 }, repeated = { .repeat_every = 3, .whole = true },
	redundant = { 10, 3, 0, 4, TL_T38_REDUNDANCY, 3, 0, true }, too_much = { 10, 5, 0, 0, TL_T38_REDUNDANCY, 3, 0 },
	ordered = { 0, 0, 5, 0, TL_T38_REDUNDANCY, 1, 0, true }, parity = { 10, 1, 0, 0, TL_T38_FEC, 3, 1, true },
	parities = { 12, 3, 0, 5, TL_T38_FEC, 3, 3, true }, parity_disorder = { 0, 0, 6, 0, TL_T38_FEC, 3, 1, true };

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/udptl/format", test_format);
	g_test_add_func("/udptl/bounds", test_bounds);
	g_test_add_func("/udptl/malformed", test_malformed);
	g_test_add_func("/udptl/copies", test_copies);
	g_test_add_func("/udptl/parities", test_parities);
	g_test_add_func("/udptl/wrap-and-restart", test_wrap_and_restart);
	g_test_add_data_func("/udptl/weather/clear", &clear, test_weather);
	g_test_add_data_func("/udptl/weather/plain", &plain, test_weather);
	g_test_add_data_func("/udptl/weather/disorder", &disorder, test_weather);
	g_test_add_data_func("/udptl/weather/repeated", &repeated, test_weather);
	g_test_add_data_func("/udptl/weather/redundant", &redundant, test_weather);
	g_test_add_data_func("/udptl/weather/too-much", &too_much, test_weather);
	g_test_add_data_func("/udptl/weather/ordered", &ordered, test_weather);
	g_test_add_data_func("/udptl/weather/parity", &parity, test_weather);
	g_test_add_data_func("/udptl/weather/parities", &parities, test_weather);
	g_test_add_data_func("/udptl/weather/parity-disorder", &parity_disorder, test_weather);
	return g_test_run();
}
