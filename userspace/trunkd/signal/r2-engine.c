/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The thread of OpenR2 and the loop that feeds its bearers. All but the last part runs on that thread. */
#include "signal/r2-engine.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/ring.h"
#include "base/thread.h"
#include "base/wake.h"
#include "signal/r2-bearer.h"

#define ORDERS 256
#define NEWS 2048

struct r2_engine {
	struct tl_r2_config config;
	void (*on_news)(const struct r2_news *news, void *user);
	void *user;
	GThread *thread;
	struct tl_ring *orders, *news;
	struct tl_wake *wake;
	int bell;   /* eventfd: there are orders */
	bool stop;  /* atomic */
	struct r2_bearer bearers[TL_SPAN_SLOTS_MAX + 1];
};

/* ---- news ---- */

static bool stopping(const struct r2_engine *engine)
{
	return __atomic_load_n(&engine->stop, __ATOMIC_ACQUIRE);
}

/* Main that takes no news for long holds up this thread, not the news. */
static void tell_news(const struct r2_news *news, void *user)
{
	struct r2_engine *engine = user;
	while (!tl_ring_push(engine->news, news)) {
		if (news->kind == R2_LOG || stopping(engine))
			return;
		tl_wake_ring(engine->wake);
		g_usleep(1000);
	}
	tl_wake_ring(engine->wake);
}

/* ---- the loop ---- */

static void obey(struct r2_engine *engine, const struct r2_order *order)
{
	if (order->kind != R2_CLOSE) {
		tl_r2_bearer_obey(&engine->bearers[order->slot], order);
		return;
	}
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++)
		tl_r2_bearer_close(&engine->bearers[slot]);
	tell_news(&(struct r2_news){ .kind = R2_CLOSED, .slot = order->slot }, engine);
}

static int time_left(const struct r2_engine *engine)
{
	int left = -1;
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++) {
		int ms = tl_r2_bearer_time_left(&engine->bearers[slot]);
		if (ms >= 0 && (left < 0 || ms < left))
			left = ms;
	}
	return left;
}

/* The bell, and bearers whose bits nobody else watches. */
static unsigned gather(struct r2_engine *engine, struct pollfd *fds, unsigned *slots)
{
	unsigned n = 0;
	fds[n++] = (struct pollfd){ .fd = engine->bell, .events = POLLIN };
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++) {
		const struct r2_bearer *bearer = &engine->bearers[slot];
		if (!bearer->chan || !bearer->lent)
			continue;
		slots[n] = slot;
		fds[n++] = (struct pollfd){ .fd = bearer->fd, .events = POLLPRI };
	}
	return n;
}

static void *run(void *user)
{
	struct r2_engine *engine = user;
	struct pollfd fds[TL_SPAN_SLOTS_MAX + 1];
	unsigned slots[TL_SPAN_SLOTS_MAX + 1] = { 0 };
	struct r2_order order;
	uint64_t rings;
	while (!stopping(engine)) {
		bool ready[TL_SPAN_SLOTS_MAX + 1] = { false };
		unsigned n = gather(engine, fds, slots);
		poll(fds, n, time_left(engine));
		if (fds[0].revents)
			(void)!read(engine->bell, &rings, sizeof(rings));
		for (unsigned i = 1; i < n; i++)
			ready[slots[i]] = fds[i].revents;
		while (tl_ring_pop(engine->orders, &order))
			obey(engine, &order);
		for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++)
			tl_r2_bearer_run(&engine->bearers[slot], ready[slot]);
	}
	for (unsigned slot = 1; slot <= TL_SPAN_SLOTS_MAX; slot++)
		tl_r2_bearer_leave(&engine->bearers[slot]);
	return NULL;
}

/* ---- main ---- */

static void on_wake(void *user)
{
	struct r2_engine *engine = user;
	struct r2_news news;
	while (tl_ring_pop(engine->news, &news))
		engine->on_news(&news, engine->user);
}

struct r2_engine *tl_r2_engine_new(const struct tl_r2_config *config, void (*on_news)(const struct r2_news *news, void *user),
				   void *user)
{
	tl_assert_main();
	struct r2_engine *engine = g_new0(struct r2_engine, 1);
	engine->config = *config;
	engine->on_news = on_news;
	engine->user = user;
	engine->orders = tl_ring_new(ORDERS, sizeof(struct r2_order));
	engine->news = tl_ring_new(NEWS, sizeof(struct r2_news));
	engine->wake = tl_wake_new(on_wake, engine);
	engine->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	for (unsigned slot = 0; slot <= TL_SPAN_SLOTS_MAX; slot++)
		engine->bearers[slot] = (struct r2_bearer){ .config = &engine->config, .tell = tell_news, .user = engine, .slot = slot };
	engine->thread = g_thread_new("r2", run, engine);
	return engine;
}

static void ring(struct r2_engine *engine)
{
	static const uint64_t one = 1;
	(void)!write(engine->bell, &one, sizeof(one));
}

void tl_r2_engine_free(struct r2_engine *engine)
{
	if (!engine)
		return;
	tl_assert_main();
	__atomic_store_n(&engine->stop, true, __ATOMIC_RELEASE);
	ring(engine);
	g_thread_join(engine->thread);
	tl_wake_free(engine->wake);
	close(engine->bell);
	tl_ring_free(engine->orders);
	tl_ring_free(engine->news);
	g_free(engine);
}

/* The ring holds several orders of each bearer; a thread that takes none for so long is broken. */
void tl_r2_engine_order(struct r2_engine *engine, const struct r2_order *order)
{
	tl_assert_main();
	if (!tl_ring_push(engine->orders, order))
		g_error("r2: the thread takes no orders");
	ring(engine);
}
