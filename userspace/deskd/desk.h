/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The desk: the rooms, put together. Decides nothing itself. Thread: main. */
#pragma once

#include "settings.h"

struct desk;

/** Starts; takes @settings (transfer full) in any case. Errors name what could not be had: directory, store, port. */
struct desk *desk_start(struct settings *settings, GError **error);
/** Stops cleanly: the lease is given back, what was submitted is on disk, calls stay up on the nodes. */
void desk_stop(struct desk *desk);
/** New services and queues count from the next call on. (transfer full of @settings) */
void desk_reload(struct desk *desk, struct settings *settings);
