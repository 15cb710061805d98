/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The desk's rooms for files, mail and faxes, put together as the configuration says. Decides nothing itself. Thread: main. */
#pragma once

#include "faxjob/faxjob.h"
#include "settings.h"

struct fax_desk;

struct fax_desk_handler {
	tl_fax_changed on_fax;
	tl_post_changed on_delivery;
};

/** (transfer full) Errors name section and key. Rooms are borrowed. */
struct fax_desk *fax_desk_start(struct settings *settings, struct tl_store *store, struct tl_contacts *contacts,
				const struct fax_desk_handler *handler, void *user, GError **error);
/** While the store still works: waits for what is under way. NULL is legal. */
void fax_desk_stop(struct fax_desk *desk);
/** After the contacts are gone. NULL is legal. */
void fax_desk_free(struct fax_desk *desk);
/** [fax], [fax-sender], [fax-line], [faxes] but for its converter, [mail], [webhook] and the domains of [lmtp] anew. */
void fax_desk_reload(struct fax_desk *desk, struct settings *settings);
/** A reign begins, or (0) is over. */
void fax_desk_reign(struct fax_desk *desk, int64_t epoch);
/** A node is connected, is gone. */
void fax_desk_link(struct fax_desk *desk, const char *node, struct tl_control_client *client);
void fax_desk_unlink(struct fax_desk *desk, const char *node);
void fax_desk_spool(struct fax_desk *desk, const char *node, JsonObject *params);
struct tl_faxes *fax_desk_faxes(struct fax_desk *desk);
struct tl_blobs *fax_desk_blobs(struct fax_desk *desk);
