/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "fake-node-inner.h"

#include <string.h>

#include "base/clock.h"

static void leg_free(void *data)
{
	struct fake_leg *leg = data;
	g_free(leg->id);
	g_free(leg->state);
	g_free(leg->party);
	g_free(leg->bridge);
	g_free(leg->playing);
	g_free(leg->play);
	g_free(leg->collect);
	g_hash_table_unref(leg->tags);
	g_clear_pointer(&leg->rule, json_node_unref);
	g_free(leg);
}

void fake_node_send(struct fake_node *node, const char *event, JsonObject *params)
{
	tl_control_server_event(node->server, event, params, NULL, NULL);
}

static void set_state(struct fake_node *node, struct fake_leg *leg, const char *state)
{
	g_free(leg->state);
	leg->state = g_strdup(state);
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "leg", leg->id);
	json_object_set_string_member(params, "state", state);
	fake_node_send(node, "leg.state", params);
}

void fake_node_fact_with(struct fake_node *node, const char *fact, const char *leg_id, gint64 at_ms, JsonObject *object)
{
	struct fake_leg *leg = leg_id ? fake_node_leg(node, leg_id) : NULL;
	json_object_set_int_member(object, "sequence", node->facts->len + 1);
	json_object_set_string_member(object, "node", node->name);
	json_object_set_string_member(object, "boot", node->boot);
	json_object_set_int_member(object, "at_ns", at_ms * 1000000);
	json_object_set_int_member(object, "utc_us", 1700000000000000 + at_ms * 1000);
	json_object_set_string_member(object, "fact", fact);
	if (leg_id)
		json_object_set_string_member(object, "leg", leg_id);
	if (leg) {
		json_object_set_string_member(object, "direction", leg->incoming ? "in" : "out");
		json_object_set_object_member(object, "party", fake_leg_party(leg));
		json_object_set_object_member(object, "setup", fake_leg_setup(leg));
		json_object_set_object_member(object, "tags", fake_leg_tags(leg));
	}
	g_ptr_array_add(node->facts, fake_node_take(object));
	if (!node->conductor || node->silent_facts)
		return;
	JsonArray *facts = json_array_new();
	json_array_add_element(facts, json_node_copy(g_ptr_array_index(node->facts, node->facts->len - 1)));
	JsonObject *params = json_object_new();
	json_object_set_array_member(params, "facts", facts);
	tl_control_peer_event(node->conductor, "journal.facts", params);
}

void fake_node_fact(struct fake_node *node, const char *fact, const char *leg, gint64 at_ms, unsigned cause)
{
	JsonObject *more = json_object_new();
	if (cause) {
		json_object_set_int_member(more, "cause", cause);
		json_object_set_boolean_member(more, "by_peer", TRUE);
	}
	fake_node_fact_with(node, fact, leg, at_ms, more);
}

static gint64 now_ms(void)
{
	return g_get_monotonic_time() / 1000;
}

static void leave_bridge(struct fake_node *node, struct fake_leg *leg)
{
	g_autofree char *bridge = g_steal_pointer(&leg->bridge);
	if (!bridge || leg->keeps_others)
		return;
	g_autoptr(GList) legs = g_hash_table_get_values(node->legs);
	for (GList *l = legs; l; l = l->next) {
		struct fake_leg *other = l->data;
		if (g_strcmp0(other->bridge, bridge))
			continue;
		g_clear_pointer(&other->bridge, g_free);
		fake_node_end(node, other->id, 16); /* release-others */
		return; /* two of them at most */
	}
}

void fake_node_end(struct fake_node *node, const char *id, unsigned cause)
{
	struct fake_leg *leg = fake_node_leg(node, id);
	g_assert_nonnull(leg);
	fake_node_fact(node, "ended", id, now_ms(), cause);
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "leg", id);
	json_object_set_int_member(params, "cause", cause);
	json_object_set_boolean_member(params, "by_peer", TRUE);
	g_hash_table_steal(node->legs, id);
	fake_node_send(node, "leg.ended", params);
	leave_bridge(node, leg);
	leg_free(leg);
}

struct fake_leg *fake_node_leg(struct fake_node *node, const char *id)
{
	return g_hash_table_lookup(node->legs, id);
}

struct fake_leg *fake_node_leg_to(struct fake_node *node, const char *party)
{
	g_autoptr(GList) legs = g_hash_table_get_values(node->legs);
	for (GList *l = legs; l; l = l->next)
		if (!strcmp(((struct fake_leg *)l->data)->party, party))
			return l->data;
	return NULL;
}

