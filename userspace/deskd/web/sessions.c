/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Logins. A hash takes tens of ms and tens of MB on purpose: it runs on a
 * worker, few at once, and who fails often has to wait.
 */
#include "web/inside.h"

#include <sodium.h>
#include <string.h>

#define TL_ROOM "web"
#include "base/log.h"

#define SESSION_S (12 * 3600)
#define SESSIONS_MAX 4096
#define CHECKS_AT_ONCE 2
#define FAILURES_MAX 5       /* by one address or for one agent ... */
#define FAILURES_WINDOW_S 60 /* ... in so many seconds */
#define TOKEN_OCTETS 32

struct session {
	const char *agent; /* of sessions->hashes */
	int64_t ends_us;
};

struct failures {
	unsigned n;
	int64_t since_us;
};

struct sessions {
	GHashTable *hashes;   /* agent -> Argon2id hash */
	GHashTable *open;     /* cookie -> struct session */
	GHashTable *failures; /* address or agent -> struct failures */
	unsigned checking;
	bool freed;
};

/* One password on its way to the worker and back. */
struct check {
	struct sessions *sessions;
	char *agent, *password, *hash, *from;
	bool known;
	sessions_done on_done;
	void *user;
};

static void secret_free(char *text)
{
	if (text)
		sodium_memzero(text, strlen(text));
	g_free(text);
}

static void check_free(void *data)
{
	struct check *check = data;
	secret_free(check->password);
	g_free(check->agent);
	g_free(check->hash);
	g_free(check->from);
	g_free(check);
}

struct sessions *sessions_new(const struct tl_web_login *logins, unsigned n)
{
	struct sessions *sessions = g_new0(struct sessions, 1);
	sessions->hashes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	sessions->open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	sessions->failures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (unsigned i = 0; i < n; i++)
		g_hash_table_insert(sessions->hashes, g_strdup(logins[i].agent), g_strdup(logins[i].hash));
	return sessions;
}

void sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return;
	sessions->freed = true;
	if (sessions->checking)
		return; /* the last check does it */
	g_hash_table_unref(sessions->hashes);
	g_hash_table_unref(sessions->open);
	g_hash_table_unref(sessions->failures);
	g_free(sessions);
}

static bool has_failed_too_often(struct sessions *sessions, const char *who)
{
	struct failures *failures = g_hash_table_lookup(sessions->failures, who);
	if (failures && tl_clock_us() - failures->since_us > FAILURES_WINDOW_S * G_USEC_PER_SEC) {
		g_hash_table_remove(sessions->failures, who);
		failures = NULL;
	}
	return failures && failures->n >= FAILURES_MAX;
}

static gboolean is_old(gpointer key, gpointer value, gpointer user)
{
	(void)key, (void)user;
	return tl_clock_us() - ((struct failures *)value)->since_us > FAILURES_WINDOW_S * G_USEC_PER_SEC;
}

static void count_failure(struct sessions *sessions, const char *who)
{
	struct failures *failures = g_hash_table_lookup(sessions->failures, who);
	if (!failures) {
		if (g_hash_table_size(sessions->failures) >= SESSIONS_MAX)
			g_hash_table_foreach_remove(sessions->failures, is_old, NULL);
		failures = g_new0(struct failures, 1);
		failures->since_us = tl_clock_us();
		g_hash_table_insert(sessions->failures, g_strdup(who), failures);
	}
	failures->n++;
}

static gboolean has_ended(gpointer key, gpointer value, gpointer user)
{
	(void)key, (void)user;
	return ((struct session *)value)->ends_us < tl_clock_us();
}

static char *open_session(struct sessions *sessions, const char *agent)
{
	unsigned char octets[TOKEN_OCTETS];
	char text[TOKEN_OCTETS * 2 + 1];
	if (g_hash_table_size(sessions->open) >= SESSIONS_MAX &&
	    !g_hash_table_foreach_remove(sessions->open, has_ended, NULL))
		return NULL;
	randombytes_buf(octets, sizeof octets);
	sodium_bin2hex(text, sizeof text, octets, sizeof octets);
	struct session *session = g_new0(struct session, 1);
	session->ends_us = tl_clock_us() + (int64_t)SESSION_S * G_USEC_PER_SEC;
	g_hash_table_lookup_extended(sessions->hashes, agent, (void **)&session->agent, NULL);
	g_hash_table_insert(sessions->open, g_strdup(text), session);
	return g_strdup(text);
}

/* Worker. */
static void verify(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct check *check = data;
	(void)source, (void)cancellable;
	bool good = crypto_pwhash_str_verify(check->hash, check->password, strlen(check->password)) == 0;
	g_task_return_boolean(task, good && check->known);
}

static void on_verified(GObject *source, GAsyncResult *result, gpointer user)
{
	struct check *check = g_task_get_task_data(G_TASK(result));
	struct sessions *sessions = check->sessions;
	bool good = g_task_propagate_boolean(G_TASK(result), NULL);
	(void)source, (void)user;
	sessions->checking--;
	if (sessions->freed) {
		check->on_done(NULL, 503, check->user);
		sessions_free(sessions);
		return;
	}
	char *cookie = good ? open_session(sessions, check->agent) : NULL;
	if (!good) {
		count_failure(sessions, check->from);
		count_failure(sessions, check->agent);
		tl_notice("login as %s from %s refused", check->agent, check->from);
	}
	check->on_done(cookie, good ? 503 : 401, check->user);
}

void sessions_login(struct sessions *sessions, const char *agent, const char *password, const char *from,
		    sessions_done on_done, void *user)
{
	/* For an unknown agent the same work is done, so that its time tells nothing. */
	static const char nobody[] = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
				     "Zm9yIG5vYm9keSBhdCBhbGwsIHRoaXMgbmV2ZXIgZml0cw";
	if (has_failed_too_often(sessions, from) || has_failed_too_often(sessions, agent)) {
		on_done(NULL, 429, user);
		return;
	}
	if (sessions->checking >= CHECKS_AT_ONCE) {
		on_done(NULL, 503, user);
		return;
	}
	const char *hash = g_hash_table_lookup(sessions->hashes, agent);
	struct check *check = g_new0(struct check, 1);
	*check = (struct check){ .sessions = sessions, .agent = g_strdup(agent), .password = g_strdup(password),
				 .hash = g_strdup(hash ? hash : nobody), .from = g_strdup(from), .known = hash != NULL,
				 .on_done = on_done, .user = user };
	sessions->checking++;
	g_autoptr(GTask) task = g_task_new(NULL, NULL, on_verified, NULL);
	g_task_set_task_data(task, check, check_free);
	g_task_run_in_thread(task, verify);
}

const char *sessions_agent(struct sessions *sessions, const char *cookie)
{
	struct session *session = cookie ? g_hash_table_lookup(sessions->open, cookie) : NULL;
	return session && session->ends_us > tl_clock_us() ? session->agent : NULL;
}

void sessions_logout(struct sessions *sessions, const char *cookie)
{
	if (cookie)
		g_hash_table_remove(sessions->open, cookie);
}
