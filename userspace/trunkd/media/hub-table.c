/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Who a datagram belongs to: chains by a seeded hash. Only what a signed check
 * has brought gets in, so chains stay short whatever strangers send. Thread: tick.
 */
#include <string.h>

#include "media/hub.h"

static uint32_t hash(uint32_t h, const void *octets, size_t n)
{
	for (const uint8_t *at = octets; n; at++, n--)
		h = (h ^ *at) * 16777619u; /* FNV-1a */
	return h ^ h >> 15;
}

static struct tl_browser_secret **name_chain(struct tl_hub *hub, const char *ufrag, size_t n)
{
	return &hub->by_name[hash(hub->seed, ufrag, n) & hub->mask];
}

static struct tl_browser_pair **address_chain(struct tl_hub *hub, unsigned socket, const union tl_address *address)
{
	uint32_t h = hash(hub->seed + socket, &address->v4.sin_port, sizeof address->v4.sin_port);
	if (address->any.sa_family == AF_INET)
		h = hash(h, &address->v4.sin_addr, sizeof address->v4.sin_addr);
	else
		h = hash(h, &address->v6.sin6_addr, sizeof address->v6.sin6_addr);
	return &hub->by_address[h & hub->mask];
}

static bool same(const union tl_address *a, const union tl_address *b)
{
	if (a->any.sa_family != b->any.sa_family || a->v4.sin_port != b->v4.sin_port) /* the port's place is one */
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return !memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) &&
	       a->v6.sin6_scope_id == b->v6.sin6_scope_id;
}

void tl_hub_add_secret(struct tl_hub *hub, struct tl_browser_secret *secret)
{
	struct tl_browser_secret **chain = name_chain(hub, secret->ice.ufrag, TL_ICE_UFRAG_CHARS);
	secret->next = *chain;
	*chain = secret;
}

void tl_hub_remove_secret(struct tl_hub *hub, struct tl_browser_secret *secret)
{
	struct tl_browser_secret **at = name_chain(hub, secret->ice.ufrag, TL_ICE_UFRAG_CHARS);
	while (*at != secret)
		at = &(*at)->next;
	*at = secret->next;
}

struct tl_browser_secret *tl_hub_find_secret(struct tl_hub *hub, const char *ufrag, size_t n)
{
	struct tl_browser_secret *secret = *name_chain(hub, ufrag, n);
	while (secret && (n != TL_ICE_UFRAG_CHARS || memcmp(secret->ice.ufrag, ufrag, n)))
		secret = secret->next;
	return secret;
}

void tl_hub_add_pair(struct tl_hub *hub, struct tl_browser_pair *pair)
{
	struct tl_browser_pair **chain = address_chain(hub, pair->socket, &pair->address);
	pair->next = *chain;
	*chain = pair;
}

void tl_hub_remove_pair(struct tl_hub *hub, struct tl_browser_pair *pair)
{
	struct tl_browser_pair **at = address_chain(hub, pair->socket, &pair->address);
	while (*at != pair)
		at = &(*at)->next;
	*at = pair->next;
}

struct tl_browser_pair *tl_hub_find_pair(struct tl_hub *hub, unsigned socket, const union tl_address *address)
{
	struct tl_browser_pair *pair = *address_chain(hub, socket, address);
	while (pair && (pair->socket != socket || !same(&pair->address, address)))
		pair = pair->next;
	return pair;
}
