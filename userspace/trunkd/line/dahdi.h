/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The backend that carries a span of a telephony card, through DAHDI's
 * channels. Built without DAHDI's headers it refuses to open any. Inside this
 * room only.
 */
#pragma once

#include "line/backend.h"

extern const struct tl_backend tl_dahdi_backend;
