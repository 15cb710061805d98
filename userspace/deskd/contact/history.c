/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What somebody who calls has called for before. */
#include "contact/call.h"

struct asking {
	tl_past_contacts_done on_done;
	void *user;
};

static void on_read(const struct tl_result *result, const GError *error, void *user)
{
	g_autofree struct asking *asking = user;
	unsigned n = result ? tl_result_rows(result, 0) : 0;
	g_autofree struct tl_past_contact *past = g_new0(struct tl_past_contact, n);
	for (unsigned row = 0; row < n; row++)
		past[row] = (struct tl_past_contact){
			.id = tl_result_text(result, 0, row, 0), .service = tl_result_text(result, 0, row, 1),
			.queue = tl_result_text(result, 0, row, 2), .agent = tl_result_text(result, 0, row, 3),
			.outcome = tl_result_text(result, 0, row, 4), .started_utc_us = tl_result_int(result, 0, row, 5),
			.answered_utc_us = tl_result_int(result, 0, row, 6), .ended_utc_us = tl_result_int(result, 0, row, 7),
		};
	asking->on_done(past, n, error, asking->user);
}

void tl_contacts_history(struct tl_contacts *contacts, const char *calling, unsigned max, tl_past_contacts_done on_done,
			 void *user)
{
	struct asking *asking = g_new0(struct asking, 1);
	*asking = (struct asking){ on_done, user };
	struct tl_transaction *t = tl_transaction_new("history");
	tl_transaction_add(t, "SELECT id, service, queue, agent, outcome, started_utc_us, answered_utc_us, ended_utc_us FROM contact "
			      "WHERE calling = $1 AND ended_utc_us IS NOT NULL AND kind = 'call' "
			      "ORDER BY started_utc_us DESC LIMIT $2", TL_VALUES(tl_text(calling), tl_int(max)));
	tl_store_submit(contacts->store, t, on_read, asking);
}
