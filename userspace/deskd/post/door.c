/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* LMTP on a UNIX socket: each connection has its machine; what it brings is written as a blob, then handed on. */
#include "post/post.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define TL_ROOM "post"
#include "base/log.h"

#define CONNECTIONS_MAX 32
#define IDLE_MS 300000 /* RFC 5321 4.5.3.2.7 */

struct tl_post_door {
	struct tl_post_door_handler handler;
	void *user;
	char *path, *name;
	unsigned message_max;
	struct tl_blobs *blobs;
	GSocketService *service;
	GList *visitors;
	uint64_t letters;   /* numbers given so far */
	unsigned writing;   /* blobs on their way */
	bool stopping;
};

struct visitor {
	struct tl_post_door *door;
	GSocketConnection *connection;
	GCancellable *cancel;
	struct tl_lmtp *lmtp;
	struct tl_timer *idle;
	uint64_t letter; /* whose answer it waits for; 0: none */
	char octets[16384];
	bool reading, over;
};

/* A message being written; its visitor may leave meanwhile. */
struct message {
	struct tl_post_door *door;
	uint64_t letter;
	char *sender;
	char **recipients;
};

static void visitor_free(struct visitor *visitor)
{
	visitor->door->visitors = g_list_remove(visitor->door->visitors, visitor);
	tl_lmtp_free(visitor->lmtp);
	tl_timer_free(visitor->idle);
	g_object_unref(visitor->cancel);
	g_object_unref(visitor->connection);
	g_free(visitor);
}

/* Freed by the end of its read, or at once when none is under way. */
static void leave(struct visitor *visitor)
{
	visitor->over = true;
	g_cancellable_cancel(visitor->cancel);
	g_io_stream_close(G_IO_STREAM(visitor->connection), NULL, NULL);
	if (!visitor->reading)
		visitor_free(visitor);
}

static void on_idle(void *user)
{
	leave(user);
}

/* Replies are short: a client that takes not even them has no business here. */
static void on_reply(const char *text, void *user)
{
	struct visitor *visitor = user;
	GSocket *socket = g_socket_connection_get_socket(visitor->connection);
	gsize n = strlen(text);
	if (!visitor->over && g_socket_send_with_blocking(socket, text, n, FALSE, NULL, NULL) != (gssize)n)
		visitor->over = true;
}

static char *on_recipient(const char *sender, const char *recipient, void *user)
{
	struct tl_post_door *door = ((struct visitor *)user)->door;
	return door->handler.on_recipient(sender, recipient, door->user);
}

static void message_free(struct message *message)
{
	g_free(message->sender);
	g_strfreev(message->recipients);
	g_free(message);
}

static void on_written(const struct tl_blob *blob, const GError *error, void *user)
{
	struct message *message = user;
	struct tl_post_door *door = message->door;
	door->writing--;
	if (error) {
		tl_error("a mail cannot be kept: %s", error->message);
		tl_post_door_answer(door, message->letter, "451 4.3.0 cannot be stored now");
	} else if (!door->stopping) {
		door->handler.on_message(door, message->letter, blob, message->sender, (const char *const *)message->recipients, door->user);
	}
	message_free(message);
}

static void on_message(GBytes *octets, const char *sender, const char *const *recipients, void *user)
{
	struct visitor *visitor = user;
	struct message *message = g_new0(struct message, 1);
	visitor->letter = ++visitor->door->letters;
	*message = (struct message){ .door = visitor->door, .letter = visitor->letter, .sender = g_strdup(sender),
				     .recipients = g_strdupv((char **)recipients) };
	visitor->door->writing++;
	tl_blobs_put_later(visitor->door->blobs, octets, on_written, message);
}

void tl_post_door_answer(struct tl_post_door *door, uint64_t letter, const char *reply)
{
	for (GList *l = door->visitors; l; l = l->next) {
		struct visitor *visitor = l->data;
		if (visitor->letter != letter)
			continue;
		visitor->letter = 0;
		tl_timer_start(visitor->idle, IDLE_MS);
		if (!tl_lmtp_answer(visitor->lmtp, reply) || visitor->over)
			leave(visitor);
		return;
	}
}

