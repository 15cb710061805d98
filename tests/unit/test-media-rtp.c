/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* An RTP port seen from the far end: a plain socket that reads and writes every packet itself. */
#include <arpa/inet.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media-rig.h"
#include "media/rtcp.h"
#include "media/rtp.h"

#define SSRC 0x12345678

struct peer {
	int rtp, rtcp;
	struct sockaddr_in port; /* where the port under test listens */
	uint16_t sequence;
	uint32_t timestamp, ssrc;
};

static int socket_on(const char *host, unsigned port)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	g_assert_cmpint(inet_pton(AF_INET, host, &own.sin_addr), ==, 1);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&own, sizeof own), ==, 0);
	return fd;
}

static unsigned port_of(int fd)
{
	struct sockaddr_in own;
	socklen_t length = sizeof own;
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&own, &length), ==, 0);
	return ntohs(own.sin_port);
}

/* A port under test aimed at a peer, which knows it. */
static struct tl_port *port_and_peer(struct rig *rig, struct peer *peer, struct rig_log *log, struct tl_rtp_side *side)
{
	struct tl_rtp_side local;
	GError *error = NULL;
	struct tl_port *port = tl_port_new_rtp(rig->media, TL_LAW_ALAW, &local, log, &error);
	g_assert_no_error(error);
	*peer = (struct peer){ .sequence = 65530, .timestamp = 0xffffff00, .ssrc = SSRC };
	/* The RTCP socket must lie one above: try until a pair is free. */
	for (unsigned p = 31000;; p += 2) {
		struct sockaddr_in own = { AF_INET, htons(p), { inet_addr(own_host()) } };
		peer->rtp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (bind(peer->rtp, (struct sockaddr *)&own, sizeof own) == 0) {
			peer->rtcp = socket_on(own_host(), p + 1);
			break;
		}
		close(peer->rtp);
	}
	peer->port = (struct sockaddr_in){ AF_INET, htons(local.port), { inet_addr(own_host()) } };
	*side = (struct tl_rtp_side){ .port = port_of(peer->rtp), .law = TL_LAW_ALAW, .dtmf_payload_type = 97,
				      .ptime_ms = 20, .sends = true, .receives = true };
	g_strlcpy(side->host, own_host(), sizeof side->host);
	tl_port_set_remote(port, side);
	return port;
}

static void peer_close(struct peer *peer)
{
	close(peer->rtp);
	close(peer->rtcp);
}

static void say_from(int fd, struct peer *peer, unsigned payload_type, uint8_t octet)
{
	uint8_t octets[172];
	struct tl_rtp_packet packet = { .payload_type = payload_type, .sequence = peer->sequence++,
					.timestamp = peer->timestamp, .ssrc = peer->ssrc };
	peer->timestamp += 160;
	tl_rtp_format(&packet, octets);
	memset(octets + 12, octet, 160);
	g_assert_cmpint(sendto(fd, octets, sizeof octets, 0, (struct sockaddr *)&peer->port, sizeof peer->port), ==, 172);
}

static bool hear(int fd, struct tl_rtp_packet *packet, uint8_t *octets)
{
	ssize_t n = recv(fd, octets, 1500, 0);
	if (n < 0)
		return false;
	g_assert_cmpint(tl_rtp_parse(octets, n, packet), ==, 0);
	return true;
}

static struct tl_port_counters counters_of(struct tl_port *port)
{
	struct tl_port_counters counters;
	tl_port_counters(port, &counters);
	return counters;
}

/* Two packets each 20 ms, in step with the line. */
static void converse(struct rig *rig, struct peer *peer, int fd, unsigned packets, uint8_t octet)
{
	for (unsigned i = 0; i < packets; i++) {
		say_from(fd, peer, TL_RTP_PAYLOAD_PCMA, octet);
		rig_step(rig, 2);
	}
}

