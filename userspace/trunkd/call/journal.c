/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/journal.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ring.h"
#include "base/thread.h"
#include "base/wake.h"
#include "call/journal-disk.h"

#define RING_VALUES 4096
#define RETRY_MS 500

enum request_kind { REQUEST_APPEND, REQUEST_READ, REQUEST_FORGET, REQUEST_HEARTBEAT };

struct request {
	enum request_kind kind;
	struct tl_journal_entry *entry; /* APPEND */
	uint64_t sequence;              /* READ: after; FORGET */
	unsigned max;                   /* READ */
	tl_journal_read_done on_read;   /* READ */
	void *user;                     /* READ */
	int64_t at_ns, utc_us;          /* HEARTBEAT */
};

enum answer_kind { ANSWER_COMMITTED, ANSWER_READ, ANSWER_FORGOTTEN, ANSWER_FAULT, ANSWER_HEARTBEAT };

struct answer {
	enum answer_kind kind;
	GPtrArray *list;              /* COMMITTED: entries; READ: payloads */
	char *why;                    /* READ: error; FAULT: NULL when well again */
	uint64_t first, last;
	tl_journal_read_done on_read;
	void *user;
};

struct tl_journal {
	/* main */
	struct tl_journal_handler handler;
	void *user;
	uint64_t next, first, last, commits, records;
	bool faulty;
	unsigned outstanding;      /* requests without an answer; at most RING_VALUES, so answers always fit */
	GQueue *backlog;           /* struct request *: what the ring had no room for */
	struct tl_wake *wake;
	GThread *thread;
	/* between */
	struct tl_ring *requests, *answers;
	int bell;
	atomic_bool stopping;
	_Atomic int64_t stop_by_us;
	/* the journal's thread */
	struct tl_journal_disk *disk;
	uint64_t max_octets;
	GPtrArray *pending;        /* struct tl_journal_entry, not yet durable */
	bool failing;
};

G_DEFINE_QUARK(tl-journal-error-quark, tl_journal_error)

/* ---- the journal's thread ---- */

static void answer(struct tl_journal *journal, struct answer *answer)
{
	answer->first = tl_journal_disk_first(journal->disk);
	answer->last = tl_journal_disk_last(journal->disk);
	g_assert(tl_ring_push(journal->answers, answer));
	tl_wake_ring(journal->wake);
}

static void serve(struct tl_journal *journal, const struct request *request)
{
	struct answer a = { .user = request->user };
	switch (request->kind) {
	case REQUEST_APPEND:
		g_ptr_array_add(journal->pending, request->entry);
		return;
	case REQUEST_READ:
		a.kind = ANSWER_READ;
		a.on_read = request->on_read;
		a.list = tl_journal_disk_read(journal->disk, request->sequence, request->max, &a.why);
		break;
	case REQUEST_FORGET:
		a.kind = ANSWER_FORGOTTEN;
		tl_journal_disk_forget(journal->disk, request->sequence);
		break;
	case REQUEST_HEARTBEAT:
		a.kind = ANSWER_HEARTBEAT;
		tl_journal_disk_heartbeat(journal->disk, request->at_ns, request->utc_us);
		break;
	}
	answer(journal, &a);
}

static void tell_fault(struct tl_journal *journal, bool failing, char *why)
{
	if (failing == journal->failing) {
		g_free(why);
		return;
	}
	journal->failing = failing;
	answer(journal, &(struct answer){ .kind = ANSWER_FAULT, .why = why });
}

/* One fsync for all that waits. */
static void commit(struct tl_journal *journal)
{
	char *why = NULL;
	if (tl_journal_disk_commit(journal->disk, journal->pending, &why)) {
		tell_fault(journal, true, why);
		return;
	}
	struct answer a = { .kind = ANSWER_COMMITTED, .list = journal->pending };
	journal->pending = g_ptr_array_new();
	answer(journal, &a);
	if (tl_journal_disk_octets(journal->disk) <= journal->max_octets)
		tell_fault(journal, false, NULL);
	else
		tell_fault(journal, true, g_strdup_printf("more than %" G_GUINT64_FORMAT " octets that no desk has stored",
							  journal->max_octets));
}

