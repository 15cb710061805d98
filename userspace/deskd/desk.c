/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The wiring: lease -> acd -> contacts (a reign begins in this order and ends
 * in the other), node -> ledger -> contacts (the journal before the snapshot),
 * contact <-> flow, and everything that changes -> web.
 */
#include "desk.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "contact/contact.h"
#include "fax-desk.h"
#include "ledger/ledger.h"
#include "web/web.h"

#define TL_ROOM "desk"
#include "base/log.h"

#define CAUSE_TEMPORARY_FAILURE 41

struct desk {
	struct settings *settings;
	int lock;
	struct tl_store *store;
	struct tl_lease *lease;
	struct tl_acd *acd;
	struct tl_contacts *contacts;
	struct fax_desk *faxes;
	struct tl_ledger *ledger;
	struct tl_web *web;
};

/* ---- flow <-> contact ---- */

static void op_step(void *user, const char *step, const struct tl_flow_fallback *fallback)
{
	struct tl_contact_fallback own = { .route = fallback->route, .cause = fallback->cause, .after_s = fallback->after_s };
	tl_contact_step(user, step, &own);
}

static void op_play(void *user, const char *const *sounds)
{
	tl_contact_play(user, sounds);
}

static void op_collect(void *user, const char *const *sounds, unsigned wait_s)
{
	tl_contact_collect(user, sounds, wait_s);
}

static void op_queue(void *user, const struct tl_flow_queue *queue)
{
	struct tl_contact_wait wait = { .queue = queue->name, .music = queue->music, .position = queue->position,
					.position_every_s = queue->position_every_s, .overflow_s = queue->overflow_s };
	tl_contact_queue(user, &wait);
}

static void op_connect(void *user, const char *target, bool clear)
{
	if (clear)
		tl_contact_connect_clear(user, target);
	else
		tl_contact_connect(user, target);
}

static void op_fax(void *user, const char *box)
{
	struct desk *desk = tl_contact_owner(user);
	tl_faxes_receive(fax_desk_faxes(desk->faxes), user, box);
}

static void op_detect_fax(void *user)
{
	tl_contact_detect_fax(user);
}

static void op_release(void *user, unsigned cause)
{
	tl_contact_release(user, cause);
}

static const struct tl_flow_ops flow_ops = { op_step, op_play, op_collect, op_queue, op_connect, op_fax, op_detect_fax,
					      op_release };

static bool has_service(const char *called, void *user)
{
	return tl_flows_has_service(((struct desk *)user)->settings->flows, called);
}

static void on_begin(struct tl_contact *contact, const char *step, void *user)
{
	struct desk *desk = user;
	struct tl_flow_run *run = tl_contact_user(contact);
	struct tl_contact_info info = tl_contact_info(contact);
	const char *service = info.service;
	if (info.outgoing && !strcmp(info.kind, "fax")) {
		tl_faxes_answered(fax_desk_faxes(desk->faxes), contact);
		return;
	}
	if (!run && service && has_service(service, desk)) {
		run = tl_flow_run_new(desk->settings->flows, service, &flow_ops, contact);
		tl_contact_set_user(contact, run);
	}
	if (run)
		tl_flow_run_start(run, step);
	else /* its service is no longer configured */
		tl_contact_release(contact, CAUSE_TEMPORARY_FAILURE);
}

static void on_played(struct tl_contact *contact, void *user)
{
	(void)user;
	if (tl_contact_user(contact))
		tl_flow_run_played(tl_contact_user(contact));
}

static void on_collected(struct tl_contact *contact, const char *digits, void *user)
{
	(void)user;
	if (tl_contact_user(contact))
		tl_flow_run_collected(tl_contact_user(contact), digits);
}

static void on_overflow(struct tl_contact *contact, void *user)
{
	(void)user;
	if (tl_contact_user(contact))
		tl_flow_run_overflowed(tl_contact_user(contact));
	else
		tl_contact_release(contact, CAUSE_TEMPORARY_FAILURE);
}

static void on_failed(struct tl_contact *contact, unsigned cause, void *user)
{
	(void)user;
	if (tl_contact_user(contact))
		tl_flow_run_failed(tl_contact_user(contact), cause);
	else
		tl_contact_release(contact, cause);
}

static void on_fax_tone(struct tl_contact *contact, void *user)
{
	(void)user;
	if (tl_contact_user(contact))
		tl_flow_run_fax_tone(tl_contact_user(contact));
}

static void on_fax(const char *fax, const char *event, JsonObject *params, void *user)
{
	tl_faxes_event(fax_desk_faxes(((struct desk *)user)->faxes), fax, event, params);
}

