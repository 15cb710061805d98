/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call-rig.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"
#include "call/access.h"
#include "fast-line.h"
#include "own-host.h"

#define REALM "test"
#define PASSWORD "password"

/* ---- the far side ---- */

static void take_audio(struct far *far)
{
	uint8_t block[TL_BLOCK_OCTETS];
	while (far->port && tl_port_recorded(far->port, block))
		g_byte_array_append(far->audio, block, sizeof block);
}

void far_open(struct far *far)
{
	if (!far->dialog)
		return;
	if (!far->port && far->dialog->media == TL_MEDIA_TIMESLOT && far->dialog->slot)
		far->port = tl_port_new_timeslot(far->rig->media, far->rig->span, far->dialog->slot, far);
	if (!far->port)
		return;
	if (far->dialog->media == TL_MEDIA_RTP && far->dialog->remote.port)
		tl_port_set_remote(far->port, &far->dialog->remote);
	tl_port_detect_dtmf(far->port, true);
}

static void on_dialog(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *user)
{
	struct far *far = user;
	far->dialog = dialog;
	far->heard[event->kind]++;
	far->inband = event->inband;
	switch (event->kind) {
	case TL_DIALOG_MEDIA:
	case TL_DIALOG_ALERTING:
	case TL_DIALOG_PROGRESS:
	case TL_DIALOG_ANSWERED:
		far_open(far);
		break;
	case TL_DIALOG_RELEASED:
		take_audio(far);
		far->cause = event->cause;
		far->by_peer = event->by_peer;
		tl_port_free(g_steal_pointer(&far->port));
		far->dialog = NULL;
		tl_dialog_free(dialog);
		break;
	case TL_DIALOG_PROCEEDING:
	case TL_DIALOG_DIGITS:
	case TL_DIALOG_DTMF:
	case TL_DIALOG_FLASH:
		break;
	}
}

static struct far *far_new(struct rig *rig)
{
	struct far *far = g_new0(struct far, 1);
	far->rig = rig;
	far->digits = g_string_new(NULL);
	far->audio = g_byte_array_new();
	g_ptr_array_add(rig->fars, far);
	return far;
}

static void far_free(void *data)
{
	struct far *far = data;
	tl_port_free(far->port);
	g_string_free(far->digits, TRUE);
	g_byte_array_unref(far->audio);
	g_free(far);
}

static void obey_policy(struct far *far)
{
	switch (far->rig->policy) {
	case FAR_BUSY:
		tl_dialog_release(far->dialog, TL_CAUSE_USER_BUSY);
		return;
	case FAR_EARLY:
		far_open(far);
		tl_dialog_progress(far->dialog, true);
		far_open(far);
		return;
	case FAR_RING:
	case FAR_ANSWER:
		break;
	}
	tl_dialog_alert(far->dialog, false);
	if (far->rig->policy != FAR_ANSWER)
		return;
	far_open(far);
	tl_dialog_answer(far->dialog);
	far_open(far);
}

static struct far *take_call(struct rig *rig, struct tl_dialog *dialog, const struct tl_leg_setup *setup)
{
	struct far *far = far_new(rig);
	far->dialog = dialog;
	far->setup = *setup;
	dialog->on_event = on_dialog;
	dialog->user = far;
	return far;
}

static void on_pri_offered(struct tl_pri *pri, struct tl_dialog *dialog, const struct tl_leg_setup *setup, void *user)
{
	obey_policy(take_call(user, dialog, setup));
}

static void on_sip_offered(struct tl_sip *sip, struct tl_dialog *dialog, const struct tl_leg_setup *setup,
			   const struct tl_sip_origin *origin, void *user)
{
	struct rig *rig = user;
	struct far *far = take_call(rig, dialog, setup);
	far->by_sip = true;
	far->port = tl_port_new_rtp(rig->media, dialog->remote.law, &dialog->local, far, NULL);
	g_assert_nonnull(far->port);
	dialog->local.sends = dialog->local.receives = true;
	obey_policy(far);
}

static void on_digit(struct tl_port *port, char digit, unsigned duration_ms, void *user)
{
	struct far *far = user;
	g_string_append_c(far->digits, digit);
}

