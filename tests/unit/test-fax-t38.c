/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Fax machines by T.38 over UDP between two ports of one media engine, with what a network does to datagrams; pages pixel by
 * pixel, and the same promise as by audio: none is confirmed that was not kept.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "fax-rig.h"

#define KEEP_WITHIN_MS 20000
#define AUDIO_TICKS 150

struct way {
	const char *name;
	enum tl_t38_correction correction;
	bool ecm;
	unsigned bit_rate;      /* what both say is the greatest */
	unsigned lose_every, burst; /* datagrams */
};

static const struct way ways[] = {
	{ "plain", TL_T38_PLAIN, false, 14400 },
	{ "plain-ecm", TL_T38_PLAIN, true, 14400 },
	{ "9600", TL_T38_REDUNDANCY, false, 9600 },
	{ "4800-ecm", TL_T38_REDUNDANCY, true, 4800 },
	{ "redundancy-lossy", TL_T38_REDUNDANCY, false, 14400, 12, 3 },
	{ "redundancy-lossy-ecm", TL_T38_REDUNDANCY, true, 14400, 12, 3 },
	{ "fec-lossy", TL_T38_FEC, false, 14400, 16, 3 },
	{ "fec-lossy-ecm", TL_T38_FEC, true, 14400, 16, 3 },
};

static bool loses(void *user)
{
	struct fax_log *log = user;
	return log->right && log->n_packets++ % log->right < log->left;
}

static const struct tl_fax_faults network = { .loses = loses };

struct call {
	struct fax_rig rig;
	struct tl_rtp_side at[2]; /* of the sender, of the receiver */
	struct tl_fax_config sends, receives;
};

static struct tl_port *open_port(struct call *call, unsigned i)
{
	g_autoptr(GError) error = NULL;
	struct tl_port *port = tl_port_new_rtp(call->rig.rig.media, TL_LAW_ALAW, &call->at[i], NULL, &error);
	g_assert_no_error(error);
	return port;
}

static void aim(struct call *call)
{
	tl_port_set_remote(call->rig.sender.port, &call->at[1]);
	tl_port_set_remote(call->rig.receiver.port, &call->at[0]);
}

static void begin(struct call *call, const struct fax_paper *paper, const struct way *way, unsigned keep_within_ms)
{
	*call = (struct call){ .sends = fax_rig_config(true, way->ecm), .receives = fax_rig_config(false, way->ecm) };
	fax_rig_init(&call->rig, paper, keep_within_ms);
	tl_port_free(call->rig.sender.port);
	tl_port_free(call->rig.receiver.port);
	call->rig.sender.port = open_port(call, 0);
	call->rig.receiver.port = open_port(call, 1);
	for (unsigned i = 0; i < 2; i++)
		call->at[i].t38 = (struct tl_t38_side){ .on = true, .bit_rate = way->bit_rate, .datagram = 1400, .correction = way->correction };
	call->sends.t38 = call->at[1].t38;
	call->receives.t38 = call->at[0].t38;
	call->sends.faults = call->receives.faults = &network;
	for (unsigned i = 0; i < 2; i++) {
		struct fax_log *log = i ? &call->rig.receiver : &call->rig.sender;
		log->left = way->burst;
		log->right = way->lose_every;
	}
}

static void test_way(const void *data)
{
	const struct fax_paper paper = { .pages = 2, .width = 1728, .length = 100, .x_dpi = 204, .y_dpi = 98 };
	const struct way *way = data;
	struct call call;
	struct tl_fax_counters counters;
	begin(&call, &paper, way, KEEP_WITHIN_MS);
	aim(&call);
	fax_rig_call(&call.rig, &call.sends, &call.receives);
	fax_rig_assert_whole(&call.rig);
	g_assert_cmpuint(call.rig.receiver.pages[0].bit_rate, ==, way->bit_rate);
	g_assert_cmpint(call.rig.receiver.pages[0].ecm, ==, way->ecm);
	g_assert_true(call.rig.receiver.result.t38 && call.rig.sender.result.t38 && call.rig.receiver.negotiated.t38);
	tl_fax_counters(call.rig.pool, &counters);
	g_assert_cmpuint(counters.t38_malformed, ==, 0);
	g_assert_cmpuint(counters.t38_lost, ==, 0);
	if (way->lose_every)
		g_assert_cmpuint(counters.t38_recovered, >=, counters.t38_sent / way->lose_every / 2);
	else
		g_assert_cmpuint(counters.t38_recovered, ==, 0);
	fax_rig_done(&call.rig);
}

