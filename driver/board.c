// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cards this module drives, and a card's life: found, lost, put to sleep.
 * The order of building up and taking down is in README.md.
 */
#include "board.h"

#include <linux/idr.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "compat.h"

#define WATCH_MS	250

static char *line = "jumper";
module_param(line, charp, 0444);
MODULE_PARM_DESC(line, "What the line is: e1, t1, or jumper (default) as each card's jumper says");

static unsigned int stall_ms = 2000;
module_param(stall_ms, uint, 0644);
MODULE_PARM_DESC(stall_ms, "Milliseconds without an octet until the stream is started anew (default 2000)");

static DEFINE_IDA(numbers);

static const struct tl_board_family te110p = { .name = "TE110P T1/E1" };

#define TE110P(id) {						\
	.vendor = 0xe159, .device = 0x0001,				\
	.subvendor = (id), .subdevice = PCI_ANY_ID,		\
	.driver_data = (kernel_ulong_t)&te110p }

/* The bridge's own id is on many cards; which one it is, the subsystem says. */
static const struct pci_device_id ids[] = {
	TE110P(0x71fe),
	TE110P(0x79fe),
	TE110P(0x795e),
	TE110P(0x79de),
	TE110P(0x797e),
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);

/* Hard IRQ. */
static void on_half(void *user, unsigned int half)
{
	struct tl_board *board = user;

	tl_dma_receive(&board->dma, half);
	tl_span_tick(board->span);
	tl_dma_transmit(&board->dma, half);
}

/* All ones from the status register: is it only that, or is the card out? */
static bool is_out(struct tl_board *board)
{
	struct tl_pci *pci = &board->pci;

	if (tl_pci_is_present(pci))
		return false;
	WRITE_ONCE(pci->bus.gone, true);
	tl_span_lose(board->span);
	dev_err(&pci->pdev->dev, "the card does not answer any more\n");
	return true;
}

static void check_dead(struct tl_board *board)
{
	u64 dead = READ_ONCE(board->pci.counts.dead);

	if (dead == board->watched_dead)
		return;
	board->watched_dead = dead;
	(void)is_out(board);
	/* A card that is out holds no line; a neighbour on it must be heard. */
	tl_pci_listen(&board->pci);
}

static void check_aborts(struct tl_board *board)
{
	u64 aborts = READ_ONCE(board->pci.counts.aborts);

	if (aborts == board->watched_aborts)
		return;
	dev_err_ratelimited(&board->pci.pdev->dev,
			    "%llu transfers were refused by PCI\n",
			    aborts - board->watched_aborts);
	board->watched_aborts = aborts;
}

/* No tick for a while: was only the interrupt lost, or has the card stopped? */
static void check_stream(struct tl_board *board)
{
	unsigned int ticks = tl_span_ticks(board->span);

	if (ticks != board->watched_ticks || !tl_span_is_running(board->span)) {
		board->watched_ticks = ticks;
		board->still_ms = 0;
		return;
	}
	board->still_ms += WATCH_MS;
	if (board->still_ms < stall_ms)
		return;
	board->still_ms = 0;
	if (tl_pci_rescue(&board->pci) || is_out(board))
		return;
	board->stalls++;
	dev_err_ratelimited(&board->pci.pdev->dev,
			    "no octets for %u ms: starting anew\n", stall_ms);
	tl_span_stall(board->span);
}

static void watch(struct work_struct *work)
{
	struct tl_board *board = container_of(to_delayed_work(work),
					      struct tl_board, watchdog);

	tl_span_missed_set(board->span, board->pci.counts.missed);
	check_dead(board);
	check_aborts(board);
	if (!READ_ONCE(board->pci.bus.gone))
		check_stream(board);
	if (!READ_ONCE(board->pci.bus.gone))
		schedule_delayed_work(&board->watchdog,
				      msecs_to_jiffies(WATCH_MS));
}

static enum tl_line line_of(struct tl_board *board)
{
	if (!strcmp(line, "e1"))
		return TL_LINE_E1;
	if (!strcmp(line, "t1"))
		return TL_LINE_T1;
	return tl_pci_jumper_is_t1(&board->pci) ? TL_LINE_T1 : TL_LINE_E1;
}

static int make_span(struct tl_board *board)
{
	struct pci_dev *pdev = board->pci.pdev;
	struct tl_span_parts parts = {
		.parent = &pdev->dev,
		.bus = &board->pci.bus,
		.framer = &board->framer,
		.dma = &board->dma,
		.line = line_of(board),
		.number = board->number,
		.card = board->family->name,
		.location = board->location,
	};

	snprintf(board->location, sizeof(board->location),
		 "PCI Bus %02d Slot %02d", pdev->bus->number,
		 PCI_SLOT(pdev->devfn) + 1);
	board->span = tl_span_new(&parts);
	return board->span ? 0 : -ENOMEM;
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct tl_board *board = kzalloc(sizeof(*board), GFP_KERNEL);
	int err;

	if (!board)
		return -ENOMEM;
	board->family = (const struct tl_board_family *)id->driver_data;
	INIT_DELAYED_WORK(&board->watchdog, watch);
	err = ida_alloc(&numbers, GFP_KERNEL);
	if (err < 0)
		goto err_free;
	board->number = err;
	err = tl_pci_init(&board->pci, pdev, &board->dma, on_half, board);
	if (err) {
		dev_err_probe(&pdev->dev, err, "cannot take the card\n");
		goto err_number;
	}
	err = tl_framer_init(&board->framer, &board->pci.bus, 0);
	if (err) {
		dev_err_probe(&pdev->dev, err, "the framer does not answer\n");
		goto err_pci;
	}
	err = make_span(board);
	if (err)
		goto err_pci;
	pci_set_drvdata(pdev, board);
	err = tl_span_register(board->span);
	if (err) {
		dev_err_probe(&pdev->dev, err, "DAHDI does not take the span\n");
		goto err_span;
	}
	schedule_delayed_work(&board->watchdog, msecs_to_jiffies(WATCH_MS));
	return 0;

err_span:
	tl_span_free(board->span);
err_pci:
	tl_pci_done(&board->pci);
err_number:
	ida_free(&numbers, board->number);
err_free:
	kfree(board);
	return err;
}

