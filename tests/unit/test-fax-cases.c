/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * T.30 case by case, frame by frame, against scripted far ends: what TSB-85 asks of receivers and senders, by its names. All of a
 * group at once, each on a timeslot of its own. Which cases are not here, and why: TSB-85.md.
 */
#include <glib.h>
#include <string.h>

#include "fake-span.h"
#include "fax-rig.h"
#include "fax-tester.h"

#define KEEP_WITHIN_MS 20000
#define CASES_MAX 31
#define TICKS_MAX (FAKE_TICKS_MAX - 10)

static const struct fax_paper two_pages = { .pages = 2, .width = 1728, .length = 60, .x_dpi = 204, .y_dpi = 98 };

struct fax_case {
	const char *name, *script;
	unsigned pages;            /* received and kept, or sent and confirmed */
	enum tl_fax_trouble trouble;
};

/* ---- receiving without ECM ---- */

#define TRAIN "dcs 4800; tcf 4800; hear CFR; "
#define TRAINED "hear DIS; " TRAIN
#define PAGE "page 4800 40; "
#define LAST_PAGE PAGE "say EOP; hear MCF; say DCN; wait 1000"

static const struct fax_case received[] = {
	{ "MRGN01 pages", TRAINED PAGE "say MPS; hear MCF; " LAST_PAGE, 2, TL_FAX_FINE },
	{ "MRGN04 garbled last page", TRAINED "page 4800 90 bad; say EOP; hear RTN; say DCN; wait 1000", 0, TL_FAX_FAR_END },
	{ "MRGN04 garbled page, again", TRAINED "page 4800 90 bad; say MPS; hear RTN; " TRAIN LAST_PAGE, 1, TL_FAX_FINE },
	{ "MRGN07 bad training check", "hear DIS; dcs 4800; tcf 4800 bad; hear FTT; " TRAIN LAST_PAGE, 1, TL_FAX_FINE },
	{ "MRGN08 bad training check, faster", "hear DIS; dcs 2400; tcf 2400 bad; hear FTT; " TRAIN LAST_PAGE, 1, TL_FAX_FINE },
	{ "MRGN09 end of message", TRAINED PAGE "say EOM; hear MCF; " TRAINED LAST_PAGE, 2, TL_FAX_FINE },
	{ "MRGN10 third DIS answered", "hear DIS; hear DIS; " TRAINED LAST_PAGE, 1, TL_FAX_FINE },
	{ "MRGN11 DCS with bad check", "hear DIS; say DCS! 00 0a 70; hear DIS; say DCS! 00 0a 70; " TRAINED LAST_PAGE, 1, TL_FAX_FINE },
	{ "MRGN12 command repeat", "hear DIS; say CRP; hear DIS; say CRP; " TRAINED LAST_PAGE, 1, TL_FAX_FINE },
	{ "MRGN13 DCS without training", "hear DIS; dcs 4800; hear FTT; dcs 4800; hear FTT; " TRAIN LAST_PAGE, 1, TL_FAX_FINE },
	{ "MRGN14 CFR lost", TRAINED TRAIN LAST_PAGE, 1, TL_FAX_FINE },
	{ "MRGN15 CFR lost, DCS without training", TRAINED "dcs 4800; hear FTT; " TRAIN LAST_PAGE, 1, TL_FAX_FINE },
	{ "MRGN16 commands repeated", TRAINED PAGE "say EOM; hear MCF; say EOM; hear MCF; " TRAINED PAGE
	  "say MPS; hear MCF; say MPS; hear MCF; " PAGE "say EOP; hear MCF; say EOP; hear MCF; say DCN; wait 1000", 3, TL_FAX_FINE },
	{ "MRGN17 commands with bad check", TRAINED PAGE "say EOM!; say EOM; hear MCF; " TRAINED PAGE "say MPS!; say MPS; hear MCF; " PAGE
	  "say EOP!; say EOP; hear MCF; say DCN; wait 1000", 3, TL_FAX_FINE },
	{ "V.29 at 9600, 7200 and V.27 ter at 2400", "hear DIS; dcs 9600; tcf 9600 bad; hear FTT; dcs 7200; tcf 7200 bad; hear FTT; dcs 2400; "
	  "tcf 2400; hear CFR; page 2400 20; say EOP; hear MCF; say DCN; wait 1000", 1, TL_FAX_FINE },
	{ "V.29 at 7200", "hear DIS; dcs 7200; tcf 7200; hear CFR; page 7200 40; say EOP; hear MCF; say DCN; wait 1000", 1, TL_FAX_FINE },
	{ "procedure interrupt", TRAINED PAGE "say PRI-MPS; hear MCF; " PAGE "say PRI-EOP; hear MCF; say DCN; wait 1000", 2, TL_FAX_FINE },
	{ "MRGX02 DCN for DCS", "hear DIS; say DCN; wait 1000", 0, TL_FAX_FAR_END },
	{ "MRGX03 DCN for the page", TRAINED TRAIN "say DCN; wait 1000", 0, TL_FAX_FAR_END },
	{ "MRGX04 no page", TRAINED "wait 20000", 0, TL_FAX_LINE },
	{ "MRGX06 nothing after MCF", TRAINED PAGE "say MPS; hear MCF; wait 20000", 1, TL_FAX_LINE },
	{ "MRGX07 no farewell", TRAINED PAGE "say EOP; hear MCF; wait 12000", 1, TL_FAX_FINE },
	{ "MRGX15 TSI", "hear DIS; ahead TSI 04 04 2c; " TRAIN LAST_PAGE, 1, TL_FAX_FINE },
	{ "no command", TRAINED PAGE "wait 20000", 0, TL_FAX_LINE },
	{ "DCN for a command", TRAINED PAGE "say DCN; wait 1000", 0, TL_FAX_FAR_END },
	{ "MRGP05 polled in vain", "hear DIS; say DTC 00 0e 70; hear DCN", 0, TL_FAX_INCOMPATIBLE },
};

