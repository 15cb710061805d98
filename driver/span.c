// SPDX-License-Identifier: GPL-2.0-only
/*
 * The span's life with DAHDI, and its every millisecond.
 */
#include "span.h"

#include <linux/device.h>
#include <linux/irqflags.h>
#include <linux/slab.h>

#include "bus.h"
#include "compat.h"
#include "span-private.h"

#define SUPERVISE_EVERY		32	/* ticks; a power of two */
#define IDLE_ALAW		0xd5	/* silence (ITU-T G.711) */
#define IDLE_MULAW		0xff

static u8 idle_octet(const struct tl_span *span)
{
	return span->parts.line == TL_LINE_E1 ? IDLE_ALAW : IDLE_MULAW;
}

/*
 * What is cancelled was sent two chunks ago: one for the half ring it waited
 * in, one for the half ring the echo came back in.
 */
static inline void cancel_echo(struct tl_span *span)
{
	struct tl_dma *dma = span->parts.dma;
	bool used = false;
	int i;

	for (i = 0; i < span->dahdi.channels; i++) {
		struct dahdi_chan *chan = &span->chan[i];
		unsigned int slot;

		if (likely(!chan->ec_current))
			continue;
		slot = (u64 *)chan->writechunk - dma->tx;
		_dahdi_ec_chunk(chan, chan->readchunk,
				(u8 *)&span->echo_reference[slot]);
		used = true;
	}
	if (used)
		memcpy(span->echo_reference, dma->tx, sizeof(dma->tx));
}

void tl_span_tick(struct tl_span *span)
{
	const struct tl_dma *dma = span->parts.dma;
	bool aligned = span->parts.line == TL_LINE_E1 ?
		       tl_dma_is_aligned_e1(dma) : tl_dma_is_aligned_t1(dma);

	cancel_echo(span);
	_dahdi_receive(&span->dahdi);
	_dahdi_transmit(&span->dahdi);
	if (span->rs_count)
		tl_span_signalling_poll(span);
	WRITE_ONCE(span->astray, aligned ? 0 : span->astray + 1);
	WRITE_ONCE(span->ticks, span->ticks + 1);
	if (!(span->ticks % SUPERVISE_EVERY))
		queue_work(system_highpri_wq, &span->supervise);
}

unsigned int tl_span_ticks(const struct tl_span *span)
{
	return READ_ONCE(span->ticks);
}

bool tl_span_is_running(const struct tl_span *span)
{
	return READ_ONCE(span->running);
}

static struct tl_framer_config config_of(const struct tl_span *span)
{
	int lineconfig = span->dahdi.lineconfig;
	int lbo = span->dahdi.lbo;

	return (struct tl_framer_config) {
		.line = span->parts.line,
		.cas = span->parts.line == TL_LINE_E1 &&
		       !(lineconfig & DAHDI_CONFIG_CCS),
		.crc4 = lineconfig & DAHDI_CONFIG_CRC4,
		.ami = lineconfig & DAHDI_CONFIG_AMI,
		.d4 = lineconfig & DAHDI_CONFIG_D4,
		/* DAHDI: 1-4 are lengths of cable, 5-7 are 7.5, 15 and 22.5 dB */
		.build_out = lbo > 4 ? lbo - 4 : 0,
		.clear = span->parts.framer->config.clear,
	};
}

static void configure(struct tl_span *span)
{
	struct tl_framer_config config = config_of(span);
	struct tl_bus *bus = span->parts.bus;
	unsigned long flags;

	spin_lock_irqsave(&bus->lock, flags);
	tl_framer_configure(span->parts.framer, &config);
	spin_unlock_irqrestore(&bus->lock, flags);
	tl_span_signalling_update(span);
}

static void send_ais(struct tl_span *span, bool ais)
{
	struct tl_bus *bus = span->parts.bus;
	unsigned long flags;

	spin_lock_irqsave(&bus->lock, flags);
	tl_framer_ais_set(span->parts.framer, ais);
	spin_unlock_irqrestore(&bus->lock, flags);
}

/*
 * The stream begins out of place: let the bus find the frames' beginning. The
 * line has AIS until octets flow, when supervision takes it away.
 */
static int start(struct tl_span *span)
{
	struct tl_bus *bus = span->parts.bus;
	unsigned long flags;

	tl_span_supervise_reset(span);
	memset(span->echo_reference, idle_octet(span), sizeof(span->echo_reference));
	configure(span);
	spin_lock_irqsave(&bus->lock, flags);
	bus->ops->clock_set(bus, TL_CLOCK_REALIGN |
			    (span->recovered_clock ? TL_CLOCK_RECOVERED : 0));
	spin_unlock_irqrestore(&bus->lock, flags);
	return bus->ops->start(bus, idle_octet(span));
}

