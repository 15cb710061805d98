/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The HTTP API and the page's files. */
#include "web/inside.h"

#include <sodium.h>
#include <string.h>

#include "base/config.h"

#define TL_ROOM "web"
#include "base/log.h"

/* libsoup's own listening has a backlog of 10: a burst would wait a second for the next SYN. */
#define LISTEN_BACKLOG 128
#define BODY_MAX_OCTETS (16 << 10)
#define COOKIE "trunkline"

/* A request that is answered later; its connection may be gone by then. */
struct waiting {
	struct tl_web *web;
	SoupServerMessage *message;
	bool gone;
	char *agent;
};

static void on_gone(SoupServerMessage *message, gpointer user)
{
	(void)message;
	((struct waiting *)user)->gone = true;
}

static struct waiting *wait_for(struct tl_web *web, SoupServerMessage *message)
{
	struct waiting *waiting = g_new0(struct waiting, 1);
	waiting->web = web;
	waiting->message = g_object_ref(message);
	g_signal_connect(message, "finished", G_CALLBACK(on_gone), waiting);
	g_signal_connect(message, "disconnected", G_CALLBACK(on_gone), waiting);
	soup_server_message_pause(message);
	return waiting;
}

static void waiting_end(struct waiting *waiting)
{
	g_signal_handlers_disconnect_by_data(waiting->message, waiting);
	if (!waiting->gone)
		soup_server_message_unpause(waiting->message);
	g_object_unref(waiting->message);
	g_free(waiting->agent);
	g_free(waiting);
}

