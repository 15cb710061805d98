/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The node's own routes: the longest prefix of the called number says where to. Pure. */
#pragma once

#include "call/target.h"
#include "signal/leg.h"

struct tl_route {
	const char *name;
	const char *prefix; /* digits, * and #; a leading + for international numbers; "" fits every number */
	struct tl_target to;
};

struct tl_routes;

/** (transfer full) */
struct tl_routes *tl_routes_new(void);
void tl_routes_free(struct tl_routes *routes);

/** Copies @route. False when one with this prefix is there. */
bool tl_routes_add(struct tl_routes *routes, const struct tl_route *route);

/** The route with the longest prefix of @number, or NULL. Borrowed. */
const struct tl_route *tl_routes_find(const struct tl_routes *routes, const struct tl_number *number);