static void test_sending(void)
{
	struct rig rig;
	struct peer peer;
	struct tl_rtp_side side;
	struct tl_rtp_packet packet;
	uint8_t octets[1500];
	rig_init(&rig);
	struct tl_port *port = port_and_peer(&rig, &peer, NULL, &side);
	rig_step(&rig, 21); /* the first packet begins in the first tick or the second */
	uint16_t sequence = 0;
	uint32_t timestamp = 0, ssrc = 0;
	for (unsigned i = 0; i < 10; i++) {
		g_assert_true(hear(peer.rtp, &packet, octets));
		g_assert_cmpuint(packet.payload_octets, ==, 160);
		g_assert_cmpuint(packet.payload_type, ==, 8);
		g_assert_cmpint(packet.marker, ==, i == 0);
		if (i) {
			g_assert_cmpuint(packet.sequence, ==, (uint16_t)(sequence + 1));
			g_assert_cmpuint(packet.timestamp, ==, timestamp + 160);
			g_assert_cmphex(packet.ssrc, ==, ssrc);
		}
		sequence = packet.sequence;
		timestamp = packet.timestamp;
		ssrc = packet.ssrc;
	}
	g_assert_false(hear(peer.rtp, &packet, octets));
	/* Hold: nothing is sent; afterwards the sequence goes on, and the timestamps tell the time that passed. */
	side.receives = false;
	tl_port_set_remote(port, &side);
	rig_step(&rig, 50);
	g_assert_false(hear(peer.rtp, &packet, octets));
	side.receives = true;
	side.law = TL_LAW_ULAW;
	side.ptime_ms = 30;
	tl_port_set_remote(port, &side);
	g_assert_cmpint(tl_port_law(port), ==, TL_LAW_ULAW);
	rig_step(&rig, 5);
	g_assert_true(hear(peer.rtp, &packet, octets));
	g_assert_true(packet.marker);
	g_assert_cmpuint(packet.payload_type, ==, 0);
	g_assert_cmpuint(packet.payload_octets, ==, 240);
	g_assert_cmpuint(packet.sequence, ==, (uint16_t)(sequence + 1));
	uint32_t passed = packet.timestamp - (timestamp + 160); /* a tick before the hold, two after it at most */
	g_assert_cmpuint(passed % 80, ==, 0);
	g_assert_cmpuint(passed, >=, 50 * 80);
	g_assert_cmpuint(passed, <=, 53 * 80);
	g_assert_cmphex(packet.ssrc, ==, ssrc);
	g_assert_cmpuint(counters_of(port).packets_sent, ==, 11);
	tl_port_free(port);
	peer_close(&peer);
	rig_done(&rig);
}

/* A digit goes as events of the peer's payload type and no audio meanwhile. */
static void test_sending_digit(void)
{
	struct rig rig;
	struct peer peer;
	struct tl_rtp_side side;
	struct tl_rtp_packet packet;
	struct tl_rtp_event event;
	uint8_t octets[1500];
	unsigned events = 0, ends = 0, audio_meanwhile = 0;
	rig_init(&rig);
	struct tl_port *port = port_and_peer(&rig, &peer, NULL, &side);
	g_assert_cmpint(tl_port_send_dtmf(port, 1, "#", 100, 100), ==, 0);
	rig_step(&rig, 30);
	while (hear(peer.rtp, &packet, octets)) {
		if (packet.payload_type != 97) {
			audio_meanwhile += events > 0 && ends == 0;
			continue;
		}
		g_assert_cmpint(tl_rtp_event_parse(packet.payload, packet.payload_octets, &event), ==, 0);
		g_assert_cmpuint(event.event, ==, 11);
		g_assert_cmpint(packet.marker, ==, events == 0);
		if (event.end)
			g_assert_cmpuint(event.duration, ==, 800);
		ends += event.end;
		events++;
	}
	g_assert_cmpuint(events, ==, 8);
	g_assert_cmpuint(ends, ==, 3);
	g_assert_cmpuint(audio_meanwhile, ==, 0);
	tl_port_free(port);
	peer_close(&peer);
	rig_done(&rig);
}