/* Of a page that noise swallowed only the command is heard: it is no repetition, and must not be answered as if it were. */
#define CONFIRMED TRAINED PAGE "say MPS; hear MCF; "
#define LOST "wait 3500; say MPS; hear RTN; "
#define UNANSWERED "quiet 5000"

static const struct fax_case lost[] = {
	{ "MPS repeated", CONFIRMED "wait 1500; say MPS; hear MCF; wait 1500; say MPS; hear MCF; " LAST_PAGE, 2, TL_FAX_FINE },
	{ "EOP instead", CONFIRMED "wait 1500; say EOP; hear RTN; " TRAIN LAST_PAGE, 2, TL_FAX_FINE },
	{ "MPS in the middle", CONFIRMED LOST TRAIN PAGE "say MPS; hear MCF; " LAST_PAGE, 3, TL_FAX_FINE },
	{ "MPS after a repeated one", CONFIRMED "wait 1500; say MPS; hear MCF; " LOST TRAIN LAST_PAGE, 2, TL_FAX_FINE },
	{ "MPS after noise", CONFIRMED "ced; say MPS; hear RTN; " TRAIN LAST_PAGE, 2, TL_FAX_FINE },
	{ "first page", TRAINED LOST TRAIN LAST_PAGE, 1, TL_FAX_FINE },
	{ "only page", TRAINED "wait 1500; say EOP; hear RTN; " TRAIN LAST_PAGE, 1, TL_FAX_FINE },
	{ "RTN lost", CONFIRMED LOST "wait 1500; say MPS; hear RTN; " TRAIN LAST_PAGE, 2, TL_FAX_FINE },
	{ "not sent again", CONFIRMED LOST TRAIN "say DCN; wait 1000", 1, TL_FAX_FAR_END },
	{ "again and again", CONFIRMED LOST TRAIN LOST TRAIN "wait 3500; say MPS; hear DCN", 1, TL_FAX_LINE },
	{ "EOM instead", CONFIRMED "wait 1500; say EOM; " UNANSWERED, 1, TL_FAX_LINE },
};

/* ---- receiving with ECM ---- */

#define TRAINED_ECM "hear DIS; dcs 9600 ecm; tcf 9600; hear CFR; "
#define BLOCKS "blocks 9600 3; "
#define LACKING "blocks 9600 3 skip 1; pps EOP 3; hear PPR; "
#define LAST_BLOCKS BLOCKS "pps EOP 3; hear MCF; say DCN; wait 1000"

