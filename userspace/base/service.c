/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "base/service.h"

#include "base/thread.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>

static const char ready[] = "READY=1";

/* A name that begins with @ is one of the abstract name space, which no file system shows. */
static GSocketAddress *address_of(const char *path)
{
	if (*path != '@')
		return g_unix_socket_address_new(path);
	return g_unix_socket_address_new_with_type(path + 1, strlen(path + 1), G_UNIX_SOCKET_ADDRESS_ABSTRACT);
}

gboolean tl_service_ready(GError **error)
{
	tl_assert_main();
	const char *path = g_getenv("NOTIFY_SOCKET");
	if (!path || !*path)
		return TRUE;
	g_autoptr(GSocketAddress) address = address_of(path);
	g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_DEFAULT, error);
	return socket && g_socket_send_to(socket, address, ready, strlen(ready), NULL, error) >= 0;
}
