/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* [browser]: browsers as parties. */
#include <arpa/inet.h>

#include "settings.h"

static bool check_addresses(const struct tl_config_section *section, const char *key, GError **error)
{
	unsigned char octets[16];
	for (const char *const *address = tl_config_list(section, key); *address; address++)
		if (inet_pton(AF_INET, *address, octets) != 1 && inet_pton(AF_INET6, *address, octets) != 1)
			return tl_config_refuse(section, key, error, "%s: expected numeric addresses", *address);
	return true;
}

bool tl_settings_read_browser(struct tl_config *config, struct tl_node_config *node, GError **error)
{
	struct tl_browser_config *browser = &node->media.browser;
	const struct tl_config_section *section = tl_config_section(config, "browser");
	node->browser_grace_s = tl_config_int(section, "grace_s");
	if (!tl_config_next(config, "browser", NULL))
		return true;
	browser->port = tl_config_int(section, "port");
	browser->addresses = tl_config_list(section, "addresses");
	browser->announce = tl_config_list(section, "announce");
	browser->certificate = tl_config_string(section, "certificate");
	browser->certificate_days = tl_config_int(section, "certificate_days");
	browser->sessions_max = tl_config_int(section, "sessions_max");
	browser->consent_ms = tl_config_int(section, "consent_s") * 1000;
	browser->workers = tl_config_int(section, "workers");
	node->browser_opus = tl_config_choice(section, "codec") == 1;
	node->browser_video = tl_config_bool(section, "video");
	node->media.opus = (struct tl_opus_config){
		.bit_rate = tl_config_int(section, "opus_bit_rate"),
		.complexity = tl_config_int(section, "opus_complexity"),
		.dtx = tl_config_bool(section, "opus_dtx"),
	};
	if (browser->port + node->media.threads > 65536)
		return tl_config_refuse(section, "port", error, "expected room for a port a media thread up to 65535");
	if (!browser->addresses[0])
		return tl_config_refuse(section, "addresses", error, "expected at least one numeric address");
	return check_addresses(section, "addresses", error) && check_addresses(section, "announce", error);
}
