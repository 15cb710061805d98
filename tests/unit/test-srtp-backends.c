/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Each backend of SRTP is the other's oracle: both make the same octets of the
 * same packets, and each reads the other's. A million packets a profile where
 * SOAK_H is set, as in the soak; twenty thousand otherwise.
 */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "srtp-packets.h"

static uint64_t packets(void)
{
	return getenv("SOAK_H") ? 1000000 : 20000;
}

static void read_back(struct tl_srtp *srtp, uint8_t *packet, size_t n, uint32_t ssrc, uint64_t number)
{
	if (tl_srtp_unprotect(srtp, packet, &n))
		g_error("packet %" G_GUINT64_FORMAT " is refused", number);
	rtp_assert(packet, n, ssrc, number);
}

static void read_back_rtcp(struct tl_srtp *srtp, uint8_t *packet, size_t n, uint32_t ssrc, uint64_t number)
{
	if (tl_srtp_unprotect_rtcp(srtp, packet, &n))
		g_error("RTCP packet %" G_GUINT64_FORMAT " is refused", number);
	rtcp_assert(packet, n, ssrc, number);
}

static void test_each_reads_the_other(gconstpointer data)
{
	enum tl_srtp_profile profile = GPOINTER_TO_UINT(data);
	struct tl_srtp *send[2], *receive[2];

	for (unsigned b = 0; b < 2; b++) {
		send[b] = srtp_context(b, profile, TL_SRTP_SEND);
		receive[b] = srtp_context(b, profile, TL_SRTP_RECEIVE);
	}
	for (uint64_t i = 0; i < packets(); i++) {
		uint32_t ssrc = 1000 + i % 2;
		uint64_t number = 60000 + i / 2;
		uint8_t octets[2][PACKET_ROOM];
		size_t n[2];

		for (unsigned b = 0; b < 2; b++) {
			n[b] = rtp_packet(octets[b], ssrc, number);
			if (tl_srtp_protect(send[b], octets[b], &n[b], PACKET_ROOM))
				g_error("packet %" G_GUINT64_FORMAT " is not protected", i);
		}
		if (n[0] != n[1] || memcmp(octets[0], octets[1], n[0]))
			g_assert_cmpmem(octets[0], n[0], octets[1], n[1]);
		read_back(receive[1], octets[TL_SRTP_EVP], n[0], ssrc, number);
		read_back(receive[0], octets[TL_SRTP_LIBSRTP], n[1], ssrc, number);
		if (i % 16)
			continue;
		for (unsigned b = 0; b < 2; b++) {
			n[b] = rtcp_packet(octets[b], ssrc, i);
			if (tl_srtp_protect_rtcp(send[b], octets[b], &n[b], PACKET_ROOM))
				g_error("RTCP packet %" G_GUINT64_FORMAT " is not protected", i);
		}
		if (n[0] != n[1] || memcmp(octets[0], octets[1], n[0]))
			g_assert_cmpmem(octets[0], n[0], octets[1], n[1]);
		read_back_rtcp(receive[1], octets[TL_SRTP_EVP], n[0], ssrc, i);
		read_back_rtcp(receive[0], octets[TL_SRTP_LIBSRTP], n[1], ssrc, i);
	}
	for (unsigned b = 0; b < 2; b++) {
		struct tl_srtp_counters counters;

		tl_srtp_counters(receive[b], &counters);
		g_assert_cmpuint(counters.packets, ==, packets());
		g_assert_cmpuint(counters.forged + counters.replayed + counters.malformed + counters.refused, ==, 0);
		tl_srtp_free(send[b]);
		tl_srtp_free(receive[b]);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/srtp-backends/gcm", GUINT_TO_POINTER(TL_SRTP_AEAD_AES_128_GCM), test_each_reads_the_other);
	g_test_add_data_func("/srtp-backends/cm", GUINT_TO_POINTER(TL_SRTP_AES128_CM_SHA1_80), test_each_reads_the_other);
	return g_test_run();
}
