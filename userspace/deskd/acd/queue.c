/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Queues and the contacts that wait in them. */
#include "acd/model.h"

#include <string.h>

void acd_count_day(struct tl_acd *acd)
{
	int64_t day = tl_clock_utc_us() / (86400LL * G_USEC_PER_SEC);
	if (acd->day == day)
		return;
	acd->day = day;
	GHashTableIter iter;
	struct queue *queue;
	g_hash_table_iter_init(&iter, acd->queues);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&queue))
		queue->answered_today = queue->abandoned_today = queue->overflowed_today = 0;
}

struct queue *queue_new(struct tl_acd *acd, const char *name)
{
	struct queue *queue = g_new0(struct queue, 1);
	queue->acd = acd;
	queue->name = g_strdup(name);
	queue->waiting = g_sequence_new(NULL);
	queue->ready = g_sequence_new(NULL);
	return queue;
}

void queue_free(void *data)
{
	struct queue *queue = data;
	g_sequence_free(queue->waiting);
	g_sequence_free(queue->ready);
	g_free(queue->name);
	g_free(queue);
}

struct tl_queue_info queue_info(struct queue *queue)
{
	acd_count_day(queue->acd);
	struct tl_queue_info info = {
		.name = queue->name, .waiting = g_sequence_get_length(queue->waiting),
		.ready = g_sequence_get_length(queue->ready), .talking = queue->talking,
		.answered_today = queue->answered_today, .abandoned_today = queue->abandoned_today,
		.overflowed_today = queue->overflowed_today,
	};
	if (info.waiting) {
		const struct entry *first = g_sequence_get(g_sequence_get_begin_iter(queue->waiting));
		info.longest_wait_s = MAX(0, tl_clock_utc_us() - first->enqueued_utc_us) / G_USEC_PER_SEC;
	}
	return info;
}

void queue_changed(struct queue *queue)
{
	struct tl_queue_info info = queue_info(queue);
	queue->acd->handler.on_queue(&info, queue->acd->user);
}

struct entry *entry_new(struct tl_acd *acd, const char *contact, struct queue *queue, int64_t enqueued_utc_us)
{
	struct entry *entry = g_new0(struct entry, 1);
	entry->acd = acd;
	entry->contact = g_strdup(contact);
	entry->queue = queue;
	entry->enqueued_utc_us = enqueued_utc_us;
	g_hash_table_insert(acd->entries, entry->contact, entry);
	return entry;
}

void entry_free(void *data)
{
	struct entry *entry = data;
	entry_unwait(entry);
	if (entry->agent && entry->agent->entry == entry)
		entry->agent->entry = NULL;
	g_free(entry->contact);
	g_free(entry->assignment);
	g_free(entry);
}

static gint first_come(gconstpointer a, gconstpointer b, gpointer user)
{
	const struct entry *x = a, *y = b;
	(void)user;
	int by_time = (x->enqueued_utc_us > y->enqueued_utc_us) - (x->enqueued_utc_us < y->enqueued_utc_us);
	return by_time ? by_time : strcmp(x->contact, y->contact);
}

void entry_wait(struct entry *entry)
{
	entry->state = ENTRY_WAITING;
	if (entry->queue && entry->available && !entry->place)
		entry->place = g_sequence_insert_sorted(entry->queue->waiting, entry, first_come, NULL);
	if (entry->queue)
		queue_changed(entry->queue);
}

void entry_unwait(struct entry *entry)
{
	if (entry->place)
		g_sequence_remove(entry->place);
	entry->place = NULL;
}
