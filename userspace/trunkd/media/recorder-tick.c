/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What a recorder is given in each tick. Thread: tick. */
#include <string.h>

#include "media/g711.h"
#include "media/recorder.h"

static void take_from(struct tl_recorder *recorder)
{
	struct tl_media *media = recorder->bridge->media;
	struct tl_recorder *last = media->recorders[--media->n_recorders];
	media->recorders[recorder->index] = last;
	last->index = recorder->index;
	recorder->bridge->recorder = NULL;
	recorder->bridge = NULL;
	tl_media_return(media, &recorder->parcel);
}

void tl_bridge_set_recorder(struct tl_bridge *bridge, struct tl_recorder *recorder, struct tl_port *left)
{
	struct tl_media *media = bridge->media;
	if (bridge->recorder)
		take_from(bridge->recorder);
	if (!recorder)
		return;
	bridge->recorder = recorder;
	recorder->bridge = bridge;
	recorder->left = left && left->bridge == bridge ? left : NULL;
	recorder->index = media->n_recorders;
	media->recorders[media->n_recorders++] = recorder;
}

/* What all but @left say together; one of them alone passes untouched. */
static void mix_others(const struct tl_bridge *bridge, const struct tl_port *left, struct tl_record_block *block)
{
	int32_t sum[TL_BLOCK_OCTETS] = { 0 };
	int16_t linear[TL_BLOCK_OCTETS];
	const struct tl_port *only = NULL;
	unsigned n = 0;
	for (unsigned p = 0; p < bridge->n_ports; p++)
		if (bridge->ports[p] != left) {
			only = bridge->ports[p];
			n++;
		}
	block->right_law = only ? only->law : block->left_law;
	if (n == 1) {
		memcpy(block->right, only->said, TL_BLOCK_OCTETS);
		return;
	}
	for (unsigned p = 0; p < bridge->n_ports; p++) {
		const struct tl_port *port = bridge->ports[p];
		if (port == left)
			continue;
		tl_g711_decode(port->law, port->said, linear, TL_BLOCK_OCTETS);
		for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
			sum[i] += linear[i];
	}
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
		linear[i] = CLAMP(sum[i], INT16_MIN, INT16_MAX);
	if (n)
		tl_g711_encode(block->right_law, linear, block->right, TL_BLOCK_OCTETS);
	else
		memset(block->right, tl_law_idle(block->right_law), TL_BLOCK_OCTETS);
}

static void record(struct tl_recorder *recorder)
{
	struct tl_record_block block = { .left_law = TL_LAW_ALAW };
	const struct tl_port *left = recorder->left;
	if (left) {
		block.left_law = left->law;
		memcpy(block.left, left->said, TL_BLOCK_OCTETS);
	}
	mix_others(recorder->bridge, left, &block);
	if (!left) {
		block.left_law = block.right_law;
		memset(block.left, tl_law_idle(block.left_law), TL_BLOCK_OCTETS);
	}
	block.missed = atomic_load_explicit(&recorder->missed, memory_order_relaxed);
	bool fits = tl_ring_push(recorder->blocks, &block);
	atomic_store_explicit(&recorder->missed, fits ? 0 : block.missed + 1, memory_order_relaxed);
}

void tl_recorders_tick(struct tl_media *media)
{
	for (unsigned i = 0; i < media->n_recorders; i++)
		if (!atomic_load_explicit(&media->recorders[i]->paused, memory_order_relaxed))
			record(media->recorders[i]);
}