static void remove(struct pci_dev *pdev)
{
	struct tl_board *board = pci_get_drvdata(pdev);

	cancel_delayed_work_sync(&board->watchdog);
	if (!tl_pci_is_present(&board->pci))
		WRITE_ONCE(board->pci.bus.gone, true);
	tl_span_unregister(board->span);
	tl_pci_done(&board->pci);
	tl_span_free(board->span);
	ida_free(&numbers, board->number);
	kfree(board);
}

static void pause_board(struct tl_board *board)
{
	cancel_delayed_work_sync(&board->watchdog);
	tl_span_suspend(board->span);
	tl_pci_quiesce(&board->pci);
}

static int revive_board(struct tl_board *board)
{
	int err;

	tl_pci_restore(&board->pci);
	err = tl_framer_revive(&board->framer);
	if (err)
		return err;
	err = tl_span_resume(board->span);
	if (!err)
		schedule_delayed_work(&board->watchdog, msecs_to_jiffies(WATCH_MS));
	return err;
}

static void give_up(struct tl_board *board, int err)
{
	WRITE_ONCE(board->pci.bus.gone, true);
	tl_span_lose(board->span);
	dev_err(&board->pci.pdev->dev, "no way back to the card: %d\n", err);
}

static int suspend(struct device *dev)
{
	struct tl_board *board = dev_get_drvdata(dev);

	pause_board(board);
	/* What a card that is out says of itself must not be given back to it. */
	if (READ_ONCE(board->pci.bus.gone))
		board->pci.pdev->state_saved = true;
	return 0;
}

/* A card that was lost may have been put back meanwhile, and the reverse. */
static int resume(struct device *dev)
{
	struct tl_board *board = dev_get_drvdata(dev);
	int err = -ENODEV;

	WRITE_ONCE(board->pci.bus.gone, !tl_pci_is_present(&board->pci));
	if (!READ_ONCE(board->pci.bus.gone))
		err = revive_board(board);
	if (err)
		give_up(board, err);
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(pm_ops, suspend, resume);

static pci_ers_result_t on_error_detected(struct pci_dev *pdev,
					  pci_channel_state_t state)
{
	struct tl_board *board = pci_get_drvdata(pdev);

	/* A card that still hears must be quiet; where none does, it is harmless. */
	tl_pci_quiesce(&board->pci);
	if (state != pci_channel_io_normal)
		WRITE_ONCE(board->pci.bus.gone, true);
	pause_board(board);
	WRITE_ONCE(board->pci.bus.gone, true);
	if (state == pci_channel_io_perm_failure) {
		tl_span_lose(board->span);
		return PCI_ERS_RESULT_DISCONNECT;
	}
	return PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t on_slot_reset(struct pci_dev *pdev)
{
	struct tl_board *board = pci_get_drvdata(pdev);

	if (!tl_pci_is_present(&board->pci))
		return PCI_ERS_RESULT_DISCONNECT;
	pci_restore_state(pdev);
	pci_save_state(pdev);
	WRITE_ONCE(board->pci.bus.gone, false);
	return PCI_ERS_RESULT_RECOVERED;
}

static void on_error_resume(struct pci_dev *pdev)
{
	struct tl_board *board = pci_get_drvdata(pdev);
	int err = revive_board(board);

	if (err)
		give_up(board, err);
}

static const struct pci_error_handlers error_handlers = {
	.error_detected = on_error_detected,
	.slot_reset = on_slot_reset,
	.resume = on_error_resume,
};

static struct pci_driver driver = {
	.name = "tl_t1e1",
	.id_table = ids,
	.probe = probe,
	.remove = remove,
	.err_handler = &error_handlers,
	.dev_groups = tl_sysfs_groups,
	.driver.pm = pm_sleep_ptr(&pm_ops),
};

/* Another driver may have come first; nobody would hear of it from PCI. */
static void tell_who_holds(struct pci_dev *pdev)
{
	device_lock(&pdev->dev);
	if (pdev->dev.driver && pdev->dev.driver != &driver.driver)
		pci_warn(pdev, "held by %s: unbind it, or put \"blacklist %s\" into /etc/modprobe.d/tl_t1e1.conf\n",
			 pdev->dev.driver->name, pdev->dev.driver->name);
	device_unlock(&pdev->dev);
}

static int __init start(void)
{
	struct pci_dev *pdev = NULL;
	int err;

	if (strcmp(line, "jumper") && strcmp(line, "e1") && strcmp(line, "t1")) {
		pr_err("tl_t1e1: line=%s: expected jumper, e1 or t1\n", line);
		return -EINVAL;
	}
	err = pci_register_driver(&driver);
	if (err)
		return err;
	for_each_pci_dev(pdev)
		if (pci_match_id(ids, pdev))
			tell_who_holds(pdev);
	return 0;
}

static void __exit stop(void)
{
	pci_unregister_driver(&driver);
	ida_destroy(&numbers);
}

module_init(start);
module_exit(stop);

MODULE_DESCRIPTION("T1/E1 cards with a Tiger320 and a FALC56, for DAHDI");
MODULE_AUTHOR("The Trunkline authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");
