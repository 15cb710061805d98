/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The backend that carries a span over UDP: structure-aware TDM, CESoPSN
 * (RFC 5086), in three clock modes. Inside this room only.
 */
#pragma once

#include "line/backend.h"

extern const struct tl_backend tl_pseudowire_backend;