static const struct way plain = { "", TL_T38_PLAIN, false, 14400 }, with_ecm = { "", TL_T38_REDUNDANCY, true, 14400 };
static const struct fax_paper small = FAX_PAPER_SMALL;

/* Both begin by audio and go over while T.30 has hardly begun. */
static void test_change(void)
{
	struct call call;
	begin(&call, &small, &with_ecm, KEEP_WITHIN_MS);
	for (unsigned i = 0; i < 2; i++)
		call.at[i].t38.on = false;
	aim(&call);
	call.sends.t38.on = call.receives.t38.on = false;
	fax_rig_start(&call.rig, &call.sends, &call.receives);
	rig_step(&call.rig.rig, AUDIO_TICKS);
	for (unsigned i = 0; i < 2; i++)
		call.at[i].t38.on = true;
	aim(&call);
	tl_fax_go_t38(call.rig.receiver.fax, &call.at[0].t38);
	tl_fax_go_t38(call.rig.sender.fax, &call.at[1].t38);
	tl_fax_go_t38(call.rig.sender.fax, &call.at[1].t38); /* described again: nothing new */
	fax_rig_finish(&call.rig);
	fax_rig_assert_whole(&call.rig);
	g_assert_true(call.rig.receiver.result.t38);
	fax_rig_done(&call.rig);
}

static void test_too_late(void)
{
	const struct fax_paper paper = { .pages = 3, .width = 1728, .length = 60, .x_dpi = 204, .y_dpi = 98 };
	struct call call;
	begin(&call, &paper, &plain, KEEP_WITHIN_MS);
	for (unsigned i = 0; i < 2; i++)
		call.at[i].t38.on = false;
	aim(&call);
	call.sends.t38.on = call.receives.t38.on = false;
	fax_rig_start(&call.rig, &call.sends, &call.receives);
	rig_step_until(&call.rig.rig, call.rig.receiver.n_pages, 5000);
	tl_fax_go_t38(call.rig.receiver.fax, &call.sends.t38);
	fax_rig_finish(&call.rig);
	g_assert_cmpint(call.rig.receiver.result.trouble, ==, TL_FAX_LINE);
	g_assert_cmpint(call.rig.sender.result.trouble, !=, TL_FAX_FINE);
	fax_rig_done(&call.rig);
}

/* MCF never reaches the network for a page that was not kept. */
static void test_not_kept(const void *data)
{
	struct call call;
	begin(&call, &small, data, KEEP_WITHIN_MS);
	aim(&call);
	call.rig.receiver.keep_result = -ENOSPC;
	fax_rig_call(&call.rig, &call.sends, &call.receives);
	g_assert_cmpint(call.rig.receiver.result.trouble, ==, TL_FAX_DISK);
	g_assert_cmpuint(call.rig.receiver.result.pages, ==, 0);
	g_assert_cmpuint(call.rig.sender.result.pages, ==, 0);
	g_assert_cmpint(call.rig.sender.result.trouble, !=, TL_FAX_FINE);
	fax_rig_done(&call.rig);
}

