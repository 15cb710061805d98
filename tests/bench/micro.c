/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The parts that every call uses thousands of times, one at a time and warm:
 * ns each, as JSON. What a change to one of them does is seen here first.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ring.h"
#include "media/dtmf.h"
#include "media/g711.h"
#include "media/jitter.h"
#include "plan.h"

#define ROUNDS 200000
#define RING_VALUES 4000000u

static double ns_each(int64_t began_ns, unsigned n)
{
	return (double)(plan_now_ns() - began_ns) / n;
}

static void *push_all(void *ring)
{
	for (uint64_t i = 0; i < RING_VALUES;) {
		if (tl_ring_push(ring, &i))
			i++;
		else
			sched_yield(); /* on a machine of one core the other end waits for us */
	}
	return NULL;
}

static double ring_crossing(void)
{
	struct tl_ring *ring = tl_ring_new(1024, sizeof(uint64_t));
	uint64_t value, expected = 0;
	pthread_t producer;
	int64_t began = plan_now_ns();
	pthread_create(&producer, NULL, push_all, ring);
	while (expected < RING_VALUES) {
		if (!tl_ring_pop(ring, &value))
			sched_yield();
		else if (value != expected++)
			abort();
	}
	double ns = ns_each(began, RING_VALUES);
	pthread_join(producer, NULL);
	tl_ring_free(ring);
	return ns;
}

/* A packet of 20 ms in, two blocks out. */
static double jitter_packet(void)
{
	struct tl_jitter jitter;
	uint8_t octets[RTP_SAMPLES], block[TL_BLOCK_OCTETS];
	memset(octets, 1, sizeof octets);
	tl_jitter_init(&jitter, 20, 120);
	int64_t began = plan_now_ns();
	for (unsigned i = 0; i < ROUNDS; i++) {
		tl_jitter_put(&jitter, i * RTP_SAMPLES, octets, RTP_SAMPLES);
		tl_jitter_get(&jitter, block, tl_jitter_missing(&jitter));
		tl_jitter_get(&jitter, block, tl_jitter_missing(&jitter));
	}
	double ns = ns_each(began, ROUNDS);
	tl_jitter_done(&jitter);
	return ns;
}

/* A block of 10 ms, decoded and searched. */
static double dtmf_block(void)
{
	struct tl_dtmf_detector *detector = tl_dtmf_detector_new();
	struct tl_dtmf_press press;
	uint8_t octets[TL_BLOCK_OCTETS];
	int16_t samples[TL_BLOCK_OCTETS];
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
		octets[i] = (uint8_t)(i * 37);
	int64_t began = plan_now_ns();
	for (unsigned i = 0; i < ROUNDS; i++) {
		tl_g711_decode(TL_LAW_ALAW, octets, samples, TL_BLOCK_OCTETS);
		tl_dtmf_detector_hear(detector, samples, TL_BLOCK_OCTETS, &press);
	}
	double ns = ns_each(began, ROUNDS);
	tl_dtmf_detector_free(detector);
	return ns;
}

/* A block of 10 ms to linear and back, as a mixture needs it. */
static double g711_block(void)
{
	uint8_t octets[TL_BLOCK_OCTETS] = { 0 };
	int16_t samples[TL_BLOCK_OCTETS];
	int64_t began = plan_now_ns();
	for (unsigned i = 0; i < ROUNDS; i++) {
		octets[i % TL_BLOCK_OCTETS]++;
		tl_g711_decode(TL_LAW_ALAW, octets, samples, TL_BLOCK_OCTETS);
		tl_g711_encode(TL_LAW_ALAW, samples, octets, TL_BLOCK_OCTETS);
	}
	return ns_each(began, ROUNDS);
}

int main(void)
{
	printf("{\"ring_crossing\": %.2f, ", ring_crossing());
	printf("\"jitter_packet\": %.2f, ", jitter_packet());
	printf("\"dtmf_block\": %.2f, ", dtmf_block());
	printf("\"g711_block\": %.2f}\n", g711_block());
	return 0;
}
