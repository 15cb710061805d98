/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The node: legs and bridges, what a lone node does with them, the journal of
 * billable facts, and the control protocol that commands all of it. Built from
 * a configuration of values; it opens spans, media, SIP, journal and control
 * server itself. Thread: main.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "call/route.h"
#include "control/control.h"
#include "ip/ip.h"
#include "line/line.h"
#include "media/media.h"
#include "signal/signal.h"
#include "spool/spool.h"

/** A span and what is spoken on it. */
struct tl_access_config {
	struct tl_span_config span;
	struct tl_signalling_config signalling;
	const char *group; /* trunk group, may be NULL */
};

struct tl_node_config {
	const char *name;
	const char *state_dir;  /* journal/, spool/, blobs/, epoch; locked by the caller */
	const char *sounds_dir;
	const char *country;    /* of tones, two letters */
	enum tl_law law;        /* offered first by RTP legs that are not joined to a timeslot */
	unsigned offer_timeout_ms; /* how long an offered leg waits for leg.take before the node routes it */
	unsigned max_legs;
	unsigned journal_segment_kib, journal_max_mib;
	unsigned fax_threads, fax_depth_ms, fax_page_timeout_ms; /* threads 0: as many as processors */
	bool t38;                         /* SIP legs that fax go over to it, and their far ends may */
	enum tl_t38_correction t38_correction;
	unsigned spool_reserve_mib, blob_max_mib, record_threads;
	unsigned sound_cache_mib, sound_max_s;
	struct tl_media_config media;
	const struct tl_access_config *accesses; unsigned n_accesses;
	bool browser_opus; /* rather Opus than G.711 with browsers that have both */
	bool browser_video; /* relayed between two of them */
	unsigned browser_grace_s; /* a browser's leg lives so long without its browser */
	bool sip_on;
	unsigned rtp_timeout_s; /* an RTP party that should send and was not heard for so long is gone; 0: never */
	struct tl_sip_config sip;
	const char *const *trunk_groups; /* of each SIP trunk; entries may be NULL */
	struct tl_control_server_config control;
	const struct tl_route *routes; unsigned n_routes;
};

#define TL_CALL_ERROR (tl_call_error_quark())
GQuark tl_call_error_quark(void);
enum tl_call_error_code { TL_CALL_ERROR_START };

struct tl_node;

/** Which part of the configuration a start failed for, in the words of the configuration file. */
struct tl_node_blame {
	const char *section, *name, *key; /* name may be NULL; borrowed from the configuration */
};

/**
 * tl_node_new - start everything, close the books of the last run, and begin to take calls.
 * @config is borrowed until tl_node_free(). On failure @error says why, @blame where. (transfer full)
 */
struct tl_node *tl_node_new(const struct tl_node_config *config, struct tl_node_blame *blame, GError **error);

/** Takes routes, SIP users, SIP trunks and the limit of the media's load from @config (borrowed during the call but for SIP, which copies). */
void tl_node_reload(struct tl_node *node, const struct tl_node_config *config);

/** Refuses new calls, releases all legs (cause 41), and calls @on_stopped when they are gone or after @within_ms. */
void tl_node_stop(struct tl_node *node, unsigned within_ms, void (*on_stopped)(void *user), void *user);

/** Frees all; what the journal has been given is durable before. NULL is legal. */
void tl_node_free(struct tl_node *node);