static const struct fax_case received_ecm[] = {
	{ "OREN10 page", TRAINED_ECM LAST_BLOCKS, 1, TL_FAX_FINE },
	{ "OREN08 pages", TRAINED_ECM BLOCKS "pps MPS 3; hear MCF; " LAST_BLOCKS, 2, TL_FAX_FINE },
	{ "OREN03 continue to correct", TRAINED_ECM LACKING LACKING LACKING LACKING "say CTC 00 0a; hear CTR; blocks 4800 3; "
	  "pps EOP 3; hear MCF; say DCN; wait 1000", 1, TL_FAX_FINE },
	{ "OREN07 given up", TRAINED_ECM LACKING LACKING LACKING LACKING "say EOR 2f; hear ERR; say DCN; wait 1000", 0, TL_FAX_FAR_END },
	{ "frame again", TRAINED_ECM LACKING LAST_BLOCKS, 1, TL_FAX_FINE },
	{ "PPS with bad check", TRAINED_ECM BLOCKS "say PPS! 2f 00 00 02; pps EOP 3; hear MCF; say DCN; wait 1000", 1, TL_FAX_FINE },
	/* SpanDSP breaks off; the page is whole and counts. */
	{ "MCF lost", TRAINED_ECM BLOCKS "pps EOP 3; hear MCF; pps EOP 3 again; hear DCN", 1, TL_FAX_FINE },
	{ "DCN for PPS", TRAINED_ECM BLOCKS "say DCN; wait 1000", 0, TL_FAX_FAR_END },
	{ "nothing after the frames", TRAINED_ECM BLOCKS "wait 20000", 0, TL_FAX_LINE },
};

/* ---- polling for documents ---- */

static const struct fax_case polling[] = {
	{ "MTGP01 nothing to be had", "ced; dis; hear DCN", 0, TL_FAX_INCOMPATIBLE },
	{ "MTGP02 pages", "ced; dis polled; hear DTC; " TRAIN PAGE "say MPS; hear MCF; " LAST_PAGE, 2, TL_FAX_FINE },
};

/* ---- sending ---- */

#define DCS "hear DCS; wait 2500; "
#define CFR DCS "say CFR; "
#define ANSWERED "ced; dis; " CFR
#define ANSWERED_ECM "ced; dis ecm; " CFR
#define LAST_SENT "hear EOP; say MCF; hear DCN"
#define FIRST_SENT "hear MPS; say MCF; "
#define BOTH_SENT FIRST_SENT LAST_SENT