static void on_gone(struct tl_contact *contact, void *user)
{
	(void)user;
	tl_flow_run_free(tl_contact_user(contact));
	tl_contact_set_user(contact, NULL);
}

static void on_changed(struct tl_contact *contact, void *user)
{
	struct desk *desk = user;
	tl_web_call_changed(desk->web, contact);
	struct tl_contact_info info = tl_contact_info(contact);
	if (strcmp(info.state, "ended"))
		return;
	on_gone(contact, desk);
	if (!strcmp(info.kind, "fax"))
		tl_faxes_over(fax_desk_faxes(desk->faxes), contact);
}

/* ---- nodes, journal, acd ---- */

static void on_link(const char *node, struct tl_control_client *client, void *user)
{
	tl_ledger_attach(((struct desk *)user)->ledger, node, client);
	fax_desk_link(((struct desk *)user)->faxes, node, client);
}

static void on_unlink(const char *node, void *user)
{
	tl_ledger_detach(((struct desk *)user)->ledger, node);
	fax_desk_unlink(((struct desk *)user)->faxes, node);
}

static void on_caught_up(const char *node, void *user)
{
	tl_contacts_reconcile(((struct desk *)user)->contacts, node);
}

static void on_storing(struct tl_transaction *transaction, JsonObject *fact, void *user)
{
	tl_faxes_storing(transaction, fact, fax_desk_faxes(((struct desk *)user)->faxes));
}

static void on_fact(JsonObject *fact, void *user)
{
	tl_faxes_fact(fax_desk_faxes(((struct desk *)user)->faxes), fact);
}

static void on_facts(const char *node, JsonObject *params, void *user)
{
	tl_ledger_facts(((struct desk *)user)->ledger, node, params);
}

static void on_spool(const char *node, JsonObject *params, void *user)
{
	fax_desk_spool(((struct desk *)user)->faxes, node, params);
}

static void on_fax_changed(JsonObject *fax, void *user)
{
	tl_web_fax_changed(((struct desk *)user)->web, fax);
}

static void on_delivery(const struct tl_delivery_info *delivery, void *user)
{
	tl_web_delivery_changed(((struct desk *)user)->web, delivery);
}

static void on_stale(int64_t epoch, void *user)
{
	tl_lease_raise(((struct desk *)user)->lease, epoch);
}

static void on_node(const struct tl_node_info *node, const char *span, void *user)
{
	struct desk *desk = user;
	tl_web_node_changed(desk->web, node, span);
	tl_faxes_reachable(fax_desk_faxes(desk->faxes));
}

static void on_cdr(const struct tl_cdr *cdr, void *user)
{
	tl_web_cdr(((struct desk *)user)->web, cdr);
}

static void on_assigned(const struct tl_assignment *assignment, void *user)
{
	tl_contacts_assigned(((struct desk *)user)->contacts, assignment);
}

static void on_agent(const struct tl_agent_info *agent, void *user)
{
	tl_web_agent_changed(((struct desk *)user)->web, agent);
}

static void on_queue(const struct tl_queue_info *queue, void *user)
{
	tl_web_queue_changed(((struct desk *)user)->web, queue);
}

/* ---- the reign ---- */

static void on_restored(const GError *error, void *user)
{
	struct desk *desk = user;
	if (error) {
		tl_error("the reign cannot begin: %s", error->message);
		return;
	}
	fax_desk_reign(desk->faxes, tl_lease_epoch(desk->lease));
	tl_contacts_begin(desk->contacts, tl_lease_epoch(desk->lease));
	tl_web_desk_changed(desk->web);
}

static void on_lease(int64_t epoch, void *user)
{
	struct desk *desk = user;
	tl_contacts_end(desk->contacts);
	fax_desk_reign(desk->faxes, 0);
	if (epoch)
		tl_acd_begin(desk->acd, epoch, on_restored, desk);
	else
		tl_acd_end(desk->acd);
	tl_web_desk_changed(desk->web);
}

/* ---- starting and stopping ---- */

static void set_queues(struct desk *desk)
{
	const struct tl_config_section *s = NULL;
	while ((s = tl_config_next(desk->settings->config, "queue", s))) {
		struct tl_queue_settings queue = settings_queue(s);
		tl_acd_set_queue(desk->acd, &queue);
		tl_contacts_set_recording(desk->contacts, queue.name, tl_config_choice(s, "record") ? tl_config_string(s, "record") : NULL,
					  tl_config_list(s, "record_notice"));
	}
}

