/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A whole desk in the test's process, with a folder of its own and the node's end of the protocol to command. */
#pragma once

#include <glib.h>

#include "../../userspace/deskd/desk.h"
#include "fake-node.h"

#define DESK_CEILING_S 60

struct desk_rig {
	char *dir, *config, *db; /* the folder, deskd.conf and desk.db in it */
	char *web;               /* 127.0.0.1 and a port that was free just now */
	struct fake_node *node;  /* north */
	struct desk *desk;       /* NULL while stopped */
};

/** The folder and the node; no desk yet. */
struct desk_rig *desk_rig_new(void);
/** What the desk is to find in deskd.conf. (transfer full) */
void desk_rig_configure(struct desk_rig *rig, char *text);
void desk_rig_start(struct desk_rig *rig);
/** As SIGTERM does; the node goes on. */
void desk_rig_stop(struct desk_rig *rig);
/** Stops all that runs and removes the folder. */
void desk_rig_free(struct desk_rig *rig);

/** The first column of @sql's first row, read from the store as anybody may, without the desk's help; turns the main loop once. */
gint64 desk_rig_query(struct desk_rig *rig, const char *sql);

/**
 * Asks at the control socket (desk.sock in the folder, token "operator") and waits; both messages are checked against
 * the schema. (transfer full); a refusal ends the test.
 */
JsonObject *desk_rig_ask(struct desk_rig *rig, const char *method, const char *params);

gboolean desk_rig_in_vain(void *what);

#define wait_until(condition)                                                                              \
	do {                                                                                              \
		guint ceiling = g_timeout_add_seconds(DESK_CEILING_S, desk_rig_in_vain, (void *)#condition); \
		while (!(condition))                                                                         \
			g_main_context_iteration(NULL, TRUE);                                                  \
		g_source_remove(ceiling);                                                                    \
	} while (0)
