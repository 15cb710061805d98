/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* HTTPS by GLib's TLS: the handshake runs on a worker, a slow one is given up. */
#include "web/inside.h"

#define TL_ROOM "web"
#include "base/log.h"

#define HANDSHAKES_MAX 256
#define HANDSHAKE_MAX_MS 10000

struct handshake {
	struct tl_web *web;
	GIOStream *stream;
	GSocketAddress *local, *remote;
	GCancellable *given_up;
	struct tl_timer *patience;
};

bool tls_load(struct tl_web *web, const char *certificate, const char *key, GError **error)
{
	if (!certificate)
		return true;
	web->certificate = g_tls_certificate_new_from_files(certificate, key, error);
	if (!web->certificate)
		g_prefix_error(error, "certificate: cannot use %s with %s: ", certificate, key);
	return web->certificate != NULL;
}

static void handshake_free(struct handshake *handshake)
{
	g_object_unref(handshake->stream);
	g_object_unref(handshake->local);
	g_object_unref(handshake->remote);
	g_object_unref(handshake->given_up);
	tl_timer_free(handshake->patience);
	g_free(handshake);
}

static void on_impatient(void *user)
{
	g_cancellable_cancel(((struct handshake *)user)->given_up);
}

static void on_shaken(GObject *source, GAsyncResult *result, gpointer user)
{
	struct handshake *handshake = user;
	g_autoptr(GError) error = NULL;
	bool done = g_tls_connection_handshake_finish(G_TLS_CONNECTION(source), result, &error);
	handshake->web->handshakes--;
	if (!done)
		tl_debug("a TLS handshake failed: %s", error->message);
	else if (handshake->web->soup)
		soup_server_accept_iostream(handshake->web->soup, handshake->stream, handshake->local, handshake->remote, NULL);
	handshake_free(handshake);
}

void tls_accept(struct tl_web *web, GSocketConnection *connection, GSocketAddress *local, GSocketAddress *remote)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GIOStream) stream = web->handshakes >= HANDSHAKES_MAX ? NULL :
				      g_tls_server_connection_new(G_IO_STREAM(connection), web->certificate, &error);
	if (!stream)
		return;
	struct handshake *handshake = g_new0(struct handshake, 1);
	*handshake = (struct handshake){ .web = web, .stream = g_object_ref(stream), .local = g_object_ref(local),
					 .remote = g_object_ref(remote), .given_up = g_cancellable_new(),
					 .patience = tl_timer_new("tls-handshake", on_impatient, handshake) };
	web->handshakes++;
	tl_timer_start(handshake->patience, HANDSHAKE_MAX_MS);
	g_tls_connection_handshake_async(G_TLS_CONNECTION(stream), G_PRIORITY_DEFAULT, handshake->given_up, on_shaken, handshake);
}
