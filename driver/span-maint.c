// SPDX-License-Identifier: GPL-2.0-only
/*
 * DAHDI's maintenance commands: loops, loop codes, defects sent on purpose.
 * DAHDI holds its span's lock, with interrupts disabled: nothing here sleeps.
 */
#include "span-private.h"

#include "bus.h"

static void stop_all(struct tl_framer *framer)
{
	tl_framer_loop_set(framer, TL_LOOP_NONE);
	tl_framer_loop_code_set(framer, TL_LOOP_CODE_NONE);
}

static int send_code(struct tl_framer *framer, enum tl_loop_code code)
{
	if (framer->config.line != TL_LINE_T1)
		return -EOPNOTSUPP;
	stop_all(framer);
	tl_framer_loop_code_set(framer, code);
	return 0;
}

static int loop(struct tl_framer *framer, enum tl_loop kind)
{
	stop_all(framer);
	tl_framer_loop_set(framer, kind);
	return 0;
}

static int command_framer(struct tl_framer *framer, int command)
{
	switch (command) {
	case DAHDI_MAINT_NONE:
		return loop(framer, TL_LOOP_NONE);
	case DAHDI_MAINT_LOCALLOOP:
		return loop(framer, TL_LOOP_LOCAL);
	case DAHDI_MAINT_NETWORKLINELOOP:
		return loop(framer, TL_LOOP_NETWORK);
	case DAHDI_MAINT_NETWORKPAYLOADLOOP:
		return loop(framer, TL_LOOP_PAYLOAD);
	case DAHDI_MAINT_LOOPUP:
		return send_code(framer, TL_LOOP_CODE_UP);
	case DAHDI_MAINT_LOOPDOWN:
		return send_code(framer, TL_LOOP_CODE_DOWN);
	case DAHDI_MAINT_FAS_DEFECT:
		return tl_framer_error_send(framer, TL_FRAMER_ERROR_FAS);
	case DAHDI_MAINT_MULTI_DEFECT:
		return tl_framer_error_send(framer, TL_FRAMER_ERROR_MULTIFRAME);
	case DAHDI_MAINT_CRC_DEFECT:
		return tl_framer_error_send(framer, TL_FRAMER_ERROR_CRC);
	case DAHDI_MAINT_CAS_DEFECT:
		return tl_framer_error_send(framer, TL_FRAMER_ERROR_CAS);
	case DAHDI_MAINT_BIPOLAR_DEFECT:
		return tl_framer_error_send(framer, TL_FRAMER_ERROR_BIPOLAR);
	default:
		return -EOPNOTSUPP;
	}
}

static void reset_counters(struct tl_span *span)
{
	memset(&span->dahdi.count, 0, sizeof(span->dahdi.count));
	memset(&span->report.performance, 0, sizeof(span->report.performance));
}

int tl_span_maint(struct dahdi_span *dahdi, int command)
{
	struct tl_span *span = tl_span_of(dahdi);
	struct tl_bus *bus = span->parts.bus;
	unsigned long flags;
	int err;

	if (command == DAHDI_RESET_COUNTERS) {
		reset_counters(span);
		return 0;
	}
	spin_lock_irqsave(&bus->lock, flags);
	err = command_framer(span->parts.framer, command);
	spin_unlock_irqrestore(&bus->lock, flags);
	return err;
}
