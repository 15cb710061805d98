/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The pool: threads that run machines, threads that keep pages, and what passes between them and main: queues of
 * values and bells. A machine stays on one thread for life, as SpanDSP asks for.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <tiffio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "fax/inside.h"

G_DEFINE_QUARK(tl-fax-error-quark, tl_fax_error)

#define MS_PER_BLOCK 10
#define KEEPERS 32 /* they wait for the disk; the more wait at once, the more share an fsync */

enum request_kind { REQUEST_ADD, REQUEST_STOP, REQUEST_T38, REQUEST_QUIT };

struct request {
	enum request_kind kind;
	struct tl_fax *fax;
	enum tl_fax_trouble trouble;
	struct tl_t38_side t38;
};

struct tl_fax_thread {
	struct tl_fax_pool *pool;
	GThread *thread;
	struct tl_bell *bell;
	GAsyncQueue *requests;  /* from main */
	unsigned machines;      /* main */
	GPtrArray *running;     /* fax */
};

struct tl_fax_pool {
	struct tl_fax_pool_config config;
	struct tl_fax_thread *threads;
	GThreadPool *keepers;
	GAsyncQueue *events;    /* to main */
	struct tl_wake *wake;
	bool closing;           /* main: nobody is told any more */
	struct tl_fax_counters counters; /* main */
};

struct keep {
	struct tl_fax *fax;
	GBytes *octets;
};

/* ---- keeping ---- */

static void keep(gpointer data, gpointer user)
{
	struct keep *job = data;
	struct tl_fax *fax = job->fax;
	gsize n;
	const void *octets = g_bytes_get_data(job->octets, &n);
	fax->keep_result = fax->handler.keep(fax->page.number, octets, n, fax->pool->config.keep_within_ms, fax->user);
	struct tl_fax_thread *thread = fax->thread;
	atomic_store(&fax->keeping, KEEP_DONE); /* from here on the machine may be gone */
	tl_bell_ring(thread->bell);
	g_bytes_unref(job->octets);
	g_free(job);
}

void tl_fax_keep(struct tl_fax *fax, GBytes *octets)
{
	struct keep *job = g_new(struct keep, 1);
	*job = (struct keep){ fax, octets };
	fax->hold_until_us = tl_clock_us() + (int64_t)fax->pool->config.keep_within_ms * 1000;
	atomic_store(&fax->keeping, KEEP_RUNNING);
	g_thread_pool_push(fax->pool->keepers, job, NULL);
}

/* ---- the machines' threads ---- */

void tl_fax_tell(const struct tl_fax_event *event)
{
	struct tl_fax_pool *pool = event->fax->pool;
	g_async_queue_push(pool->events, g_memdup2(event, sizeof *event));
	tl_wake_ring(pool->wake);
}

/* While a page is being kept and the line's time can wait, it waits: no idle octets are given. */
static void run_machine(struct tl_fax *fax)
{
	uint8_t in[TL_BLOCK_OCTETS], out[TL_BLOCK_OCTETS];
	bool missing;
	tl_fax_terminal_look(fax, tl_clock_us());
	while (!fax->over && !(fax->hold == TL_FAX_KEEPING && tl_tap_line_waits(fax->tap)) && tl_tap_take(fax->tap, in, &missing)) {
		fax->missing = missing ? fax->missing + 1 : 0;
		tl_fax_terminal_block(fax, in, out);
		tl_tap_give(fax->tap, out);
	}
}

/* A keeper that is still at work has the machine's fields. */
static bool has_ended(struct tl_fax *fax)
{
	struct tl_fax_event event = { .fax = fax, .kind = TL_FAX_EVENT_ENDED, .result = fax->result };
	if (!fax->over || atomic_load(&fax->keeping) == KEEP_RUNNING)
		return false;
	tl_fax_terminal_close(fax);
	tl_fax_tell(&event);
	return true;
}

/* True: quit. */
static bool obey(struct tl_fax_thread *thread)
{
	struct request *request;
	bool quit = false;
	while ((request = g_async_queue_try_pop(thread->requests))) {
		bool known = g_ptr_array_find(thread->running, request->fax, NULL);
		if (request->kind == REQUEST_ADD) {
			tl_fax_terminal_open(request->fax);
			g_ptr_array_add(thread->running, request->fax);
		} else if (request->kind == REQUEST_T38 && known) {
			tl_fax_terminal_go_t38(request->fax, &request->t38);
		} else if (request->kind == REQUEST_STOP && known) {
			tl_fax_terminal_stop(request->fax, request->trouble,
					     request->trouble == TL_FAX_ENDED ? "the call ended" : "stopped");
		}
		quit |= request->kind == REQUEST_QUIT;
		g_free(request);
	}
	return quit;
}