static void stop(struct tl_span *span)
{
	struct tl_bus *bus = span->parts.bus;

	bus->ops->stop(bus);
	cancel_work_sync(&span->supervise);
	send_ais(span, true);
}

static int on_startup(struct file *file, struct dahdi_span *dahdi)
{
	struct tl_span *span = tl_span_of(dahdi);
	int err = 0;

	mutex_lock(&span->mutex);
	if (span->lost)
		err = -ENODEV;
	else if (span->running)
		configure(span);
	else if (!span->suspended)
		err = start(span);
	if (!err)
		WRITE_ONCE(span->running, true);
	mutex_unlock(&span->mutex);
	return err;
}

static int on_shutdown(struct dahdi_span *dahdi)
{
	struct tl_span *span = tl_span_of(dahdi);

	mutex_lock(&span->mutex);
	if (span->running && !span->suspended)
		stop(span);
	WRITE_ONCE(span->running, false);
	mutex_unlock(&span->mutex);
	return 0;
}

static int on_spanconfig(struct file *file, struct dahdi_span *dahdi,
			 struct dahdi_lineconfig *lc)
{
	struct tl_span *span = tl_span_of(dahdi);
	struct tl_bus *bus = span->parts.bus;
	unsigned long flags;

	if (lc->lbo < 0 || lc->lbo > 7)
		return -EINVAL;
	if (span->parts.line == TL_LINE_T1 && lc->lbo > 0 && lc->lbo < 5)
		dev_notice(span->parts.parent,
			   "line build-out %d: sent with the pulse for 0-133 feet\n",
			   lc->lbo);
	mutex_lock(&span->mutex);
	span->recovered_clock = lc->sync > 0;
	dahdi->syncsrc = span->recovered_clock ? dahdi->spanno : 0;
	if (span->running && !span->suspended) {
		configure(span);
		spin_lock_irqsave(&bus->lock, flags);
		bus->ops->clock_set(bus, span->recovered_clock ?
				    TL_CLOCK_RECOVERED : 0);
		spin_unlock_irqrestore(&bus->lock, flags);
	}
	mutex_unlock(&span->mutex);
	return 0;
}

static int on_chanconfig(struct file *file, struct dahdi_chan *chan, int sigtype)
{
	struct tl_span *span = chan->pvt;

	mutex_lock(&span->mutex);
	tl_span_signalling_update(span);
	mutex_unlock(&span->mutex);
	return 0;
}

static int on_open(struct dahdi_chan *chan)
{
	struct tl_span *span = chan->pvt;

	return READ_ONCE(span->lost) ? -ENODEV : 0;
}

static const struct dahdi_span_ops ops = {
	.owner = THIS_MODULE,
	.spanconfig = on_spanconfig,
	.chanconfig = on_chanconfig,
	.startup = on_startup,
	.shutdown = on_shutdown,
	.open = on_open,
	.rbsbits = tl_span_rbsbits,
	.maint = tl_span_maint,
};

static void describe_e1(struct dahdi_span *dahdi)
{
	dahdi->channels = 31;
	dahdi->deflaw = DAHDI_LAW_ALAW;
	dahdi->spantype = SPANTYPE_DIGITAL_E1;
	dahdi->linecompat = DAHDI_CONFIG_HDB3 | DAHDI_CONFIG_AMI |
			    DAHDI_CONFIG_CCS | DAHDI_CONFIG_CRC4;
	dahdi->lineconfig = DAHDI_CONFIG_HDB3 | DAHDI_CONFIG_CCS;
}

static void describe_t1(struct dahdi_span *dahdi)
{
	dahdi->channels = 24;
	dahdi->deflaw = DAHDI_LAW_MULAW;
	dahdi->spantype = SPANTYPE_DIGITAL_T1;
	dahdi->linecompat = DAHDI_CONFIG_B8ZS | DAHDI_CONFIG_AMI |
			    DAHDI_CONFIG_ESF | DAHDI_CONFIG_D4;
	dahdi->lineconfig = DAHDI_CONFIG_B8ZS | DAHDI_CONFIG_ESF;
}

