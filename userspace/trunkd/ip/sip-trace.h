/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The stack's own log, of which the process has one: message traces and the
 * count of messages that it refused by itself come from there. Thread: main.
 */
#pragma once

#include "ip/sip.h"

/** Takes the stack's log over, once a process. */
void tl_trace_init(void);

/** Hands @sip every message from now on (or no more). */
void tl_trace_set(struct tl_sip *sip, bool on);

/** Messages refused as malformed before any file of ours saw them, process-wide since the start. */
uint64_t tl_trace_refused(void);