static void on_state(bool registered, unsigned status, void *user)
{
	((struct rig *)user)->registered = registered;
}

struct far *rig_call(struct rig *rig, const char *called)
{
	struct far *far = far_new(rig);
	struct tl_leg_setup setup = { .called_complete = called != NULL, .bearer = TL_BEARER_AUDIO_3K1 };
	g_autoptr(GError) error = NULL;
	tl_number_parse("0301234", &setup.calling);
	if (called)
		g_assert_true(tl_number_parse(called, &setup.called));
	far->dialog = tl_pri_call(rig->pri, &setup, 0, on_dialog, far, &error);
	g_assert_no_error(error);
	return far;
}

struct far *rig_call_by_sip(struct rig *rig, const char *called)
{
	struct far *far = far_new(rig);
	struct tl_leg_setup setup = { .called_complete = true, .bearer = TL_BEARER_AUDIO_3K1 };
	struct tl_rtp_side local;
	g_autoptr(GError) error = NULL;
	g_autofree char *target = g_strdup_printf("sip:%s@%s", called, rig->listen + strlen("sip:"));
	far->by_sip = true;
	far->port = tl_port_new_rtp(rig->media, TL_LAW_ALAW, &local, far, &error);
	g_assert_no_error(error);
	g_assert_true(tl_number_parse(called, &setup.called));
	far->dialog = tl_sip_call(rig->sip, target, &setup, &local, on_dialog, far, &error);
	g_assert_no_error(error);
	return far;
}

struct far *rig_await_far(struct rig *rig, unsigned i)
{
	await(rig->fars->len > i);
	return g_ptr_array_index(rig->fars, i);
}

void far_hang_up(struct far *far, unsigned cause)
{
	g_assert_nonnull(far->dialog);
	tl_dialog_release(far->dialog, cause);
}

bool far_is_over(const struct far *far)
{
	return far->heard[TL_DIALOG_RELEASED] && !far->dialog;
}

bool far_has_heard(struct far *far, const uint8_t *sent, size_t n)
{
	take_audio(far);
	return far->audio->len >= n && memmem(far->audio->data, far->audio->len, sent, n);
}

/* ---- set-up ---- */

static bool is_free(unsigned port, int type)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	int fd = socket(AF_INET, type, 0);
	bool bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return bound;
}

unsigned rig_free_port(void)
{
	static unsigned taken;
	unsigned port;
	do
		port = 10000 + ((unsigned)getpid() * 101 + taken++) % 7000 * 2;
	while (!is_free(port, SOCK_DGRAM) || !is_free(port, SOCK_STREAM) || !is_free(port + 1, SOCK_DGRAM) || !is_free(port + 1, SOCK_STREAM));
	return port;
}

static void init_span(struct rig *rig)
{
	struct tl_access_config *access = &rig->access;
	access->span = (struct tl_span_config){
		.name = "e1", .kind = TL_SPAN_E1, .law = TL_LAW_ALAW, .clock_domain = "network", .d_channel = 16,
		.pseudowire = { .local_host = "127.0.0.1", .local_port = rig_free_port(), .remote_host = "127.0.0.1",
				.remote_port = rig_free_port(), .frames = 8, .jitter_ms = 100,
				.clock = TL_CLOCK_ADAPTIVE },
	};
	access->signalling = (struct tl_signalling_config){
		.kind = TL_SIGNALLING_PRI_CPE,
		.pri = { .side = TL_PRI_CPE, .type = TL_PRI_EUROISDN, .t309_ms = 90000 },
	};
	access->group = "carrier";
	rig->config.accesses = access;
	rig->config.n_accesses = 1;
}

