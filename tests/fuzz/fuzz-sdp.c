/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Session descriptions from the network; what is read must also be said and read again. */
#include <glib.h>
#include <string.h>

#include "ip/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tl_sdp sdp, again;
	if (tl_sdp_parse((const char *)data, size, &sdp))
		return 0;
	struct tl_rtp_side local = { .host = "192.0.2.1", .port = 4000, .law = TL_LAW_ALAW, .dtmf_payload_type = 101,
				     .sends = true, .receives = true };
	struct tl_rtp_side remote = sdp.side;
	g_assert(sdp.audio < sdp.n_streams);
	if (sdp.side.port)
		tl_sdp_agree(&sdp, &local, &remote);
	char *text = tl_sdp_format(&(struct tl_sdp_local){ .side = &local, .shape = &sdp });
	g_assert(!tl_sdp_parse(text, strlen(text), &again));
	g_assert(again.n_streams == sdp.n_streams && again.audio == sdp.audio);
	g_free(text);
	return 0;
}
