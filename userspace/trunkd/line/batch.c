/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "line/batch.h"

#include <errno.h>
#include <unistd.h>
#include <glib.h>

#if __has_include(<liburing.h>)
#include <liburing.h>
#define HAVE_RING 1
#else
#define HAVE_RING 0
#endif

/* What a cancelled operation may take to say so, several times. */
#define CANCEL_WAIT_NS 50000000
#define CANCEL_WAITS 20
#define CANCEL_TAG ~0u

struct done {
	unsigned tag;
	int result;
};

struct tl_batch {
	unsigned most;
	bool is_ring;
	unsigned under_way;
	struct done *done; /* plain: told in order of addition */
	unsigned n_done, n_told;
#if HAVE_RING
	struct io_uring ring;
	unsigned added; /* not yet submitted */
#endif
};

struct tl_batch *tl_batch_new(unsigned most, bool plain)
{
	struct tl_batch *batch = g_new0(struct tl_batch, 1);

	batch->most = most;
#if HAVE_RING
	/* One more for the cancellation at the end. The kernel may have it switched off. */
	batch->is_ring = !plain && io_uring_queue_init(most + 1, &batch->ring, 0) == 0;
#endif
	if (!batch->is_ring)
		batch->done = g_new0(struct done, most);
	return batch;
}

bool tl_batch_is_ring(const struct tl_batch *batch)
{
	return batch->is_ring;
}

#if HAVE_RING
static void ring_end(struct tl_batch *batch)
{
	struct io_uring_sqe *sqe = batch->under_way ? io_uring_get_sqe(&batch->ring) : NULL;
	struct __kernel_timespec wait = { .tv_nsec = CANCEL_WAIT_NS };
	struct io_uring_cqe *cqe;

	if (sqe) {
		io_uring_prep_cancel(sqe, NULL, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
		sqe->user_data = CANCEL_TAG;
		io_uring_submit(&batch->ring);
	}
	for (unsigned i = 0; batch->under_way && i < CANCEL_WAITS;) {
		if (io_uring_wait_cqe_timeout(&batch->ring, &cqe, &wait) != 0) {
			i++;
			continue;
		}
		batch->under_way -= cqe->user_data != CANCEL_TAG;
		io_uring_cqe_seen(&batch->ring, cqe);
	}
	io_uring_queue_exit(&batch->ring);
}

static struct io_uring_sqe *ring_add(struct tl_batch *batch)
{
	struct io_uring_sqe *sqe = batch->under_way < batch->most ? io_uring_get_sqe(&batch->ring) : NULL;

	if (!sqe)
		return NULL;
	batch->under_way++;
	batch->added++;
	return sqe;
}

static bool ring_next(struct tl_batch *batch, unsigned *tag, int *result)
{
	struct io_uring_cqe *cqe;

	if (io_uring_peek_cqe(&batch->ring, &cqe) != 0)
		return false;
	*tag = (unsigned)cqe->user_data;
	*result = cqe->res;
	io_uring_cqe_seen(&batch->ring, cqe);
	batch->under_way--;
	return true;
}
#endif

void tl_batch_free(struct tl_batch *batch)
{
	if (!batch)
		return;
#if HAVE_RING
	if (batch->is_ring)
		ring_end(batch);
#endif
	g_free(batch->done);
	g_free(batch);
}

/* Plain: it is over at once. */
static bool plain_done(struct tl_batch *batch, ssize_t moved, unsigned tag)
{
	batch->done[batch->n_done++] = (struct done){ tag, moved < 0 ? -errno : (int)moved };
	return true;
}

static bool plain_has_room(const struct tl_batch *batch)
{
	return batch->n_done < batch->most;
}

bool tl_batch_read(struct tl_batch *batch, int fd, void *octets, size_t n_octets, unsigned tag)
{
#if HAVE_RING
	if (batch->is_ring) {
		struct io_uring_sqe *sqe = ring_add(batch);

		if (!sqe)
			return false;
		io_uring_prep_read(sqe, fd, octets, (unsigned)n_octets, 0);
		sqe->user_data = tag;
		return true;
	}
#endif
	return plain_has_room(batch) && plain_done(batch, read(fd, octets, n_octets), tag);
}

bool tl_batch_write(struct tl_batch *batch, int fd, const void *octets, size_t n_octets, unsigned tag)
{
#if HAVE_RING
	if (batch->is_ring) {
		struct io_uring_sqe *sqe = ring_add(batch);

		if (!sqe)
			return false;
		io_uring_prep_write(sqe, fd, octets, (unsigned)n_octets, 0);
		sqe->user_data = tag;
		return true;
	}
#endif
	return plain_has_room(batch) && plain_done(batch, write(fd, octets, n_octets), tag);
}

void tl_batch_submit(struct tl_batch *batch)
{
#if HAVE_RING
	if (batch->is_ring && batch->added)
		io_uring_submit(&batch->ring);
	batch->added = 0;
#endif
}

bool tl_batch_next(struct tl_batch *batch, unsigned *tag, int *result)
{
#if HAVE_RING
	if (batch->is_ring)
		return ring_next(batch, tag, result);
#endif
	if (batch->n_told == batch->n_done) {
		batch->n_done = batch->n_told = 0;
		return false;
	}
	*tag = batch->done[batch->n_told].tag;
	*result = batch->done[batch->n_told++].result;
	return true;
}