static void init_sip(struct rig *rig)
{
	static const char *const names[] = { "anna", "bert" };
	for (unsigned i = 0; i < 2; i++) {
		g_autofree char *secret = g_strdup_printf("%s:" REALM ":" PASSWORD, names[i]);
		rig->users[i] = (struct tl_sip_user){ names[i], g_compute_checksum_for_string(G_CHECKSUM_MD5, secret, -1) };
	}
	g_snprintf(rig->listen, sizeof rig->listen, "sip:127.0.0.1:%u", rig_free_port());
	rig->listens[0] = rig->listen;
	rig->config.sip_on = true;
	rig->config.sip = (struct tl_sip_config){ .listen = rig->listens, .realm = REALM, .users = rig->users, .n_users = 2,
						  .register_min_s = 60, .register_max_s = 3600, .max_dialogs = 100 };
	rig->config.trunk_groups = rig->no_groups;
}

static void add_route(struct rig *rig, const char *prefix, const char *to)
{
	struct tl_route *route = &rig->routes[rig->config.n_routes++];
	*route = (struct tl_route){ .name = prefix, .prefix = prefix };
	g_assert_true(tl_target_parse(to, &route->to));
}

void rig_init(struct rig *rig)
{
	static const enum tl_control_role roles[] = { TL_ROLE_CONDUCTOR, TL_ROLE_APPLICATION, TL_ROLE_OPERATOR,
						      TL_ROLE_OBSERVER };
	memset(rig, 0, sizeof *rig);
	rig->state_dir = g_dir_make_tmp("node-XXXXXX", NULL);
	rig->sounds_dir = g_build_filename(rig->state_dir, "sounds", NULL);
	g_mkdir_with_parents(rig->sounds_dir, 0700);
	rig->fars = g_ptr_array_new_with_free_func(far_free);
	rig->policy = FAR_ANSWER;
	rig->config = (struct tl_node_config){
		.name = "node", .state_dir = rig->state_dir, .sounds_dir = rig->sounds_dir, .country = "de",
		.law = TL_LAW_ALAW, .offer_timeout_ms = 60000, .max_legs = 64, .journal_segment_kib = 1024,
		.journal_max_mib = 100, .spool_reserve_mib = 1, .blob_max_mib = 1, .fax_threads = 1,
		.fax_depth_ms = 60, .fax_page_timeout_ms = 20000, .sound_cache_mib = 4, .sound_max_s = 60,
		.media = { .rtp_host = own_host(), .rtp_port_min = 24000, .rtp_port_max = 25998, .jitter_min_ms = 40,
			   .jitter_max_ms = 120, .max_ports = 64 },
		.routes = rig->routes,
	};
	init_span(rig);
	init_sip(rig);
	for (unsigned i = 0; i < G_N_ELEMENTS(roles); i++)
		rig->tokens[i] = (struct tl_control_token){ tl_role_name(roles[i]), roles[i], tl_role_name(roles[i]) };
	rig->config.control = (struct tl_control_server_config){
		.schema = "node", .socket_path = g_build_filename(rig->state_dir, "node.sock", NULL),
		.tokens = rig->tokens, .n_tokens = G_N_ELEMENTS(roles),
	};
	add_route(rig, "1", "user:anna");
	add_route(rig, "2", "announcement:tone:beep");
	add_route(rig, "3", "group:carrier");
}

void rig_on_fast_line(struct rig *rig)
{
	struct tl_span_config *near = &rig->access.span;
	unsigned far_port = near->pseudowire.remote_port;
	rig->line = fast_line_new(near->pseudowire.local_port, far_port);
	near->pseudowire.frames = 40;
	near->pseudowire.jitter_ms = 20;
	near->pseudowire.clock = TL_CLOCK_LOOP;
	rig->far_span = *near;
	near->pseudowire.remote_port = fast_line_port(rig->line, 0);
	rig->far_span.name = "far";
	rig->far_span.pseudowire.local_port = far_port;
	rig->far_span.pseudowire.remote_port = fast_line_port(rig->line, 1);
	rig->config.media.tick = TL_TICK_SPAN;
}

void rig_start_node(struct rig *rig)
{
	struct tl_node_blame blame;
	g_autoptr(GError) error = NULL;
	rig->node = tl_node_new(&rig->config, &blame, &error);
	g_assert_no_error(error);
}

void rig_stop_node(struct rig *rig)
{
	tl_node_free(g_steal_pointer(&rig->node));
}

