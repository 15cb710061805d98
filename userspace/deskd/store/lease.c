/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "store/store.h"

#include "base/clock.h"

#define TL_ROOM "lease"
#include "base/log.h"

struct tl_lease {
	struct tl_store *store;
	char *holder;
	unsigned lease_ms;
	int64_t epoch;    /* 0: not held */
	int64_t lost;     /* the last one that ran out here */
	int64_t asked_us; /* when the claim under way was submitted */
	bool asking;
	bool freed;       /* while a claim is under way */
	int64_t raise;    /* epoch that some node has seen */
	struct tl_timer *renew, *deadline;
	tl_lease_fn on_change;
	void *user;
};

static void lease_destroy(struct tl_lease *lease)
{
	tl_timer_free(lease->renew);
	tl_timer_free(lease->deadline);
	g_free(lease->holder);
	g_free(lease);
}

static void set_epoch(struct tl_lease *lease, int64_t epoch)
{
	if (lease->epoch == epoch)
		return;
	if (!epoch)
		lease->lost = lease->epoch;
	lease->epoch = epoch;
	if (epoch)
		tl_notice("%s is the conductor, epoch %" G_GINT64_FORMAT, lease->holder, epoch);
	else
		tl_warning("%s is no longer the conductor", lease->holder);
	lease->on_change(epoch, lease->user);
}

static void on_deadline(void *user)
{
	set_epoch(user, 0);
}

static void claim(void *lease);

/* The lease runs from when it was asked for, which is before the database wrote it down. */
static void hold(struct tl_lease *lease, int64_t epoch)
{
	int64_t left_us = lease->asked_us + (int64_t)lease->lease_ms * 1000 - tl_clock_us();
	if (left_us <= 0) {
		set_epoch(lease, 0);
		return;
	}
	/* A renewal that was answered when the reign was over here already: what it named is no longer unique. */
	if (epoch == lease->lost) {
		claim(lease);
		return;
	}
	tl_timer_start(lease->deadline, left_us / 1000);
	set_epoch(lease, epoch);
}

static void on_claimed(const struct tl_result *result, const GError *error, void *user)
{
	struct tl_lease *lease = user;
	lease->asking = false;
	if (lease->freed) {
		lease_destroy(lease);
		return;
	}
	tl_timer_start(lease->renew, lease->lease_ms / 4);
	if (error) /* the store speaks of it; the deadline runs on */
		return;
	if (!g_strcmp0(tl_result_text(result, 2, 0, 0), lease->holder)) {
		hold(lease, tl_result_int(result, 2, 0, 1));
	} else {
		tl_timer_stop(lease->deadline);
		set_epoch(lease, 0);
	}
}

static void claim(void *user)
{
	struct tl_lease *lease = user;
	if (lease->asking)
		return;
	struct tl_transaction *t = tl_transaction_new("lease");
	tl_transaction_add(t, "INSERT INTO lease (name, holder, epoch, expires_us) VALUES ('conductor', '', 0, 0) "
			      "ON CONFLICT (name) DO NOTHING", TL_VALUES());
	if (lease->epoch) {
		int64_t raised = lease->raise >= lease->epoch ? lease->raise + 1 : lease->epoch;
		tl_transaction_add(t, "UPDATE lease SET expires_us = now_us() + $1, epoch = $2 "
				      "WHERE name = 'conductor' AND holder = $3 AND epoch = $4",
				   TL_VALUES(tl_int(lease->lease_ms * 1000LL), tl_int(raised), tl_text(lease->holder),
					     tl_int(lease->epoch)));
	} else {
		tl_transaction_add(t, "UPDATE lease SET holder = $1, expires_us = now_us() + $2, "
				      "epoch = 1 + CASE WHEN epoch > $3 THEN epoch ELSE $3 END "
				      "WHERE name = 'conductor' AND (expires_us < now_us() OR holder = $1)",
				   TL_VALUES(tl_text(lease->holder), tl_int(lease->lease_ms * 1000LL), tl_int(lease->raise)));
	}
	tl_transaction_add(t, "SELECT holder, epoch FROM lease WHERE name = 'conductor'", TL_VALUES());
	lease->asking = true;
	lease->asked_us = tl_clock_us();
	tl_store_submit(lease->store, t, on_claimed, lease);
}

struct tl_lease *tl_lease_new(struct tl_store *store, const char *holder, unsigned lease_ms, tl_lease_fn on_change,
			      void *user)
{
	struct tl_lease *lease = g_new0(struct tl_lease, 1);
	lease->store = store;
	lease->holder = g_strdup(holder);
	lease->lease_ms = lease_ms;
	lease->on_change = on_change;
	lease->user = user;
	lease->renew = tl_timer_new("lease-renew", claim, lease);
	lease->deadline = tl_timer_new("lease-deadline", on_deadline, lease);
	claim(lease);
	return lease;
}

void tl_lease_free(struct tl_lease *lease)
{
	if (!lease)
		return;
	tl_timer_stop(lease->renew);
	tl_timer_stop(lease->deadline);
	if (lease->epoch) {
		struct tl_transaction *t = tl_transaction_new("lease given back");
		tl_transaction_add(t, "UPDATE lease SET expires_us = 0 WHERE name = 'conductor' AND epoch = $1",
				   TL_VALUES(tl_int(lease->epoch)));
		tl_store_submit(lease->store, t, NULL, NULL);
	}
	lease->freed = true;
	if (!lease->asking)
		lease_destroy(lease);
}

void tl_lease_raise(struct tl_lease *lease, int64_t epoch)
{
	if (epoch <= lease->raise)
		return;
	lease->raise = epoch;
	claim(lease);
}

int64_t tl_lease_epoch(const struct tl_lease *lease)
{
	return lease->epoch;
}