static void set_headers(SoupServerMessage *message)
{
	static const struct { const char *name, *value; } headers[] = {
		{ "Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
					     "img-src 'self'; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" },
		{ "Permissions-Policy", "microphone=(self), camera=(self), geolocation=()" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cache-Control", "no-store" },
		{ "Connection", "close" }, /* libsoup closes it, as the listening is not its own */
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(headers); i++)
		soup_message_headers_replace(soup_server_message_get_response_headers(message), headers[i].name, headers[i].value);
}

/* (transfer full of @object) */
static void answer(SoupServerMessage *message, unsigned status, JsonObject *object)
{
	char *text = view_text(object);
	set_headers(message);
	soup_server_message_set_status(message, status, NULL);
	soup_server_message_set_response(message, "application/json", SOUP_MEMORY_TAKE, text, strlen(text));
}

static void refuse(SoupServerMessage *message, unsigned status, const char *why)
{
	JsonObject *object = json_object_new();
	json_object_set_string_member(object, "error", why);
	answer(message, status, object);
}

static char *cookie_of(SoupServerMessage *message)
{
	const char *header = soup_message_headers_get_one(soup_server_message_get_request_headers(message), "Cookie");
	g_auto(GStrv) parts = g_strsplit(header ? header : "", ";", 16);
	for (char **part = parts; *part; part++) {
		g_strstrip(*part);
		if (g_str_has_prefix(*part, COOKIE "="))
			return g_strdup(*part + strlen(COOKIE "="));
	}
	return NULL;
}

static const char *agent_of(struct tl_web *web, SoupServerMessage *message)
{
	g_autofree char *cookie = cookie_of(message);
	return sessions_agent(web->sessions, cookie);
}

/*
 * A page of somebody else's must not look on through the user's browser: neither under a name that was made to
 * point here (Host), nor by a WebSocket or a form of its own (Origin).
 */
static bool is_for_us(struct tl_web *web, SoupServerMessage *message)
{
	SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
	const char *host = soup_message_headers_get_one(headers, "Host");
	const char *origin = soup_message_headers_get_one(headers, "Origin");
	if (!host)
		return false;
	const char *after = origin ? strstr(origin, "://") : NULL;
	if (origin && (!after || g_ascii_strcasecmp(after + 3, host)))
		return false;
	const char *port = strrchr(host, ':');
	g_autofree char *name = g_strndup(host, port && !strchr(port, ']') ? (gsize)(port - host) : strlen(host));
	if (web->host && !g_ascii_strcasecmp(name, web->host))
		return true;
	return !g_ascii_strcasecmp(name, "localhost") || g_hostname_is_ip_address(name) || *name == '[';
}

static bool may_look(struct tl_web *web, SoupServerMessage *message)
{
	return web->loopback || agent_of(web, message);
}

static void get_live(struct tl_web *web, SoupServerMessage *message)
{
	answer(message, 200, view_live(web));
}

static void get_health(struct tl_web *web, SoupServerMessage *message)
{
	const char *alarm = tl_store_alarm(web->store);
	bool converts = !web->faxes || !tl_faxes_alarm(web->faxes);
	JsonObject *health = json_object_new();
	json_object_set_string_member(health, "status", alarm ? "failing" : converts ? "ok" : "degraded");
	json_object_set_boolean_member(health, "conductor", tl_contacts_epoch(web->contacts) != 0);
	json_object_set_string_member(health, "store", alarm ? "cannot be written" : "ok");
	json_object_set_string_member(health, "papers", converts ? "ok" : "cannot be converted");
	answer(message, alarm ? 503 : 200, health);
}

static void get_session(struct tl_web *web, SoupServerMessage *message)
{
	const char *agent = agent_of(web, message);
	JsonObject *session = json_object_new();
	if (agent)
		json_object_set_string_member(session, "agent", agent);
	else
		json_object_set_null_member(session, "agent");
	answer(message, 200, session);
}

static void on_cdrs(const struct tl_cdr *cdrs, unsigned n, const GError *error, void *user)
{
	struct waiting *waiting = user;
	if (error) {
		refuse(waiting->message, 503, error->message);
	} else {
		JsonObject *object = json_object_new();
		json_object_set_array_member(object, "cdrs", view_cdrs(cdrs, n));
		answer(waiting->message, 200, object);
	}
	waiting_end(waiting);
}

static bool query_int(SoupServerMessage *message, const char *name, gint64 min, gint64 max, gint64 *value)
{
	const char *query = g_uri_get_query(soup_server_message_get_uri(message));
	g_autoptr(GHashTable) form = query ? soup_form_decode(query) : NULL;
	const char *text = form ? g_hash_table_lookup(form, name) : NULL;
	return !text || g_ascii_string_to_signed(text, 10, min, max, value, NULL);
}

static void get_cdrs(struct tl_web *web, SoupServerMessage *message)
{
	gint64 max = 100, since = 0;
	if (!query_int(message, "max", 1, 1000, &max) || !query_int(message, "since_utc_us", 0, G_MAXINT64, &since))
		refuse(message, 400, "expected max from 1 to 1000, since_utc_us not negative");
	else
		tl_ledger_cdrs(web->ledger, max, since, on_cdrs, wait_for(web, message));
}

/* The request's JSON object, or NULL after refusing. (transfer full) */
static JsonObject *read_body(SoupServerMessage *message)
{
	SoupMessageBody *body = soup_server_message_get_request_body(message);
	const char *type = soup_message_headers_get_content_type(soup_server_message_get_request_headers(message), NULL);
	g_autoptr(GBytes) octets = soup_message_body_flatten(body);
	gsize n;
	const char *text = g_bytes_get_data(octets, &n);
	g_autoptr(JsonNode) root = g_strcmp0(type, "application/json") || !n ? NULL : tl_json_parse(text, n, NULL);
	if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
		refuse(message, 400, "expected an object as application/json");
		return NULL;
	}
	return json_object_ref(json_node_get_object(root));
}

/* A string member, or NULL. */
static const char *body_text(JsonObject *body, const char *member)
{
	JsonNode *node = json_object_get_member(body, member);
	return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
}

static void on_login(char *cookie, unsigned status, void *user)
{
	struct waiting *waiting = user;
	if (cookie) {
		g_autofree char *header = g_strdup_printf(COOKIE "=%s; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict%s", cookie,
							  waiting->web->host || waiting->web->certificate ? "; Secure" : "");
		JsonObject *object = json_object_new();
		json_object_set_string_member(object, "agent", waiting->agent);
		soup_message_headers_append(soup_server_message_get_response_headers(waiting->message), "Set-Cookie", header);
		answer(waiting->message, 200, object);
	} else {
		refuse(waiting->message, status, status == 401 ? "name or password is wrong" :
					   status == 429 ? "too many failures; wait a minute" : "busy; try again");
	}
	g_free(cookie);
	waiting_end(waiting);
}

static void post_login(struct tl_web *web, SoupServerMessage *message)
{
	g_autoptr(JsonObject) body = read_body(message);
	if (!body)
		return;
	const char *agent = body_text(body, "agent"), *password = body_text(body, "password");
	g_autofree char *from = g_strdup(soup_server_message_get_remote_host(message));
	if (!agent || !password || strlen(agent) > 64 || strlen(password) > 256) {
		refuse(message, 400, "expected agent and password");
		return;
	}
	struct waiting *waiting = wait_for(web, message);
	waiting->agent = g_strdup(agent);
	sessions_login(web->sessions, agent, password, from ? from : "?", on_login, waiting);
}

