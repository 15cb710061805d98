// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TigerJet Tiger320 on PCI: firmware-notes/tiger320.md.
 *
 * The interrupt comes once a millisecond, when the card has filled one half of
 * its receive ring and emptied the same half of its transmit ring. Reading
 * port is dear, so the handler reads one register, serves, and writes that
 * register back: an interrupt is acknowledged after the buffers are served.
 */
#include "bus-pci.h"

#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/pci.h>

#include "tiger320-regs.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#define RINGS_OCTETS	(2 * TL_DMA_RING_OCTETS)
#define RESET_MS	2
#define ODD_IN_ROW_MAX	16
#define SETTLE_TRIES	4

static struct tl_pci *of_bus(struct tl_bus *bus)
{
	return container_of(bus, struct tl_pci, bus);
}

static u8 get(struct tl_pci *pci, unsigned int reg)
{
	return READ_ONCE(pci->bus.gone) ? 0xff : inb(pci->io + reg);
}

static void put(struct tl_pci *pci, unsigned int reg, u8 value)
{
	if (!READ_ONCE(pci->bus.gone))
		outb(value, pci->io + reg);
}

/* Most accesses go to the page that is already there. */
static void select_page(struct tl_pci *pci, u8 auxd)
{
	lockdep_assert_held(&pci->bus.lock);
	if (pci->auxd == auxd)
		return;
	pci->auxd = auxd;
	put(pci, TIGER_AUXD, auxd);
}

static u8 framer_read(struct tl_bus *bus, u16 reg)
{
	struct tl_pci *pci = of_bus(bus);

	select_page(pci, TIGER_AUXD_FRAMER(reg));
	return get(pci, TIGER_USER(reg));
}

static void framer_write(struct tl_bus *bus, u16 reg, u8 value)
{
	struct tl_pci *pci = of_bus(bus);

	select_page(pci, TIGER_AUXD_FRAMER(reg));
	put(pci, TIGER_USER(reg), value);
}

static void cpld_write(struct tl_pci *pci, unsigned int reg, u8 value)
{
	select_page(pci, TIGER_AUXD_CPLD);
	put(pci, TIGER_USER(reg), value);
}

/* A read of the CPLD is only seen on the card after a write: tiger320.md Q4. */
static u8 cpld_read(struct tl_pci *pci, unsigned int reg)
{
	cpld_write(pci, CPLD_SCRATCH, 0x69);
	return get(pci, TIGER_USER(reg));
}

static void clock_set(struct tl_bus *bus, unsigned int flags)
{
	u8 value = CPLD_CLOCK_ON;

	if (flags & TL_CLOCK_RECOVERED)
		value |= CPLD_CLOCK_RECOVERED;
	if (flags & TL_CLOCK_REALIGN)
		value |= CPLD_CLOCK_REALIGN;
	cpld_write(of_bus(bus), CPLD_CLOCK, value);
}

static void lamp_set(struct tl_bus *bus, enum tl_lamp lamp, bool test)
{
	u8 value = test ? CPLD_LAMP_TEST : 0;

	if (lamp == TL_LAMP_RED || lamp == TL_LAMP_YELLOW)
		value |= CPLD_LAMP_RED;
	if (lamp == TL_LAMP_GREEN || lamp == TL_LAMP_YELLOW)
		value |= CPLD_LAMP_GREEN;
	cpld_write(of_bus(bus), CPLD_LAMPS, value);
}

static inline unsigned int bit_of(unsigned int half)
{
	return half ? TIGER_INT_RX_SECOND : TIGER_INT_RX_FIRST;
}

static void serve(struct tl_pci *pci)
{
	unsigned int half = pci->next;

	pci->next = half ^ 1;
	pci->on_half(pci->user, half);
}

/*
 * How many half rings wait to be served, from @next on? The position of the DMA
 * tells an even number from an odd one, even when status bits were lost. Both
 * bits at an odd number are three or more: what was due is overwritten, and the
 * order goes on with the half after it. A position outside of the ring is a lie:
 * 0, so that the line stays up and the next try may hear the truth; but not for
 * ever.
 */