static struct fake_leg *add_leg(struct fake_node *node, const char *id, const char *party, gboolean incoming)
{
	struct fake_leg *leg = g_new0(struct fake_leg, 1);
	leg->id = g_strdup(id);
	leg->party = g_strdup(party);
	leg->incoming = incoming;
	leg->state = g_strdup(incoming ? "offered" : "dialing");
	leg->tags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_hash_table_insert(node->legs, leg->id, leg);
	return leg;
}

void fake_node_offer(struct fake_node *node, const char *id, const char *called, const char *calling)
{
	struct fake_leg *leg = add_leg(node, id, called, TRUE);
	(void)calling;
	fake_node_fact(node, "offered", id, now_ms(), 0);
	JsonObject *params = json_object_new();
	json_object_set_object_member(params, "leg", fake_leg_json(leg));
	fake_node_send(node, "leg.offered", params);
}

void fake_node_answer(struct fake_node *node, const char *id)
{
	fake_node_fact(node, "answered", id, now_ms(), 0);
	set_state(node, fake_node_leg(node, id), "answered");
}

void fake_node_connected(struct fake_node *node, const char *id, gboolean connected)
{
	JsonObject *params = json_object_new();
	fake_node_leg(node, id)->connected = connected;
	json_object_set_string_member(params, "leg", id);
	if (!connected) {
		json_object_set_string_member(params, "why", "closed");
		json_object_set_int_member(params, "grace_s", 30);
	}
	fake_node_send(node, connected ? "leg.connected" : "leg.disconnected", params);
}

void fake_node_played(struct fake_node *node, const char *id)
{
	struct fake_leg *leg = fake_node_leg(node, id);
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "leg", id);
	json_object_set_string_member(params, "play", leg->play);
	json_object_set_boolean_member(params, "completed", TRUE);
	g_clear_pointer(&leg->playing, g_free);
	fake_node_send(node, "leg.played", params);
}

void fake_node_digits(struct fake_node *node, const char *id, const char *digits)
{
	struct fake_leg *leg = fake_node_leg(node, id);
	g_assert_nonnull(leg->collect);
	g_autofree char *collect = g_steal_pointer(&leg->collect);
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "leg", id);
	json_object_set_string_member(params, "collect", collect);
	json_object_set_string_member(params, "digits", digits);
	json_object_set_string_member(params, "why", *digits ? "max" : "timeout");
	fake_node_send(node, "leg.collected", params);
}

void fake_node_phone(struct fake_node *node, const char *user, gboolean registered)
{
	g_hash_table_insert(node->phones, g_strdup(user), GINT_TO_POINTER(registered));
	JsonObject *params = json_object_new();
	json_object_set_object_member(params, "phone", fake_phone_json(user, registered));
	fake_node_send(node, "phone.changed", params);
}

unsigned fake_node_count(struct fake_node *node, const char *text)
{
	unsigned n = 0;
	for (unsigned i = 0; i < node->requests->len; i++)
		n += g_str_has_prefix(g_ptr_array_index(node->requests, i), text);
	return n;
}

static void merge_tags(struct fake_leg *leg, JsonObject *params)
{
	if (json_object_has_member(params, "rule")) {
		g_clear_pointer(&leg->rule, json_node_unref);
		leg->rule = json_node_copy(json_object_get_member(params, "rule"));
	}
	if (!json_object_has_member(params, "tags"))
		return;
	JsonObject *tags = json_object_get_object_member(params, "tags");
	g_autoptr(GList) names = json_object_get_members(tags);
	for (GList *l = names; l; l = l->next) {
		const char *value = json_object_get_string_member(tags, l->data);
		if (*value)
			g_hash_table_insert(leg->tags, g_strdup(l->data), g_strdup(value));
		else
			g_hash_table_remove(leg->tags, l->data);
	}
}

static void join(struct fake_node *node, JsonObject *params)
{
	JsonArray *members = json_object_get_array_member(params, "members");
	for (unsigned i = 0; i < json_array_get_length(members); i++) {
		JsonObject *member = json_array_get_object_element(members, i);
		struct fake_leg *leg = fake_node_leg(node, json_object_get_string_member(member, "leg"));
		g_free(leg->bridge);
		leg->bridge = g_strdup(json_object_get_string_member(params, "bridge"));
		leg->keeps_others = !g_strcmp0(json_object_get_string_member_with_default(member, "when_ends", ""), "keep-others");
	}
}