static void start_far(struct rig *rig)
{
	static const struct tl_media_handler on_media = { .on_digit = on_digit };
	static const struct tl_pri_handler on_pri = { .on_offered = on_pri_offered };
	static const struct tl_sip_handler on_sip = { .on_offered = on_sip_offered };
	static const char *const listen[] = { "sip:127.0.0.1:0", NULL };
	static const char *const peers[] = { "127.0.0.1", NULL };
	const struct tl_sip_trunk trunk = { .name = "node", .target = rig->listen, .peers = peers };
	const struct tl_sip_config sip = { .listen = listen, .realm = "far", .trunks = &trunk, .n_trunks = 1,
					   .max_dialogs = 100 };
	struct tl_media_config media = rig->config.media;
	struct tl_span_config span = rig->access.span;
	struct tl_pri_config pri = rig->access.signalling.pri;
	g_autoptr(GError) error = NULL;
	media.browser.port = 0;
	media.rtp_port_min = 26000;
	media.rtp_port_max = 27998;
	rig->media = tl_media_new(&media, &on_media, &error);
	g_assert_no_error(error);
	span.name = "far";
	span.pseudowire.local_port = rig->access.span.pseudowire.remote_port;
	span.pseudowire.remote_port = rig->access.span.pseudowire.local_port;
	span.pseudowire.clock = TL_CLOCK_LOCAL;
	if (rig->far_span.name)
		span = rig->far_span;
	rig->span = tl_span_new(&span, &error);
	g_assert_no_error(error);
	pri.span = rig->span;
	pri.side = TL_PRI_NETWORK;
	rig->pri = tl_pri_new(&pri, &on_pri, rig, &error);
	g_assert_no_error(error);
	tl_media_add_span(rig->media, rig->span);
	rig->sip = tl_sip_new(&sip, &on_sip, rig, &error);
	g_assert_no_error(error);
}

/* The two ends of a D-channel do not come up at once. */
static bool node_is_up(struct rig *rig)
{
	struct tl_access *access = g_ptr_array_index(rig->node->accesses, 0);
	return access->signalling && tl_signalling_is_up(access->signalling);
}

void rig_start(struct rig *rig)
{
	tl_thread_become_main();
	rig_start_node(rig);
	start_far(rig);
	await(tl_pri_is_up(rig->pri) && node_is_up(rig) && !tl_span_alarms(rig->span));
}

void rig_register(struct rig *rig, const char *user)
{
	g_autoptr(GError) error = NULL;
	rig->registration = tl_sip_register(rig->sip, rig->listen, user, PASSWORD, on_state, rig, &error);
	g_assert_no_error(error);
	await(rig->registered && tl_sip_is_registered(rig->node->sip, user));
}

/* Also ends what comes late. */
static bool all_over(struct rig *rig)
{
	bool over = true;
	for (unsigned i = 0; i < rig->fars->len; i++) {
		struct far *far = g_ptr_array_index(rig->fars, i);
		if (far->dialog && !far->ending)
			tl_dialog_release(far->dialog, TL_CAUSE_NORMAL_CLEARING);
		far->ending = true;
		over = over && !far->dialog;
	}
	return over;
}

void rig_done(struct rig *rig)
{
	await(all_over(rig) && (!rig->node || !g_hash_table_size(rig->node->legs)));
	if (rig->registration)
		tl_sip_unregister(rig->registration);
	rig_stop_node(rig);
	g_ptr_array_unref(rig->fars);
	tl_sip_free(rig->sip);
	tl_pri_free(rig->pri);
	tl_media_remove_span(rig->media, rig->span);
	tl_span_free(rig->span);
	tl_media_free(rig->media);
	if (rig->line)
		fast_line_free(rig->line);
	g_autofree char *command = g_strdup_printf("rm -rf '%s'", rig->state_dir);
	g_assert_cmpint(system(command), ==, 0);
	g_free((char *)rig->config.control.socket_path);
	for (unsigned i = 0; i < 2; i++)
		g_free((char *)rig->users[i].ha1);
	g_free(rig->state_dir);
	g_free(rig->sounds_dir);
}

/* ---- desks ---- */

