/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "signal/inband.h"
#include "signal/signalling.h"

G_DEFINE_QUARK(tl-signal-error-quark, tl_signal_error)

const char *tl_signalling_name(enum tl_signalling_kind kind)
{
	static const char *const names[] = { [TL_SIGNALLING_NONE] = "none", [TL_SIGNALLING_PRI_CPE] = "pri-cpe",
					     [TL_SIGNALLING_PRI_NETWORK] = "pri-network", [TL_SIGNALLING_R2] = "r2",
					     [TL_SIGNALLING_CAS_EM_IMMEDIATE] = "cas-em-immediate",
					     [TL_SIGNALLING_CAS_EM_WINK] = "cas-em-wink", [TL_SIGNALLING_CAS_FGD] = "cas-fgd",
					     [TL_SIGNALLING_CAS_FXS_LOOP] = "cas-fxs-loop",
					     [TL_SIGNALLING_CAS_FXS_KEWL] = "cas-fxs-kewl",
					     [TL_SIGNALLING_CAS_FXO_LOOP] = "cas-fxo-loop",
					     [TL_SIGNALLING_CAS_FXO_KEWL] = "cas-fxo-kewl" };
	return names[kind];
}

unsigned tl_slot_hunt(enum tl_slot_hunt hunt, unsigned last, unsigned i, unsigned n)
{
	switch (hunt) {
	case TL_HUNT_HIGHEST:
		return n - i;
	case TL_HUNT_ROUND_ROBIN:
		return (last + i) % n + 1;
	case TL_HUNT_LOWEST:
		break;
	}
	return i + 1;
}

unsigned tl_signalling_idle_slots(const struct tl_signalling *signalling)
{
	unsigned n = 0;
	for (unsigned slot = 1; slot <= tl_span_slots(signalling->span); slot++)
		n += tl_signalling_slot_state(signalling, slot) == TL_SLOT_IDLE;
	return n;
}

enum tl_inband_tone tl_inband_refusal(unsigned cause)
{
	switch (cause) {
	case TL_CAUSE_USER_BUSY:
	case TL_CAUSE_NORMAL_CLEARING:
		return TL_INBAND_BUSY;
	case TL_CAUSE_UNALLOCATED:
	case TL_CAUSE_NO_ROUTE:
	case TL_CAUSE_NUMBER_CHANGED:
	case TL_CAUSE_INVALID_NUMBER:
		return TL_INBAND_UNOBTAINABLE;
	default:
		return TL_INBAND_CONGESTION;
	}
}
