/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Which recordings are stored. Thread: main. */
#include <json-glib/json-glib.h>

#include "archive/archive.h"

struct asking {
	tl_archive_recordings_done on_done;
	void *user;
};

/* When it began and ended is what the node wrote. */
static void read_times(const char *text, struct tl_recording *recording)
{
	g_autoptr(JsonNode) node = json_from_string(text, NULL);
	JsonObject *meta = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
	if (!meta)
		return;
	recording->begun_utc_us = json_object_get_int_member_with_default(meta, "begun_utc_us", 0);
	recording->ended_utc_us = json_object_get_int_member_with_default(meta, "ended_utc_us", 0);
}

static void on_read(const struct tl_result *result, const GError *error, void *user)
{
	enum { ID, CALL, AGENT, STATE, META, NAME, SIZE, SHA256, QUEUE, CALLING, CALLED };
	g_autofree struct asking *asking = user;
	unsigned n = result ? tl_result_rows(result, 0) : 0;
	g_autofree struct tl_recording *all = g_new0(struct tl_recording, n);
	for (unsigned row = 0; row < n; row++) {
		all[row] = (struct tl_recording){
			.id = tl_result_text(result, 0, row, ID), .call = tl_result_text(result, 0, row, CALL),
			.agent = tl_result_text(result, 0, row, AGENT), .partial = !g_strcmp0(tl_result_text(result, 0, row, STATE), "partial"),
			.name = tl_result_text(result, 0, row, NAME), .size = tl_result_int(result, 0, row, SIZE),
			.sha256 = tl_result_text(result, 0, row, SHA256), .queue = tl_result_text(result, 0, row, QUEUE),
			.calling = tl_result_text(result, 0, row, CALLING), .called = tl_result_text(result, 0, row, CALLED),
		};
		read_times(tl_result_text(result, 0, row, META), &all[row]);
	}
	asking->on_done(all, n, error, asking->user);
}

void tl_archive_recordings(struct tl_store *store, const struct tl_recording_filter *filter, tl_archive_recordings_done on_done,
			   void *user)
{
	struct asking *asking = g_new0(struct asking, 1);
	*asking = (struct asking){ on_done, user };
	struct tl_transaction *t = tl_transaction_new("recordings");
	tl_transaction_add(t, "SELECT s.id, s.contact, s.agent, s.state, s.meta, p.name, p.size, p.sha256, c.queue, c.calling, c.called "
			      "FROM spool_item s JOIN spool_part p ON p.node = s.node AND p.item = s.item "
			      "JOIN blob b ON b.sha256 = p.sha256 LEFT JOIN contact c ON c.id = s.contact "
			      "WHERE s.kind = 'recording' AND ($1 = '' OR s.contact = $1) AND ($2 = '' OR s.agent = $2) "
			      "AND ($3 = '' OR p.sha256 = $3) ORDER BY s.stored_utc_us DESC LIMIT $4",
			   TL_VALUES(tl_text(filter->call ? filter->call : ""), tl_text(filter->agent ? filter->agent : ""),
				     tl_text(filter->sha256 ? filter->sha256 : ""), tl_int(filter->max)));
	tl_store_submit(store, t, on_read, asking);
}
