/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The floor of browsers: a batched relay of the same packets over one socket, the
 * bare GCM of EVP once for each packet in and out, and nothing else; the spans as
 * in floor-spans.c. What is read need not be authentic: it costs the same. With
 * -o, libopus decodes and encodes 20 ms a leg besides.
 */
#include <glib.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <opus.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "floor-spans.h"

#define BATCH 64
#define OPUS_OCTETS_MAX 400

struct leg {
	struct sockaddr_in far;
	EVP_CIPHER_CTX *in, *out;
	OpusEncoder *encoder;
	OpusDecoder *decoder;
	uint8_t octets[SRTP_OCTETS];
	uint8_t opus[OPUS_OCTETS_MAX];
	int opus_octets;
};

static struct leg legs[LEGS_MAX];
static int fd;

static EVP_CIPHER_CTX *cipher_new(bool encrypts)
{
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	EVP_CipherInit_ex2(cipher, EVP_aes_128_gcm(), (const uint8_t *)"sixteen octets..", NULL, encrypts, NULL);
	return cipher;
}

static void leg_open(struct leg *leg, const struct plan *plan, unsigned i)
{
	int error;
	leg->far = plan_address(plan, LOAD_RTP_PORT(i));
	leg->in = cipher_new(false);
	leg->out = cipher_new(true);
	leg->octets[0] = 0x80;
	leg->octets[1] = 8;
	if (!plan->opus)
		return;
	leg->decoder = opus_decoder_create(8000, 1, &error);
	leg->encoder = opus_encoder_create(8000, 1, OPUS_APPLICATION_VOIP, &error);
	opus_encoder_ctl(leg->encoder, OPUS_SET_BITRATE(24000));
	opus_encoder_ctl(leg->encoder, OPUS_SET_COMPLEXITY(5));
	opus_encoder_ctl(leg->encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	opus_encoder_ctl(leg->encoder, OPUS_SET_INBAND_FEC(1));
	opus_encoder_ctl(leg->encoder, OPUS_SET_PACKET_LOSS_PERC(5));
}

static void turn(EVP_CIPHER_CTX *cipher, uint8_t *packet, bool encrypts)
{
	uint8_t iv[12] = { [10] = packet[2], [11] = packet[3] };
	int n;
	EVP_CipherInit_ex2(cipher, NULL, NULL, iv, -1, NULL);
	EVP_CipherUpdate(cipher, NULL, &n, packet, RTP_HEADER);
	if (!encrypts)
		EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, SRTP_TAG, packet + RTP_OCTETS);
	EVP_CipherUpdate(cipher, packet + RTP_HEADER, &n, packet + RTP_HEADER, RTP_SAMPLES);
	EVP_CipherFinal_ex(cipher, packet + RTP_OCTETS, &n);
	if (encrypts)
		EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, SRTP_TAG, packet + RTP_OCTETS);
}

static int receive_batch(const struct plan *plan)
{
	static uint8_t octets[BATCH][SRTP_OCTETS];
	static struct sockaddr_in from[BATCH];
	static struct mmsghdr in[BATCH];
	static struct iovec parts[BATCH];
	for (unsigned i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ octets[i], SRTP_OCTETS };
		in[i].msg_hdr = (struct msghdr){ .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &parts[i],
						 .msg_iovlen = 1 };
	}
	int n = recvmmsg(fd, in, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct leg *leg = &legs[(octets[i][10] << 8 | octets[i][11]) % plan->legs];
		turn(leg->in, octets[i], false);
		if (plan->echo)
			memcpy(leg->octets + RTP_HEADER, octets[i] + RTP_HEADER, RTP_SAMPLES);
	}
	return n;
}

/* Encodes what it had decoded: the same work as for two parties. */
static void transcode(struct leg *leg)
{
	int16_t samples[RTP_SAMPLES] = { 0 };
	if (leg->opus_octets > 0)
		(void)!opus_decode(leg->decoder, leg->opus, leg->opus_octets, samples, RTP_SAMPLES, 0);
	for (unsigned i = 0; i < RTP_SAMPLES; i++)
		samples[i] = (int16_t)(samples[i] / 2 + g_random_int_range(-2000, 2000));
	leg->opus_octets = opus_encode(leg->encoder, samples, RTP_SAMPLES, leg->opus, OPUS_OCTETS_MAX);
}

static void send_legs(const struct plan *plan, unsigned first)
{
	static struct mmsghdr out[BATCH];
	static struct iovec parts[BATCH];
	unsigned n = 0;
	for (unsigned i = first; i < plan->legs; i += 2) {
		struct leg *leg = &legs[i];
		if (plan->opus)
			transcode(leg);
		leg->octets[3]++;
		turn(leg->out, leg->octets, true);
		parts[n] = (struct iovec){ leg->octets, SRTP_OCTETS };
		out[n].msg_hdr = (struct msghdr){ .msg_name = &leg->far, .msg_namelen = sizeof leg->far,
						  .msg_iov = &parts[n], .msg_iovlen = 1 };
		n++;
		if (n == BATCH || i + 2 >= plan->legs) {
			(void)!sendmmsg(fd, out, n, MSG_DONTWAIT);
			n = 0;
		}
	}
}

int main(int argc, char **argv)
{
	struct plan plan;
	plan_read(&plan, argc, argv);
	floor_spans_open(&plan);
	for (unsigned i = 0; i < plan.legs; i++)
		leg_open(&legs[i], &plan, i);
	fd = plan_socket(&plan, NODE_BROWSER_PORT);
	puts("ready");
	fflush(stdout);
	int64_t next_ns = plan_now_ns();
	for (unsigned tick = 0; plan_sleep_until(next_ns); tick++, next_ns += TICK_NS) {
		floor_spans_relay(&plan);
		while (receive_batch(&plan) == BATCH)
			;
		send_legs(&plan, tick % 2);
	}
	return 0;
}