static void test_who_may_speak(void)
{
	struct rig rig;
	struct peer peer;
	struct tl_rtp_side side;
	struct tl_rtp_packet packet;
	uint8_t octets[1500];
	rig_init(&rig);
	struct tl_port *port = port_and_peer(&rig, &peer, NULL, &side);
	int stranger = socket_on("127.0.0.2", 0), other = socket_on(own_host(), 0), third = socket_on(own_host(), 0);
	rig_step(&rig, 1);
	converse(&rig, &peer, stranger, 5, 0x11);
	g_assert_cmpuint(counters_of(port).refused, ==, 5);
	g_assert_cmpuint(counters_of(port).packets_received, ==, 0);
	/* Symmetric RTP: the same host speaks from another port; we answer there. A third port is refused. */
	while (hear(peer.rtp, &packet, octets))
		;
	converse(&rig, &peer, other, 5, 0x22);
	g_assert_cmpuint(counters_of(port).packets_received, ==, 5);
	g_assert_true(hear(other, &packet, octets));
	converse(&rig, &peer, third, 3, 0x33);
	g_assert_cmpuint(counters_of(port).refused, ==, 8);
	/* Once the signalled port speaks, it alone counts. */
	converse(&rig, &peer, peer.rtp, 5, 0x44);
	g_assert_cmpuint(counters_of(port).packets_received, ==, 10);
	converse(&rig, &peer, other, 2, 0x22);
	g_assert_cmpuint(counters_of(port).refused, ==, 10);
	/* Not RTP, a payload type nobody agreed on, too large, empty. */
	static const uint8_t garbage[2100] = { 0x80, 8 };
	sendto(peer.rtp, "hello", 5, 0, (struct sockaddr *)&peer.port, sizeof peer.port);
	sendto(peer.rtp, garbage, sizeof garbage, 0, (struct sockaddr *)&peer.port, sizeof peer.port);
	sendto(peer.rtp, "", 0, 0, (struct sockaddr *)&peer.port, sizeof peer.port);
	say_from(peer.rtp, &peer, 18, 0);
	rig_step(&rig, 3);
	g_assert_cmpuint(counters_of(port).refused, ==, 14);
	close(stranger);
	close(other);
	close(third);
	tl_port_free(port);
	peer_close(&peer);
	rig_done(&rig);
}

/* Behind a translator: nothing comes from where it was signalled, but from where the signalling came from. */
static void test_other_address(void)
{
	struct rig rig;
	struct peer peer;
	struct tl_rtp_side side;
	struct tl_rtp_packet packet;
	uint8_t octets[1500];
	rig_init(&rig);
	struct tl_port *port = port_and_peer(&rig, &peer, NULL, &side);
	int outside = socket_on("127.0.0.2", 0), stranger = socket_on("127.0.0.3", 0);
	g_strlcpy(side.from, "127.0.0.2", sizeof side.from);
	tl_port_set_remote(port, &side);
	rig_step(&rig, 1);
	converse(&rig, &peer, stranger, 3, 0x11);
	g_assert_cmpuint(counters_of(port).refused, ==, 3);
	converse(&rig, &peer, outside, 5, 0x22);
	g_assert_cmpuint(counters_of(port).packets_received, ==, 5);
	g_assert_true(hear(outside, &packet, octets));
	converse(&rig, &peer, stranger, 3, 0x33);
	g_assert_cmpuint(counters_of(port).refused, ==, 6);
	converse(&rig, &peer, peer.rtp, 5, 0x44);
	converse(&rig, &peer, outside, 2, 0x22);
	g_assert_cmpuint(counters_of(port).packets_received, ==, 10);
	g_assert_cmpuint(counters_of(port).refused, ==, 8);
	close(outside);
	close(stranger);
	tl_port_free(port);
	peer_close(&peer);
	rig_done(&rig);
}

