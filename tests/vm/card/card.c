/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "card/card.h"

#include <stdlib.h>
#include <string.h>

#include "card/falc-regs.h"

enum { CPLD_CLOCK, CPLD_LED_TEST, CPLD_VERSION };

#define CPLD_CLOCK_RUNS 0x04
#define CPLD_CLOCK_T1 0x20 /* read: the jumper */
#define AUX_CPLD 0x80      /* AUX7 selects the CPLD, else AUX6-3 are the framer's A7-4 */
#define FRAMES_MAX 128
#define IDLE_FRAMES 8
#define BREATH_US 150 /* until the guest is looked at again */

static void drive_line(struct tl_card *card)
{
	bool level = tl_tiger_interrupting(&card->tiger) && !card->faults.unplugged;

	if (level == card->line_level)
		return;
	card->line_level = level;
	if (level) {
		card->counters.interrupts++;
	} else {
		card->counters.acknowledgements++;
		tl_guest_served(card->guest);
	}
	tl_irq_set(card->irq, card->number, card->pin, level);
}

static void on_interrupt(void *owner)
{
	drive_line(owner);
}

static uint8_t on_local_read(void *owner, uint8_t aux, unsigned address)
{
	struct tl_card *card = owner;

	if (!(aux & AUX_CPLD))
		return tl_falc_read(&card->falc, (uint8_t)((aux & 0x78) << 1 | address));
	if (address == CPLD_VERSION)
		return 0x02;
	if (address == CPLD_CLOCK)
		return (uint8_t)((card->cpld[CPLD_CLOCK] & ~CPLD_CLOCK_T1) |
				 (card->config.t1 ? CPLD_CLOCK_T1 : 0));
	return card->cpld[address];
}

static void on_local_write(void *owner, uint8_t aux, unsigned address, uint8_t value)
{
	struct tl_card *card = owner;

	if (aux & AUX_CPLD)
		card->cpld[address] = value;
	else
		tl_falc_write(&card->falc, (uint8_t)((aux & 0x78) << 1 | address), value);
}

static uint8_t *on_memory(void *owner, uint32_t address, size_t octets)
{
	struct tl_card *card = owner;

	if (!tl_config_space_master(&card->space))
		return NULL;
	return tl_mpqemu_memory(card->link, address, octets);
}

static const struct tl_tiger_ops tiger_ops = {
	.on_local_read = on_local_read,
	.on_local_write = on_local_write,
	.on_memory = on_memory,
	.on_interrupt = on_interrupt,
};

static uint32_t on_config_read(void *owner, unsigned offset, unsigned octets)
{
	struct tl_card *card = owner;

	card->counters.config_reads++;
	if (card->faults.unplugged)
		return 0xffffffff;
	return tl_config_space_read(&card->space, offset, octets);
}

static void on_config_write(void *owner, unsigned offset, unsigned octets, uint32_t value)
{
	struct tl_card *card = owner;

	card->counters.config_writes++;
	if (card->faults.unplugged)
		return;
	tl_config_space_write(&card->space, offset, octets, value);
	/* A card that is put in later is found with 0 there, and the kernel leaves it: the wires are the same. */
	if (tl_config_space_line(&card->space))
		card->pin = tl_config_space_line(&card->space);
}

static void count_access(struct tl_card *card, uint64_t *counter)
{
	struct tl_card_faults *faults = &card->faults;

	++*counter;
	if (!faults->well_accesses || --faults->well_accesses)
		return;
	faults->garbage_reads = faults->later_garbage_reads;
	faults->ones = faults->later_ones;
}

static uint8_t read_register(struct tl_card *card, unsigned offset)
{
	if (card->faults.ones || card->faults.unplugged)
		return 0xff;
	if (card->faults.garbage_reads) {
		card->faults.garbage_reads--;
		card->counters.garbage_reads++;
		return (uint8_t)rand();
	}
	return tl_tiger_read(&card->tiger, offset);
}