static unsigned int halves_due(struct tl_pci *pci, u8 status)
{
	u32 position = inl(pci->io + TIGER_DMA_RX_POSITION) -
		       lower_32_bits(pci->rings_bus + TL_DMA_RING_OCTETS);
	bool both = (status & TIGER_INT_RX) == TIGER_INT_RX;

	if (position >= TL_DMA_RING_OCTETS) {
		if (++pci->odd_in_row < ODD_IN_ROW_MAX)
			return 0;
		return status & bit_of(pci->next ^ 1) ? 2 : 1;
	}
	/* At a half's last word that half is done: tiger320.md Q1. */
	position = (position + 4) % TL_DMA_RING_OCTETS;
	if (position / TL_DMA_HALF_OCTETS != pci->next && !both)
		return 1;
	if (position / TL_DMA_HALF_OCTETS != pci->next) {
		pci->counts.missed++;
		pci->next ^= 1;
	}
	return 2;
}

/* What two readings in a row agree on; else something that cannot be. */
static u8 settled_status(struct tl_pci *pci, u8 status)
{
	unsigned int tries;
	u8 was;

	for (tries = 0; tries < SETTLE_TRIES; tries++) {
		was = status;
		status = inb(pci->io + TIGER_INTSTAT);
		if (status == was)
			return status;
	}
	return TIGER_INT_RESERVED;
}

/*
 * All ones with the line held up, and nobody to acknowledge: the watchdog will
 * listen again. The kernel would turn the line off for good.
 */
static irqreturn_t on_dead(struct tl_pci *pci)
{
	pci->counts.dead++;
	if (++pci->odd_in_row >= ODD_IN_ROW_MAX && !READ_ONCE(pci->muted)) {
		WRITE_ONCE(pci->muted, true);
		disable_irq_nosync(pci->pdev->irq);
	}
	return IRQ_NONE;
}

/* Anything but the one half that is due; @status may be a lie. */
static noinline irqreturn_t on_odd_interrupt(struct tl_pci *pci, u8 status)
{
	unsigned int due;

	trace_tl_odd_interrupt(pci->pdev->irq, status, bit_of(pci->next));
	if (!status) {
		pci->counts.spurious++;
		return IRQ_NONE;
	}
	if (status != 0xff && status & TIGER_INT_RESERVED)
		pci->counts.garbage++;
	status = settled_status(pci, status);
	if (status == 0xff)
		return on_dead(pci);
	if (status & TIGER_INT_RESERVED)
		return IRQ_NONE;
	if (status & TIGER_INT_ABORT)
		pci->counts.aborts++;
	if (READ_ONCE(pci->streaming) && status & TIGER_INT_RX) {
		due = halves_due(pci, status);
		if (!due)
			return IRQ_NONE;
		pci->counts.interrupts++;
		pci->counts.missed += due - 1;
		for (; due; due--) {
			status |= bit_of(pci->next);
			serve(pci);
		}
	}
	outb(status, pci->io + TIGER_INTSTAT);
	return status & (TIGER_INT_RX | TIGER_INT_ABORT) ? IRQ_HANDLED : IRQ_NONE;
}

static irqreturn_t on_interrupt(int irq, void *data)
{
	struct tl_pci *pci = data;
	u8 status;

	if (unlikely(READ_ONCE(pci->bus.gone)))
		return IRQ_NONE;
	status = inb(pci->io + TIGER_INTSTAT);
	if (unlikely((status & ~TIGER_INT_TX) != bit_of(pci->next) ||
		     !READ_ONCE(pci->streaming)))
		return on_odd_interrupt(pci, status);
	pci->counts.interrupts++;
	pci->odd_in_row = 0;
	serve(pci);
	outb(status, pci->io + TIGER_INTSTAT);
	return IRQ_HANDLED;
}