/* What the party said is recorded exactly, also after it restarted with a new SSRC or speaks the other law. */
static void test_receiving(void)
{
	struct rig rig;
	struct peer peer;
	struct tl_rtp_side side;
	uint8_t block[TL_BLOCK_OCTETS];
	unsigned heard[256] = { 0 };
	rig_init(&rig);
	struct tl_port *port = port_and_peer(&rig, &peer, NULL, &side);
	tl_port_record(port, 10);
	rig_step(&rig, 1);
	converse(&rig, &peer, peer.rtp, 10, 0x11);
	peer.ssrc++;
	peer.timestamp += 123456789;
	peer.sequence += 12345;
	converse(&rig, &peer, peer.rtp, 10, 0x22);
	say_from(peer.rtp, &peer, TL_RTP_PAYLOAD_PCMU, 0x80); /* mu-law's loudest */
	rig_step(&rig, 10);
	while (tl_port_recorded(port, block))
		for (unsigned i = 0; i < sizeof block; i++)
			heard[block[i]]++;
	g_assert_cmpuint(heard[0x11], >=, 8 * 160); /* the rest was still waiting when the new stream began */
	g_assert_cmpuint(heard[0x22], ==, 10 * 160);
	g_assert_cmpuint(heard[0xaa], ==, 160); /* as A-law */
	g_assert_cmpuint(counters_of(port).lost, ==, 0);
	tl_port_free(port);
	peer_close(&peer);
	rig_done(&rig);
}

static void test_loss_is_concealed(void)
{
	struct rig rig;
	struct peer peer;
	struct tl_rtp_side side;
	rig_init(&rig);
	struct tl_port *port = port_and_peer(&rig, &peer, NULL, &side);
	rig_step(&rig, 1);
	converse(&rig, &peer, peer.rtp, 10, 0x11);
	g_assert_cmpuint(counters_of(port).concealed_blocks, <=, 2); /* the depth before the first packet */
	uint64_t before = counters_of(port).concealed_blocks;
	peer.sequence++;
	peer.timestamp += 160;
	rig_step(&rig, 2);
	converse(&rig, &peer, peer.rtp, 10, 0x11);
	g_assert_cmpuint(counters_of(port).lost, ==, 1);
	g_assert_cmpuint(counters_of(port).concealed_blocks, ==, before + 2);
	tl_port_free(port);
	peer_close(&peer);
	rig_done(&rig);
}

static void test_silence(void)
{
	struct rig rig;
	struct rig_log log = { 0 };
	struct peer peer;
	struct tl_rtp_side side;
	rig_init(&rig);
	struct tl_port *port = port_and_peer(&rig, &peer, &log, &side);
	converse(&rig, &peer, peer.rtp, 2, 0x11);
	rig_step(&rig, 990);
	g_assert_cmpuint(log.n_silences, ==, 0);
	rig_step(&rig, 12);
	g_assert_cmpuint(log.n_silences, ==, 1);
	g_assert_cmpuint(log.silent_ms, ==, 10000);
	rig_step(&rig, 1000);
	g_assert_cmpuint(log.n_silences, ==, 2);
	g_assert_cmpuint(log.silent_ms, ==, 20000);
	converse(&rig, &peer, peer.rtp, 1, 0x11);
	g_assert_cmpuint(log.n_silences, ==, 3);
	g_assert_cmpuint(log.silent_ms, ==, 0);
	side.sends = false; /* on hold by the far end: silence is expected */
	tl_port_set_remote(port, &side);
	rig_step(&rig, 1100);
	g_assert_cmpuint(log.n_silences, ==, 3);
	tl_port_free(port);
	peer_close(&peer);
	rig_done(&rig);
}

