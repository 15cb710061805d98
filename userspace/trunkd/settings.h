/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* trunkd's configuration file as the values that the node is built from. */
#pragma once

#include "base/config.h"
#include "base/log.h"
#include "call/call.h"

struct tl_settings;

/** Every key there is; settings-keys.c. */
extern const struct tl_config_key tl_settings_keys[];

/** Reads and checks @path; errors name file, line, section and key. (transfer full) */
struct tl_settings *tl_settings_load(const char *path, GError **error);
void tl_settings_free(struct tl_settings *settings);

/** Borrowed, as long as the settings live. */
const struct tl_node_config *tl_settings_node(const struct tl_settings *settings);
enum tl_log_level tl_settings_log_level(const struct tl_settings *settings);

/** Puts @why (transfer full) under the section and key that @blame names. */
void tl_settings_blame(const struct tl_settings *settings, const struct tl_node_blame *blame, GError *why, GError **error);

/** Reads [browser] into @node; settings-browser.c. */
bool tl_settings_read_browser(struct tl_config *config, struct tl_node_config *node, GError **error);

/** Prints every key with its help, as a commented configuration file. */
void tl_settings_print_help(void);
