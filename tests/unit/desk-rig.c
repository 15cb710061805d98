/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "desk-rig.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sqlite3.h>

static char *free_address(void)
{
	g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
	g_autoptr(GSocketAddress) any = g_inet_socket_address_new_from_string("127.0.0.1", 0);
	g_assert_true(g_socket_bind(socket, any, TRUE, NULL));
	g_autoptr(GSocketAddress) address = g_socket_get_local_address(socket, NULL);
	return g_strdup_printf("127.0.0.1:%u", g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address)));
}

struct desk_rig *desk_rig_new(void)
{
	struct desk_rig *rig = g_new0(struct desk_rig, 1);
	rig->dir = g_dir_make_tmp("trunkline-desk-XXXXXX", NULL);
	rig->config = g_build_filename(rig->dir, "deskd.conf", NULL);
	rig->db = g_build_filename(rig->dir, "desk.db", NULL);
	rig->web = free_address();
	rig->node = fake_node_new(rig->dir, "north");
	return rig;
}

void desk_rig_configure(struct desk_rig *rig, char *text)
{
	g_assert_true(g_file_set_contents(rig->config, text, -1, NULL));
	g_free(text);
}

void desk_rig_start(struct desk_rig *rig)
{
	g_autoptr(GError) error = NULL;
	struct settings *settings = settings_load(rig->config, &error);
	g_assert_no_error(error);
	rig->desk = desk_start(settings, &error);
	g_assert_no_error(error);
}

void desk_rig_stop(struct desk_rig *rig)
{
	desk_stop(rig->desk);
	rig->desk = NULL;
}

static void remove_folder(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	for (const char *name; (name = g_dir_read_name(dir));) {
		g_autofree char *child = g_build_filename(path, name, NULL);
		if (g_file_test(child, G_FILE_TEST_IS_DIR) && !g_file_test(child, G_FILE_TEST_IS_SYMLINK))
			remove_folder(child);
		else
			g_unlink(child);
	}
	g_dir_close(dir);
	g_rmdir(path);
}

void desk_rig_free(struct desk_rig *rig)
{
	desk_rig_stop(rig);
	fake_node_free(rig->node);
	remove_folder(rig->dir);
	g_free(rig->dir);
	g_free(rig->config);
	g_free(rig->db);
	g_free(rig->web);
	g_free(rig);
}

gint64 desk_rig_query(struct desk_rig *rig, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	g_assert_cmpint(sqlite3_open(rig->db, &db), ==, SQLITE_OK);
	sqlite3_busy_timeout(db, DESK_CEILING_S * 1000);
	g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_step(stmt), ==, SQLITE_ROW);
	gint64 n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	/* The main loop must turn for the answer to change. */
	g_main_context_iteration(NULL, FALSE);
	return n;
}

struct asking {
	bool open;
	JsonObject *result;
};

static void on_open(struct tl_control_client *client, JsonObject *result, bool resumed, void *user)
{
	(void)client, (void)result, (void)resumed;
	((struct asking *)user)->open = true;
}

static void on_result(JsonObject *result, const GError *error, void *user)
{
	g_assert_no_error(error);
	((struct asking *)user)->result = json_object_ref(result);
}

JsonObject *desk_rig_ask(struct desk_rig *rig, const char *method, const char *params)
{
	static const struct tl_control_client_handler handler = { .on_open = on_open };
	g_autofree char *address = g_strdup_printf("unix:%s/desk.sock", rig->dir);
	g_autoptr(JsonNode) node = json_from_string(params, NULL);
	struct tl_control_client_config config = { .schema = "desk", .address = address, .token = "operator", .check = true };
	struct asking asking = { false };
	struct tl_control_client *client = tl_control_client_new(&config, &handler, &asking);
	wait_until(asking.open);
	tl_control_client_call(client, method, json_object_ref(json_node_get_object(node)), on_result, &asking);
	wait_until(asking.result);
	tl_control_client_free(client);
	return asking.result;
}

gboolean desk_rig_in_vain(void *what)
{
	g_error("waited in vain for: %s", (const char *)what);
	return G_SOURCE_REMOVE;
}