static uint64_t on_bar_read(void *owner, bool memory, uint64_t address, unsigned octets)
{
	struct tl_card *card = owner;
	unsigned offset = tl_config_space_offset(&card->space, memory, address);
	uint64_t value = 0;

	count_access(card, &card->counters.reads);
	for (unsigned i = 0; i < octets; i++)
		value |= (uint64_t)read_register(card, (offset + i) & 0xff) << (8 * i);
	return value;
}

static void on_bar_write(void *owner, bool memory, uint64_t address, unsigned octets, uint64_t value)
{
	struct tl_card *card = owner;
	unsigned offset = tl_config_space_offset(&card->space, memory, address);

	count_access(card, &card->counters.writes);
	if (card->faults.ones || card->faults.unplugged)
		return;
	for (unsigned i = 0; i < octets; i++)
		tl_tiger_write(&card->tiger, (offset + i) & 0xff, (uint8_t)(value >> (8 * i)));
}

static void power_on(struct tl_card *card)
{
	tl_config_space_init(&card->space, card->config.subsystem_vendor, card->config.subsystem_device);
	tl_falc_init(&card->falc, card->config.t1);
	tl_elastic_init(&card->elastic);
	memset(card->cpld, 0, sizeof(card->cpld));
	card->received = (struct tl_line_frame){ .los = true };
	card->late_bits = 0;
}

static void on_reset(void *owner)
{
	struct tl_card *card = owner;

	card->counters.resets++;
	tl_tiger_reset(&card->tiger);
	power_on(card);
}

static const struct tl_mpqemu_ops link_ops = {
	.on_config_read = on_config_read,
	.on_config_write = on_config_write,
	.on_bar_read = on_bar_read,
	.on_bar_write = on_bar_write,
	.on_reset = on_reset,
};

struct tl_card *tl_card_new(const struct tl_card_config *config, unsigned number, int fd,
			    struct tl_irq *irq, struct tl_guest *guest)
{
	struct tl_card *card = calloc(1, sizeof(*card));

	card->config = *config;
	card->number = number;
	card->irq = irq;
	card->guest = guest;
	card->link = tl_mpqemu_new(fd, &link_ops, card);
	card->period_us = 1000;
	card->gap_us = 300;
	tl_tiger_init(&card->tiger, &tiger_ops, card);
	power_on(card);
	card->line = tl_line_new(&config->line);
	if (!card->line) {
		tl_card_free(card);
		return NULL;
	}
	return card;
}

void tl_card_free(struct tl_card *card)
{
	if (!card)
		return;
	tl_line_free(card->line);
	tl_mpqemu_free(card->link);
	free(card);
}

/* In a tick's stead INTA goes up and down with no status bit set. */
static void interrupt_spuriously(struct tl_card *card)
{
	card->faults.spurious_interrupts--;
	card->counters.spurious_interrupts++;
	tl_guest_served(card->guest);
	tl_irq_set(card->irq, card->number, card->pin, true);
	tl_irq_set(card->irq, card->number, card->pin, false);
}

void tl_card_unplug(struct tl_card *card, bool out)
{
	card->faults.unplugged = out;
	drive_line(card);
	if (!out)
		on_reset(card);
}

static void raise_interrupt(struct tl_card *card, uint8_t bits)
{
	struct tl_card_faults *faults = &card->faults;

	if (faults->lose_interrupts) {
		faults->lose_interrupts--;
		card->counters.lost_interrupts++;
		return;
	}
	/* What is late holds back what follows: the status register says it all at once. */
	if (faults->late_interrupts && !card->late_bits) {
		faults->late_interrupts--;
		card->counters.late_interrupts++;
		card->late_tick = card->line_ms + faults->late_ms;
	}
	bits |= card->late_bits;
	card->late_bits = card->line_ms < card->late_tick ? bits : 0;
	if (card->late_bits)
		return;
	tl_tiger_raise(&card->tiger, bits);
}

static void flap(struct tl_card *card)
{
	if (!card->flaps || card->line_ms < card->flap_tick)
		return;
	card->flap_tick = card->line_ms + card->flap_ticks;
	card->falc.faults.los = --card->flaps & 1;
}

