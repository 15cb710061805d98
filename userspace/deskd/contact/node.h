/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A node as the desk sees it. Values are borrowed until the next turn of the main loop. Thread: main. */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

/** One node to be commanded; strings are copied. */
struct tl_node_settings {
	const char *name;    /* as the desk calls it; contacts and CDRs carry it */
	const char *address; /* unix:PATH or ws://host:port */
	const char *token;   /* of the role conductor; never logged */
};

struct tl_node_info {
	const char *name;
	bool connected;    /* and its calls are known */
	JsonObject *node;  /* node.schema.json's node; NULL before the first connection */
	GHashTable *spans; /* name -> JsonObject, node.schema.json's span */
};
