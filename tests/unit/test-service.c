/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What a service manager hears: the one message of sd_notify(3), at a path, at an abstract name, or not at all. */
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/service.h"
#include "base/thread.h"

static GSocket *manager_at(GSocketAddress *address)
{
	g_autoptr(GError) error = NULL;
	GSocket *socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_DEFAULT, &error);
	g_assert_no_error(error);
	g_socket_set_timeout(socket, 60);
	g_socket_bind(socket, address, FALSE, &error);
	g_assert_no_error(error);
	return socket;
}

static void assert_told(GSocket *manager, const char *name)
{
	g_autoptr(GError) error = NULL;
	char heard[32] = "";
	g_setenv("NOTIFY_SOCKET", name, TRUE);
	g_assert_true(tl_service_ready(&error));
	g_assert_no_error(error);
	g_assert_cmpint(g_socket_receive(manager, heard, sizeof heard - 1, NULL, &error), ==, strlen("READY=1"));
	g_assert_cmpstr(heard, ==, "READY=1");
}

static void test_path(void)
{
	g_autofree char *directory = g_dir_make_tmp("service-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "notify", NULL);
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	g_autoptr(GSocket) manager = manager_at(address);
	assert_told(manager, path);
	g_unlink(path);
	g_rmdir(directory);
}

static void test_abstract(void)
{
	g_autofree char *name = g_strdup_printf("@trunkline-test-%u", g_random_int());
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new_with_type(name + 1, strlen(name + 1), G_UNIX_SOCKET_ADDRESS_ABSTRACT);
	g_autoptr(GSocket) manager = manager_at(address);
	assert_told(manager, name);
}

static void test_nobody(void)
{
	g_autoptr(GError) error = NULL;
	g_unsetenv("NOTIFY_SOCKET");
	g_assert_true(tl_service_ready(&error));
	g_assert_no_error(error);
	g_setenv("NOTIFY_SOCKET", "/nobody/is/here", TRUE);
	g_assert_false(tl_service_ready(&error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	tl_thread_become_main();
	g_test_add_func("/service/path", test_path);
	g_test_add_func("/service/abstract", test_abstract);
	g_test_add_func("/service/nobody", test_nobody);
	return g_test_run();
}
