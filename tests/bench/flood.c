/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A stranger who floods the browsers' port: "flood HOST PORT KIND RATE ANSWERS".
 * Sends RATE datagrams a second of one kind until SIGTERM, then prints how many.
 * ANSWERS is the file that the subject wrote: whoever forges knows the names,
 * and not the secrets.
 */
#include <glib.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/thread.h"
#include "plan.h"
#include "secure/dtls.h"
#include "secure/secure.h"

#define KEPT 64          /* different datagrams, sent again and again */
#define STEP_NS 1000000ll
#define OCTETS_MAX 1500

struct packet {
	uint8_t octets[OCTETS_MAX];
	size_t n;
};

static struct packet packets[KEPT];
static char ufrag[16];

static void fill(struct packet *packet, size_t n)
{
	for (packet->n = 0; packet->n < n; packet->n++)
		packet->octets[packet->n] = (uint8_t)g_random_int();
}

static void make_noise(struct packet *packet, unsigned i)
{
	fill(packet, 20 + i * 20);
}

/* What looks like STUN, with a length that fits and the cookie, and nothing true in it. */
static void make_stun(struct packet *packet, unsigned i)
{
	static const uint8_t head[8] = { 0, 1, 0, 80, 0x21, 0x12, 0xa4, 0x42 };
	fill(packet, 100);
	memcpy(packet->octets, head, sizeof head);
}

/* A check of a session that there is, signed with a guess. */
static void make_forged(struct packet *packet, unsigned i)
{
	struct tl_hmac_key password;
	g_autofree char *username = g_strdup_printf("%s:fake", ufrag);
	struct tl_stun_check check = { .username = username, .priority = 1, .controlling = true, .use_candidate = true,
				       .tie_breaker = i };
	tl_hmac_key_init(&password, "a guess", 7);
	packet->n = tl_stun_format_check(&check, &password, packet->octets, OCTETS_MAX);
}

static void make_dtls(struct packet *packet, unsigned i)
{
	static const uint8_t head[13] = { 22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 187 };
	fill(packet, 200);
	memcpy(packet->octets, head, sizeof head);
}

static void keep_flight(const uint8_t *octets, size_t n_octets, void *user)
{
	struct packet *packet = user;
	if (packet->n)
		return; /* only the first is a beginning */
	packet->n = MIN(n_octets, OCTETS_MAX);
	memcpy(packet->octets, octets, packet->n);
}

/* A handshake's beginning as it should be, from an address that has proved nothing. */
static void make_hello(struct packet *packet, unsigned i)
{
	struct tl_certificate *certificate = tl_certificate_new(30, NULL);
	struct tl_association_config config = { .certificate = certificate, .role = TL_DTLS_CLIENT };
	struct tl_dtls *dtls = tl_dtls_new(&config, keep_flight, packet);
	tl_dtls_tick(dtls);
	tl_dtls_free(dtls);
	tl_certificate_unref(certificate);
}

static void make_rtp(struct packet *packet, unsigned i)
{
	fill(packet, SRTP_OCTETS);
	packet->octets[0] = 0x80;
	packet->octets[1] = 8;
}

static const struct {
	const char *name;
	void (*make)(struct packet *packet, unsigned i);
} kinds[] = {
	{ "noise", make_noise }, { "stun", make_stun }, { "forged", make_forged },
	{ "dtls", make_dtls },   { "hello", make_hello }, { "rtp", make_rtp },
};

static void make_all(const char *kind)
{
	for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++)
		for (unsigned i = 0; i < KEPT && !strcmp(kinds[k].name, kind); i++)
			kinds[k].make(&packets[i], i);
	if (!packets[0].n)
		g_error("%s: no such kind", kind);
}

static unsigned long run(int fd, struct sockaddr_in *to, unsigned rate)
{
	static struct mmsghdr out[KEPT];
	static struct iovec parts[KEPT];
	unsigned long sent = 0;
	int64_t began_ns = plan_now_ns(), now_ns = began_ns;
	for (unsigned i = 0; i < KEPT; i++) {
		parts[i] = (struct iovec){ packets[i].octets, packets[i].n };
		out[i].msg_hdr = (struct msghdr){ .msg_name = to, .msg_namelen = sizeof *to, .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	for (; plan_sleep_until(now_ns + STEP_NS); now_ns = plan_now_ns()) {
		unsigned long due = (unsigned long)((plan_now_ns() - began_ns) / 1000 * rate / 1000000);
		for (int n = 1; sent < due && n > 0; sent += n > 0 ? (unsigned long)n : 0)
			n = sendmmsg(fd, out, (unsigned)MIN(KEPT, due - sent), MSG_DONTWAIT);
	}
	return sent;
}

int main(int argc, char **argv)
{
	struct plan plan;
	g_autofree char *answers = NULL;
	GError *error = NULL;
	if (argc != 6)
		g_error("usage: flood HOST PORT KIND RATE ANSWERS");
	char *options[] = { argv[0], "-a", argv[1], NULL };
	plan_read(&plan, 3, options);
	tl_thread_become_main();
	if (!g_file_get_contents(argv[5], &answers, NULL, &error) || sscanf(answers, "%*s %*u %15s", ufrag) != 1)
		g_error("answers: %s", error ? error->message : "no name in it");
	make_all(argv[3]);
	struct sockaddr_in to = plan_address(&plan, (unsigned)atoi(argv[2]));
	int fd = plan_socket(&plan, 0);
	puts("ready");
	fflush(stdout);
	printf("{\"sent\": %lu}\n", run(fd, &to, (unsigned)atoi(argv[4])));
	return 0;
}