static void on_open(struct tl_control_client *client, JsonObject *result, bool resumed, void *user)
{
	((struct desk *)user)->open = true;
}

static void on_close(struct tl_control_client *client, const GError *why, void *user)
{
	struct desk *desk = user;
	desk->open = false;
	desk->refused = why ? why->code : TL_CONTROL_CLOSED;
}

static void on_event(struct tl_control_client *client, const char *name, JsonObject *params, void *user)
{
	struct desk *desk = user;
	json_object_set_string_member(params, "name", name);
	g_ptr_array_add(desk->events, json_object_ref(params));
}

struct desk *desk_new(struct rig *rig, const char *token, gint64 epoch)
{
	static const struct tl_control_client_handler handler = { on_open, on_close, on_event };
	struct desk *desk = g_new0(struct desk, 1);
	g_autofree char *address = g_strconcat("unix:", rig->config.control.socket_path, NULL);
	struct tl_control_client_config config = { .schema = "node", .address = address, .token = token, .name = token,
						   .epoch = epoch, .check = true };
	desk->events = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);
	desk->client = tl_control_client_new(&config, &handler, desk);
	await(desk->open || desk->refused);
	return desk;
}

void desk_free(struct desk *desk)
{
	tl_control_client_free(desk->client);
	g_ptr_array_unref(desk->events);
	g_free(desk);
}

struct answer {
	bool done;
	JsonObject *result;
	int code;
};

static void on_done(JsonObject *result, const GError *error, void *user)
{
	struct answer *answer = user;
	answer->done = true;
	if (result)
		answer->result = json_object_ref(result);
	else
		answer->code = error->code;
}

JsonObject *desk_try(struct desk *desk, int *code, const char *method, const char *params, ...)
{
	struct answer answer = { 0 };
	va_list args;
	va_start(args, params);
	g_autofree char *text = g_strdup_vprintf(params, args);
	va_end(args);
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) node = json_from_string(text, &error);
	g_assert_no_error(error);
	tl_control_client_call(desk->client, method, json_object_ref(json_node_get_object(node)), on_done, &answer);
	await(answer.done);
	*code = answer.code;
	return answer.result;
}

static const char *leg_of(JsonObject *params)
{
	if (!json_object_has_member(params, "leg"))
		return "";
	JsonNode *leg = json_object_get_member(params, "leg");
	return JSON_NODE_HOLDS_OBJECT(leg) ? json_object_get_string_member(json_node_get_object(leg), "leg") :
					     json_node_get_string(leg);
}

static JsonObject *find_event(struct desk *desk, const char *name, const char *leg)
{
	for (unsigned i = 0; i < desk->events->len; i++) {
		JsonObject *params = g_ptr_array_index(desk->events, i);
		if (strcmp(json_object_get_string_member(params, "name"), name) || (leg && strcmp(leg_of(params), leg)))
			continue;
		json_object_set_string_member(params, "name", "(taken)");
		return params;
	}
	return NULL;
}

JsonObject *desk_await(struct desk *desk, const char *name, const char *leg)
{
	JsonObject *found = NULL;
	gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	while (!(found = find_event(desk, name, leg))) {
		if (g_get_monotonic_time() > end)
			g_error("event %s never came", name);
		g_main_context_iteration(NULL, FALSE) ?: g_usleep(500);
	}
	return found;
}

JsonArray *desk_facts(struct desk *desk, gint64 after)
{
	int code;
	JsonObject *result = desk_try(desk, &code, "journal.read", "{\"after\":%" G_GINT64_FORMAT "}", after);
	g_assert_nonnull(result);
	JsonArray *facts = json_array_ref(json_object_get_array_member(result, "facts"));
	json_object_unref(result);
	return facts;
}

unsigned facts_count(JsonArray *facts, const char *fact, const char *leg)
{
	unsigned n = 0;
	for (unsigned i = 0; i < json_array_get_length(facts); i++) {
		JsonObject *object = json_array_get_object_element(facts, i);
		n += !strcmp(json_object_get_string_member(object, "fact"), fact) && (!leg || !strcmp(leg_of(object), leg));
	}
	return n;
}