/* Nobody is there: T.30's own timers end it. */
static void test_alone(void)
{
	struct call call;
	begin(&call, &small, &plain, KEEP_WITHIN_MS);
	tl_port_set_remote(call.rig.receiver.port, &call.at[0]);
	call.rig.receiver.fax = tl_fax_start(call.rig.pool, call.rig.receiver.port, &call.receives, &fax_rig_handler,
					     &call.rig.receiver, NULL);
	rig_step_until(&call.rig.rig, call.rig.receiver.ended, 5000);
	g_assert_cmpint(call.rig.receiver.result.trouble, !=, TL_FAX_FINE);
	g_assert_cmpuint(call.rig.receiver.result.pages, ==, 0);
	fax_rig_done(&call.rig);
}

/* A machine on a timeslot and one that speaks T.38, and between them a gateway; either sends. */
struct gateway_way {
	const char *name;
	bool audio_sends, ecm;
	enum tl_t38_correction correction;
	unsigned head_start, most_ms; /* ticks that the called machine has spoken already; line time of its first page */
};

static const struct gateway_way gateway_ways[] = {
	{ "to-t38", true, false, TL_T38_REDUNDANCY }, { "to-t38-ecm", true, true, TL_T38_FEC },
	{ "from-t38", false, false, TL_T38_FEC }, { "from-t38-ecm", false, true, TL_T38_REDUNDANCY },
	{ "late", false, true, TL_T38_REDUNDANCY, 360, 15500 }, /* in its first message: it does not wait behind a CNG for the answer */
};

static void test_gateway(const void *data)
{
	const struct fax_paper paper = { .pages = 2, .width = 1728, .length = 100, .x_dpi = 204, .y_dpi = 98 };
	const struct gateway_way *way = data;
	const struct tl_t38_side side = { .on = true, .bit_rate = 14400, .datagram = 1400, .correction = way->correction };
	struct call call = { .sends = fax_rig_config(true, way->ecm), .receives = fax_rig_config(false, way->ecm) };
	struct fax_log middle = { 0 };
	fax_rig_init(&call.rig, &paper, KEEP_WITHIN_MS);
	struct fax_log *by_t38 = way->audio_sends ? &call.rig.receiver : &call.rig.sender;
	struct tl_port *line = by_t38->port, *image = open_port(&call, 0); /* the line's timeslot is the other machine's other end */
	by_t38->port = open_port(&call, 1);
	call.at[0].t38 = call.at[1].t38 = side;
	tl_port_set_remote(image, &call.at[1]);
	tl_port_set_remote(by_t38->port, &call.at[0]);
	(way->audio_sends ? &call.receives : &call.sends)->t38 = side;
	middle.fax = tl_fax_gateway_start(call.rig.pool, line, image, &side, &fax_rig_handler, &middle);
	call.rig.head_start = way->head_start;
	fax_rig_call(&call.rig, &call.sends, &call.receives);
	fax_rig_assert_whole(&call.rig);
	if (way->most_ms)
		g_assert_cmpuint(call.rig.receiver.pages[0].ms, <, way->most_ms);
	g_assert_cmpint(call.rig.receiver.result.t38, ==, way->audio_sends);
	tl_fax_stop(middle.fax, TL_FAX_STOPPED);
	rig_step_until(&call.rig.rig, middle.ended, 1000);
	g_assert_cmpuint(middle.result.pages, ==, paper.pages);
	g_assert_cmpint(middle.result.ecm, ==, way->ecm);
	tl_port_free(line);
	tl_port_free(image);
	fax_rig_done(&call.rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autofree char *name = g_strdup_printf("/fax/t38/%s", ways[i].name);
		g_test_add_data_func(name, &ways[i], test_way);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(gateway_ways); i++) {
		g_autofree char *name = g_strdup_printf("/fax/t38/gateway/%s", gateway_ways[i].name);
		g_test_add_data_func(name, &gateway_ways[i], test_gateway);
	}
	g_test_add_func("/fax/t38/change", test_change);
	g_test_add_func("/fax/t38/too-late", test_too_late);
	g_test_add_data_func("/fax/t38/not-kept/plain", &plain, test_not_kept);
	g_test_add_data_func("/fax/t38/not-kept/ecm", &with_ecm, test_not_kept);
	g_test_add_func("/fax/t38/alone", test_alone);
	return g_test_run();
}
