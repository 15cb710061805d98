/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * fax SPANS ROUNDS: what a fax costs. E1s full of machines of the pool that receive, then of machines that send, in line time.
 * Their far ends are SpanDSP's, run by main, whose time does not count; the floor is what as many of SpanDSP's alone take, with
 * their G.711, for the same end of the same fax, block by block as a line brings them. What the lines cost without a fax is
 * measured by callers whom nobody answers. And what it costs to make a page durable. Prints one JSON object.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <spandsp.h>

#include "../unit/fax-paper.h"
#include "../unit/fake-span.h"
#include "base/thread.h"
#include "fax/fax.h"

#define SPANS_MAX 16
#define MACHINES 30 /* a span */
#define MACHINES_MAX (SPANS_MAX * MACHINES)
#define BLOCK 80
#define PAGES_KEPT 50

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

static void speak(fax_state_t *fax, uint8_t *octets)
{
	int16_t samples[BLOCK] = { 0 };
	fax_tx(fax, samples, BLOCK);
	for (unsigned i = 0; i < BLOCK; i++)
		octets[i] = linear_to_alaw(samples[i]);
}

static void hear(fax_state_t *fax, const uint8_t *octets)
{
	int16_t samples[BLOCK];
	for (unsigned i = 0; i < BLOCK; i++)
		samples[i] = alaw_to_linear(octets[i]);
	fax_rx(fax, samples, BLOCK);
}

/* What each end hears in a fax of the two, block by block. */
static void converse(const char *document, const char *to, GByteArray *heard[2])
{
	fax_state_t *ends[2] = { bare(true, document, to), bare(false, document, to) };
	uint8_t said[2][BLOCK];
	while (t30_call_active(fax_get_t30_state(ends[0])) || t30_call_active(fax_get_t30_state(ends[1]))) {
		for (unsigned e = 0; e < 2; e++)
			speak(ends[e], said[e]);
		for (unsigned e = 0; e < 2; e++) {
			g_byte_array_append(heard[e], said[!e], BLOCK);
			hear(ends[e], said[!e]);
		}
	}
	fax_free(ends[0]);
	fax_free(ends[1]);
}

/* @n times the same end of the same fax. */
struct party {
	unsigned n;
	fax_state_t *ends[MACHINES_MAX];
	const GByteArray *heard;
	unsigned at;
};

static void party_open(struct party *party, unsigned n, bool sends, const char *document, const char *to, GByteArray *heard[2])
{
	*party = (struct party){ .n = n, .heard = heard[!sends] };
	for (unsigned i = 0; i < n; i++) {
		g_autofree char *path = g_strdup_printf("%s.%u", to, i);
		party->ends[i] = bare(sends, document, path);
	}
}

static void party_close(struct party *party)
{
	for (unsigned i = 0; i < party->n; i++)
		fax_free(party->ends[i]);
}

/* A second of the line, block by block; false: it was the last. */
static bool party_goes_on(struct party *party)
{
	uint8_t said[BLOCK];
	for (unsigned t = 0; t < 100 && party->at < party->heard->len; t++, party->at += BLOCK)
		for (unsigned i = 0; i < party->n; i++) {
			speak(party->ends[i], said);
			hear(party->ends[i], party->heard->data + party->at);
		}
	return party->at < party->heard->len;
}

struct alone {
	struct party party;
	GAsyncQueue *begin, *done; /* seconds */
	unsigned n;
	bool sends;
	const char *document, *to;
	GByteArray **heard;
	double spent_s;
};

static void *run_alone(void *data)
{
	struct alone *alone = data;
	bool on = true;
	party_open(&alone->party, alone->n, alone->sends, alone->document, alone->to, alone->heard);
	while (on) {
		g_async_queue_pop(alone->begin);
		on = party_goes_on(&alone->party);
		g_async_queue_push(alone->done, alone);
	}
	alone->spent_s = cpu_s(CLOCK_THREAD_CPUTIME_ID);
	party_close(&alone->party);
	return NULL;
}