static bool is_one_kept(const struct tl_fax_thread *thread)
{
	for (unsigned i = 0; i < thread->running->len; i++) {
		const struct tl_fax *fax = g_ptr_array_index(thread->running, i);
		if (fax->hold == TL_FAX_KEEPING)
			return true;
	}
	return false;
}

/* The media thread, if it waits, waits for all of them: it is woken once. */
static void run_machines(struct tl_fax_thread *thread)
{
	for (unsigned i = 0; i < thread->running->len;) {
		struct tl_fax *fax = g_ptr_array_index(thread->running, i);
		run_machine(fax);
		if (has_ended(fax))
			g_ptr_array_remove_index_fast(thread->running, i);
		else
			i++;
	}
	tl_taps_given(thread->pool->config.media);
}

static void *run(void *data)
{
	struct tl_fax_thread *thread = data;
	struct pollfd pollfd = { .fd = tl_bell_fd(thread->bell), .events = POLLIN };
	bool quit = false;
	while (!quit) {
		poll(&pollfd, 1, is_one_kept(thread) ? MS_PER_BLOCK : -1);
		tl_bell_hush(thread->bell);
		quit = obey(thread);
		run_machines(thread);
	}
	for (unsigned i = 0; i < thread->running->len; i++)
		tl_fax_terminal_close(g_ptr_array_index(thread->running, i));
	return NULL;
}

/* ---- main ---- */

static void request(struct tl_fax_thread *thread, struct request request)
{
	g_async_queue_push(thread->requests, g_memdup2(&request, sizeof request));
	tl_bell_ring(thread->bell);
}

static void release(struct tl_fax *fax)
{
	uint64_t missed, dropped;
	struct tl_fax_counters *counters = &fax->pool->counters;
	tl_tap_counters(fax->tap, &missed, &dropped);
	counters->blocks_missed += missed;
	counters->blocks_dropped += dropped;
	counters->t38_received += fax->way.counters.received;
	counters->t38_sent += fax->way.counters.sent;
	counters->t38_malformed += fax->way.counters.malformed;
	counters->t38_recovered += fax->way.counters.recovered;
	counters->t38_lost += fax->way.counters.lost;
	counters->running--;
	fax->thread->machines--;
	if (fax->port)
		tl_port_untap(fax->port);
	if (fax->image_port)
		tl_port_untap(fax->image_port);
	tl_tap_free(fax->tap);
	tl_tap_free(fax->image_tap);
	if (fax->file >= 0)
		close(fax->file);
	g_free(fax);
}

static void dispatch(struct tl_fax_pool *pool, const struct tl_fax_event *event)
{
	struct tl_fax *fax = event->fax;
	switch (event->kind) {
	case TL_FAX_EVENT_NEGOTIATED:
		if (fax->handler.on_negotiated)
			fax->handler.on_negotiated(fax, &event->negotiated, fax->user);
		break;
	case TL_FAX_EVENT_PAGE:
		*(fax->config.sends ? &pool->counters.pages_sent : &pool->counters.pages_received) += 1;
		fax->handler.on_page(fax, &event->page, fax->user);
		break;
	case TL_FAX_EVENT_ENDED:
		pool->counters.pages_unkept += event->result.trouble == TL_FAX_DISK;
		fax->handler.on_ended(fax, &event->result, fax->user);
		release(fax);
		break;
	}
}

static void on_wake(void *user)
{
	struct tl_fax_pool *pool = user;
	struct tl_fax_event *event;
	while (!pool->closing && (event = g_async_queue_try_pop(pool->events))) {
		dispatch(pool, event);
		g_free(event);
	}
}

/* ---- start and stop ---- */

struct tl_fax_pool *tl_fax_pool_new(const struct tl_fax_pool_config *config)
{
	tl_assert_main();
	g_assert(config->threads >= 1 && config->threads <= 64);
	struct tl_fax_pool *pool = g_new0(struct tl_fax_pool, 1);
	pool->config = *config;
	tl_fax_warm_up();
	pool->events = g_async_queue_new_full(g_free);
	pool->wake = tl_wake_new(on_wake, pool);
	pool->keepers = g_thread_pool_new(keep, pool, KEEPERS, FALSE, NULL);
	pool->threads = g_new0(struct tl_fax_thread, config->threads);
	for (unsigned i = 0; i < config->threads; i++) {
		struct tl_fax_thread *thread = &pool->threads[i];
		thread->pool = pool;
		thread->bell = tl_bell_new(config->media);
		thread->requests = g_async_queue_new_full(g_free);
		thread->running = g_ptr_array_new();
		thread->thread = g_thread_new("fax", run, thread);
	}
	return pool;
}

/* Those whose end main has not been told of are still in the threads' lists, or on the way in the queue. */
static void abandon(struct tl_fax_pool *pool)
{
	struct tl_fax_event *event;
	while ((event = g_async_queue_try_pop(pool->events))) {
		if (event->kind == TL_FAX_EVENT_ENDED)
			release(event->fax);
		g_free(event);
	}
	for (unsigned i = 0; i < pool->config.threads; i++)
		for (unsigned m = 0; m < pool->threads[i].running->len; m++)
			release(g_ptr_array_index(pool->threads[i].running, m));
}

