/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What a packet costs to protect and to read: both backends and profiles, one
 * context and 500 in turn (which do not fit in a cache), and as the floor the
 * bare GCM of EVP under the same packets. CPU time of this thread, ns a packet,
 * median of five rounds. JSON on stdout.
 */
#include <glib.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "secure/srtp.h"

#define ROUNDS 5
#define PACKETS 50000
#define BATCH 25 /* turned in a row, then read in a row */
#define CONTEXTS_MAX 500
#define PAYLOAD 160
#define ROOM 256

static uint8_t packets[BATCH][ROOM];
static size_t lengths[BATCH];

struct subject {
	const char *name;
	enum tl_srtp_backend backend;
	enum tl_srtp_profile profile;
	bool is_floor;
	unsigned packets; /* fewer where each costs much */
};

static const struct subject subjects[] = {
	{ "floor-evp-gcm", TL_SRTP_EVP, TL_SRTP_AEAD_AES_128_GCM, true, PACKETS },
	{ "evp-gcm", TL_SRTP_EVP, TL_SRTP_AEAD_AES_128_GCM, false, PACKETS },
	{ "evp-cm", TL_SRTP_EVP, TL_SRTP_AES128_CM_SHA1_80, false, PACKETS },
	{ "libsrtp-gcm", TL_SRTP_LIBSRTP, TL_SRTP_AEAD_AES_128_GCM, false, PACKETS / 5 },
	{ "libsrtp-cm", TL_SRTP_LIBSRTP, TL_SRTP_AES128_CM_SHA1_80, false, PACKETS / 5 },
};

struct side {
	struct tl_srtp *srtp[CONTEXTS_MAX];
	EVP_CIPHER_CTX *evp[CONTEXTS_MAX];
};

static int64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void packet_make(uint8_t *packet, uint64_t number)
{
	memset(packet, 0x55, 12 + PAYLOAD);
	packet[0] = 0x80;
	packet[1] = 8;
	packet[2] = (uint8_t)(number >> 8);
	packet[3] = (uint8_t)number;
}

static void floor_turn(EVP_CIPHER_CTX *evp, uint8_t *packet, bool send)
{
	uint8_t iv[12] = { [10] = packet[2], [11] = packet[3] };
	int n;

	EVP_CipherInit_ex2(evp, NULL, NULL, iv, -1, NULL);
	EVP_CipherUpdate(evp, NULL, &n, packet, 12);
	if (!send)
		EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_SET_TAG, 16, packet + 12 + PAYLOAD);
	EVP_CipherUpdate(evp, packet + 12, &n, packet + 12, PAYLOAD);
	if (EVP_CipherFinal_ex(evp, packet + 12 + PAYLOAD, &n) <= 0)
		g_error("the floor does not read its own packets");
	if (send)
		EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_GET_TAG, 16, packet + 12 + PAYLOAD);
}

static void turn(struct side *side, unsigned context, unsigned i, bool send)
{
	int error = 0;

	if (side->evp[context])
		floor_turn(side->evp[context], packets[i], send);
	else if (send)
		error = tl_srtp_protect(side->srtp[context], packets[i], &lengths[i], ROOM);
	else
		error = tl_srtp_unprotect(side->srtp[context], packets[i], &lengths[i]);
	if (error)
		g_error("a packet was refused: %s", g_strerror(-error));
}

static void side_make(struct side *side, const struct subject *subject, unsigned contexts, bool send)
{
	struct tl_srtp_config config = { .backend = subject->backend, .profile = subject->profile,
					 .direction = send ? TL_SRTP_SEND : TL_SRTP_RECEIVE, .key.key = "sixteen octets.." };

	for (unsigned i = 0; i < contexts; i++) {
		if (subject->is_floor) {
			side->evp[i] = EVP_CIPHER_CTX_new();
			EVP_CipherInit_ex2(side->evp[i], EVP_aes_128_gcm(), config.key.key, NULL, send, NULL);
		} else {
			side->srtp[i] = tl_srtp_new(&config, NULL);
		}
	}
}

static void side_free(struct side *side)
{
	for (unsigned i = 0; i < CONTEXTS_MAX; i++) {
		tl_srtp_free(side->srtp[i]);
		EVP_CIPHER_CTX_free(side->evp[i]);
	}
	memset(side, 0, sizeof(*side));
}

static void round_run(struct side *send, struct side *receive, unsigned contexts, unsigned n_packets, double ns[2])
{
	int64_t spent[2] = { 0 };

	for (unsigned done = 0; done < n_packets; done += BATCH) {
		int64_t begun;

		for (unsigned i = 0; i < BATCH; i++) {
			packet_make(packets[i], (done + i) / contexts);
			lengths[i] = 12 + PAYLOAD;
		}
		begun = cpu_ns();
		for (unsigned i = 0; i < BATCH; i++)
			turn(send, (done + i) % contexts, i, true);
		spent[0] += cpu_ns() - begun;
		begun = cpu_ns();
		for (unsigned i = 0; i < BATCH; i++)
			turn(receive, (done + i) % contexts, i, false);
		spent[1] += cpu_ns() - begun;
	}
	for (unsigned i = 0; i < 2; i++)
		ns[i] = (double)spent[i] / n_packets;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const struct subject *subject, unsigned contexts, bool is_last)
{
	static struct side send, receive;
	double rounds[2][ROUNDS], ns[2];

	for (unsigned round = 0; round < ROUNDS; round++) {
		side_make(&send, subject, contexts, true);
		side_make(&receive, subject, contexts, false);
		round_run(&send, &receive, contexts, subject->packets, ns);
		rounds[0][round] = ns[0];
		rounds[1][round] = ns[1];
		side_free(&send);
		side_free(&receive);
	}
	qsort(rounds[0], ROUNDS, sizeof(double), compare);
	qsort(rounds[1], ROUNDS, sizeof(double), compare);
	printf("  {\"name\": \"%s\", \"contexts\": %u, \"payload_octets\": %d, \"protect_ns\": %.0f, \"unprotect_ns\": %.0f}%s\n",
	       subject->name, contexts, PAYLOAD, rounds[0][ROUNDS / 2], rounds[1][ROUNDS / 2], is_last ? "" : ",");
}

int main(void)
{
	puts("{\"srtp\": [");
	for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++) {
		measure(&subjects[i], 1, false);
		measure(&subjects[i], CONTEXTS_MAX, i + 1 == G_N_ELEMENTS(subjects));
	}
	puts("]}");
	return 0;
}