/* DAHDI's chunks are the dma's own words: nothing is copied for it. */
static void describe_chan(struct tl_span *span, int i)
{
	struct dahdi_chan *chan = &span->chan[i];
	struct tl_dma *dma = span->parts.dma;
	int slot = span->parts.line == TL_LINE_E1 ? tl_dma_slot_e1(i + 1) :
						    tl_dma_slot_t1(i + 1);

	snprintf(chan->name, sizeof(chan->name), "%s/%d", span->dahdi.name, i + 1);
	chan->pvt = span;
	chan->chanpos = i + 1;
	chan->sigcap = DAHDI_SIG_CLEAR | DAHDI_SIG_CAS | DAHDI_SIG_SF |
		       DAHDI_SIG_EM | DAHDI_SIG_EM_E1 | DAHDI_SIG_MTP2 |
		       DAHDI_SIG_FXSLS | DAHDI_SIG_FXSGS | DAHDI_SIG_FXSKS |
		       DAHDI_SIG_FXOLS | DAHDI_SIG_FXOGS | DAHDI_SIG_FXOKS |
		       DAHDI_SIG_DACS_RBS;
	chan->readchunk = (u8 *)&dma->rx[slot];
	chan->writechunk = (u8 *)&dma->tx[slot];
	span->chans[i] = chan;
}

static void describe(struct tl_span *span)
{
	struct dahdi_span *dahdi = &span->dahdi;
	int i;

	snprintf(dahdi->name, sizeof(dahdi->name), "TLT1E1/%d", span->parts.number);
	snprintf(dahdi->desc, sizeof(dahdi->desc), "%s Card %d",
		 span->parts.card, span->parts.number);
	if (span->parts.line == TL_LINE_E1)
		describe_e1(dahdi);
	else
		describe_t1(dahdi);
	dahdi->flags = DAHDI_FLAG_RBS;
	dahdi->chans = span->chans;
	dahdi->ops = &ops;
	for (i = 0; i < dahdi->channels; i++)
		describe_chan(span, i);
}

struct tl_span *tl_span_new(const struct tl_span_parts *parts)
{
	struct tl_span *span = kzalloc(sizeof(*span), GFP_KERNEL);

	if (!span)
		return NULL;
	span->parts = *parts;
	mutex_init(&span->mutex);
	INIT_WORK(&span->supervise, tl_span_supervise);
	describe(span);
	configure(span);
	send_ais(span, true);
	return span;
}

void tl_span_free(struct tl_span *span)
{
	kfree(span);
}

int tl_span_register(struct tl_span *span)
{
	struct dahdi_device *device = dahdi_create_device();
	int err;

	if (!device)
		return -ENOMEM;
	device->manufacturer = "Digium";
	device->devicetype = span->parts.card;
	device->location = span->parts.location;
	list_add_tail(&span->dahdi.device_node, &device->spans);
	err = dahdi_register_device(device, span->parts.parent);
	if (err) {
		dahdi_free_device(device);
		return err < -1 ? err : -EIO;
	}
	span->device = device;
	return 0;
}

void tl_span_unregister(struct tl_span *span)
{
	dahdi_unregister_device(span->device);
	dahdi_free_device(span->device);
	span->device = NULL;
}

static void declare_red(struct tl_span *span)
{
	span->dahdi.alarms = DAHDI_ALARM_RED;
	span->report.alarms = TL_ALARM_RED;
	dahdi_alarm_notify(&span->dahdi);
}

int tl_span_stall(struct tl_span *span)
{
	int err = 0;

	mutex_lock(&span->mutex);
	if (span->running && !span->suspended && !span->lost) {
		stop(span);
		declare_red(span);
		err = start(span);
	}
	mutex_unlock(&span->mutex);
	return err;
}

void tl_span_lose(struct tl_span *span)
{
	mutex_lock(&span->mutex);
	WRITE_ONCE(span->lost, true);
	declare_red(span);
	mutex_unlock(&span->mutex);
}

void tl_span_missed_set(struct tl_span *span, unsigned int missed)
{
	span->device->irqmisses = missed;
}

void tl_span_suspend(struct tl_span *span)
{
	mutex_lock(&span->mutex);
	if (span->running && !span->suspended) {
		stop(span);
		declare_red(span);
	}
	span->suspended = true;
	mutex_unlock(&span->mutex);
}

int tl_span_resume(struct tl_span *span)
{
	int err = 0;

	mutex_lock(&span->mutex);
	span->suspended = false;
	WRITE_ONCE(span->lost, false);
	if (span->running) {
		err = start(span);
	} else {
		configure(span);
		send_ais(span, true);
	}
	mutex_unlock(&span->mutex);
	return err;
}

void tl_span_report(struct tl_span *span, struct tl_span_report *report)
{
	mutex_lock(&span->mutex);
	*report = span->report;
	report->line = span->parts.line;
	report->running = span->running;
	report->recovered_clock = span->recovered_clock;
	report->rai_sent = span->parts.framer->rai;
	report->ais_sent = span->parts.framer->ais ||
			   span->parts.framer->loop == TL_LOOP_LOCAL;
	mutex_unlock(&span->mutex);
}