void tl_fax_pool_free(struct tl_fax_pool *pool)
{
	if (!pool)
		return;
	tl_assert_main();
	pool->closing = true;
	for (unsigned i = 0; i < pool->config.threads; i++)
		request(&pool->threads[i], (struct request){ REQUEST_QUIT });
	for (unsigned i = 0; i < pool->config.threads; i++)
		g_thread_join(pool->threads[i].thread);
	g_thread_pool_free(pool->keepers, FALSE, TRUE);
	abandon(pool);
	for (unsigned i = 0; i < pool->config.threads; i++) {
		g_async_queue_unref(pool->threads[i].requests);
		g_ptr_array_unref(pool->threads[i].running);
	}
	tl_wake_free(pool->wake);
	g_async_queue_unref(pool->events);
	g_free(pool->threads);
	g_free(pool);
}

static struct tl_fax_thread *idlest(struct tl_fax_pool *pool)
{
	struct tl_fax_thread *best = &pool->threads[0];
	for (unsigned i = 1; i < pool->config.threads; i++)
		if (pool->threads[i].machines < best->machines)
			best = &pool->threads[i];
	return best;
}

static int open_file(const struct tl_fax_config *config, GError **error)
{
	int fd = config->sends ? open(config->document, O_RDONLY | O_CLOEXEC) : memfd_create("fax", MFD_CLOEXEC);
	if (fd < 0)
		g_set_error(error, TL_FAX_ERROR, config->sends ? TL_FAX_ERROR_DOCUMENT : TL_FAX_ERROR_SYSTEM, "%s: %s",
			    config->sends ? config->document : "memory for pages", g_strerror(errno));
	return fd;
}

static struct tl_fax *machine_new(struct tl_fax_pool *pool, struct tl_port *port, const struct tl_fax_handler *handler, void *user)
{
	struct tl_fax *fax = g_new0(struct tl_fax, 1);
	fax->pool = pool;
	fax->thread = idlest(pool);
	fax->handler = *handler;
	fax->user = user;
	fax->file = -1;
	fax->port = port;
	fax->tap = tl_port_tap(port, fax->thread->bell, pool->config.depth_ms / MS_PER_BLOCK);
	fax->thread->machines++;
	pool->counters.started++;
	pool->counters.running++;
	return fax;
}

struct tl_fax *tl_fax_start(struct tl_fax_pool *pool, struct tl_port *port, const struct tl_fax_config *config,
			    const struct tl_fax_handler *handler, void *user, GError **error)
{
	tl_assert_main();
	if (tl_fax_options_check(&config->options) != 0) {
		g_set_error(error, TL_FAX_ERROR, TL_FAX_ERROR_OPTIONS, "of modems, codings, resolutions or widths none is left "
			    "that this node has");
		return NULL;
	}
	int file = open_file(config, error);
	if (file < 0)
		return NULL;
	struct tl_fax *fax = machine_new(pool, port, handler, user);
	fax->config = *config;
	fax->config.document = NULL;
	fax->file = file;
	request(fax->thread, (struct request){ REQUEST_ADD, fax });
	return fax;
}

struct tl_fax *tl_fax_gateway_start(struct tl_fax_pool *pool, struct tl_port *line, struct tl_port *image,
				    const struct tl_t38_side *remote, const struct tl_fax_handler *handler, void *user)
{
	tl_assert_main();
	struct tl_fax *fax = machine_new(pool, line, handler, user);
	fax->is_gateway = true;
	fax->config.t38 = *remote;
	fax->image_port = image;
	fax->image_tap = tl_port_tap(image, fax->thread->bell, pool->config.depth_ms / MS_PER_BLOCK);
	request(fax->thread, (struct request){ REQUEST_ADD, fax });
	return fax;
}

void tl_fax_stop(struct tl_fax *fax, enum tl_fax_trouble trouble)
{
	tl_assert_main();
	request(fax->thread, (struct request){ REQUEST_STOP, fax, trouble });
}

void tl_fax_go_t38(struct tl_fax *fax, const struct tl_t38_side *remote)
{
	tl_assert_main();
	request(fax->thread, (struct request){ REQUEST_T38, fax, .t38 = *remote });
}

void tl_fax_port_gone(struct tl_fax *fax, struct tl_port *port)
{
	tl_assert_main();
	if (fax->port == port)
		fax->port = NULL;
	if (fax->image_port == port)
		fax->image_port = NULL;
}

void tl_fax_counters(const struct tl_fax_pool *pool, struct tl_fax_counters *counters)
{
	tl_assert_main();
	*counters = pool->counters;
}