static void destroy_bridge(struct fake_node *node, const char *bridge)
{
	GHashTableIter iter;
	struct fake_leg *leg;
	g_hash_table_iter_init(&iter, node->legs);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&leg))
		if (!g_strcmp0(leg->bridge, bridge))
			g_clear_pointer(&leg->bridge, g_free);
}

/* The same leg again is a page that was loaded again. */
static void connect_browser(struct fake_node *node, JsonObject *params, struct tl_control_reply *reply)
{
	const char *id = json_object_get_string_member(params, "leg");
	struct fake_leg *leg = fake_node_leg(node, id);
	if (!leg) {
		leg = add_leg(node, id, json_object_get_string_member(params, "name"), TRUE);
		leg->browser = TRUE;
		g_free(leg->state);
		leg->state = g_strdup("answered");
	}
	merge_tags(leg, params);
	JsonObject *result = json_object_new();
	json_object_set_object_member(result, "leg", fake_leg_json(leg));
	json_object_set_string_member(result, "sdp", "an answer");
	tl_control_reply_result(reply, fake_node_take(result));
}

void fake_node_set(char **field, JsonObject *params, const char *member)
{
	g_free(*field);
	*field = g_strdup(json_object_get_string_member(params, member));
}

/* What a request does to a leg, after it was answered. */
static void act(struct fake_node *node, const char *method, JsonObject *params, struct fake_leg *leg)
{
	if (!strcmp(method, "leg.take") || !strcmp(method, "leg.tag"))
		merge_tags(leg, params);
	else if (!strcmp(method, "leg.answer"))
		fake_node_answer(node, leg->id);
	else if (!strcmp(method, "leg.release") && !node->deaf_to_release)
		fake_node_end(node, leg->id, json_object_get_int_member_with_default(params, "cause", 16));
	else if (!strcmp(method, "leg.collect"))
		fake_node_set(&leg->collect, params, "collect");
	else if (!strcmp(method, "leg.mute"))
		leg->muted = json_object_get_boolean_member(params, "on");
	else if (!strcmp(method, "leg.stop"))
		g_clear_pointer(&leg->playing, g_free);
	if (!strcmp(method, "leg.play")) {
		fake_node_set(&leg->play, params, "play");
		g_free(leg->playing);
		leg->playing = g_strdup(json_array_get_string_element(json_object_get_array_member(params, "sounds"), 0));
	}
}

static void originate(struct fake_node *node, JsonObject *params, struct tl_control_reply *reply)
{
	const char *id = json_object_get_string_member(params, "leg");
	struct fake_leg *leg = add_leg(node, id, json_object_get_string_member(params, "to"), FALSE);
	merge_tags(leg, params);
	fake_node_fact(node, "offered", id, now_ms(), 0);
	JsonObject *result = json_object_new();
	json_object_set_object_member(result, "leg", fake_leg_json(leg));
	tl_control_reply_result(reply, fake_node_take(result));
	set_state(node, leg, "alerting");
}

static void on_request(struct tl_control_peer *peer, const char *method, JsonObject *params,
		       struct tl_control_reply *reply, void *user)
{
	struct fake_node *node = user;
	const char *id = json_object_get_string_member_with_default(params, "leg", "");
	(void)peer;
	g_ptr_array_add(node->requests, g_strdup_printf("%s %s", method, id));
	struct fake_leg *leg = fake_node_leg(node, id);
	if (!strcmp(method, "node.snapshot")) {
		tl_control_reply_result(reply, fake_node_snapshot(node));
	} else if (!strcmp(method, "journal.read")) {
		tl_control_reply_result(reply, fake_node_read_journal(node, params));
	} else if (!strcmp(method, "journal.stored")) {
		node->stored = json_object_get_int_member(params, "sequence");
		tl_control_reply_result(reply, NULL);
	} else if (!strcmp(method, "leg.originate")) {
		originate(node, params, reply);
	} else if (!strcmp(method, "leg.connect")) {
		connect_browser(node, params, reply);
	} else if (!strcmp(method, "bridge.destroy")) {
		destroy_bridge(node, json_object_get_string_member(params, "bridge"));
		tl_control_reply_result(reply, NULL);
	} else if (!strcmp(method, "spool.list")) {
		tl_control_reply_result(reply, fake_node_spool_list(node));
	} else if (!strcmp(method, "spool.free")) {
		fake_node_spool_free(node, json_object_get_string_member(params, "item"), reply);
	} else if (leg && (!strcmp(method, "fax.receive") || !strcmp(method, "fax.send"))) {
		fake_node_begin_fax(node, params, reply);
	} else if (!strcmp(method, "bridge.create")) {
		join(node, params);
		fake_node_set(&node->last_bridge_kind, params, "kind");
		tl_control_reply_result(reply, NULL);
	} else if (leg) {
		tl_control_reply_result(reply, NULL);
		act(node, method, params, leg);
	} else {
		g_autoptr(GError) error = g_error_new(TL_CONTROL_ERROR, TL_CONTROL_UNKNOWN, "no leg %s", id);
		tl_control_reply_error(reply, error);
	}
}

