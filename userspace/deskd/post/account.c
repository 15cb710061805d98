/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* How letters leave: a copy of the settings that those under way keep while others come. */
#include "post/letter.h"

#include <string.h>

struct letter_account *letter_account_new(const struct tl_post_config *config)
{
	struct letter_account *account = g_atomic_rc_box_new0(struct letter_account);
	account->server = g_strdup(config->server);
	account->tls_required = config->tls_required;
	account->ca_file = g_strdup(config->ca_file);
	account->user = g_strdup(config->user);
	account->password = g_strdup(config->password);
	account->hello = g_strdup(config->hello ? config->hello : g_get_host_name());
	account->bounce_domain = g_strdup(config->bounce_domain);
	account->webhooks = g_new0(struct letter_webhook, config->n_webhooks);
	account->n_webhooks = config->n_webhooks;
	for (unsigned i = 0; i < config->n_webhooks; i++)
		account->webhooks[i] = (struct letter_webhook){ g_strdup(config->webhooks[i].url), g_strdup(config->webhooks[i].token),
								g_strdup(config->webhooks[i].secret) };
	return account;
}

static void clear(void *data)
{
	struct letter_account *account = data;
	for (unsigned i = 0; i < account->n_webhooks; i++) {
		g_free(account->webhooks[i].url);
		g_free(account->webhooks[i].token);
		g_free(account->webhooks[i].secret);
	}
	char *texts[] = { account->server, account->ca_file, account->user, account->password, account->hello, account->bounce_domain };
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(texts[i]);
	g_free(account->webhooks);
}

void letter_account_unref(struct letter_account *account)
{
	g_atomic_rc_box_release_full(account, clear);
}

/* https://a.example is no beginning of https://a.example.evil. */
static bool begins_with(const char *url, const char *beginning)
{
	size_t n = strlen(beginning);
	return g_str_has_prefix(url, beginning) && (!url[n] || strchr("/?", url[n]) || (n && beginning[n - 1] == '/'));
}

const struct letter_webhook *letter_webhook_of(const struct letter_account *account, const char *url)
{
	const struct letter_webhook *found = NULL;
	for (unsigned i = 0; i < account->n_webhooks; i++) {
		const struct letter_webhook *one = &account->webhooks[i];
		if (begins_with(url, one->url) && (!found || strlen(one->url) > strlen(found->url)))
			found = one;
	}
	return found;
}
