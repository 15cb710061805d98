/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/registrar.h"

#include <string.h>

#include <glib.h>

#include "base/clock.h"

struct entry;

struct contact {
	struct entry *entry;
	struct tl_binding binding;
	char *uri, *route, *call_id;
	int64_t expires_us;
	struct tl_timer *expiry;
};

struct entry {
	struct tl_registrar *registrar;
	char *name;
	GQueue contacts; /* of struct contact, the latest first */
};

struct tl_registrar {
	GHashTable *entries; /* name -> struct entry, owned; an entry has at least one contact */
	void (*on_change)(const char *name, bool registered, const char *contact, void *user);
	void *user;
};

static void contact_free(struct contact *contact)
{
	tl_timer_free(contact->expiry);
	g_free(contact->uri), g_free(contact->route), g_free(contact->call_id);
	g_free(contact);
}

static void entry_free(void *data)
{
	struct entry *entry = data;
	g_queue_clear_full(&entry->contacts, (GDestroyNotify)contact_free);
	g_free(entry->name);
	g_free(entry);
}

struct tl_registrar *tl_registrar_new(void (*on_change)(const char *name, bool registered, const char *contact, void *user),
				      void *user)
{
	struct tl_registrar *registrar = g_new0(struct tl_registrar, 1);
	registrar->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
	registrar->on_change = on_change;
	registrar->user = user;
	return registrar;
}

void tl_registrar_free(struct tl_registrar *registrar)
{
	if (!registrar)
		return;
	g_hash_table_destroy(registrar->entries);
	g_free(registrar);
}

static void remove_contact(struct contact *contact)
{
	struct entry *entry = contact->entry;
	struct tl_registrar *registrar = entry->registrar;
	g_queue_remove(&entry->contacts, contact);
	if (g_queue_is_empty(&entry->contacts)) {
		g_hash_table_steal(registrar->entries, entry->name);
		registrar->on_change(entry->name, false, contact->uri, registrar->user);
		entry_free(entry);
	}
	contact_free(contact);
}

static void on_expiry(void *user)
{
	remove_contact(user);
}

static struct contact *find(struct entry *entry, const char *uri)
{
	for (GList *l = entry ? entry->contacts.head : NULL; l; l = l->next)
		if (!strcmp(((struct contact *)l->data)->uri, uri))
			return l->data;
	return NULL;
}

static struct entry *entry_new(struct tl_registrar *registrar, const char *name)
{
	struct entry *entry = g_new0(struct entry, 1);
	entry->registrar = registrar;
	entry->name = g_strdup(name);
	g_queue_init(&entry->contacts);
	g_hash_table_insert(registrar->entries, entry->name, entry);
	return entry;
}

static void fill(struct contact *contact, const struct tl_binding *binding)
{
	g_free(contact->route), g_free(contact->call_id);
	contact->route = g_strdup(binding->route);
	contact->call_id = g_strdup(binding->call_id);
	contact->binding.cseq = binding->cseq;
	contact->binding.via = binding->via;
	contact->expires_us = tl_clock_us() + (int64_t)binding->expires_s * 1000000;
	tl_timer_start(contact->expiry, binding->expires_s * 1000);
}

static void add(struct tl_registrar *registrar, struct entry *entry, const char *name, const struct tl_binding *binding)
{
	bool first = !entry;
	if (first)
		entry = entry_new(registrar, name);
	struct contact *contact = g_new0(struct contact, 1);
	contact->entry = entry;
	contact->uri = g_strdup(binding->contact);
	contact->expiry = tl_timer_new("registration", on_expiry, contact);
	fill(contact, binding);
	g_queue_push_head(&entry->contacts, contact);
	if (g_queue_get_length(&entry->contacts) > TL_REGISTRAR_CONTACTS_MAX)
		remove_contact(g_queue_peek_tail(&entry->contacts));
	if (first)
		registrar->on_change(name, true, binding->contact, registrar->user);
}

bool tl_registrar_bind(struct tl_registrar *registrar, const char *name, const struct tl_binding *binding)
{
	struct entry *entry = g_hash_table_lookup(registrar->entries, name);
	struct contact *contact = find(entry, binding->contact);
	if (contact && !strcmp(contact->call_id, binding->call_id) && binding->cseq <= contact->binding.cseq)
		return false;
	if (contact && !binding->expires_s) {
		remove_contact(contact);
	} else if (contact) {
		fill(contact, binding);
		g_queue_remove(&entry->contacts, contact);
		g_queue_push_head(&entry->contacts, contact);
	} else if (binding->expires_s) {
		add(registrar, entry, name, binding);
	}
	return true;
}

void tl_registrar_clear(struct tl_registrar *registrar, const char *name)
{
	struct entry *entry = g_hash_table_lookup(registrar->entries, name);
	unsigned n = entry ? g_queue_get_length(&entry->contacts) : 0;
	while (n--)
		remove_contact(g_queue_peek_tail(&entry->contacts));
}

void tl_registrar_retain(struct tl_registrar *registrar, bool (*keep)(const char *name, void *user), void *user)
{
	GList *names = g_hash_table_get_keys(registrar->entries);
	for (GList *l = names; l; l = l->next) {
		char *name = g_strdup(l->data);
		if (!keep(name, user))
			tl_registrar_clear(registrar, name);
		g_free(name);
	}
	g_list_free(names);
}

unsigned tl_registrar_lookup(const struct tl_registrar *registrar, const char *name, struct tl_binding *bindings)
{
	const struct entry *entry = g_hash_table_lookup(registrar->entries, name);
	unsigned n = 0;
	for (GList *l = entry ? entry->contacts.head : NULL; l; l = l->next) {
		const struct contact *contact = l->data;
		int64_t left_us = contact->expires_us - tl_clock_us();
		bindings[n] = contact->binding;
		bindings[n].contact = contact->uri;
		bindings[n].route = contact->route;
		bindings[n].call_id = contact->call_id;
		bindings[n++].expires_s = (unsigned)((MAX(left_us, 1) + 999999) / 1000000);
	}
	return n;
}

void tl_registrar_each(const struct tl_registrar *registrar,
		       void (*on_binding)(const char *name, const struct tl_binding *binding, void *user), void *user)
{
	GHashTableIter iter;
	const char *name;
	g_hash_table_iter_init(&iter, registrar->entries);
	while (g_hash_table_iter_next(&iter, (void **)&name, NULL)) {
		struct tl_binding bindings[TL_REGISTRAR_CONTACTS_MAX];
		unsigned n = tl_registrar_lookup(registrar, name, bindings);
		while (n) /* the oldest first: bound again in this order, the latest is the latest */
			on_binding(name, &bindings[--n], user);
	}
}