/* Reports come and are believed; the end says BYE. */
static void test_reports(void)
{
	struct rig rig;
	struct peer peer;
	struct tl_rtp_side side;
	struct tl_rtcp_report report = { 0 };
	uint8_t octets[1500];
	ssize_t n = -1;
	rig_init(&rig);
	struct tl_port *port = port_and_peer(&rig, &peer, NULL, &side);
	for (unsigned i = 0; i < 500 && n < 0; i++) {
		converse(&rig, &peer, peer.rtp, 1, 0x11);
		n = recv(peer.rtcp, octets, sizeof octets, 0);
	}
	g_assert_cmpint(n, >, 0);
	g_assert_cmpint(tl_rtcp_parse(octets, n, SSRC, &report), ==, 0);
	g_assert_true(report.has_sender);
	g_assert_cmpuint(report.packets, >, 10);
	g_assert_cmpuint(report.octets, ==, report.packets * 160);
	g_assert_true(report.has_block);
	g_assert_cmpint(report.block.lost, ==, 0);
	g_assert_false(report.bye);
	struct sockaddr_in rtcp = peer.port;
	rtcp.sin_port = htons(ntohs(peer.port.sin_port) + 1);
	struct tl_rtcp_report answer = {
		.ssrc = SSRC, .has_sender = true, .ntp = report.ntp, .has_block = true,
		.block = { .ssrc = report.ssrc, .lost = 42, .last_sr = (report.ntp >> 16) - 65536 },
	};
	size_t m = tl_rtcp_format(&answer, "peer", octets);
	g_assert_cmpint(sendto(peer.rtcp, octets, m, 0, (struct sockaddr *)&rtcp, sizeof rtcp), ==, m);
	sendto(peer.rtcp, "garbage", 7, 0, (struct sockaddr *)&rtcp, sizeof rtcp);
	rig_step(&rig, 2);
	g_assert_cmpuint(counters_of(port).remote_lost, ==, 42);
	g_assert_cmpuint(counters_of(port).round_trip_us, >=, 1000000); /* a second more than it took */
	g_assert_cmpuint(counters_of(port).refused, ==, 1);
	while (recv(peer.rtcp, octets, sizeof octets, 0) > 0)
		;
	tl_port_free(port);
	rig_step(&rig, 2);
	bool bye = false;
	while ((n = recv(peer.rtcp, octets, sizeof octets, 0)) > 0)
		bye = tl_rtcp_parse(octets, n, SSRC, &report) == 0 && report.bye;
	g_assert_true(bye);
	peer_close(&peer);
	rig_done(&rig);
}

/* The clock-driven tick, on IPv6: a few digits in real time. */
static void on_digit(struct tl_port *port, char digit, unsigned duration_ms, void *user)
{
	g_string_append_c(user, digit);
}

static void test_by_the_clock(void)
{
	unsigned first = 32000 + getpid() % 1000 * 10; /* there is only one ::1 */
	const struct tl_media_config config = { .rtp_host = "::1", .rtp_port_min = first, .rtp_port_max = first + 9,
						.max_ports = 8 };
	struct tl_media_counters counters;
	struct tl_rtp_side side_a, side_b;
	GError *error = NULL;
	GString *heard = g_string_new(NULL);
	struct tl_media *media = tl_media_new(&config, &(struct tl_media_handler){ on_digit }, &error);
	g_assert_no_error(error);
	struct tl_port *a = tl_port_new_rtp(media, TL_LAW_ALAW, &side_a, heard, &error);
	struct tl_port *b = tl_port_new_rtp(media, TL_LAW_ALAW, &side_b, heard, &error);
	g_assert_no_error(error);
	tl_port_set_remote(a, &side_b);
	tl_port_set_remote(b, &side_a);
	tl_port_detect_dtmf(b, true);
	g_assert_cmpint(tl_port_send_dtmf(a, 1, "42", 50, 50), ==, 0);
	while (heard->len < 2)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpstr(heard->str, ==, "42");
	tl_media_counters(media, &counters);
	g_assert_cmpuint(counters.ticks, >=, 15);
	tl_port_free(a);
	tl_port_free(b);
	tl_media_free(media);
	g_string_free(heard, TRUE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media-rtp/sending", test_sending);
	g_test_add_func("/media-rtp/sending-digit", test_sending_digit);
	g_test_add_func("/media-rtp/who-may-speak", test_who_may_speak);
	g_test_add_func("/media-rtp/other-address", test_other_address);
	g_test_add_func("/media-rtp/receiving", test_receiving);
	g_test_add_func("/media-rtp/loss-is-concealed", test_loss_is_concealed);
	g_test_add_func("/media-rtp/silence", test_silence);
	g_test_add_func("/media-rtp/reports", test_reports);
	g_test_add_func("/media-rtp/by-the-clock", test_by_the_clock);
	return g_test_run();
}