/* What a wrong offset does to a serial bus: every octet in the next slot. */
static void misalign(uint8_t octets[TL_TIGER_SLOTS])
{
	uint8_t last = octets[TL_TIGER_SLOTS - 1];

	memmove(octets + 1, octets, TL_TIGER_SLOTS - 1);
	octets[0] = last;
}

static void move_frames(struct tl_card *card, unsigned count, uint8_t transmit[][TL_TIGER_SLOTS],
			uint8_t receive[][TL_TIGER_SLOTS], int64_t now_us)
{
	const bool aligned = tl_falc_aligned(&card->falc) && tl_tiger_aligned(&card->tiger);
	struct tl_line_frame sent;

	card->counters.misaligned += !aligned;
	for (unsigned i = 0; i < count; i++) {
		if (!aligned)
			misalign(transmit[i]);
		tl_falc_frame(&card->falc, transmit[i], tl_elastic_pass(&card->elastic, &card->received),
			      receive[i], &sent);
		if (!aligned)
			misalign(receive[i]);
		tl_line_exchange(card->line, &sent, &card->received, now_us);
	}
	card->line_ms += count / 8;
	flap(card);
}

static bool dma_runs(const struct tl_card *card)
{
	return tl_tiger_running(&card->tiger) && tl_tiger_frames(&card->tiger) &&
	       card->cpld[CPLD_CLOCK] & CPLD_CLOCK_RUNS && !card->faults.dma_stalled;
}

static void tick_with_dma(struct tl_card *card, unsigned count, int64_t now_us)
{
	uint8_t transmit[FRAMES_MAX][TL_TIGER_SLOTS], receive[FRAMES_MAX][TL_TIGER_SLOTS];
	int bits;

	if (tl_tiger_fetch(&card->tiger, count, transmit) < 0)
		return;
	move_frames(card, count, transmit, receive, now_us);
	bits = tl_tiger_store(&card->tiger, count, (const uint8_t(*)[TL_TIGER_SLOTS])receive);
	if (bits < 0)
		return;
	card->counters.ticks++;
	raise_interrupt(card, (uint8_t)bits);
}

/* The framer goes on alone: to the line it sends ones. */
static void tick_without_dma(struct tl_card *card, int64_t now_us)
{
	uint8_t transmit[IDLE_FRAMES][TL_TIGER_SLOTS], receive[IDLE_FRAMES][TL_TIGER_SLOTS];

	memset(transmit, 0xff, sizeof(transmit));
	move_frames(card, IDLE_FRAMES, transmit, receive, now_us);
}

/* Powered and told what line it is on. */
static bool framer_awake(const struct tl_card *card)
{
	return card->falc.written[FMR0] && !card->faults.unplugged;
}

int64_t tl_card_run(struct tl_card *card, int64_t now_us)
{
	const bool with_dma = dma_runs(card);
	const unsigned count = with_dma ? tl_tiger_frames(&card->tiger) : IDLE_FRAMES;
	const int64_t due_us = card->ticked_us + card->period_us * count / 8;

	if (!framer_awake(card))
		return now_us + 100000;
	if (now_us < due_us)
		return due_us;
	if (with_dma && card->line_level && !card->faults.freerun) {
		card->counters.waited_guest++;
		return now_us + 100000;
	}
	if (with_dma && !card->faults.freerun && !tl_guest_breathed(card->guest, card->gap_us)) {
		card->counters.waited_guest++;
		return now_us + BREATH_US;
	}
	if (!tl_line_ready(card->line, count, now_us)) {
		card->counters.waited_line++;
		return tl_line_patience_us(card->line);
	}
	/* Lost wall time is not caught up with. */
	card->ticked_us = now_us - due_us > card->period_us ? now_us : due_us;
	if (with_dma && card->faults.spurious_interrupts && !card->line_level)
		interrupt_spuriously(card);
	else if (with_dma)
		tick_with_dma(card, count, now_us);
	else
		tick_without_dma(card, now_us);
	return card->ticked_us + card->period_us * count / 8;
}