/* What was configured goes into the store too, for reports that outlive the file. */
static void store_provisioning(struct desk *desk)
{
	struct tl_transaction *t = tl_transaction_new("provisioning");
	const struct tl_config_section *s = NULL;
	while ((s = tl_config_next(desk->settings->config, "queue", s)))
		tl_transaction_add(t, "INSERT INTO queue (name, settings) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE "
				      "SET settings = excluded.settings",
				   TL_VALUES(tl_text(tl_config_name(s)), tl_text(tl_config_string(s, "overflow"))));
	while ((s = tl_config_next(desk->settings->config, "service", s)))
		tl_transaction_add(t, "INSERT INTO service (number, settings) VALUES ($1, $2) ON CONFLICT (number) DO UPDATE "
				      "SET settings = excluded.settings",
				   TL_VALUES(tl_text(tl_config_name(s)), tl_text(tl_config_string(s, "otherwise"))));
	tl_store_submit(desk->store, t, NULL, NULL);
}

static gboolean set_agents(struct desk *desk, GError **error)
{
	const struct tl_config_section *s = NULL;
	while ((s = tl_config_next(desk->settings->config, "agent", s))) {
		struct tl_agent_settings agent = settings_agent(s);
		if (!tl_acd_set_agent(desk->acd, &agent, error))
			return FALSE;
	}
	return TRUE;
}

static void set_nodes(struct desk *desk)
{
	const struct tl_config_section *s = NULL;
	while ((s = tl_config_next(desk->settings->config, "node", s)))
		tl_contacts_add_node(desk->contacts,
				     &(struct tl_node_settings){ .name = tl_config_name(s), .address = tl_config_string(s, "address"),
								 .token = tl_config_string(s, "token") });
}

/* One process a state directory: a second one would reign under the same name. */
static gboolean lock_state(struct desk *desk, const struct tl_config_section *section, GError **error)
{
	const char *dir = tl_config_string(section, "state_dir");
	g_autofree char *path = g_build_filename(dir, "deskd.lock", NULL);
	if (g_mkdir_with_parents(dir, 0750) < 0)
		return tl_config_refuse(section, "state_dir", error, "%s: expected a directory that can be made: %s", dir,
					g_strerror(errno));
	desk->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (desk->lock < 0)
		return tl_config_refuse(section, "state_dir", error, "%s: expected a directory that can be written: %s", dir,
					g_strerror(errno));
	if (flock(desk->lock, LOCK_EX | LOCK_NB) < 0)
		return tl_config_refuse(section, "state_dir", error, "%s: another deskd runs with this directory", dir);
	return TRUE;
}

static gboolean open_store(struct desk *desk, const struct tl_config_section *section, GError **error)
{
	const char *store = tl_config_string(section, "store");
	g_autofree char *path =
		store ? g_strdup(store) : g_build_filename(tl_config_string(section, "state_dir"), "desk.db", NULL);
	g_autoptr(GError) cause = NULL;
	desk->store = tl_store_open(path, NULL, NULL, &cause);
	return desk->store || tl_config_refuse(section, store ? "store" : "state_dir", error, "%s", cause->message);
}

static gboolean start_web(struct desk *desk, GError **error)
{
	struct tl_web_config config = { .name = tl_config_string(tl_config_section(desk->settings->config, "desk"), "name"),
					.listen = tl_config_string(tl_config_section(desk->settings->config, "web"), "listen"),
					.host = tl_config_string(tl_config_section(desk->settings->config, "web"), "host"),
					.certificate = tl_config_string(tl_config_section(desk->settings->config, "web"), "certificate"),
					.key = tl_config_string(tl_config_section(desk->settings->config, "web"), "key"),
					.video = tl_config_bool(tl_config_section(desk->settings->config, "web"), "video"),
					.turn = tl_config_list(tl_config_section(desk->settings->config, "web"), "turn"),
					.turn_secret = tl_config_string(tl_config_section(desk->settings->config, "web"), "turn_secret"),
					.turn_only = tl_config_bool(tl_config_section(desk->settings->config, "web"), "turn_only"),
					.turn_lifetime_s = tl_config_int(tl_config_section(desk->settings->config, "web"), "turn_lifetime_s"),
					.socket = tl_config_string(tl_config_section(desk->settings->config, "control"), "socket"),
					.store = desk->store, .acd = desk->acd, .contacts = desk->contacts, .ledger = desk->ledger,
					.faxes = fax_desk_faxes(desk->faxes), .blobs = fax_desk_blobs(desk->faxes) };
	g_autoptr(GArray) tokens = g_array_new(FALSE, TRUE, sizeof(struct tl_control_token));
	g_autoptr(GArray) logins = g_array_new(FALSE, TRUE, sizeof(struct tl_web_login));
	const struct tl_config_section *s = NULL;
	while ((s = tl_config_next(desk->settings->config, "token", s))) {
		struct tl_control_token token = { .token = tl_config_string(s, "token"), .name = tl_config_name(s),
						  .role = tl_config_choice(s, "role") ? TL_ROLE_OBSERVER : TL_ROLE_OPERATOR };
		g_array_append_val(tokens, token);
	}
	while ((s = tl_config_next(desk->settings->config, "agent", s))) {
		struct tl_web_login login = { .agent = tl_config_name(s), .hash = tl_config_string(s, "password") };
		if (login.hash)
			g_array_append_val(logins, login);
	}
	config.tokens = (const struct tl_control_token *)tokens->data;
	config.n_tokens = tokens->len;
	config.logins = (const struct tl_web_login *)logins->data;
	config.n_logins = logins->len;
	g_autoptr(GError) cause = NULL;
	desk->web = tl_web_new(&config, &cause);
	if (desk->web)
		return TRUE;
	const char *key = g_str_has_prefix(cause->message, "socket: ") ? "socket" :
			  g_str_has_prefix(cause->message, "certificate: ") ? "certificate" : "listen";
	return tl_config_refuse(tl_config_section(desk->settings->config, strcmp(key, "socket") ? "web" : "control"), key, error,
				"%s", cause->message + strlen(key) + 2);
}

