/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The store's thread and its two rings: transactions go down one, come back
 * by the other. Main never has more under way than the rings hold.
 */
#include "store/store.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/ring.h"
#include "base/thread.h"
#include "base/wake.h"
#include "store/backend.h"

#define TL_ROOM "store"
#include "base/log.h"

struct tl_store {
	struct tl_backend *backend; /* the store's thread */
	struct tl_ring *down, *up;  /* struct tl_transaction * */
	int bell;                   /* eventfd: something is in down */
	atomic_bool stop;
	_Atomic uint64_t commits;
	GThread *thread;
	struct tl_wake *wake;
	unsigned under_way; /* main */
	bool stopping;      /* main */
	char *alarm;        /* main */
	void (*on_alarm)(const char *why, void *user);
	void *user;
};

static unsigned take_batch(struct tl_store *store, struct tl_transaction **batch)
{
	unsigned n = 0;
	while (n < TL_STORE_BATCH_MAX && tl_ring_pop(store->down, &batch[n]))
		n++;
	return n;
}

static void *store_thread(void *data)
{
	struct tl_store *store = data;
	struct tl_transaction *batch[TL_STORE_BATCH_MAX];
	for (;;) {
		unsigned n = take_batch(store, batch);
		if (!n && atomic_load(&store->stop))
			return NULL;
		if (!n) {
			uint64_t rings;
			if (read(store->bell, &rings, sizeof rings) < 0 && errno != EINTR)
				g_error("store: eventfd: %s", g_strerror(errno));
			continue;
		}
		tl_backend_run(store->backend, batch, n);
		atomic_fetch_add(&store->commits, 1);
		for (unsigned i = 0; i < n; i++)
			g_assert(tl_ring_push(store->up, &batch[i]));
		tl_wake_ring(store->wake);
	}
}

static void set_alarm(struct tl_store *store, const GError *error)
{
	bool failing = g_error_matches(error, TL_STORE_ERROR, TL_STORE_ERROR_STORAGE);
	if (failing == (store->alarm != NULL) || (error && !failing))
		return;
	g_free(store->alarm);
	store->alarm = failing ? g_strdup(error->message) : NULL;
	if (failing)
		tl_error("alarm: %s", store->alarm);
	else
		tl_notice("writes again");
	if (store->on_alarm)
		store->on_alarm(store->alarm, store->user);
}

static void complete(struct tl_store *store, struct tl_transaction *transaction)
{
	struct tl_result result = { transaction };
	store->under_way--;
	set_alarm(store, transaction->error);
	if (transaction->on_done)
		transaction->on_done(transaction->error ? NULL : &result, transaction->error, transaction->user);
	else if (transaction->error)
		tl_warning("%s", transaction->error->message);
	tl_transaction_free(transaction);
}

static void on_completed(void *user)
{
	struct tl_store *store = user;
	struct tl_transaction *transaction;
	while (tl_ring_pop(store->up, &transaction))
		complete(store, transaction);
}

struct tl_store *tl_store_open(const char *path, void (*on_alarm)(const char *why, void *user), void *user, GError **error)
{
	tl_assert_main();
	struct tl_backend *backend = tl_backend_open(path, error);
	if (!backend)
		return NULL;
	struct tl_store *store = g_new0(struct tl_store, 1);
	store->backend = backend;
	store->on_alarm = on_alarm;
	store->user = user;
	store->down = tl_ring_new(TL_STORE_WAITING_MAX, sizeof(struct tl_transaction *));
	store->up = tl_ring_new(TL_STORE_WAITING_MAX, sizeof(struct tl_transaction *));
	store->bell = eventfd(0, EFD_CLOEXEC);
	g_assert(store->bell >= 0);
	store->wake = tl_wake_new(on_completed, store);
	store->thread = g_thread_new("store", store_thread, store);
	return store;
}

static void ring_bell(struct tl_store *store)
{
	uint64_t one = 1;
	if (write(store->bell, &one, sizeof one) < 0 && errno != EAGAIN)
		g_error("store: eventfd: %s", g_strerror(errno));
}

void tl_store_free(struct tl_store *store)
{
	if (!store)
		return;
	tl_assert_main();
	store->stopping = true;
	atomic_store(&store->stop, true);
	ring_bell(store);
	g_thread_join(store->thread);
	on_completed(store);
	tl_wake_free(store->wake);
	tl_backend_close(store->backend);
	tl_ring_free(store->down);
	tl_ring_free(store->up);
	close(store->bell);
	g_free(store->alarm);
	g_free(store);
}

struct refused {
	struct tl_store *store;
	struct tl_transaction *transaction;
};

static gboolean complete_refused(void *data)
{
	struct refused *refused = data;
	complete(refused->store, refused->transaction);
	g_free(refused);
	return G_SOURCE_REMOVE;
}

/* Refused by callback as well, never from within tl_store_submit(). */
static void refuse(struct tl_store *store, struct tl_transaction *transaction)
{
	struct refused *refused = g_new(struct refused, 1);
	*refused = (struct refused){ store, transaction };
	transaction->error = g_error_new(TL_STORE_ERROR, TL_STORE_ERROR_OVERLOAD, "%s: %u transactions wait already",
					 transaction->name, TL_STORE_WAITING_MAX);
	g_idle_add(complete_refused, refused);
}

void tl_store_submit(struct tl_store *store, struct tl_transaction *transaction, tl_store_done on_done, void *user)
{
	tl_assert_main();
	if (store->stopping) {
		tl_transaction_free(transaction);
		return;
	}
	transaction->on_done = on_done;
	transaction->user = user;
	if (store->under_way++ >= TL_STORE_WAITING_MAX) {
		refuse(store, transaction);
		return;
	}
	g_assert(tl_ring_push(store->down, &transaction));
	ring_bell(store);
}

const char *tl_store_alarm(const struct tl_store *store)
{
	return store->alarm;
}

uint64_t tl_store_commits(const struct tl_store *store)
{
	return atomic_load(&store->commits);
}