static JsonNode *on_open(struct tl_control_peer *peer, gint64 epoch, GError **error, void *user)
{
	struct fake_node *node = user;
	if (epoch < node->epoch) {
		tl_control_refuse_epoch(error, node->epoch, "epoch %" G_GINT64_FORMAT
			    " is over; this node obeys %" G_GINT64_FORMAT, epoch, node->epoch);
		return NULL;
	}
	node->epoch = epoch;
	if (node->conductor)
		tl_control_peer_close(node->conductor, "a higher epoch has come");
	node->conductor = peer;
	return fake_node_take(fake_node_json(node));
}

static void on_close(struct tl_control_peer *peer, void *user)
{
	struct fake_node *node = user;
	if (node->conductor == peer)
		node->conductor = NULL;
}

static void serve(struct fake_node *node)
{
	static const struct tl_control_handler handler = { on_open, on_close, on_request };
	static const struct tl_control_token token = { FAKE_TOKEN, TL_ROLE_CONDUCTOR, "desk" };
	struct tl_control_server_config config = { .schema = "node", .socket_path = node->socket, .tokens = &token, .n_tokens = 1 };
	g_autoptr(GError) error = NULL;
	node->server = tl_control_server_new(&config, &handler, node, &error);
	g_assert_no_error(error);
	g_autofree char *blobs = g_build_filename(node->folder, "blobs", NULL);
	tl_control_server_serve_files(node->server, &(struct tl_control_files){ fake_node_find_part, blobs, 64 << 20 }, node);
}

struct fake_node *fake_node_new(const char *dir, const char *name)
{
	struct fake_node *node = g_new0(struct fake_node, 1);
	node->name = g_strdup(name);
	node->boot = g_strdup("boot-1");
	node->socket = g_build_filename(dir, "node.sock", NULL);
	node->address = g_strconcat("unix:", node->socket, NULL);
	node->legs = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, leg_free);
	node->phones = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	node->facts = g_ptr_array_new_with_free_func((GDestroyNotify)json_node_unref);
	node->requests = g_ptr_array_new_with_free_func(g_free);
	node->unanswered = g_ptr_array_new();
	node->folder = g_build_filename(dir, "node", NULL);
	node->items = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_node_unref);
	serve(node);
	return node;
}

void fake_node_reboot(struct fake_node *node)
{
	g_autoptr(GList) ids = g_hash_table_get_keys(node->legs);
	tl_control_server_free(node->server);
	node->conductor = NULL;
	for (GList *l = ids; l; l = l->next)
		fake_node_fact(node, "ended", l->data, now_ms(), 41);
	g_hash_table_remove_all(node->legs);
	g_hash_table_remove_all(node->phones);
	g_free(node->boot);
	node->boot = g_strdup("boot-2");
	serve(node);
}

void fake_node_free(struct fake_node *node)
{
	for (unsigned i = 0; i < node->unanswered->len; i++) /* nobody hears it any more */
		tl_control_reply_result(node->unanswered->pdata[i], NULL);
	g_ptr_array_unref(node->unanswered);
	tl_control_server_free(node->server);
	g_hash_table_unref(node->legs);
	g_hash_table_unref(node->phones);
	g_ptr_array_unref(node->facts);
	g_ptr_array_unref(node->requests);
	g_hash_table_unref(node->items);
	g_free(node->folder);
	g_free(node->fax_leg);
	g_free(node->fax_id);
	g_free(node->fax_document);
	g_free(node->fax_header);
	g_free(node->fax_header_zone);
	g_free(node->last_bridge_kind);
	g_free(node->name);
	g_free(node->boot);
	g_free(node->socket);
	g_free(node->address);
	g_free(node);
}
