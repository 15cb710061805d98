/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A card on PCI behind a Tiger320: its registers, its interrupt, the memory it
 * masters. Knows nothing of framers but where their registers are.
 */
#ifndef TL_BUS_PCI_H
#define TL_BUS_PCI_H

#include <linux/types.h>

#include "bus.h"
#include "dma.h"

struct pci_dev;

/* Counted in hard IRQ, read anywhere; a torn read of these on 32 bits is harmless. */
struct tl_pci_counts {
	u64 interrupts;
	u64 missed;	/* half rings served late or never */
	u64 spurious;	/* interrupts with nothing to do */
	u64 garbage;	/* status that no Tiger320 has */
	u64 dead;	/* status all ones: nobody answers */
	u64 aborts;	/* the card's DMA was refused by PCI */
	u64 lost;	/* served without their interrupt, by tl_pci_rescue() */
};

/**
 * struct tl_pci - one card
 * @on_half: hard IRQ: half @half of the rings is the CPU's for a millisecond
 * @rings: the transmit ring, then the receive ring; the card masters both
 * @next: the half that is due; hard IRQ
 * @auxd: what AUXD holds; under the bus's lock
 * @streaming: octets are wanted
 * @muted: its interrupt is disabled, for all ones too often; hard IRQ sets
 *	it, tl_pci_listen() clears it
 * @odd_in_row: readings of the status that made no sense; hard IRQ
 */
struct tl_pci {
	struct tl_bus bus;
	struct pci_dev *pdev;
	struct tl_dma *dma;
	void (*on_half)(void *user, unsigned int half);
	void *user;
	unsigned long io;
	u8 *rings;
	dma_addr_t rings_bus;
	unsigned int next;
	u8 auxd;
	bool streaming;
	bool muted;
	unsigned int odd_in_row;
	struct tl_pci_counts counts;
};

/**
 * tl_pci_init - take the card: enable it, claim its registers, give it memory,
 * reset it. Process context. Undoes everything on failure, -errno.
 */
int tl_pci_init(struct tl_pci *pci, struct pci_dev *pdev, struct tl_dma *dma,
		void (*on_half)(void *user, unsigned int half), void *user);
void tl_pci_done(struct tl_pci *pci);

/* Silence the card for suspend or a reset, and bring its registers back. */
void tl_pci_quiesce(struct tl_pci *pci);
void tl_pci_restore(struct tl_pci *pci);

/* Does the card's jumper say T1? Process context. */
bool tl_pci_jumper_is_t1(struct tl_pci *pci);

/**
 * tl_pci_rescue - serve what an interrupt should have announced, if anything.
 * Process context. Returns true if there was something.
 */
bool tl_pci_rescue(struct tl_pci *pci);

/* Enable the interrupt again, if it was disabled for all ones. Process context. */
void tl_pci_listen(struct tl_pci *pci);

/* Does PCI still find the card? Process context. */
bool tl_pci_is_present(struct tl_pci *pci);

#endif
