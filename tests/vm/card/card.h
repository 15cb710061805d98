/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * One emulated card: configuration space, Tiger320, CPLD, FALC56 and its line,
 * wired together; its pace; what goes wrong with it on purpose. All on the main
 * thread's poll loop.
 *
 * Pace: the rings move half a turn (1 ms of line time) when a millisecond of
 * wall clock has gone by, the guest has acknowledged the interrupt before and
 * done something else since (guest.h), and the line is ready. So a slow guest
 * slows line time down and loses nothing; "freerun" takes the guest out of it,
 * as a real card does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "card/config-space.h"
#include "card/elastic.h"
#include "card/falc.h"
#include "card/guest.h"
#include "card/irq.h"
#include "card/line.h"
#include "card/mpqemu.h"
#include "card/tiger.h"

struct tl_card_config {
	bool t1; /* the card's jumper */
	uint16_t subsystem_vendor, subsystem_device;
	struct tl_line_config line;
};

/** What the guest did and the card saw; "zero" clears them. */
struct tl_card_counters {
	uint64_t config_reads, config_writes, reads, writes, resets;
	uint64_t ticks, interrupts, acknowledgements;
	uint64_t lost_interrupts, late_interrupts, spurious_interrupts, garbage_reads;
	uint64_t waited_guest, waited_line; /* ticks that came late for them */
	uint64_t misaligned; /* ticks with the serial bus set up wrong */
};

/** Faults by command. */
struct tl_card_faults {
	unsigned lose_interrupts;   /* the next so many never come */
	unsigned late_interrupts, late_ms; /* the next so many come late */
	unsigned spurious_interrupts;      /* so many come for nothing, in a tick's stead */
	unsigned garbage_reads;     /* the next so many register reads lie */
	bool dma_stalled;
	bool ones;      /* every register reads ones, writes go nowhere */
	unsigned well_accesses;     /* so many are well before these two are as follows */
	unsigned later_garbage_reads;
	bool later_ones;
	bool unplugged; /* so does the configuration space; no DMA, no interrupt */
	bool freerun;
};

struct tl_card {
	struct tl_card_config config;
	unsigned number;
	struct tl_mpqemu *link;
	struct tl_irq *irq;     /* borrowed, shared by all cards */
	struct tl_guest *guest; /* likewise */
	struct tl_line *line;
	struct tl_config_space space;
	struct tl_tiger tiger;
	uint8_t cpld[16];
	struct tl_falc falc;
	struct tl_elastic elastic;
	struct tl_line_frame received;
	struct tl_card_counters counters;
	struct tl_card_faults faults;

	int64_t period_us; /* wall clock between ticks */
	int64_t gap_us;    /* the guest's own time after an acknowledgement */
	int64_t ticked_us;
	unsigned pin;           /* of the interrupt controller, as the firmware told; the slot's, so it outlives the card */
	bool line_level;        /* INTA as last driven */
	uint8_t late_bits;      /* due at late_tick */
	uint64_t late_tick;     /* of line_ms */
	unsigned flaps;         /* edges of LOS still to come, one each flap_ticks */
	uint64_t flap_ticks, flap_tick;
	uint64_t line_ms;       /* line time since power-on */
};

/** Takes over @fd; borrows @irq and @guest. NULL with a message if the line cannot be had. */
struct tl_card *tl_card_new(const struct tl_card_config *config, unsigned number, int fd,
			    struct tl_irq *irq, struct tl_guest *guest);
void tl_card_free(struct tl_card *card);

/** Let time pass. Returns when to be called again, monotonic us, at the latest. */
int64_t tl_card_run(struct tl_card *card, int64_t now_us);

/** Take the card out (true) or put it back as after power-on (false). */
void tl_card_unplug(struct tl_card *card, bool out);