/* Of one. Main is their far ends' meanwhile, as it is when the pool is measured: two cores may be halves of one. */
static double alone_s(unsigned n, bool sends, const char *document, const char *to, GByteArray *heard[2])
{
	static struct alone alone;
	static struct party far;
	g_autofree char *far_to = g_strconcat(to, ".far", NULL);
	alone = (struct alone){ .begin = g_async_queue_new(), .done = g_async_queue_new(), .n = n, .sends = sends, .document = document,
				.to = to, .heard = heard };
	party_open(&far, n, !sends, document, far_to, heard);
	GThread *thread = g_thread_new("alone", run_alone, &alone);
	for (bool on = true; on;) {
		g_async_queue_push(alone.begin, &alone);
		on = party_goes_on(&far);
		g_async_queue_pop(alone.done);
	}
	g_thread_join(thread);
	party_close(&far);
	g_async_queue_unref(alone.begin);
	g_async_queue_unref(alone.done);
	return alone.spent_s / n;
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

/* ---- the line, and who is at its far end ---- */

struct far_end {
	fax_state_t *fax;
	uint8_t said[BLOCK];
};

/* One more tick of the line, begun and ended. */
static void tick(struct tl_span *span)
{
	unsigned done = fake_span_done(span);
	fake_span_tick(span);
	while (fake_span_done(span) == done && running) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(50);
	}
}

/* CPU of the threads called @name but main, which has it from the program. */
static double threads_s(const char *name)
{
	uint64_t total_ns = 0;
	DIR *tasks = opendir("/proc/self/task");
	for (struct dirent *task; (task = readdir(tasks));) {
		g_autofree char *comm = g_strdup_printf("/proc/self/task/%s/comm", task->d_name);
		g_autofree char *stat = g_strdup_printf("/proc/self/task/%s/schedstat", task->d_name);
		g_autofree char *text = NULL, *times = NULL;
		if (g_ascii_isdigit(*task->d_name) && atoi(task->d_name) != getpid() && g_file_get_contents(comm, &text, NULL, NULL) &&
		    !strcmp(g_strchomp(text), name) && g_file_get_contents(stat, &times, NULL, NULL))
			total_ns += g_ascii_strtoull(times, NULL, 10);
	}
	closedir(tasks);
	return total_ns * 1e-9;
}

struct rig {
	unsigned n; /* machines */
	struct tl_media *media;
	struct tl_span *spans[SPANS_MAX];
	struct tl_port *ports[MACHINES_MAX];
	struct far_end far[MACHINES_MAX];
};

static struct tl_span *span_of(const struct rig *rig, unsigned i, unsigned *slot)
{
	*slot = i % MACHINES + 1;
	return rig->spans[i / MACHINES];
}

static struct rig *lines_open(unsigned n)
{
	struct rig *rig = g_new0(struct rig, 1);
	static const struct tl_media_handler none;
	const struct tl_media_config config = { .tick = TL_TICK_SPAN, .rtp_host = "127.0.0.1", .rtp_port_min = 42000,
						.rtp_port_max = 42100, .max_ports = MACHINES_MAX };
	rig->n = n;
	rig->media = tl_media_new(&config, &none, NULL);
	for (unsigned s = 0; s < rig->n / MACHINES; s++) {
		rig->spans[s] = fake_span_new(TL_SPAN_E1, TL_LAW_ALAW);
		fake_span_keep_last(rig->spans[s]);
		if (s)
			fake_span_follow(rig->spans[s], rig->spans[0]);
		tl_media_add_span(rig->media, rig->spans[s]);
	}
	return rig;
}

static void lines_close(struct rig *rig)
{
	for (unsigned i = 0; i < rig->n; i++) {
		fax_free(rig->far[i].fax);
		tl_port_free(rig->ports[i]);
	}
	for (unsigned s = 0; s < rig->n / MACHINES; s++)
		tl_media_remove_span(rig->media, rig->spans[s]);
	tl_media_free(rig->media);
	for (unsigned s = 0; s < rig->n / MACHINES; s++)
		fake_span_free(rig->spans[s]);
	g_free(rig);
}

/* Without @pool nobody answers. */
static void call(struct rig *rig, unsigned i, struct tl_fax_pool *pool, bool sends, const char *document, const char *to)
{
	unsigned slot;
	struct tl_span *span = span_of(rig, i, &slot);
	g_autofree char *path = g_strdup_printf("%s.%u", to, i);
	rig->far[i].fax = bare(!sends, document, path);
	rig->ports[i] = tl_port_new_timeslot(rig->media, span, slot, NULL);
	fake_span_say(span, slot, rig->far[i].said, BLOCK);
	if (pool)
		start(pool, rig->ports[i], sends, document);
}

static void talk(struct rig *rig)
{
	unsigned slot;
	for (unsigned i = 0; i < rig->n; i++)
		speak(rig->far[i].fax, rig->far[i].said);
	tick(rig->spans[0]);
	for (unsigned i = 0; i < rig->n; i++) {
		struct tl_span *span = span_of(rig, i, &slot);
		hear(rig->far[i].fax, fake_span_last(span, slot));
	}
}

struct cost {
	double machines_s, media_s; /* of one fax */
	unsigned ticks;
};

