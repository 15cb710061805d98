/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ledger/cdr.h"

/*
 * o: the leg's first fact (offered), a: its answer, e: its end. Within a boot the node's monotonic clock gives the
 * durations, across boots only the wall clock can. A second end of the same leg changes nothing.
 */
static const char derive[] =
	"INSERT INTO cdr (node, leg, direction, called, calling, party, service, agent, contact, offered_utc_us, "
	"answered_utc_us, ended_utc_us, duration_ms, billable_ms, cause, by_peer, digits) "
	"SELECT e.node, e.leg, coalesce(o.direction, 'in'), coalesce(o.called, ''), coalesce(o.calling, ''), "
	"(SELECT party FROM fact WHERE node = $1 AND leg = $2 AND party IS NOT NULL ORDER BY sequence DESC LIMIT 1), "
	"(SELECT service FROM fact WHERE node = $1 AND leg = $2 AND service IS NOT NULL ORDER BY sequence DESC LIMIT 1), "
	"(SELECT agent FROM fact WHERE node = $1 AND leg = $2 AND agent IS NOT NULL ORDER BY sequence DESC LIMIT 1), "
	"(SELECT contact FROM fact WHERE node = $1 AND leg = $2 AND contact IS NOT NULL ORDER BY sequence DESC LIMIT 1), "
	"o.utc_us, a.utc_us, e.utc_us, "
	"CASE WHEN e.boot = o.boot THEN (e.at_ns - o.at_ns) / 1000000 "
	"WHEN e.utc_us > o.utc_us THEN (e.utc_us - o.utc_us) / 1000 ELSE 0 END, "
	"CASE WHEN a.sequence IS NULL THEN 0 WHEN e.boot = a.boot THEN (e.at_ns - a.at_ns) / 1000000 "
	"WHEN e.utc_us > a.utc_us THEN (e.utc_us - a.utc_us) / 1000 ELSE 0 END, "
	"coalesce(e.cause, 31), coalesce(e.by_peer, 0), "
	"(SELECT group_concat(digits, '') FROM (SELECT digits FROM fact WHERE node = $1 AND leg = $2 AND fact = 'digits' "
	"ORDER BY sequence) AS d) "
	"FROM fact e JOIN fact o ON o.node = e.node AND o.sequence = "
	"(SELECT min(sequence) FROM fact WHERE node = $1 AND leg = $2) "
	"LEFT JOIN fact a ON a.node = e.node AND a.sequence = "
	"(SELECT min(sequence) FROM fact WHERE node = $1 AND leg = $2 AND fact = 'answered') "
	"WHERE e.node = $1 AND e.sequence = $3 "
	"ON CONFLICT (node, leg) DO NOTHING";

#define COLUMNS                                                                                                      \
	"SELECT node, leg, direction, called, calling, party, service, agent, contact, digits, offered_utc_us, "   \
	"answered_utc_us, ended_utc_us, duration_ms, billable_ms, cause, by_peer FROM cdr "

void tl_cdr_derive(struct tl_transaction *transaction, const char *node, const char *leg, int64_t sequence)
{
	tl_transaction_add(transaction, derive, TL_VALUES(tl_text(node), tl_text(leg), tl_int(sequence)));
}

void tl_cdr_select(struct tl_transaction *transaction, const char *node, const char *leg)
{
	tl_transaction_add(transaction, COLUMNS "WHERE node = $1 AND leg = $2", TL_VALUES(tl_text(node), tl_text(leg)));
}

void tl_cdr_select_latest(struct tl_transaction *transaction, unsigned max, int64_t since_utc_us)
{
	tl_transaction_add(transaction, COLUMNS "WHERE ended_utc_us >= $1 ORDER BY ended_utc_us DESC LIMIT $2",
			   TL_VALUES(tl_int(since_utc_us), tl_int(max)));
}

struct tl_cdr tl_cdr_read(const struct tl_result *result, unsigned statement, unsigned row)
{
	const char *text[10];
	int64_t number[7];
	for (unsigned i = 0; i < G_N_ELEMENTS(text); i++)
		text[i] = tl_result_text(result, statement, row, i);
	for (unsigned i = 0; i < G_N_ELEMENTS(number); i++)
		number[i] = tl_result_int(result, statement, row, G_N_ELEMENTS(text) + i);
	return (struct tl_cdr){ .node = text[0], .leg = text[1], .direction = text[2], .called = text[3], .calling = text[4],
				.party = text[5], .service = text[6], .agent = text[7], .contact = text[8], .digits = text[9],
				.offered_utc_us = number[0], .answered_utc_us = number[1], .ended_utc_us = number[2],
				.duration_ms = number[3], .billable_ms = number[4], .cause = number[5], .by_peer = number[6] };
}
