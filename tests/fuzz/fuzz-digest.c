/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Authorization headers from the network. */
#include <glib.h>
#include <string.h>

#include "base/thread.h"
#include "ip/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tl_digest *digest;
	struct tl_digest_fields fields;
	if (!digest) {
		tl_thread_become_main();
		digest = tl_digest_new("r");
	}
	if (!tl_digest_parse((const char *)data, size, &fields))
		return 0;
	g_assert(fields.username[0] && fields.nonce[0] && strlen(fields.response) == 32);
	g_assert(tl_digest_verify(digest, &fields, "INVITE", "00000000000000000000000000000000") != TL_DIGEST_PASSED);
	return 0;
}