static const struct fax_case sent[] = {
	{ "MTGN01 pages", ANSWERED BOTH_SENT, 2, TL_FAX_FINE },
	{ "MTGN07 no receiver", "ced; dis nothing; hear DCN", 0, TL_FAX_INCOMPATIBLE },
	{ "MTGN09 DIS for CFR", "ced; dis; " DCS "dis; " CFR BOTH_SENT, 2, TL_FAX_FINE },
	{ "MTGN10 DIS with bad check", "ced; say DIS! 00 0e 70; wait 3000; say DIS! 00 0e 70; wait 3000; dis; " CFR BOTH_SENT, 2, TL_FAX_FINE },
	{ "MTGN11 third training answered", "ced; dis; hear DCS; hear DCS; " CFR BOTH_SENT, 2, TL_FAX_FINE },
	{ "MTGN12 CFR with bad check", "ced; dis; " DCS "say CFR!; " DCS "say CFR!; " CFR BOTH_SENT, 2, TL_FAX_FINE },
	{ "MTGN13 command repeat for CFR", "ced; dis; " DCS "say CRP; " CFR BOTH_SENT, 2, TL_FAX_FINE },
	{ "MTGN17 MPS repeated", ANSWERED "hear MPS; hear MPS; " BOTH_SENT, 2, TL_FAX_FINE },
	{ "MTGN18 MCF with bad check", ANSWERED "hear MPS; say MCF!; hear MPS; say MCF!; " BOTH_SENT, 2, TL_FAX_FINE },
	{ "MTGN19 command repeat for MPS", ANSWERED "hear MPS; say CRP; hear MPS; say CRP; " BOTH_SENT, 2, TL_FAX_FINE },
	{ "MTGN20 EOP repeated", ANSWERED FIRST_SENT "hear EOP; hear EOP; " LAST_SENT, 2, TL_FAX_FINE },
	{ "MTGN21 last MCF with bad check", ANSWERED FIRST_SENT "hear EOP; say MCF!; hear EOP; say MCF!; " LAST_SENT, 2, TL_FAX_FINE },
	{ "MTGN22 command repeat for EOP", ANSWERED FIRST_SENT "hear EOP; say CRP; hear EOP; say CRP; " LAST_SENT, 2, TL_FAX_FINE },
	{ "MTGN24 retrain positive", ANSWERED "hear MPS; say RTP; " CFR LAST_SENT, 2, TL_FAX_FINE },
	{ "MTGN25 retrain positive at the end", ANSWERED FIRST_SENT "hear EOP; say RTP; hear DCN", 2, TL_FAX_FINE },
	/* No page is sent twice in one call: its owner calls again, from this page on. */
	{ "MTGN27 retrain negative", ANSWERED "hear MPS; say RTN; quiet 3000", 0, TL_FAX_FAR_END },
	{ "MTGN28 retrain negative at the end", ANSWERED FIRST_SENT "hear EOP; say RTN; quiet 3000", 1, TL_FAX_FAR_END },
	{ "procedure interrupt negative", ANSWERED "hear MPS; say PIN; quiet 3000", 0, TL_FAX_FAR_END },
	{ "procedure interrupt", ANSWERED "hear MPS; say PIP; hear EOP; say PIP; hear DCN", 2, TL_FAX_FINE },
	{ "OTGC04 slower", "ced; dis; " DCS "say FTT; " DCS "say FTT; " CFR BOTH_SENT, 2, TL_FAX_FINE },
	{ "MTGX03 DCN for CFR", "ced; dis; " DCS "say DCN; wait 1000", 0, TL_FAX_LINE },
	{ "MTGX05 DCN for MCF", ANSWERED "hear MPS; say DCN; wait 1000", 0, TL_FAX_FAR_END },
	{ "MTGX06 DCN for the last MCF", ANSWERED FIRST_SENT "hear EOP; say DCN; wait 1000", 1, TL_FAX_FAR_END },
	{ "MTGX07 training unanswered", "ced; dis; hear DCS; hear DCS; hear DCS; hear DCN", 0, TL_FAX_LINE },
	{ "MTGX09 MPS unanswered", ANSWERED "hear MPS; hear MPS; hear MPS; hear DCN", 0, TL_FAX_LINE },
	{ "MTGX10 EOP unanswered", ANSWERED FIRST_SENT "hear EOP; hear EOP; hear EOP; hear DCN", 1, TL_FAX_LINE },
	{ "MTGX11 training never good", "ced; dis; " DCS "say FTT; " DCS "say FTT; " DCS "say FTT; " DCS "say FTT; hear DCN", 0, TL_FAX_LINE },
	{ "MTGX21 garbage for MCF", ANSWERED "hear MPS; say MCF!; " BOTH_SENT, 2, TL_FAX_FINE },
	{ "MTGX23 NSF and CSI", "ced; ahead NSF 00 00; ahead CSI 04 04 2c; dis; " CFR BOTH_SENT, 2, TL_FAX_FINE },
};

static const struct fax_case sent_ecm[] = {
	{ "OTEN06 page", ANSWERED_ECM "hear PPS; say MCF; hear PPS; say MCF; hear DCN", 2, TL_FAX_FINE },
	{ "OTEN02 frame again", ANSWERED_ECM "hear PPS; say PPR 01; hear PPS; say MCF; hear PPS; say PPR 01; hear PPS; say MCF; hear DCN", 2, TL_FAX_FINE },
	{ "OTEN03 not ready", ANSWERED_ECM "hear PPS; say RNR; hear RR; say RNR; hear RR; say MCF; hear PPS; say MCF; hear DCN", 2, TL_FAX_FINE },
	{ "OTEN05 continue to correct", ANSWERED_ECM "hear PPS; say PPR 01; hear PPS; say PPR 01; hear PPS; say PPR 01; hear PPS; say PPR 01; "
	  "hear CTC; say CTR; hear PPS; say MCF; hear PPS; say MCF; hear DCN", 2, TL_FAX_FINE },
	{ "PPS unanswered", ANSWERED_ECM "hear PPS; hear PPS; hear PPS; hear DCN", 0, TL_FAX_LINE },
	{ "DCN for MCF", ANSWERED_ECM "hear PPS; say DCN; wait 1000", 0, TL_FAX_FAR_END },
};