static void read_on(struct visitor *visitor);

static void on_read(GObject *source, GAsyncResult *result, gpointer user)
{
	struct visitor *visitor = user;
	gssize n = g_input_stream_read_finish(G_INPUT_STREAM(source), result, NULL);
	visitor->reading = false;
	if (n <= 0 || visitor->over || !tl_lmtp_feed(visitor->lmtp, visitor->octets, n) || visitor->over) {
		leave(visitor);
		return;
	}
	tl_timer_start(visitor->idle, IDLE_MS);
	read_on(visitor);
}

static void read_on(struct visitor *visitor)
{
	GInputStream *input = g_io_stream_get_input_stream(G_IO_STREAM(visitor->connection));
	visitor->reading = true;
	g_input_stream_read_async(input, visitor->octets, sizeof visitor->octets, G_PRIORITY_DEFAULT, visitor->cancel, on_read, visitor);
}

static gboolean on_incoming(GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user)
{
	static const struct tl_lmtp_handler handler = { on_reply, on_recipient, on_message };
	struct tl_post_door *door = user;
	(void)service, (void)source;
	if (g_list_length(door->visitors) >= CONNECTIONS_MAX)
		return TRUE; /* closed; the client tries again */
	struct visitor *visitor = g_new0(struct visitor, 1);
	visitor->door = door;
	visitor->connection = g_object_ref(connection);
	visitor->cancel = g_cancellable_new();
	visitor->idle = tl_timer_new("lmtp", on_idle, visitor);
	door->visitors = g_list_prepend(door->visitors, visitor);
	visitor->lmtp = tl_lmtp_new(door->name, door->message_max, &handler, visitor);
	tl_timer_start(visitor->idle, IDLE_MS);
	read_on(visitor);
	return TRUE;
}

static bool set_rights(const struct tl_post_door_config *config, GError **error)
{
	struct group *group = config->group ? getgrnam(config->group) : NULL;
	if (config->group && !group) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "expected a group of this system, not %s", config->group);
		return false;
	}
	if ((!group || chown(config->path, -1, group->gr_gid) == 0) && chmod(config->path, 0660) == 0)
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "%s: its group cannot be set to %s", config->path,
		    config->group ? config->group : "ours");
	return false;
}

struct tl_post_door *tl_post_door_new(const struct tl_post_door_config *config, const struct tl_post_door_handler *handler,
				      void *user, GError **error)
{
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(config->path);
	struct tl_post_door *door = g_new0(struct tl_post_door, 1);
	door->handler = *handler;
	door->user = user;
	door->path = g_strdup(config->path);
	door->name = g_strdup(config->name);
	door->message_max = config->message_max_octets;
	door->blobs = config->blobs;
	door->service = g_socket_service_new();
	g_signal_connect(door->service, "incoming", G_CALLBACK(on_incoming), door);
	g_unlink(config->path); /* of a desk that died; ours is the state directory's only one */
	if (g_socket_listener_add_address(G_SOCKET_LISTENER(door->service), address, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT,
					  NULL, NULL, error) && set_rights(config, error))
		return door;
	tl_post_door_free(door);
	return NULL;
}

void tl_post_door_stop(struct tl_post_door *door)
{
	if (!door || door->stopping)
		return;
	door->stopping = true;
	g_socket_service_stop(door->service);
	g_socket_listener_close(G_SOCKET_LISTENER(door->service));
	g_clear_object(&door->service);
	g_autoptr(GList) visitors = g_list_copy(door->visitors);
	for (GList *l = visitors; l; l = l->next)
		leave(l->data);
	while (door->visitors || door->writing)
		g_main_context_iteration(NULL, TRUE);
	g_unlink(door->path);
}

void tl_post_door_free(struct tl_post_door *door)
{
	if (!door)
		return;
	tl_post_door_stop(door);
	g_free(door->path);
	g_free(door->name);
	g_free(door);
}
