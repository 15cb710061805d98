/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A browser as the far end sees it, without a page: a socket, the controlling
 * side of ICE, a DTLS client, SRTP. It does nothing of its own accord; the test
 * that drives it says when to check, to read, to speak. For load, many of them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "secure/dtls.h"
#include "secure/secure.h"
#include "signal/leg.h"

#define FAKE_PACKET_MAX 1500

struct fake_browser {
	int fd;
	union tl_address to;
	struct tl_certificate *certificate;
	struct tl_dtls *dtls;
	struct tl_srtp *send, *receive;
	char username[64];
	struct tl_hmac_key password;
	unsigned checks_answered, checks_refused;
	/* what it says */
	uint16_t sequence;
	uint32_t timestamp, ssrc;
	/* what it heard, while on_packet is NULL: the newest */
	unsigned packets, reports;
	uint8_t packet[FAKE_PACKET_MAX];
	size_t n_packet;
	uint8_t report[FAKE_PACKET_MAX];
	size_t n_report;
	void (*on_packet)(struct fake_browser *browser, const uint8_t *octets, size_t n, void *user);
	void (*on_report)(struct fake_browser *browser, const uint8_t *octets, size_t n, void *user);
	void *user;
};

/** A socket on @host, a certificate of its own. */
void fake_browser_init(struct fake_browser *browser, const char *host);
void fake_browser_done(struct fake_browser *browser);
/** The digest for its offer. */
struct tl_fingerprint fake_browser_fingerprint(const struct fake_browser *browser);
/** Takes the answer: where to check, with which secret. @handshake false: an ICE restart, DTLS stays. */
void fake_browser_aim(struct fake_browser *browser, const struct tl_transport_side *answer, unsigned candidate,
		      bool handshake);
/** Goes on from another port. */
void fake_browser_move(struct fake_browser *browser, const char *host);
void fake_browser_check(struct fake_browser *browser, bool nominate);
/** Reads what has come and lets DTLS act; true once there are keys. */
bool fake_browser_pump(struct fake_browser *browser);
/** Sends one packet. */
void fake_browser_say(struct fake_browser *browser, unsigned payload_type, uint32_t timestamp, const uint8_t *payload,
		      size_t n);
/** Sends the compound packet at @octets, which have TL_SRTP_GROWTH_MAX more of room and are spoilt. */
void fake_browser_report(struct fake_browser *browser, uint8_t *octets, size_t n);
void fake_browser_send_raw(struct fake_browser *browser, const uint8_t *octets, size_t n);