static struct cost faxes(unsigned n, bool sends, const char *document, const char *to)
{
	struct rig *rig = lines_open(n);
	struct cost cost = { 0 };
	const struct tl_fax_pool_config config = { .media = rig->media, .threads = 1, .depth_ms = 60, .keep_within_ms = 60000 };
	struct tl_fax_pool *pool = tl_fax_pool_new(&config);
	for (unsigned i = 0; i < n; i++)
		call(rig, i, pool, sends, document, to);
	for (; running; cost.ticks++)
		talk(rig);
	cost.machines_s = threads_s("fax") / n;
	cost.media_s = threads_s("media") / n;
	tl_fax_pool_free(pool);
	lines_close(rig);
	return cost;
}

/* What the same lines cost in as much time with the same callers, and nobody answers. A caller's share. */
static double lines_s(unsigned n, bool sends, const char *document, const char *to, unsigned ticks)
{
	struct rig *rig = lines_open(n);
	for (unsigned i = 0; i < n; i++)
		call(rig, i, NULL, sends, document, to);
	for (running = 1; ticks; ticks--)
		talk(rig);
	running = 0;
	double spent_s = threads_s("media") / n;
	lines_close(rig);
	return spent_s;
}

/* ---- the disk ---- */

static double wall_s(void)
{
	return cpu_s(CLOCK_MONOTONIC);
}

static int by_time(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : 1;
}

/* As the spool does it: a page's octets, its name, its folder. Median of ms. */
static double page_kept_ms(const char *directory)
{
	static uint8_t page[30000];
	double ms[PAGES_KEPT];
	int folder = open(directory, O_RDONLY | O_DIRECTORY);
	for (unsigned i = 0; i < PAGES_KEPT; i++) {
		double before = wall_s();
		int fd = openat(folder, "page.part", O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (write(fd, page, sizeof page) != sizeof page || fsync(fd) || renameat(folder, "page.part", folder, "page") || fsync(folder))
			g_error("a page cannot be kept");
		close(fd);
		ms[i] = (wall_s() - before) * 1e3;
	}
	unlinkat(folder, "page", 0);
	close(folder);
	qsort(ms, PAGES_KEPT, sizeof *ms, by_time);
	return ms[PAGES_KEPT / 2];
}

/* ---- rounds ---- */

static void measure(unsigned n, unsigned rounds, const char *document, const char *to)
{
	static const char *const ways[] = { "receive", "send" };
	GByteArray *heard[2] = { g_byte_array_new(), g_byte_array_new() }; /* by the end that sends, and the one that receives */
	converse(document, to, heard);
	for (unsigned way = 0; way < 2; way++) {
		printf("%s\"%s\": [", way ? ", " : "", ways[way]);
		for (unsigned r = 0; r < rounds; r++) {
			double floor_s = alone_s(n, way, document, to, heard);
			struct cost cost = faxes(n, way, document, to);
			double line_s = lines_s(n, way, document, to, cost.ticks);
			printf("%s{\"floor_ms\": %.3f, \"machine_ms\": %.3f, \"media_ms\": %.3f, \"line_ms\": %.3f}", r ? ", " : "",
			       floor_s * 1e3, cost.machines_s * 1e3, cost.media_s * 1e3, line_s * 1e3);
		}
		printf("]");
	}
	g_assert_cmpuint(pages, ==, 2 * n * rounds * paper.pages);
	g_byte_array_unref(heard[0]);
	g_byte_array_unref(heard[1]);
}

static void remove_files(const char *directory)
{
	const char *name;
	GDir *dir = g_dir_open(directory, 0, NULL);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(directory, name, NULL);
		unlink(path);
	}
	g_dir_close(dir);
	rmdir(directory);
}

int main(int argc, char **argv)
{
	unsigned spans = argc == 3 ? atoi(argv[1]) : 0, rounds = argc == 3 ? atoi(argv[2]) : 0;
	g_autofree char *directory = g_strdup("fax-XXXXXX");
	if (spans < 1 || spans > SPANS_MAX || rounds < 1)
		g_error("fax SPANS ROUNDS: spans 1 to %d", SPANS_MAX);
	if (!g_mkdtemp(directory)) /* where it is started: /tmp may be memory */
		g_error("no folder for pages");
	g_autofree char *document = g_build_filename(directory, "document.tif", NULL);
	g_autofree char *to = g_build_filename(directory, "to.tif", NULL);
	tl_thread_become_main();
	fax_paper_write(document, &paper);
	printf("{");
	measure(spans * MACHINES, rounds, document, to);
	printf(", \"page_kept_ms\": %.3f}\n", page_kept_ms(directory));
	remove_files(directory);
	return 0;
}