static void post_logout(struct tl_web *web, SoupServerMessage *message)
{
	g_autofree char *cookie = cookie_of(message);
	sessions_logout(web->sessions, cookie);
	soup_message_headers_append(soup_server_message_get_response_headers(message), "Set-Cookie",
				    COOKIE "=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
	answer(message, 200, json_object_new());
}

static bool parse_state(const char *text, enum tl_agent_state *state)
{
	static const enum tl_agent_state wanted[] = { TL_AGENT_READY, TL_AGENT_OFFLINE, TL_AGENT_BREAK };
	for (unsigned i = 0; text && i < G_N_ELEMENTS(wanted); i++)
		if (!strcmp(text, tl_agent_state_name(wanted[i]))) {
			*state = wanted[i];
			return true;
		}
	return false;
}

static void post_agent(struct tl_web *web, SoupServerMessage *message)
{
	const char *agent = agent_of(web, message);
	g_autoptr(JsonObject) body = agent ? read_body(message) : NULL;
	g_autoptr(GError) error = NULL;
	enum tl_agent_state state;
	struct tl_agent_info info;
	if (!agent) {
		refuse(message, 401, "log in first");
	} else if (!body) {
		return;
	} else if (!parse_state(body_text(body, "state"), &state)) {
		refuse(message, 400, "state: expected ready, offline or break");
	} else if (!tl_acd_set_state(web->acd, agent, state, body_text(body, "reason"), &error) ||
		   !tl_acd_agent_info(web->acd, agent, &info)) {
		refuse(message, 409, error ? error->message : "unknown agent");
	} else {
		answer(message, 200, view_agent(&info));
	}
}

static const struct {
	const char *method, *path;
	bool open; /* anybody may, whatever [web] listen is */
	void (*handle)(struct tl_web *web, SoupServerMessage *message);
} routes[] = {
	{ "GET", "/health", true, get_health },	       { "GET", "/api/live", false, get_live },
	{ "GET", "/api/cdrs", false, get_cdrs },       { "GET", "/api/session", true, get_session },
	{ "POST", "/api/login", true, post_login },    { "POST", "/api/logout", true, post_logout },
	{ "POST", "/api/agent", true, post_agent },
};

static void serve_page(SoupServerMessage *message, const char *path)
{
	const struct page_file *file = page_find(path);
	if (!file) {
		refuse(message, 404, "nothing here");
		return;
	}
	set_headers(message);
	soup_server_message_set_status(message, 200, NULL);
	soup_server_message_set_response(message, file->type, SOUP_MEMORY_STATIC, file->text, strlen(file->text));
}

static void on_request(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user)
{
	struct tl_web *web = user;
	const char *method = soup_server_message_get_method(message);
	bool known = false;
	(void)soup, (void)query;
	if (soup_server_message_get_status(message))
		return; /* refused before its body came */
	if (fax_request(web, message, path) || recordings_request(web, message, path))
		return;
	for (unsigned i = 0; i < G_N_ELEMENTS(routes); i++) {
		if (strcmp(routes[i].path, path))
			continue;
		known = true;
		if (strcmp(routes[i].method, method))
			continue;
		if (routes[i].open || may_look(web, message))
			routes[i].handle(web, message);
		else
			refuse(message, 401, "log in first");
		return;
	}
	if (known || (strcmp(method, "GET") && strcmp(method, "HEAD")))
		refuse(message, 405, "this method does not do here");
	else
		serve_page(message, path);
}

/* Before a body is read: is it for us, and not too long? */
static void on_early(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user)
{
	SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
	(void)soup, (void)path, (void)query;
	if (!is_for_us(user, message))
		refuse(message, 403, "Host or Origin is not this desk");
	else if (soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CHUNKED)
		refuse(message, 411, "expected Content-Length");
	else if (fax_brings_document(message, path) && !http_may_act(user, message))
		refuse(message, 401, "log in first");
	else if (soup_message_headers_get_content_length(headers) > (fax_brings_document(message, path) ? FAX_DOCUMENT_MAX_OCTETS : BODY_MAX_OCTETS))
		refuse(message, 413, "the body is too long");
}

static void on_websocket(SoupServer *soup, SoupServerMessage *message, const char *path, SoupWebsocketConnection *socket,
			 gpointer user)
{
	struct tl_web *web = user;
	(void)soup, (void)path;
	if (is_for_us(web, message) && may_look(web, message))
		viewers_add(web, socket, agent_of(web, message));
	else
		soup_websocket_connection_close(socket, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, "log in first");
}

static GSocket *listen_on(const char *listen, bool *loopback, GError **error)
{
	char host[64];
	unsigned port;
	g_autoptr(GError) cause = NULL;
	tl_config_address(listen, host, &port);
	g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string(host, port);
	GInetAddress *inet = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address));
	*loopback = g_inet_address_get_is_loopback(inet);
	g_autoptr(GSocket) socket = g_socket_new(g_inet_address_get_family(inet), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &cause);
	if (socket)
		g_socket_set_listen_backlog(socket, LISTEN_BACKLOG);
	if (socket && g_socket_bind(socket, address, TRUE, &cause) && g_socket_listen(socket, &cause))
		return g_steal_pointer(&socket);
	g_set_error(error, cause->domain, cause->code, "listen: cannot listen on %s: %s", listen, cause->message);
	return NULL;
}

