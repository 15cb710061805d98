/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What a fax costs: PAIRS machines that send two pages to as many that receive, by the pool over a span in line time,
 * against SpanDSP's two ends of the same faxes face to face. CPU of all threads but main. Prints one JSON object.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <spandsp.h>

#include "../unit/fax-paper.h"
#include "../unit/fake-span.h"
#include "base/thread.h"
#include "fax/fax.h"

#define PAIRS 10
#define BLOCK 80

static const struct fax_paper paper = { .pages = 2, .width = 1728, .length = 1100, .x_dpi = 204, .y_dpi = 98 };
static unsigned running, pages;

static double cpu_s(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

/* ---- SpanDSP alone ---- */

static fax_state_t *bare(bool sends, const char *document, const char *to)
{
	fax_state_t *fax = fax_init(NULL, sends);
	t30_state_t *t30 = fax_get_t30_state(fax);
	fax_set_transmit_on_idle(fax, TRUE);
	t30_set_ecm_capability(t30, TRUE);
	t30_set_supported_compressions(t30, T30_SUPPORT_T4_1D_COMPRESSION | T30_SUPPORT_T4_2D_COMPRESSION | T30_SUPPORT_T6_COMPRESSION);
	t30_set_rx_encoding(t30, T4_COMPRESSION_ITU_T6);
	if (sends)
		t30_set_tx_file(t30, document, -1, -1);
	else
		t30_set_rx_file(t30, to, -1);
	return fax;
}

static double bare_fax(const char *document, const char *to)
{
	fax_state_t *ends[2] = { bare(true, document, to), bare(false, document, to) };
	int16_t samples[2][BLOCK];
	double before = cpu_s(CLOCK_THREAD_CPUTIME_ID);
	while (t30_call_active(fax_get_t30_state(ends[0])) || t30_call_active(fax_get_t30_state(ends[1]))) {
		for (unsigned e = 0; e < 2; e++)
			fax_tx(ends[e], samples[e], BLOCK);
		for (unsigned e = 0; e < 2; e++)
			fax_rx(ends[e], samples[!e], BLOCK);
	}
	double spent = cpu_s(CLOCK_THREAD_CPUTIME_ID) - before;
	fax_free(ends[0]);
	fax_free(ends[1]);
	return spent;
}

/* ---- the pool ---- */

static void on_page(struct tl_fax *fax, const struct tl_fax_page *page, void *user)
{
	pages++;
}

static void on_ended(struct tl_fax *fax, const struct tl_fax_result *result, void *user)
{
	if (result->trouble != TL_FAX_FINE)
		g_error("a fax failed: %s", result->words);
	running--;
}

static int keep(unsigned number, const void *octets, size_t n, unsigned within_ms, void *user)
{
	return 0; /* the disk is measured by itself */
}

static void start(struct tl_fax_pool *pool, struct tl_port *port, bool sends, const char *document)
{
	static const struct tl_fax_handler handler = { NULL, on_page, on_ended, keep };
	const struct tl_fax_config config = { .sends = sends, .calling = sends, .document = document,
		.options = { .ecm = true, .modems = TL_FAX_ALL, .codings = TL_FAX_ALL, .resolutions = TL_FAX_ALL, .widths = TL_FAX_ALL } };
	GError *error = NULL;
	if (!tl_fax_start(pool, port, &config, &handler, NULL, &error))
		g_error("%s", error->message);
	running++;
}

static double pool_faxes(const char *document)
{
	const struct tl_media_config media_config = { .tick = TL_TICK_SPAN, .rtp_host = "127.0.0.1", .rtp_port_min = 42000,
						      .rtp_port_max = 42100, .max_ports = 64 };
	static const struct tl_media_handler none;
	struct tl_media *media = tl_media_new(&media_config, &none, NULL);
	struct tl_span *span = fake_span_new(TL_SPAN_E1, TL_LAW_ALAW);
	tl_media_add_span(media, span);
	const struct tl_fax_pool_config config = { .media = media, .threads = 1, .depth_ms = 60, .keep_within_ms = 2000 };
	struct tl_fax_pool *pool = tl_fax_pool_new(&config);
	struct tl_port *ports[2 * PAIRS];
	double before = cpu_s(CLOCK_PROCESS_CPUTIME_ID) - cpu_s(CLOCK_THREAD_CPUTIME_ID);
	for (unsigned i = 0; i < 2 * PAIRS; i++) {
		ports[i] = tl_port_new_timeslot(media, span, i + 1, NULL);
		fake_span_wire(span, i + 1, (i ^ 1) + 1);
		start(pool, ports[i], !(i & 1), document);
	}
	while (running) {
		unsigned done = fake_span_done(span);
		fake_span_tick(span);
		while (fake_span_done(span) == done && running) {
			g_main_context_iteration(NULL, FALSE);
			g_usleep(50);
		}
	}
	double spent = cpu_s(CLOCK_PROCESS_CPUTIME_ID) - cpu_s(CLOCK_THREAD_CPUTIME_ID) - before;
	tl_fax_pool_free(pool);
	for (unsigned i = 0; i < 2 * PAIRS; i++)
		tl_port_free(ports[i]);
	tl_media_remove_span(media, span);
	tl_media_free(media);
	fake_span_free(span);
	return spent / PAIRS;
}

int main(void)
{
	g_autofree char *directory = g_dir_make_tmp("fax-XXXXXX", NULL);
	g_autofree char *document = g_build_filename(directory, "document.tif", NULL);
	g_autofree char *to = g_build_filename(directory, "to.tif", NULL);
	double floor_s = 0;
	tl_thread_become_main();
	fax_paper_write(document, &paper);
	bare_fax(document, to); /* tables and caches */
	for (unsigned i = 0; i < PAIRS; i++)
		floor_s += bare_fax(document, to) / PAIRS;
	double subject_s = pool_faxes(document);
	unlink(document);
	unlink(to);
	rmdir(directory);
	g_assert_cmpuint(pages, ==, 2 * PAIRS * paper.pages);
	printf("{\"floor_ms\": %.3f, \"ms\": %.3f}\n", floor_s * 1e3, subject_s * 1e3);
	return 0;
}