/* Waits for the bell; while the disk fails, at most until the next try. */
static void await_bell(struct tl_journal *journal)
{
	struct pollfd fd = { .fd = journal->bell, .events = POLLIN };
	uint64_t n;
	if (poll(&fd, 1, journal->pending->len ? RETRY_MS : -1) > 0 && read(journal->bell, &n, sizeof n) < 0)
		return;
}

static bool may_stop(struct tl_journal *journal)
{
	return atomic_load(&journal->stopping) && !tl_ring_count(journal->requests) &&
	       (!journal->pending->len || g_get_monotonic_time() >= atomic_load(&journal->stop_by_us));
}

static gpointer run(gpointer data)
{
	struct tl_journal *journal = data;
	struct request request;
	while (!may_stop(journal)) {
		await_bell(journal);
		while (tl_ring_pop(journal->requests, &request))
			serve(journal, &request);
		if (journal->pending->len)
			commit(journal);
	}
	return NULL;
}

/* ---- main ---- */

static void ring_bell(struct tl_journal *journal)
{
	uint64_t one = 1;
	if (write(journal->bell, &one, sizeof one) != sizeof one)
		g_assert(errno == EAGAIN); /* rung often enough */
}

static void flush_backlog(struct tl_journal *journal)
{
	bool moved = false;
	/* Half of the answers' room is kept for faults, which nobody asked for. */
	while (!g_queue_is_empty(journal->backlog) && journal->outstanding < RING_VALUES) {
		struct request *request = g_queue_peek_head(journal->backlog);
		if (!tl_ring_push(journal->requests, request))
			break;
		g_free(g_queue_pop_head(journal->backlog));
		journal->outstanding++;
		moved = true;
	}
	if (moved)
		ring_bell(journal);
}

static void submit(struct tl_journal *journal, const struct request *request)
{
	tl_assert_main();
	g_queue_push_tail(journal->backlog, g_memdup2(request, sizeof *request));
	flush_backlog(journal);
}

static void take_committed(struct tl_journal *journal, GPtrArray *entries)
{
	journal->outstanding -= entries->len;
	journal->records += entries->len;
	journal->commits++;
	for (unsigned i = 0; i < entries->len; i++) {
		struct tl_journal_entry *entry = g_ptr_array_index(entries, i);
		if (entry->on_durable)
			entry->on_durable(entry->user);
		tl_journal_entry_free(entry);
	}
	g_ptr_array_unref(entries);
	if (journal->handler.on_committed)
		journal->handler.on_committed(journal->user);
}

static void take_read(struct tl_journal *journal, struct answer *answer)
{
	g_autoptr(GError) error = NULL;
	journal->outstanding--;
	if (!answer->list)
		error = g_error_new_literal(TL_JOURNAL_ERROR, TL_JOURNAL_ERROR_READ, answer->why);
	answer->on_read(answer->list, answer->last, error, answer->user);
	if (answer->list)
		g_ptr_array_unref(answer->list);
}

static void on_answers(void *user)
{
	struct tl_journal *journal = user;
	struct answer answer;
	while (tl_ring_pop(journal->answers, &answer)) {
		journal->first = answer.first;
		journal->last = answer.last;
		switch (answer.kind) {
		case ANSWER_COMMITTED:
			take_committed(journal, answer.list);
			break;
		case ANSWER_READ:
			take_read(journal, &answer);
			break;
		case ANSWER_FORGOTTEN:
		case ANSWER_HEARTBEAT:
			journal->outstanding--;
			break;
		case ANSWER_FAULT:
			journal->faulty = answer.why != NULL;
			if (journal->handler.on_fault)
				journal->handler.on_fault(answer.why, journal->user);
			break;
		}
		g_free(answer.why);
	}
	flush_backlog(journal);
}

static void orphan_free(void *data)
{
	struct tl_journal_orphan *orphan = data;
	g_free(orphan->subject);
	g_free(orphan->payload);
	g_free(orphan);
}

void tl_journal_past_clear(struct tl_journal_past *past)
{
	g_clear_pointer(&past->orphans, g_ptr_array_unref);
}

