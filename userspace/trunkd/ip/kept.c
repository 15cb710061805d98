/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/kept.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "base/clock.h"
#include "ip/sip-auth.h"
#include "ip/sip.h"

#define TL_ROOM "ip"
#include "base/log.h"

#define WRITE_AFTER_MS 500 /* many phones that come at once are one write */

struct tl_kept {
	struct tl_sip *sip;
	char *path;
	struct tl_timer *write, *read;
	bool dirty;
};

struct file {
	char *path, *text;
};

static void file_free(void *data)
{
	struct file *file = data;
	g_free(file->path);
	g_free(file->text);
	g_free(file);
}

/* ---- writing ---- */

struct book {
	GKeyFile *keys;
	struct tl_sip *sip;
	unsigned n;
};

static void put(const char *name, const struct tl_binding *binding, void *user)
{
	struct book *book = user;
	g_autofree char *group = g_strdup_printf("%u", ++book->n);
	const struct tl_sip_listener *via = binding->via;
	g_key_file_set_string(book->keys, group, "user", name);
	g_key_file_set_string(book->keys, group, "contact", binding->contact);
	if (binding->route)
		g_key_file_set_string(book->keys, group, "route", binding->route);
	g_key_file_set_string(book->keys, group, "call_id", binding->call_id);
	g_key_file_set_uint64(book->keys, group, "cseq", binding->cseq);
	g_key_file_set_uint64(book->keys, group, "listener", via - book->sip->listeners);
	g_key_file_set_int64(book->keys, group, "until_utc_us",
			     tl_clock_utc_us() + (gint64)binding->expires_s * G_USEC_PER_SEC);
}

static struct file *file_of(struct tl_kept *kept)
{
	struct book book = { g_key_file_new(), kept->sip, 0 };
	tl_registrar_each(kept->sip->registrar, put, &book);
	struct file *file = g_new0(struct file, 1);
	file->path = g_strdup(kept->path);
	file->text = g_key_file_to_data(book.keys, NULL, NULL);
	g_key_file_unref(book.keys);
	return file;
}

static void save(const struct file *file)
{
	g_autoptr(GError) error = NULL;
	if (!g_file_set_contents_full(file->path, file->text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
		tl_warning("registrations are not kept: %s", error->message);
}

static void save_on_worker(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	save(data);
	g_task_return_boolean(task, TRUE);
}

static void on_write(void *user)
{
	struct tl_kept *kept = user;
	g_autoptr(GTask) task = g_task_new(NULL, NULL, NULL, NULL);
	kept->dirty = false;
	g_task_set_task_data(task, file_of(kept), file_free);
	g_task_run_in_thread(task, save_on_worker);
}

void tl_kept_changed(struct tl_kept *kept)
{
	if (!kept || kept->dirty)
		return;
	kept->dirty = true;
	tl_timer_start(kept->write, WRITE_AFTER_MS);
}

/* ---- reading ---- */

static bool bind_again(struct tl_sip *sip, GKeyFile *keys, const char *group)
{
	g_autofree char *user = g_key_file_get_string(keys, group, "user", NULL);
	g_autofree char *contact = g_key_file_get_string(keys, group, "contact", NULL);
	g_autofree char *route = g_key_file_get_string(keys, group, "route", NULL);
	g_autofree char *call_id = g_key_file_get_string(keys, group, "call_id", NULL);
	guint64 listener = g_key_file_get_uint64(keys, group, "listener", NULL);
	gint64 left_us = g_key_file_get_int64(keys, group, "until_utc_us", NULL) - tl_clock_utc_us();
	if (!user || !contact || !call_id || !tl_sip_user_named(sip, user) || listener >= sip->n_listeners ||
	    left_us < G_USEC_PER_SEC || left_us > (gint64)sip->register_max_s * G_USEC_PER_SEC)
		return false;
	struct tl_binding binding = {
		.contact = contact,
		.route = route,
		.call_id = call_id,
		.cseq = g_key_file_get_uint64(keys, group, "cseq", NULL),
		.via = &sip->listeners[listener],
		.expires_s = left_us / G_USEC_PER_SEC,
	};
	return tl_registrar_bind(sip->registrar, user, &binding);
}

static void on_read(void *data)
{
	struct tl_kept *kept = data;
	g_autoptr(GKeyFile) keys = g_key_file_new();
	g_autoptr(GError) error = NULL;
	if (!g_key_file_load_from_file(keys, kept->path, G_KEY_FILE_NONE, &error)) {
		if (!g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
			tl_warning("%s: registrations of the last run are lost: %s", kept->path, error->message);
		return;
	}
	g_auto(GStrv) groups = g_key_file_get_groups(keys, NULL);
	unsigned bound = 0;
	for (char **group = groups; *group; group++)
		bound += bind_again(kept->sip, keys, *group);
	if (bound)
		tl_notice("%u registrations of the last run still hold", bound);
}

struct tl_kept *tl_kept_new(struct tl_sip *sip, const char *path)
{
	struct tl_kept *kept = g_new0(struct tl_kept, 1);
	kept->sip = sip;
	kept->path = g_strdup(path);
	kept->write = tl_timer_new("keep-registrations", on_write, kept);
	kept->read = tl_timer_new("read-registrations", on_read, kept);
	tl_timer_start(kept->read, 0);
	return kept;
}

void tl_kept_free(struct tl_kept *kept)
{
	if (!kept)
		return;
	if (kept->dirty) {
		struct file *file = file_of(kept);
		save(file);
		file_free(file);
	}
	tl_timer_free(kept->write);
	tl_timer_free(kept->read);
	g_free(kept->path);
	g_free(kept);
}
