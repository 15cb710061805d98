/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Fax machines by G.711 over a network that loses packets, in line time: the receiver's modem is told what is missing, so that a
 * lost packet costs rows and not the rest of the page.
 */
#include <arpa/inet.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fax-rig.h"

#define KEEP_WITHIN_MS 20000
#define DATAGRAM_MAX 2048
#define TICKS_MAX 12000
/* Packets of 20 ms of the sender: all within the page, that of ECM, too, as it is sent for the first time. */
#define FIRST_LOST 760
#define LOST_EVERY 90
#define LOST 4
#define ROWS_A_PACKET 10 /* that are lost, at most; as measured 2 or 3 */

/* Between the two ports: passes on what comes, but for some of what the sender says. */
struct relay {
	int fd;
	struct sockaddr_in own, sender, receiver;
	unsigned passed, lost;      /* of the sender's packets */
};

static bool loses(struct relay *relay)
{
	bool lost = ++relay->passed >= FIRST_LOST && (relay->passed - FIRST_LOST) % LOST_EVERY == 0 && relay->lost < LOST;
	relay->lost += lost;
	return lost;
}

static void send_to(const struct relay *relay, const struct sockaddr_in *to, const void *octets, size_t n)
{
	g_assert_cmpint(sendto(relay->fd, octets, n, 0, (const struct sockaddr *)to, sizeof *to), ==, n);
}

/* All that was sent before: what is sent to itself comes behind it. */
static void pass_on(struct relay *relay)
{
	struct sockaddr_in from;
	socklen_t length = sizeof from;
	uint8_t octets[DATAGRAM_MAX];
	send_to(relay, &relay->own, "", 0);
	for (ssize_t n; (n = recvfrom(relay->fd, octets, sizeof octets, 0, (struct sockaddr *)&from, &length));) {
		g_assert_cmpint(n, >, 0);
		bool said = from.sin_port == relay->sender.sin_port;
		if (!said || !loses(relay))
			send_to(relay, said ? &relay->receiver : &relay->sender, octets, n);
	}
}

static struct sockaddr_in address_of(const struct tl_rtp_side *side)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(side->port) };
	g_assert_cmpint(inet_pton(AF_INET, side->host, &address.sin_addr), ==, 1);
	return address;
}

/* Both ports are aimed at it. */
static void relay_begin(struct relay *relay, struct fax_rig *rig, const struct tl_rtp_side *sender, const struct tl_rtp_side *receiver)
{
	struct tl_rtp_side at = *receiver;
	socklen_t length = sizeof relay->own;
	relay->sender = address_of(sender);
	relay->own = relay->receiver = address_of(receiver);
	relay->own.sin_port = 0;
	relay->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(relay->fd, (struct sockaddr *)&relay->own, sizeof relay->own), ==, 0);
	g_assert_cmpint(getsockname(relay->fd, (struct sockaddr *)&relay->own, &length), ==, 0);
	at.port = ntohs(relay->own.sin_port);
	tl_port_set_remote(rig->sender.port, &at);
	tl_port_set_remote(rig->receiver.port, &at);
}

static struct tl_port *open_port(struct fax_rig *rig, struct tl_rtp_side *side)
{
	g_autoptr(GError) error = NULL;
	struct tl_port *port = tl_port_new_rtp(rig->rig.media, TL_LAW_ALAW, side, NULL, &error);
	g_assert_no_error(error);
	return port;
}

static void call(struct fax_rig *rig, struct relay *relay, bool ecm)
{
	const struct fax_paper paper = { .pages = 1, .width = 1728, .length = 1100, .x_dpi = 204, .y_dpi = 98 };
	struct tl_fax_config sends = fax_rig_config(true, ecm), receives = fax_rig_config(false, ecm);
	struct tl_rtp_side sender, receiver;
	fax_rig_init(rig, &paper, KEEP_WITHIN_MS);
	tl_port_free(rig->sender.port);
	tl_port_free(rig->receiver.port);
	rig->sender.port = open_port(rig, &sender);
	rig->receiver.port = open_port(rig, &receiver);
	relay_begin(relay, rig, &sender, &receiver);
	fax_rig_start(rig, &sends, &receives);
	for (unsigned ticks = 0; !rig->sender.ended || !rig->receiver.ended; ticks++) {
		g_assert_cmpuint(ticks, <, TICKS_MAX);
		rig_step(&rig->rig, 1);
		pass_on(relay);
	}
	close(relay->fd);
	const struct tl_fax_page *page = &rig->receiver.pages[0];
	g_test_message("%u of %u packets lost; %s; %s, %u rows, %u bad", relay->lost, relay->passed, rig->sender.result.words,
		       rig->receiver.result.words, page->length, page->bad_rows);
	g_assert_cmpuint(relay->lost, ==, LOST);
}

/* A modem that heard silence instead would let its carrier go, and with it all rows until the page's end. */
static void test_plain(void)
{
	struct relay relay = { 0 };
	struct fax_rig rig;
	call(&rig, &relay, false);
	g_assert_cmpuint(rig.receiver.result.pages, ==, 1);
	g_assert_cmpuint(rig.receiver.pages[0].length, <, rig.paper.length);
	g_assert_cmpuint(rig.receiver.pages[0].length, >=, rig.paper.length - LOST * ROWS_A_PACKET);
	fax_rig_done(&rig);
}

/* All is asked for again; what is lost are a few frames each time. */
static void test_ecm(void)
{
	struct relay relay = { 0 };
	struct fax_rig rig;
	call(&rig, &relay, true);
	fax_rig_assert_whole(&rig);
	fax_rig_done(&rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fax/loss/plain", test_plain);
	g_test_add_func("/fax/loss/ecm", test_ecm);
	return g_test_run();
}
