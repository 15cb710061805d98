/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Session descriptions from the network; what is read must also be said and read again. */
#include <glib.h>
#include <string.h>

#include "ip/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *data, size_t size, bool secure)
{
	struct tl_sdp sdp, again;
	if (tl_sdp_parse((const char *)data, size, secure, &sdp))
		return;
	struct tl_rtp_side local = { .host = "192.0.2.1", .port = 4000, .law = TL_LAW_ALAW, .dtmf_payload_type = 101,
				     .sends = true, .receives = true };
	struct tl_rtp_side remote = sdp.side;
	g_assert(sdp.ours < sdp.n_streams && sdp.n_keys <= TL_SDES_MAX && (secure || !sdp.savp));
	if (sdp.side.port)
		tl_sdp_agree(&sdp, &local, &remote);
	bool savp = sdp.savp && sdp.n_keys;
	char *text = tl_sdp_format(&(struct tl_sdp_local){ .side = &local, .shape = &sdp, .savp = savp, .keys = sdp.keys,
							   .n_keys = sdp.n_keys });
	g_assert(!tl_sdp_parse(text, strlen(text), secure, &again));
	g_assert(again.n_streams == sdp.n_streams && again.ours == sdp.ours && again.n_keys == sdp.n_keys);
	for (unsigned i = 0; i < sdp.n_keys; i++)
		g_assert(again.keys[i].tag == sdp.keys[i].tag && tl_sdes_same_key(&again.keys[i], &sdp.keys[i]));
	g_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size, false);
	check(data, size, true);
	return 0;
}
