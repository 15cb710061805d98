/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The load of browsers: the far ends of spans and of browser legs, each with a
 * socket, ICE checks each 2.5 s, DTLS and SRTP of its own. Says "ready" when all
 * are up; then a packet a leg each 20 ms, like load.c. With -b the far end is the
 * floor: packets of the same size and no more.
 */
#include <netinet/in.h>
#include <opus.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/thread.h"
#include "../unit/fake-browser.h"
#include "spans.h"

#define PACKET_NS 1000000ll
#define READY 256
#define SETTLE_PACKETS 100
#define GREETINGS_MAX 32    /* handshakes under way at once */
#define GREETING_MS 60000
#define CHECK_MS 2500
#define WARM_NS 1000000000ll /* a span that begins with a hold-up of ours would be deeper for good */
#define SPEECH_PACKETS 50   /* a second of Opus, said over and over */
#define G711_PAYLOAD 8
#define OPUS_OCTETS_MAX 400

struct leg {
	struct fake_browser browser;
	struct tl_transport_side answer;
	enum { CHECKING, SHAKING, UP } state;
	unsigned heard, since_ms;
	uint8_t bare[SRTP_OCTETS];
};

static struct leg legs[LEGS_MAX];
static uint8_t speech[SPEECH_PACKETS][OPUS_OCTETS_MAX];
static size_t speech_octets[SPEECH_PACKETS];
static unsigned long rtp_sent, rtp_received, late_ms;
static int epoll_fd;

static void watch(int fd, uint32_t id)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = id };
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void watch_span(int fd, unsigned span)
{
	watch(fd, LEGS_MAX + span);
}

/* ---- coming up ---- */

static void read_answers(const struct plan *plan)
{
	g_autofree char *path = g_build_filename(plan->folder, "answers", NULL), *text = NULL;
	GError *error = NULL;
	if (!g_file_get_contents(path, &text, NULL, &error))
		g_error("%s", error->message);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (unsigned i = 0; i < plan->legs; i++) {
		struct tl_transport_side *answer = &legs[i].answer;
		if (!lines[i] || sscanf(lines[i], "%63s %u %15s %31s %207[^\n]", answer->candidates[0].host,
					&answer->candidates[0].port, answer->ufrag, answer->password, answer->fingerprint) != 5)
			g_error("answers: line %u", i + 1);
	}
}

static void leg_open(struct leg *leg, const struct plan *plan, struct tl_certificate *certificate)
{
	int one = 1;
	fake_browser_init(&leg->browser, plan->host);
	tl_certificate_unref(leg->browser.certificate);
	leg->browser.certificate = tl_certificate_ref(certificate);
	setsockopt(leg->browser.fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
	fake_browser_aim(&leg->browser, &leg->answer, 0, false);
}

/* One step of a leg's way up: its address proved, then its handshake. */
static void leg_greet(struct leg *leg, unsigned ms)
{
	if (ms - leg->since_ms >= 250 && leg->state == CHECKING) {
		leg->since_ms = ms;
		fake_browser_check(&leg->browser, true);
	}
	bool keys = fake_browser_pump(&leg->browser);
	if (leg->state == CHECKING && leg->browser.checks_answered) {
		leg->state = SHAKING;
		fake_browser_aim(&leg->browser, &leg->answer, 0, true);
	} else if (leg->state == SHAKING && keys) {
		leg->state = UP;
	}
}

static void greet_all(const struct plan *plan)
{
	unsigned first = 0;
	int64_t now_ns = plan_now_ns(), began_ns = now_ns;
	for (; first < plan->legs && plan_sleep_until(now_ns); now_ns = plan_now_ns() + PACKET_NS) {
		unsigned ms = 1000 + (unsigned)((now_ns - began_ns) / 1000000);
		if (ms > GREETING_MS)
			g_error("only %u of %u browsers came up", first, plan->legs);
		for (unsigned i = first, n = 0; i < plan->legs && n < GREETINGS_MAX; i++)
			if (legs[i].state != UP) {
				leg_greet(&legs[i], ms);
				n++;
			}
		while (first < plan->legs && legs[first].state == UP)
			first++;
	}
}

static void open_browsers(const struct plan *plan)
{
	g_autofree char *path = g_build_filename(plan->folder, "browsers.pem", NULL);
	GError *error = NULL;
	struct tl_certificate *certificate = tl_certificate_open(path, 30, &error);
	if (!certificate)
		g_error("%s", error->message);
	read_answers(plan);
	for (unsigned i = 0; i < plan->legs; i++)
		leg_open(&legs[i], plan, certificate);
	greet_all(plan);
}

static void open_bare(const struct plan *plan)
{
	int one = 1;
	for (unsigned i = 0; i < plan->legs; i++) {
		struct leg *leg = &legs[i];
		leg->browser.fd = plan_socket(plan, LOAD_RTP_PORT(i));
		leg->browser.to.v4 = plan_address(plan, NODE_BROWSER_PORT);
		setsockopt(leg->browser.fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
		leg->bare[0] = 0x80;
		leg->bare[1] = G711_PAYLOAD;
		leg->bare[10] = (uint8_t)(i >> 8);
		leg->bare[11] = (uint8_t)i;
	}
}

/* Something that changes, like a voice: a tone that wanders under noise. */
static void make_speech(void)
{
	int16_t samples[RTP_SAMPLES];
	int error;
	OpusEncoder *encoder = opus_encoder_create(8000, 1, OPUS_APPLICATION_VOIP, &error);
	opus_encoder_ctl(encoder, OPUS_SET_BITRATE(24000));
	opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(1));
	opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(5));
	for (unsigned i = 0, phase = 0; i < SPEECH_PACKETS; i++) {
		for (unsigned k = 0; k < RTP_SAMPLES; k++) {
			phase += 100 + 40 * (i % 7);
			samples[k] = (int16_t)((int)(phase % 8000) - 4000 + g_random_int_range(-1000, 1000));
		}
		speech_octets[i] = (size_t)opus_encode(encoder, samples, RTP_SAMPLES, speech[i], OPUS_OCTETS_MAX);
	}
	opus_encoder_destroy(encoder);
}

