/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "base/wake.h"

#include <glib.h>
#include <glib-unix.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct tl_wake {
	int fd;
	guint source;
	atomic_bool rung; /* set by the ringer, cleared by main: one write for many rings */
	tl_wake_fn on_ring;
	void *user;
};

static gboolean heard(gint fd, GIOCondition condition, gpointer data)
{
	struct tl_wake *wake = data;
	uint64_t n;
	(void)condition;
	if (read(fd, &n, sizeof n) != sizeof n)
		return G_SOURCE_CONTINUE;
	/* Cleared before the rings are read, so that a later ring is never lost. */
	atomic_store(&wake->rung, false);
	wake->on_ring(wake->user);
	return G_SOURCE_CONTINUE;
}

struct tl_wake *tl_wake_new(tl_wake_fn on_ring, void *user)
{
	struct tl_wake *wake = g_new0(struct tl_wake, 1);
	wake->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (wake->fd < 0)
		g_error("eventfd: %s", g_strerror(errno));
	wake->on_ring = on_ring;
	wake->user = user;
	wake->source = g_unix_fd_add_full(G_PRIORITY_HIGH, wake->fd, G_IO_IN, heard, wake, NULL);
	return wake;
}

void tl_wake_free(struct tl_wake *wake)
{
	if (!wake)
		return;
	g_source_remove(wake->source);
	close(wake->fd);
	g_free(wake);
}

void tl_wake_ring(struct tl_wake *wake)
{
	if (atomic_exchange(&wake->rung, true))
		return;
	uint64_t one = 1;
	if (write(wake->fd, &one, sizeof one) != sizeof one)
		atomic_store(&wake->rung, false); /* only when the counter is full: main is awake anyway */
}
