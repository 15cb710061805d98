/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A floor's end of a span: ten packets read and ten sent back each tick, as they came, and nothing else. */
#pragma once

#include "plan.h"

/** Opens all of @plan's. */
void floor_spans_open(const struct plan *plan);
/** A tick's work. */
void floor_spans_relay(const struct plan *plan);