static gboolean start(struct desk *desk, GError **error)
{
	static const struct tl_acd_handler acd_handler = { on_assigned, on_agent, on_queue };
	static const struct tl_ledger_handler ledger_handler = { on_cdr, on_caught_up, on_storing, on_fact };
	static const struct tl_contacts_handler contacts_handler = {
		.has_service = has_service, .on_begin = on_begin, .on_played = on_played, .on_collected = on_collected,
		.on_overflow = on_overflow, .on_failed = on_failed, .on_changed = on_changed, .on_gone = on_gone,
		.on_fax_tone = on_fax_tone, .on_fax = on_fax, .on_spool = on_spool,
		.on_link = on_link, .on_unlink = on_unlink, .on_facts = on_facts, .on_node = on_node, .on_stale = on_stale,
	};
	const struct tl_config_section *section = tl_config_section(desk->settings->config, "desk");
	if (!lock_state(desk, section, error) || !open_store(desk, section, error))
		return FALSE;
	desk->acd = tl_acd_new(desk->store, &acd_handler, desk);
	desk->ledger = tl_ledger_new(desk->store, &ledger_handler, desk);
	desk->contacts = tl_contacts_new(desk->store, desk->acd, &contacts_handler, desk);
	tl_contacts_set_hold_music(desk->contacts, tl_config_string(section, "hold_music"));
	static const struct fax_desk_handler fax_handler = { on_fax_changed, on_delivery };
	desk->faxes = fax_desk_start(desk->settings, desk->store, desk->contacts, &fax_handler, desk, error);
	if (!desk->faxes)
		return FALSE;
	set_queues(desk);
	set_nodes(desk);
	if (!set_agents(desk, error) || !start_web(desk, error))
		return FALSE;
	store_provisioning(desk);
	desk->lease = tl_lease_new(desk->store, tl_config_string(section, "name"), tl_config_int(section, "lease_ms"), on_lease,
				   desk);
	return TRUE;
}

struct desk *desk_start(struct settings *settings, GError **error)
{
	struct desk *desk = g_new0(struct desk, 1);
	desk->settings = settings;
	desk->lock = -1;
	if (start(desk, error))
		return desk;
	desk_stop(desk);
	return NULL;
}

void desk_stop(struct desk *desk)
{
	if (!desk)
		return;
	tl_lease_free(desk->lease);
	/* First the commands and their answers, then what is still on its way to the disk, then the rooms. */
	if (desk->contacts)
		tl_contacts_end(desk->contacts);
	if (desk->acd)
		tl_acd_end(desk->acd);
	fax_desk_stop(desk->faxes);
	tl_store_free(desk->store);
	tl_contacts_free(desk->contacts);
	fax_desk_free(desk->faxes);
	tl_ledger_free(desk->ledger);
	tl_acd_free(desk->acd);
	tl_web_free(desk->web);
	settings_free(desk->settings);
	if (desk->lock >= 0)
		close(desk->lock);
	g_free(desk);
}

void desk_reload(struct desk *desk, struct settings *settings)
{
	settings_free(desk->settings);
	desk->settings = settings;
	set_queues(desk);
	fax_desk_reload(desk->faxes, settings);
	store_provisioning(desk);
	tl_notice("services, queues, faxes and mail are as configured now");
}
