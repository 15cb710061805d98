/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* R2's causes, categories, variants and settings as OpenR2 and as this room name them. Inside R2 only. */
#pragma once

#include <stddef.h>
#include <openr2.h>

#include "signal/r2.h"

/** Q.850 cause of a call that the far end, or OpenR2's own timer, ended so. */
unsigned tl_r2_cause_read(openr2_call_disconnect_cause_t cause);
/** What says @cause best to the far end. Before a call is accepted it is a tone of group B (ITU-T Q.441 4.3.4). */
openr2_call_disconnect_cause_t tl_r2_cause_write(unsigned cause);
/** Q.850 cause of a call that broke. */
unsigned tl_r2_error_cause(openr2_protocol_error_t error);
openr2_variant_t tl_r2_variant_write(enum tl_r2_variant variant);
openr2_calling_party_category_t tl_r2_category_write(enum tl_r2_category category);
/**
 * A context as @config has it, for one channel; OpenR2 fills in what @events lacks. NULL: no memory, or no /proc.
 * (transfer full)
 */
openr2_context_t *tl_r2_context_new(const struct tl_r2_config *config, openr2_event_interface_t *events);
