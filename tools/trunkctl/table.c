/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "trunkctl.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 16

void print_json(JsonObject *object)
{
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
	g_autofree char *text = json_to_string(node, TRUE);
	puts(text);
	fflush(stdout);
}

static char *time_text(gint64 utc_us)
{
	g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(utc_us / G_USEC_PER_SEC);
	g_autoptr(GDateTime) local = utc ? g_date_time_to_local(utc) : NULL;
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	if (!local)
		return g_strdup("");
	bool today = g_date_time_get_year(now) == g_date_time_get_year(local) && g_date_time_get_day_of_year(now) == g_date_time_get_day_of_year(local);
	return g_date_time_format(local, today ? "%H:%M:%S" : "%Y-%m-%d %H:%M");
}

static char *value_text(const char *name, JsonNode *node)
{
	if (JSON_NODE_HOLDS_ARRAY(node)) {
		g_autoptr(GString) all = g_string_new(NULL);
		JsonArray *array = json_node_get_array(node);
		for (guint i = 0; i < json_array_get_length(array); i++) {
			g_autofree char *one = value_text("", json_array_get_element(array, i));
			g_string_append_printf(all, "%s%s", i ? "," : "", one);
		}
		return g_strdup(all->str);
	}
	if (!JSON_NODE_HOLDS_VALUE(node))
		return g_strdup("");
	if (json_node_get_value_type(node) == G_TYPE_STRING)
		return g_strdup(json_node_get_string(node));
	if (json_node_get_value_type(node) == G_TYPE_BOOLEAN)
		return g_strdup(json_node_get_boolean(node) ? "yes" : "no");
	if (g_str_has_suffix(name, "_utc_us"))
		return time_text(json_node_get_int(node));
	if (g_str_has_suffix(name, "_ms"))
		return g_strdup_printf("%.1f s", json_node_get_int(node) / 1000.0);
	return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
}

char *text_at(JsonObject *object, const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, ".", -1);
	JsonNode *node = NULL;
	for (char **name = names; *name; name++) {
		if (!object || !json_object_has_member(object, *name))
			return g_strdup("");
		node = json_object_get_member(object, *name);
		object = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
		if (!name[1])
			return value_text(*name, node);
	}
	return g_strdup("");
}

void print_table(JsonArray *rows, const struct column *columns)
{
	guint n_rows = json_array_get_length(rows), n_columns = 0;
	glong width[COLUMNS_MAX] = { 0 };
	while (columns[n_columns].title && n_columns < COLUMNS_MAX)
		n_columns++;
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	for (guint c = 0; c < n_columns; c++)
		g_ptr_array_add(cells, g_strdup(columns[c].title));
	for (guint r = 0; r < n_rows; r++)
		for (guint c = 0; c < n_columns; c++)
			g_ptr_array_add(cells, text_at(json_array_get_object_element(rows, r), columns[c].path));
	for (guint i = 0; i < cells->len; i++)
		width[i % n_columns] = MAX(width[i % n_columns], g_utf8_strlen(cells->pdata[i], -1));
	for (guint i = 0; i < cells->len; i++) {
		const char *cell = cells->pdata[i];
		guint c = i % n_columns;
		bool last = c == n_columns - 1;
		printf("%s%*s", cell, last ? 0 : (int)(width[c] - g_utf8_strlen(cell, -1) + 2), "");
		if (last)
			putchar('\n');
	}
	fflush(stdout);
}
