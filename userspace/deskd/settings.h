/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* deskd's configuration file: its keys, and all that can be checked without starting. Thread: main. */
#pragma once

#include "acd/acd.h"
#include "base/config.h"
#include "base/log.h"
#include "flow/flow.h"

struct settings {
	struct tl_config *config;
	struct tl_flows *flows;
	enum tl_log_level log_level;
};

extern const struct tl_config_key settings_keys[];

/** Reads and checks all of it; an error is one line with file, line, section, key and what was expected. */
struct settings *settings_load(const char *path, GError **error);
void settings_free(struct settings *settings);

/** The values of one section, borrowed from it. */
struct tl_queue_settings settings_queue(const struct tl_config_section *section);
struct tl_agent_settings settings_agent(const struct tl_config_section *section);
