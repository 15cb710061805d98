/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Credentials that run out, for TURN servers that share a secret with us and know no users: draft-uberti-behave-turn-rest-00,
 * coturn's use-auth-secret. The secret stays here.
 */
#include "web/inside.h"

#include <string.h>

char *turn_password(const char *secret, const char *username)
{
	guint8 digest[20];
	gsize length = sizeof digest;
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA1, (const guchar *)secret, strlen(secret));
	g_hmac_update(hmac, (const guchar *)username, -1);
	g_hmac_get_digest(hmac, digest, &length);
	g_hmac_unref(hmac);
	return g_base64_encode(digest, length);
}

JsonArray *turn_servers(const struct tl_web *web, const char *agent, int64_t now_utc_us)
{
	JsonArray *servers = json_array_new();
	if (!web->turn || !web->turn[0])
		return servers;
	g_autofree char *username = g_strdup_printf("%" G_GINT64_FORMAT ":%s", now_utc_us / G_USEC_PER_SEC + web->turn_lifetime_s, agent);
	g_autofree char *password = turn_password(web->turn_secret, username);
	JsonArray *urls = json_array_new();
	for (char **url = web->turn; *url; url++)
		json_array_add_string_element(urls, *url);
	JsonObject *server = json_object_new();
	json_object_set_array_member(server, "urls", urls);
	json_object_set_string_member(server, "username", username);
	json_object_set_string_member(server, "credential", password);
	json_array_add_object_element(servers, server);
	return servers;
}