void tl_pci_listen(struct tl_pci *pci)
{
	if (!READ_ONCE(pci->muted))
		return;
	pci->odd_in_row = 0;
	WRITE_ONCE(pci->muted, false);
	enable_irq(pci->pdev->irq);
}

bool tl_pci_rescue(struct tl_pci *pci)
{
	unsigned long flags;
	irqreturn_t handled;

	disable_irq(pci->pdev->irq);
	local_irq_save(flags);
	handled = on_interrupt(pci->pdev->irq, pci);
	local_irq_restore(flags);
	enable_irq(pci->pdev->irq);
	if (handled != IRQ_HANDLED)
		return false;
	pci->counts.lost++;
	return true;
}

static void put_address(struct tl_pci *pci, unsigned int reg, dma_addr_t address)
{
	outl((u32)address, pci->io + reg);
}

/* The card marks a half done when it reaches that half's last four octets. */
static void set_ring(struct tl_pci *pci, unsigned int start, unsigned int middle,
		     unsigned int end, dma_addr_t ring)
{
	put_address(pci, start, ring);
	put_address(pci, middle, ring + TL_DMA_HALF_OCTETS - 4);
	put_address(pci, end, ring + TL_DMA_RING_OCTETS - 4);
}

/* All of it to the card's own ports: tiger320.md Q8. */
static void reset(struct tl_pci *pci)
{
	put(pci, TIGER_CNTL, TIGER_CNTL_RESET);
	put(pci, TIGER_MASK0, 0);
	put(pci, TIGER_MASK1, 0);
	pci->auxd = 0;
	put(pci, TIGER_AUXD, 0);
	put(pci, TIGER_AUXC, TIGER_AUXC_OUTPUTS);
	put(pci, TIGER_SERC, TIGER_SERC_TDM);
	put(pci, TIGER_FSCDELAY, TIGER_FSCDELAY_ONE);
	put(pci, TIGER_CNTL, TIGER_CNTL_WRAP);
}

/*
 * The order is the card's: tiger320.md Q7. What status was kept while masked is
 * cleared first: tiger320.md Q6.
 */
static int start(struct tl_bus *bus, u8 idle)
{
	struct tl_pci *pci = of_bus(bus);

	if (READ_ONCE(bus->gone))
		return -ENODEV;
	tl_dma_init(pci->dma, pci->rings, pci->rings + TL_DMA_RING_OCTETS, idle);
	put(pci, TIGER_CNTL, TIGER_CNTL_RESET | TIGER_CNTL_WRAP);
	msleep(RESET_MS);
	put(pci, TIGER_CNTL, TIGER_CNTL_WRAP);
	set_ring(pci, TIGER_DMA_TX_START, TIGER_DMA_TX_MIDDLE, TIGER_DMA_TX_END,
		 pci->rings_bus);
	set_ring(pci, TIGER_DMA_RX_START, TIGER_DMA_RX_MIDDLE, TIGER_DMA_RX_END,
		 pci->rings_bus + TL_DMA_RING_OCTETS);
	pci->next = 0;
	WRITE_ONCE(pci->streaming, true);
	put(pci, TIGER_INTSTAT, 0xff);
	put(pci, TIGER_MASK0, TIGER_INT_RX | TIGER_INT_ABORT);
	put(pci, TIGER_OPER, TIGER_OPER_DMA);
	put(pci, TIGER_OPER, TIGER_OPER_DMA | TIGER_OPER_RESTART);
	put(pci, TIGER_OPER, TIGER_OPER_DMA);
	return 0;
}

static void stop(struct tl_bus *bus)
{
	struct tl_pci *pci = of_bus(bus);

	put(pci, TIGER_MASK0, 0);
	put(pci, TIGER_OPER, 0);
	WRITE_ONCE(pci->streaming, false);
	synchronize_irq(pci->pdev->irq);
}

static const struct tl_bus_ops ops = {
	.read = framer_read,
	.write = framer_write,
	.clock_set = clock_set,
	.lamp_set = lamp_set,
	.start = start,
	.stop = stop,
};

