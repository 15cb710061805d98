/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The card's line: frames leave, as many frames come. A pseudowire (CESoPSN,
 * RFC 5086) on which the card leads: it sends a packet for every so many frames
 * of its own line time and takes one that the far end, in loop mode, sent for
 * each of them. With too many packets unanswered the line is not ready and line
 * time stands still, so a slow machine loses nothing. Or a loopback plug, or
 * nothing in the socket.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "line/cesop.h"

#define TL_LINE_SLOTS 32

/** 125 us of the line, in one direction, below what a pseudowire can carry. */
struct tl_line_frame {
	bool los; /* no signal */
	bool ais; /* unframed all ones */
	bool rai; /* remote alarm: the sender has lost us */
	bool has_cas;
	uint8_t slots[TL_LINE_SLOTS]; /* E1 1-31, T1 1-24 */
	uint8_t cas[TL_LINE_SLOTS];   /* ABCD in bits 3-0 by timeslot, if has_cas */
};

enum tl_line_kind { TL_LINE_OPEN, TL_LINE_PLUG, TL_LINE_PSEUDOWIRE };

struct tl_line_config {
	enum tl_line_kind kind;
	struct tl_cesop_format format;
	unsigned local_port;
	unsigned remote_port; /* both on 127.0.0.1 */
	unsigned window;      /* packets sent and not answered, at most */
	unsigned patience_ms; /* unanswered so long, the far end counts as gone: LOS */
};

struct tl_line_counters {
	uint64_t packets_sent, packets_received, refused, lost;
	uint64_t stalls;      /* times that patience ran out */
	uint64_t remote_loss; /* packets with R: the far end misses ours */
};

struct tl_line;

/** NULL with a message on stderr if the port cannot be had. @config is copied. */
struct tl_line *tl_line_new(const struct tl_line_config *config);
void tl_line_free(struct tl_line *line);

/** For poll(); -1 without a pseudowire. Call tl_line_receive when it is readable. */
int tl_line_fd(const struct tl_line *line);
void tl_line_receive(struct tl_line *line, int64_t now_us);

/** May @count frames go by at @now_us? If not, ask again when a packet came or at tl_line_patience_us. */
bool tl_line_ready(struct tl_line *line, unsigned count, int64_t now_us);
int64_t tl_line_patience_us(const struct tl_line *line);

/** One frame goes out, one comes in. */
void tl_line_exchange(struct tl_line *line, const struct tl_line_frame *out, struct tl_line_frame *in,
		      int64_t now_us);

const struct tl_line_counters *tl_line_counters(const struct tl_line *line);
