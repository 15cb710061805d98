/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The room's own view of services. */
#pragma once

#include "flow/flow.h"

struct tl_flows *tl_flows_ref(struct tl_flows *flows);
/** NULL when there is none. */
const struct tl_flow_service *tl_flows_service(const struct tl_flows *flows, const char *number);
/** The destination that @key leads to, or NULL. */
const char *tl_flow_menu_lookup(const struct tl_flow_service *service, char key);