bool tl_pci_jumper_is_t1(struct tl_pci *pci)
{
	unsigned long flags;
	u8 clock;

	spin_lock_irqsave(&pci->bus.lock, flags);
	clock = cpld_read(pci, CPLD_CLOCK);
	spin_unlock_irqrestore(&pci->bus.lock, flags);
	return clock & CPLD_CLOCK_JUMPER_T1;
}

bool tl_pci_is_present(struct tl_pci *pci)
{
	return pci_device_is_present(pci->pdev);
}

void tl_pci_quiesce(struct tl_pci *pci)
{
	put(pci, TIGER_MASK0, 0);
	put(pci, TIGER_OPER, 0);
}

/* The line clock goes on: the framer behind it has to be there to be found. */
void tl_pci_restore(struct tl_pci *pci)
{
	unsigned long flags;

	pci_set_master(pci->pdev);
	spin_lock_irqsave(&pci->bus.lock, flags);
	reset(pci);
	clock_set(&pci->bus, TL_CLOCK_REALIGN);
	lamp_set(&pci->bus, TL_LAMP_OFF, false);
	spin_unlock_irqrestore(&pci->bus.lock, flags);
}

static int claim(struct tl_pci *pci)
{
	struct pci_dev *pdev = pci->pdev;
	int err;

	err = pci_enable_device(pdev);
	if (err)
		return err;
	err = pci_request_region(pdev, 0, "tl_t1e1");
	if (err)
		goto err_disable;
	err = -ENODEV;
	if (!(pci_resource_flags(pdev, 0) & IORESOURCE_IO) ||
	    pci_resource_len(pdev, 0) < TIGER_IO_OCTETS)
		goto err_release;
	pci->io = pci_resource_start(pdev, 0);
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (err)
		goto err_release;
	return 0;

err_release:
	pci_release_region(pdev, 0);
err_disable:
	pci_disable_device(pdev);
	return err;
}

static void release(struct tl_pci *pci)
{
	pci_clear_master(pci->pdev);
	pci_release_region(pci->pdev, 0);
	pci_disable_device(pci->pdev);
}

int tl_pci_init(struct tl_pci *pci, struct pci_dev *pdev, struct tl_dma *dma,
		void (*on_half)(void *user, unsigned int half), void *user)
{
	int err;

	pci->bus.ops = &ops;
	spin_lock_init(&pci->bus.lock);
	pci->pdev = pdev;
	pci->dma = dma;
	pci->on_half = on_half;
	pci->user = user;
	err = claim(pci);
	if (err)
		return err;
	err = -ENOMEM;
	pci->rings = dma_alloc_coherent(&pdev->dev, RINGS_OCTETS,
					&pci->rings_bus, GFP_KERNEL);
	if (!pci->rings)
		goto err_release;
	tl_pci_restore(pci);
	err = request_irq(pdev->irq, on_interrupt, IRQF_SHARED, "tl_t1e1", pci);
	if (err)
		goto err_free;
	/* For the way back from a slot's reset. */
	pci_save_state(pdev);
	return 0;

err_free:
	dma_free_coherent(&pdev->dev, RINGS_OCTETS, pci->rings, pci->rings_bus);
err_release:
	release(pci);
	return err;
}

/* The line clock is left on, so that the framer goes on sending AIS. */
void tl_pci_done(struct tl_pci *pci)
{
	unsigned long flags;

	tl_pci_quiesce(pci);
	spin_lock_irqsave(&pci->bus.lock, flags);
	lamp_set(&pci->bus, TL_LAMP_OFF, false);
	spin_unlock_irqrestore(&pci->bus.lock, flags);
	WRITE_ONCE(pci->bus.gone, true);
	tl_pci_listen(pci);
	free_irq(pci->pdev->irq, pci);
	dma_free_coherent(&pci->pdev->dev, RINGS_OCTETS, pci->rings,
			  pci->rings_bus);
	release(pci);
}
