/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A message from a peer: parsed, held against both schemas, written again. */
#include <stddef.h>
#include <stdint.h>

#include "control/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static void check(const char *schema, const struct tl_message *message)
{
	enum tl_control_role role;
	g_autoptr(GError) error = NULL;
	if (!message->method || !tl_schema_role(tl_schema_get(schema), message->method, &role))
		return;
	bool good = tl_schema_check_params(tl_schema_get(schema), message->method, message->body, &error);
	g_assert(good != (error != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct tl_message message;
	g_autoptr(GError) error = NULL;
	if (!tl_message_parse((const char *)octets, n, &message, &error)) {
		g_assert(error);
		return 0;
	}
	check("node", &message);
	check("desk", &message);
	g_autofree char *text = tl_message_format(&message);
	g_assert(text);
	tl_message_clear(&message);
	return 0;
}