/* ---- in steady state ---- */

static void leg_send(const struct plan *plan, struct leg *leg)
{
	static uint8_t quiet[RTP_SAMPLES];
	struct fake_browser *browser = &leg->browser;
	if (!quiet[0])
		memset(quiet, 0xd5, sizeof quiet);
	rtp_sent++;
	if (plan->bare) {
		leg->bare[3]++;
		fake_browser_send_raw(browser, leg->bare, SRTP_OCTETS);
	} else if (plan->opus) {
		unsigned i = browser->sequence % SPEECH_PACKETS;
		fake_browser_say(browser, OPUS_PAYLOAD, browser->timestamp, speech[i], speech_octets[i]);
		browser->timestamp += 6 * RTP_SAMPLES; /* of 48 kHz, RFC 7587 */
	} else {
		fake_browser_say(browser, G711_PAYLOAD, browser->timestamp, quiet, RTP_SAMPLES);
		browser->timestamp += RTP_SAMPLES;
	}
}

static void heard(const struct plan *plan, struct leg *leg, uint8_t *octets, size_t n, const struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	struct timespec at;
	if (tl_datagram_kind_of(octets, n) != TL_DATAGRAM_RTP)
		return;
	if (!plan->bare && tl_srtp_unprotect(leg->browser.receive, octets, &n))
		return;
	rtp_received++;
	if (++leg->heard <= SETTLE_PACKETS || n != RTP_OCTETS || plan->echo || !header || header->cmsg_type != SCM_TIMESTAMPNS)
		return;
	memcpy(&at, CMSG_DATA(header), sizeof at);
	spans_note_delay(octets + RTP_HEADER, at.tv_sec * 1000000000ll + at.tv_nsec);
}

static void leg_receive(const struct plan *plan, struct leg *leg)
{
	uint8_t octets[2048];
	_Alignas(struct cmsghdr) uint8_t control[64];
	struct iovec part = { octets, sizeof octets };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	ssize_t n = recvmsg(leg->browser.fd, &message, 0);
	if (n > 0)
		heard(plan, leg, octets, (size_t)n, &message);
}

static void receive(const struct plan *plan)
{
	struct epoll_event ready[READY];
	int n;
	while ((n = epoll_wait(epoll_fd, ready, READY, 0)) > 0)
		for (int i = 0; i < n; i++) {
			if (ready[i].data.u32 < LEGS_MAX)
				leg_receive(plan, &legs[ready[i].data.u32]);
			else
				spans_receive(ready[i].data.u32 - LEGS_MAX);
		}
}

static void run(const struct plan *plan)
{
	int64_t step_ns = plan->smooth ? PACKET_NS : TICK_NS, next_ns = plan_now_ns();
	unsigned packets = plan->smooth ? 1 : PW_A_TICK;
	unsigned legs_apart = (unsigned)(2 * TICK_NS / step_ns);
	unsigned checks_apart = (unsigned)(CHECK_MS * 1000000ll / step_ns);
	for (unsigned step = 0; plan_sleep_until(next_ns); step++, next_ns += step_ns) {
		late_ms += (unsigned long)((plan_now_ns() - next_ns) / 1000000);
		if (step * step_ns >= WARM_NS)
			spans_send(plan, packets);
		for (unsigned i = step % legs_apart; i < plan->legs; i += legs_apart)
			leg_send(plan, &legs[i]);
		for (unsigned i = step % checks_apart; i < plan->legs && !plan->bare; i += checks_apart)
			fake_browser_check(&legs[i].browser, true);
		receive(plan);
	}
}

int main(int argc, char **argv)
{
	struct plan plan;
	plan_read(&plan, argc, argv);
	tl_thread_become_main();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	spans_open(&plan, watch_span);
	if (plan.opus)
		make_speech();
	if (plan.bare)
		open_bare(&plan);
	else
		open_browsers(&plan);
	for (unsigned i = 0; i < plan.legs; i++)
		watch(legs[i].browser.fd, i);
	puts("ready");
	fflush(stdout);
	run(&plan);
	printf("{\"rtp_sent\": %lu, \"rtp_received\": %lu, \"late_ms\": %lu, ", rtp_sent, rtp_received, late_ms);
	spans_report();
	puts("}");
	return 0;
}
