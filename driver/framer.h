/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A T1/E1 framer with its line interface. Knows neither PCI nor DAHDI.
 *
 * Every function but the first two is called with the bus's lock held, in
 * any context; none sleeps.
 */
#ifndef TL_FRAMER_H
#define TL_FRAMER_H

#include <linux/types.h>

struct tl_bus;

enum tl_line {
	TL_LINE_E1,
	TL_LINE_T1,
};

enum tl_loop {
	TL_LOOP_NONE,
	TL_LOOP_LOCAL,		/* what we send comes back to us; the line gets AIS */
	TL_LOOP_NETWORK,	/* the line gets back what it sends, bit by bit */
	TL_LOOP_PAYLOAD,	/* the line gets back its timeslots, framed anew */
};

/* In-band loop codes sent over a T1 (ANSI T1.403 9.4.1) */
enum tl_loop_code {
	TL_LOOP_CODE_NONE,
	TL_LOOP_CODE_UP,
	TL_LOOP_CODE_DOWN,
};

enum tl_framer_error {
	TL_FRAMER_ERROR_FAS,
	TL_FRAMER_ERROR_MULTIFRAME,
	TL_FRAMER_ERROR_CRC,
	TL_FRAMER_ERROR_CAS,
	TL_FRAMER_ERROR_BIPOLAR,
};

/* What is wrong with the line at this moment */
#define TL_DEFECT_LOS		0x001	/* no signal */
#define TL_DEFECT_AIS		0x002	/* all ones (ITU-T G.775 5) */
#define TL_DEFECT_LFA		0x004	/* out of frame */
#define TL_DEFECT_LMFA		0x008	/* out of the CRC-4 or CAS multiframe */
#define TL_DEFECT_RAI		0x010	/* the far end sees a defect */
#define TL_DEFECT_DISTANT_MFA	0x020	/* the far end has lost the CAS multiframe */
/* Not defects, but seen in the same registers */
#define TL_SEEN_NO_CRC4		0x100	/* the far end sends no CRC-4 multiframe */
#define TL_SEEN_LOOP_UP		0x200
#define TL_SEEN_LOOP_DOWN	0x400

#define TL_DEFECTS_NEAR (TL_DEFECT_LOS | TL_DEFECT_AIS | TL_DEFECT_LFA | \
			 TL_DEFECT_LMFA)

/**
 * struct tl_framer_config - how a line is run
 * @cas: E1: channel-associated signalling in timeslot 16
 * @crc4: E1: CRC-4 multiframe (ITU-T G.704 2.3.3)
 * @ami: AMI instead of HDB3 or B8ZS
 * @d4: T1: superframe instead of extended superframe
 * @build_out: T1: 0, 7.5, 15 or 22.5 dB as 0-3
 * @clear: T1: channels whose bits are never robbed, channel 1 is bit 0
 */
struct tl_framer_config {
	enum tl_line line;
	bool cas;
	bool crc4;
	bool ami;
	bool d4;
	u8 build_out;
	u32 clear;
};

/* What was counted in one second of the line */
struct tl_framer_errors {
	u16 framing;
	u16 code;
	u16 crc;	/* CRC-4 submultiframes or CRC-6 multiframes */
	u16 ebit;	/* E1: submultiframes the far end saw errored */
};

/* The signalling bits of a channel: A is bit 3, D is bit 0 */
struct tl_framer_abcd {
	u8 channel;
	u8 bits;
};

#define TL_FRAMER_ABCD_MAX	4
#define TL_FRAMER_XS_COUNT	16

/**
 * struct tl_framer - all under the bus's lock
 * @base: where its registers begin on the bus
 * @version: of the chip, as VSTR has it
 * @xs: what the write-only signalling registers hold
 */
struct tl_framer {
	struct tl_bus *bus;
	u16 base;
	u8 version;
	bool v1_2;
	bool ais;
	bool rai;
	bool distant_mfa;
	enum tl_loop loop;
	enum tl_loop_code loop_code;
	struct tl_framer_config config;
	u8 xs[TL_FRAMER_XS_COUNT];
};

/**
 * tl_framer_init - find the chip and set what does not depend on the line.
 * Process context; takes the bus's lock. The line is left alone until
 * tl_framer_configure(). Returns -ENODEV if the registers do not answer.
 */
int tl_framer_init(struct tl_framer *framer, struct tl_bus *bus, u16 base);

/* tl_framer_revive - likewise, after a reset; what it was told is kept. */
int tl_framer_revive(struct tl_framer *framer);

/**
 * tl_framer_configure - run the line as @config says. The receiver and the
 * transmitter begin again; AIS, RAI, loops and signalling bits are kept.
 */
void tl_framer_configure(struct tl_framer *framer,
			 const struct tl_framer_config *config);

void tl_framer_ais_set(struct tl_framer *framer, bool ais);
void tl_framer_rai_set(struct tl_framer *framer, bool rai);
/* E1 with CAS: the distant multiframe alarm, bit 6 of timeslot 16 (G.704 5.1.3.2). */
void tl_framer_distant_mfa_set(struct tl_framer *framer, bool alarm);
void tl_framer_loop_set(struct tl_framer *framer, enum tl_loop loop);
/* T1 only; an E1 has no loop codes: nothing is written for one. */
void tl_framer_loop_code_set(struct tl_framer *framer, enum tl_loop_code code);
void tl_framer_clear_set(struct tl_framer *framer, u32 clear);
/* Send one defect of a kind. -EOPNOTSUPP where the line has no such thing. */
int tl_framer_error_send(struct tl_framer *framer, enum tl_framer_error error);

/* Returns TL_DEFECT_* and TL_SEEN_* bits; two registers are read. */
unsigned int tl_framer_defects(struct tl_framer *framer);

/**
 * tl_framer_second - has a second of line time passed since the last call?
 * @errors: that second's counts; untouched if none has passed
 * @slips: increased by the frames slipped since the last call
 */
bool tl_framer_second(struct tl_framer *framer, struct tl_framer_errors *errors,
		      unsigned int *slips);

/**
 * tl_framer_signalling_read - one register of received signalling bits.
 * @index: 0 to tl_framer_signalling_count() - 1
 * @abcd: TL_FRAMER_ABCD_MAX entries. Superframe has A and B only: C and D are 0.
 * Returns how many entries are filled, 0 beyond the last register. While the
 * signal is bad the chip freezes the bits at their last good value.
 */
unsigned int tl_framer_signalling_read(struct tl_framer *framer,
				       unsigned int index,
				       struct tl_framer_abcd *abcd);
unsigned int tl_framer_signalling_count(const struct tl_framer *framer);

/**
 * tl_framer_signalling_set - send signalling bits.
 * @channel: timeslot 1-15, 17-31 of an E1 or channel 1-24 of a T1
 * @abcd: A is bit 3, D is bit 0
 */
void tl_framer_signalling_set(struct tl_framer *framer, unsigned int channel,
			      u8 abcd);

#endif
