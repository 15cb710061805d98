/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/route.h"

#include <glib.h>
#include <string.h>

struct tl_routes {
	GHashTable *by_prefix; /* prefix -> struct tl_route */
};

static void route_free(void *data)
{
	struct tl_route *route = data;
	g_free((char *)route->name);
	g_free((char *)route->prefix);
	g_free(route);
}

struct tl_routes *tl_routes_new(void)
{
	struct tl_routes *routes = g_new0(struct tl_routes, 1);
	routes->by_prefix = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, route_free);
	return routes;
}

void tl_routes_free(struct tl_routes *routes)
{
	if (!routes)
		return;
	g_hash_table_unref(routes->by_prefix);
	g_free(routes);
}

bool tl_routes_add(struct tl_routes *routes, const struct tl_route *route)
{
	if (g_hash_table_contains(routes->by_prefix, route->prefix))
		return false;
	struct tl_route *copy = g_memdup2(route, sizeof *route);
	copy->name = g_strdup(route->name);
	copy->prefix = g_strdup(route->prefix);
	g_hash_table_insert(routes->by_prefix, (char *)copy->prefix, copy);
	return true;
}

const struct tl_route *tl_routes_find(const struct tl_routes *routes, const struct tl_number *number)
{
	char text[TL_DIGITS_MAX + 2];
	tl_number_format(number, text);
	for (size_t n = strlen(text);; n--) {
		text[n] = '\0';
		const struct tl_route *route = g_hash_table_lookup(routes->by_prefix, text);
		if (route || !n)
			return route;
	}
}
