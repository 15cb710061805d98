/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "fake-browser.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "media/rtp.h"

static bool read_host(const char *host, unsigned port, union tl_address *address)
{
	*address = (union tl_address){ 0 };
	if (strchr(host, ':')) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons(port);
		return inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1;
	}
	address->v4.sin_family = AF_INET;
	address->v4.sin_port = htons(port);
	return inet_pton(AF_INET, host, &address->v4.sin_addr) == 1;
}

static socklen_t length_of(const union tl_address *address)
{
	return address->any.sa_family == AF_INET ? sizeof address->v4 : sizeof address->v6;
}

static int open_socket(const char *host)
{
	union tl_address own;
	int octets = 1 << 20;
	g_assert_true(read_host(host, 0, &own));
	int fd = socket(own.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(fd, &own.any, length_of(&own)), ==, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
	return fd;
}

void fake_browser_init(struct fake_browser *browser, const char *host)
{
	GError *error = NULL;
	*browser = (struct fake_browser){ .fd = open_socket(host), .ssrc = g_random_int(), .sequence = 65530,
					  .timestamp = 0xffffff00 };
	browser->certificate = tl_certificate_new(30, &error);
	g_assert_no_error(error);
}

void fake_browser_done(struct fake_browser *browser)
{
	tl_dtls_free(browser->dtls);
	tl_srtp_free(browser->send);
	tl_srtp_free(browser->receive);
	tl_certificate_unref(browser->certificate);
	close(browser->fd);
}

struct tl_fingerprint fake_browser_fingerprint(const struct fake_browser *browser)
{
	struct tl_fingerprint fingerprint;
	GError *error = NULL;
	tl_fingerprint_parse(tl_certificate_fingerprint(browser->certificate), &fingerprint, &error);
	g_assert_no_error(error);
	return fingerprint;
}

void fake_browser_send_raw(struct fake_browser *browser, const uint8_t *octets, size_t n)
{
	/* What a full buffer loses, the network may lose, too. */
	(void)!sendto(browser->fd, octets, n, 0, &browser->to.any, length_of(&browser->to));
}

static void send_flight(const uint8_t *octets, size_t n_octets, void *user)
{
	fake_browser_send_raw(user, octets, n_octets);
}

void fake_browser_aim(struct fake_browser *browser, const struct tl_transport_side *answer, unsigned candidate,
		      bool handshake)
{
	GError *error = NULL;
	struct tl_association_config config = { .certificate = browser->certificate, .role = TL_DTLS_CLIENT };
	g_assert_true(read_host(answer->candidates[candidate].host, answer->candidates[candidate].port, &browser->to));
	g_snprintf(browser->username, sizeof browser->username, "%s:fake", answer->ufrag);
	tl_hmac_key_init(&browser->password, answer->password, strlen(answer->password));
	if (!handshake)
		return;
	tl_fingerprint_parse(answer->fingerprint, &config.peer, &error);
	g_assert_no_error(error);
	tl_dtls_free(browser->dtls);
	g_clear_pointer(&browser->send, tl_srtp_free);
	g_clear_pointer(&browser->receive, tl_srtp_free);
	browser->dtls = tl_dtls_new(&config, send_flight, browser);
}

void fake_browser_move(struct fake_browser *browser, const char *host)
{
	close(browser->fd);
	browser->fd = open_socket(host);
}

void fake_browser_check(struct fake_browser *browser, bool nominate)
{
	uint8_t octets[256];
	struct tl_stun_check check = { .username = browser->username, .priority = 1, .controlling = true,
				       .use_candidate = nominate, .tie_breaker = 1 };
	for (unsigned i = 0; i < sizeof check.transaction; i++)
		check.transaction[i] = g_random_int();
	size_t n = tl_stun_format_check(&check, &browser->password, octets, sizeof octets);
	g_assert_cmpuint(n, >, 0);
	fake_browser_send_raw(browser, octets, n);
}

static void take_keys(struct fake_browser *browser)
{
	struct tl_dtls_keys keys;
	if (browser->send || !tl_dtls_keys(browser->dtls, &keys))
		return;
	struct tl_srtp_config config = { .direction = TL_SRTP_SEND, .profile = keys.profile, .key = keys.send };
	browser->send = tl_srtp_new(&config, NULL);
	config.direction = TL_SRTP_RECEIVE;
	config.key = keys.receive;
	browser->receive = tl_srtp_new(&config, NULL);
}

static void heard_check(struct fake_browser *browser, const uint8_t *octets, size_t n)
{
	struct tl_stun_message message;
	if (tl_stun_parse(octets, n, &message))
		return;
	browser->checks_answered += message.class == TL_STUN_SUCCESS;
	browser->checks_refused += message.class == TL_STUN_ERROR;
}

static void heard(struct fake_browser *browser, uint8_t *octets, size_t n)
{
	enum tl_datagram_kind kind = tl_datagram_kind_of(octets, n);
	if (kind == TL_DATAGRAM_STUN) {
		heard_check(browser, octets, n);
	} else if (kind == TL_DATAGRAM_DTLS && browser->dtls) {
		tl_dtls_feed(browser->dtls, NULL, octets, n);
		take_keys(browser);
	} else if (kind == TL_DATAGRAM_RTCP && browser->receive) {
		if (tl_srtp_unprotect_rtcp(browser->receive, octets, &n))
			return;
		browser->reports++;
		memcpy(browser->report, octets, n);
		browser->n_report = n;
		if (browser->on_report)
			browser->on_report(browser, octets, n, browser->user);
	} else if (kind == TL_DATAGRAM_RTP && browser->receive) {
		if (tl_srtp_unprotect(browser->receive, octets, &n))
			return;
		browser->packets++;
		memcpy(browser->packet, octets, n);
		browser->n_packet = n;
		if (browser->on_packet)
			browser->on_packet(browser, octets, n, browser->user);
	}
}

bool fake_browser_pump(struct fake_browser *browser)
{
	uint8_t octets[FAKE_PACKET_MAX];
	ssize_t n;
	while ((n = recv(browser->fd, octets, sizeof octets, 0)) > 0)
		heard(browser, octets, n);
	if (browser->dtls) {
		tl_dtls_tick(browser->dtls);
		take_keys(browser);
	}
	return browser->send;
}

void fake_browser_say(struct fake_browser *browser, unsigned payload_type, uint32_t timestamp, const uint8_t *payload,
		      size_t n)
{
	uint8_t octets[FAKE_PACKET_MAX];
	struct tl_rtp_packet packet = { .payload_type = payload_type, .sequence = browser->sequence++,
					.timestamp = timestamp, .ssrc = browser->ssrc };
	tl_rtp_format(&packet, octets);
	memcpy(octets + TL_RTP_HEADER_OCTETS, payload, n);
	n += TL_RTP_HEADER_OCTETS;
	g_assert_cmpint(tl_srtp_protect(browser->send, octets, &n, sizeof octets), ==, 0);
	fake_browser_send_raw(browser, octets, n);
}

void fake_browser_report(struct fake_browser *browser, uint8_t *octets, size_t n)
{
	g_assert_cmpint(tl_srtp_protect_rtcp(browser->send, octets, &n, n + TL_SRTP_GROWTH_MAX), ==, 0);
	fake_browser_send_raw(browser, octets, n);
}