/* ---- being polled ---- */

static const struct fax_case polled[] = {
	{ "MRGP01 pages", "hear DIS; say DTC 00 0e 70; " CFR BOTH_SENT, 2, TL_FAX_FINE },
	{ "MRGP02 with a password", "hear DIS; ahead PWD 9c 9c; say DTC 00 0e 70; " CFR BOTH_SENT, 2, TL_FAX_FINE },
};

/* ---- a group ---- */

struct group {
	const char *name;
	const struct fax_case *cases;
	unsigned n;
	bool sends, calls, ecm;
};

struct play {
	const struct fax_case *is;
	struct fax_tester *tester;
	struct fax_log log;
};

static void begin(struct fax_rig *rig, const struct group *group, struct play *play, unsigned slot)
{
	struct tl_fax_config config = fax_rig_config(group->sends, group->ecm);
	GError *error = NULL;
	config.document = rig->document;
	config.calling = group->calls;
	play->log.directory = rig->directory;
	play->log.port = tl_port_new_timeslot(rig->rig.media, rig->rig.e1, slot, NULL);
	play->tester = fax_tester_new(rig->rig.e1, slot, play->is->name, play->is->script);
	play->log.fax = tl_fax_start(rig->pool, play->log.port, &config, &fax_rig_handler, &play->log, &error);
	g_assert_no_error(error);
}

static bool all_done(const struct play *plays, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!plays[i].log.ended || !fax_tester_done(plays[i].tester))
			return false;
	return true;
}

static void end(const struct group *group, struct play *play)
{
	const struct tl_fax_result *result = &play->log.result;
	if (!play->log.ended || !fax_tester_done(play->tester))
		g_error("%s: neither: script %d, fax %d", play->is->name, fax_tester_done(play->tester), play->log.ended);
	if (result->trouble != play->is->trouble || result->pages != play->is->pages || (!group->sends && play->log.n_kept != play->is->pages))
		g_error("%s: %s, %u pages, %u kept: expected %s, %u pages", play->is->name, result->words, result->pages, play->log.n_kept,
			tl_fax_trouble_name(play->is->trouble), play->is->pages);
	g_test_message("%s: %s, %u pages", play->is->name, result->words, result->pages);
	fax_tester_free(play->tester);
	tl_port_free(play->log.port);
}

static void test_group(const void *data)
{
	const struct group *group = data;
	struct play plays[CASES_MAX] = { 0 };
	struct fax_rig rig;
	fax_rig_init(&rig, &two_pages, KEEP_WITHIN_MS);
	fake_span_wire(rig.rig.e1, 0, 1);
	fake_span_wire(rig.rig.e1, 0, 2);
	tl_port_free(g_steal_pointer(&rig.sender.port));
	tl_port_free(g_steal_pointer(&rig.receiver.port));
	g_assert_cmpuint(group->n, <=, CASES_MAX);
	for (unsigned i = 0; i < group->n; i++) {
		plays[i].is = &group->cases[i];
		begin(&rig, group, &plays[i], i + 1);
	}
	for (unsigned ticks = 0; ticks < TICKS_MAX && !all_done(plays, group->n); ticks++) {
		for (unsigned i = 0; i < group->n; i++)
			fax_tester_speak(plays[i].tester);
		rig_step(&rig.rig, 1);
		for (unsigned i = 0; i < group->n; i++)
			fax_tester_hear(plays[i].tester);
	}
	for (unsigned i = 0; i < group->n; i++)
		end(group, &plays[i]);
	fax_rig_done(&rig);
}

#define GROUP(array, ...) { #array, array, G_N_ELEMENTS(array), __VA_ARGS__ }

static const struct group groups[] = {
	GROUP(received), GROUP(lost), GROUP(received_ecm, .ecm = true), GROUP(polling, .calls = true),
	GROUP(sent, .sends = true, .calls = true), GROUP(sent_ecm, .sends = true, .calls = true, .ecm = true), GROUP(polled, .sends = true),
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++) {
		g_autofree char *name = g_strdup_printf("/fax/cases/%s", groups[i].name);
		g_test_add_data_func(name, &groups[i], test_group);
	}
	return g_test_run();
}