/* libsoup's own accepting loses a GSocket a connection. */
static gboolean accept_stream(GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user)
{
	struct tl_web *web = user;
	g_autoptr(GSocketAddress) local = g_socket_connection_get_local_address(connection, NULL);
	g_autoptr(GSocketAddress) remote = g_socket_connection_get_remote_address(connection, NULL);
	(void)service, (void)source;
	if (!local || !remote)
		return TRUE; /* it has gone already */
	if (web->certificate)
		tls_accept(web, connection, local, remote);
	else
		soup_server_accept_iostream(web->soup, G_IO_STREAM(connection), local, remote, NULL);
	return TRUE;
}

struct waiting *http_wait(struct tl_web *web, SoupServerMessage *message)
{
	return wait_for(web, message);
}

SoupServerMessage *http_waiting_message(const struct waiting *waiting)
{
	return waiting->message;
}

void http_waiting_end(struct waiting *waiting)
{
	waiting_end(waiting);
}

void http_answer(SoupServerMessage *message, unsigned status, JsonObject *object)
{
	answer(message, status, object);
}

void http_refuse(SoupServerMessage *message, unsigned status, const char *why)
{
	refuse(message, status, why);
}

void http_headers(SoupServerMessage *message)
{
	set_headers(message);
}

bool http_may_look(struct tl_web *web, SoupServerMessage *message)
{
	return may_look(web, message) || http_may_act(web, message);
}

const char *http_agent(struct tl_web *web, SoupServerMessage *message)
{
	return agent_of(web, message);
}

bool http_may_act(struct tl_web *web, SoupServerMessage *message)
{
	const char *header = soup_message_headers_get_one(soup_server_message_get_request_headers(message), "Authorization");
	const char *token = header && g_str_has_prefix(header, "Bearer ") ? header + strlen("Bearer ") : NULL;
	bool good = false;
	for (unsigned i = 0; token && i < web->bearers->len; i++) {
		const char *own = web->bearers->pdata[i];
		good |= strlen(own) == strlen(token) && sodium_memcmp(own, token, strlen(own)) == 0;
	}
	return good || agent_of(web, message);
}

bool http_start(struct tl_web *web, GError **error)
{
	g_autoptr(GSocket) socket = listen_on(web->listen, &web->loopback, error);
	if (!socket)
		return false;
	web->soup = soup_server_new(NULL, NULL);
	/* Compression would cost each page 93 KB. */
	soup_server_remove_websocket_extension(web->soup, SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
	soup_server_add_early_handler(web->soup, NULL, on_early, web, NULL);
	soup_server_add_handler(web->soup, NULL, on_request, web, NULL);
	soup_server_add_websocket_handler(web->soup, "/api/events", NULL, NULL, on_websocket, web, NULL);
	web->service = g_socket_service_new();
	g_socket_service_stop(web->service);
	g_signal_connect(web->service, "incoming", G_CALLBACK(accept_stream), web);
	if (!g_socket_listener_add_socket(G_SOCKET_LISTENER(web->service), socket, NULL, error))
		return false;
	return true;
}

void http_serve(struct tl_web *web)
{
	g_socket_service_start(web->service);
	tl_notice("%s://%s/", web->certificate ? "https" : "http", web->listen);
}

void http_stop(struct tl_web *web)
{
	viewers_free(web);
	if (web->service) {
		g_socket_service_stop(web->service);
		g_socket_listener_close(G_SOCKET_LISTENER(web->service));
	}
	g_clear_object(&web->service);
	if (web->soup)
		soup_server_disconnect(web->soup);
	g_clear_object(&web->soup);
}