struct tl_journal *tl_journal_open(const struct tl_journal_config *config, const struct tl_journal_handler *handler,
				   void *user, struct tl_journal_past *past, GError **error)
{
	tl_assert_main();
	*past = (struct tl_journal_past){ .orphans = g_ptr_array_new_with_free_func(orphan_free) };
	struct tl_journal_disk *disk = tl_journal_disk_open(config, past, error);
	if (!disk) {
		tl_journal_past_clear(past);
		return NULL;
	}
	struct tl_journal *journal = g_new0(struct tl_journal, 1);
	journal->handler = *handler;
	journal->user = user;
	journal->disk = disk;
	journal->max_octets = config->max_octets;
	journal->first = tl_journal_disk_first(disk);
	journal->last = tl_journal_disk_last(disk);
	journal->next = journal->last + 1;
	journal->backlog = g_queue_new();
	journal->pending = g_ptr_array_new();
	journal->requests = tl_ring_new(RING_VALUES, sizeof(struct request));
	journal->answers = tl_ring_new(2 * RING_VALUES, sizeof(struct answer));
	journal->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	g_assert(journal->bell >= 0);
	journal->wake = tl_wake_new(on_answers, journal);
	journal->thread = g_thread_new("journal", run, journal);
	return journal;
}

static void free_unwritten(struct tl_journal *journal)
{
	for (unsigned i = 0; i < journal->pending->len; i++)
		tl_journal_entry_free(g_ptr_array_index(journal->pending, i));
	g_ptr_array_unref(journal->pending);
	for (struct request *request; (request = g_queue_pop_head(journal->backlog)); g_free(request))
		if (request->kind == REQUEST_APPEND)
			tl_journal_entry_free(request->entry);
	g_queue_free(journal->backlog);
}

void tl_journal_close(struct tl_journal *journal, unsigned wait_ms)
{
	if (!journal)
		return;
	int64_t end_us = g_get_monotonic_time() + (int64_t)wait_ms * 1000;
	while (!g_queue_is_empty(journal->backlog) && g_get_monotonic_time() < end_us)
		g_main_context_iteration(NULL, TRUE);
	atomic_store(&journal->stop_by_us, end_us);
	atomic_store(&journal->stopping, true);
	ring_bell(journal);
	g_thread_join(journal->thread);
	on_answers(journal);
	free_unwritten(journal);
	tl_wake_free(journal->wake);
	close(journal->bell);
	tl_ring_free(journal->requests);
	tl_ring_free(journal->answers);
	tl_journal_disk_close(journal->disk);
	g_free(journal);
}

uint64_t tl_journal_next(const struct tl_journal *journal)
{
	return journal->next;
}

void tl_journal_append(struct tl_journal *journal, const struct tl_record *record, void (*on_durable)(void *user),
		       void *user)
{
	struct tl_record numbered = *record;
	numbered.sequence = journal->next++;
	struct tl_journal_entry *entry = g_new0(struct tl_journal_entry, 1);
	entry->sequence = numbered.sequence;
	entry->kind = numbered.kind;
	entry->subject = g_strndup(numbered.subject, numbered.n_subject);
	entry->octets = g_byte_array_sized_new(128 + numbered.n_payload);
	entry->on_durable = on_durable;
	entry->user = user;
	g_assert(!tl_record_format(&numbered, entry->octets));
	submit(journal, &(struct request){ .kind = REQUEST_APPEND, .entry = entry });
}

void tl_journal_read(struct tl_journal *journal, uint64_t after, unsigned max, tl_journal_read_done on_done, void *user)
{
	submit(journal, &(struct request){ .kind = REQUEST_READ, .sequence = after, .max = max, .on_read = on_done,
					   .user = user });
}

void tl_journal_forget(struct tl_journal *journal, uint64_t sequence)
{
	submit(journal, &(struct request){ .kind = REQUEST_FORGET, .sequence = sequence });
}

void tl_journal_heartbeat(struct tl_journal *journal, int64_t at_ns, int64_t utc_us)
{
	submit(journal, &(struct request){ .kind = REQUEST_HEARTBEAT, .at_ns = at_ns, .utc_us = utc_us });
}

uint64_t tl_journal_first(const struct tl_journal *journal)
{
	return journal->first;
}

uint64_t tl_journal_last(const struct tl_journal *journal)
{
	return journal->last;
}

bool tl_journal_is_faulty(const struct tl_journal *journal)
{
	return journal->faulty;
}

void tl_journal_counters(const struct tl_journal *journal, uint64_t *commits, uint64_t *records)
{
	*commits = journal->commits;
	*records = journal->records;
}
