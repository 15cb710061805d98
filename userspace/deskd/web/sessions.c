/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Logins. Sessions outlive the desk: the store knows each by its cookie's
 * SHA-256, so that neither it nor a copy of it lets anybody in. A hash takes tens of ms and tens of MB on purpose: it runs on a
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
	int64_t ends_utc_us;
};

struct failures {
	unsigned n;
	int64_t since_us;
};

struct sessions {
	GHashTable *hashes;   /* agent -> Argon2id hash */
	GHashTable *open;     /* SHA-256 of the cookie -> struct session */
	struct tl_store *store;
	void (*on_loaded)(void *user);
	void *user;
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

static char *digest_of(const char *cookie)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, cookie, -1);
}

/* @digest is copied. False: no such agent. */
static bool add_session(struct sessions *sessions, const char *digest, const char *agent, int64_t ends_utc_us)
{
	const char *name;
	if (!g_hash_table_lookup_extended(sessions->hashes, agent, (void **)&name, NULL))
		return false;
	struct session *session = g_new(struct session, 1);
	*session = (struct session){ name, ends_utc_us };
	g_hash_table_insert(sessions->open, g_strdup(digest), session);
	return true;
}

static void on_loaded(const struct tl_result *result, const GError *error, void *user)
{
	struct sessions *sessions = user;
	if (error)
		tl_warning("sessions of before: %s", error->message);
	for (unsigned row = 0; result && row < tl_result_rows(result, 1); row++)
		add_session(sessions, tl_result_text(result, 1, row, 0), tl_result_text(result, 1, row, 1),
			    tl_result_int(result, 1, row, 2));
	sessions->on_loaded(sessions->user);
}

static void load(struct sessions *sessions)
{
	struct tl_transaction *t = tl_transaction_new("sessions");
	tl_transaction_add(t, "DELETE FROM session WHERE ends_utc_us < $1", TL_VALUES(tl_int(tl_clock_utc_us())));
	tl_transaction_add(t, "SELECT cookie, agent, ends_utc_us FROM session ORDER BY ends_utc_us DESC LIMIT $1",
			   TL_VALUES(tl_int(SESSIONS_MAX)));
	tl_store_submit(sessions->store, t, on_loaded, sessions);
}

struct sessions *sessions_new(struct tl_store *store, const struct tl_web_login *logins, unsigned n,
			      void (*loaded)(void *user), void *user)
{
	struct sessions *sessions = g_new0(struct sessions, 1);
	sessions->hashes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	sessions->open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	sessions->failures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (unsigned i = 0; i < n; i++)
		g_hash_table_insert(sessions->hashes, g_strdup(logins[i].agent), g_strdup(logins[i].hash));
	sessions->store = store;
	sessions->on_loaded = loaded;
	sessions->user = user;
	load(sessions);
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
	return ((struct session *)value)->ends_utc_us < tl_clock_utc_us();
}

static void store_session(struct sessions *sessions, const char *digest, const char *agent, int64_t ends_utc_us)
{
	struct tl_transaction *t = tl_transaction_new("login");
	tl_transaction_add(t, "INSERT INTO session (cookie, agent, ends_utc_us) VALUES ($1, $2, $3)",
			   TL_VALUES(tl_text(digest), tl_text(agent), tl_int(ends_utc_us)));
	tl_store_submit(sessions->store, t, NULL, NULL);
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
	g_autofree char *digest = digest_of(text);
	int64_t ends_utc_us = tl_clock_utc_us() + (int64_t)SESSION_S * G_USEC_PER_SEC;
	add_session(sessions, digest, agent, ends_utc_us);
	store_session(sessions, digest, agent, ends_utc_us);
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
	g_autofree char *digest = cookie ? digest_of(cookie) : NULL;
	struct session *session = digest ? g_hash_table_lookup(sessions->open, digest) : NULL;
	return session && session->ends_utc_us > tl_clock_utc_us() ? session->agent : NULL;
}

void sessions_logout(struct sessions *sessions, const char *cookie)
{
	g_autofree char *digest = cookie ? digest_of(cookie) : NULL;
	if (!digest || !g_hash_table_remove(sessions->open, digest))
		return;
	struct tl_transaction *t = tl_transaction_new("logout");
	tl_transaction_add(t, "DELETE FROM session WHERE cookie = $1", TL_VALUES(tl_text(digest)));
	tl_store_submit(sessions->store, t, NULL, NULL);
}
