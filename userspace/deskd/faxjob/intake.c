/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Mails that are to become faxes: NUMBER@DOMAIN, or NUMBER+TOKEN@DOMAIN. The same mail for the same number is one fax,
 * however often a mail server brings it: its octets name its blob.
 */
#include "faxjob/inside.h"

#include <string.h>

#define TL_ROOM "fax"
#include "base/log.h"

#define NUMBER_MAX 32
#define DAY_US (86400 * (int64_t)G_USEC_PER_SEC)

bool tl_fax_address_matches(const char *const *patterns, const char *address)
{
	const char *at = strrchr(address, '@');
	for (; at && *patterns; patterns++) {
		bool any = g_str_has_prefix(*patterns, "*@");
		if (!g_ascii_strcasecmp(any ? *patterns + 1 : *patterns, any ? at : address))
			return true;
	}
	return false;
}

struct wish {
	char *number;
	const struct sender *sender;
};

static char *number_of(const char *text)
{
	GString *number = g_string_new(NULL);
	for (const char *at = text; *at; at++) {
		bool good = g_ascii_isdigit(*at) || *at == '*' || *at == '#' || (*at == '+' && at == text);
		if (!good && !strchr("-./()", *at)) {
			g_string_free(number, TRUE);
			return NULL;
		}
		if (good)
			g_string_append_c(number, *at);
	}
	bool good = number->len && number->len <= NUMBER_MAX;
	return good ? g_string_free(number, FALSE) : (g_string_free(number, TRUE), NULL);
}

static bool same_token(const char *a, const char *b)
{
	unsigned n = strlen(a), different = n ^ strlen(b);
	for (unsigned i = 0; i < n && i < strlen(b); i++)
		different |= (guchar)a[i] ^ (guchar)b[i];
	return !different && n;
}

static const struct sender *sender_of(struct tl_faxes *faxes, const char *address, const char *token)
{
	for (unsigned i = 0; i < faxes->senders->len; i++) {
		const struct sender *sender = faxes->senders->pdata[i];
		if (token && sender->token && same_token(sender->token, token))
			return sender;
		if (!sender->token && tl_fax_address_matches((const char *const *)sender->addresses, address))
			return sender;
	}
	return NULL;
}

static bool is_our_domain(struct tl_faxes *faxes, const char *domain)
{
	for (char **own = faxes->domains; *own; own++)
		if (!g_ascii_strcasecmp(*own, domain))
			return true;
	return false;
}

/* NULL: @wish is filled in; else the refusal. */
static const char *read_wish(struct tl_faxes *faxes, const char *sender, const char *recipient, struct wish *wish)
{
	const char *at = strrchr(recipient, '@');
	if (!at || !is_our_domain(faxes, at + 1))
		return "550 5.1.2 not a domain for faxes";
	g_autofree char *local = g_strndup(recipient, at - recipient);
	char *token = *local ? strchr(local + 1, '+') : NULL; /* the first may be a number's own */
	if (token)
		*token++ = '\0';
	g_autofree char *number = number_of(local);
	g_autofree char *reporter = tl_post_bounce_token(sender);
	const struct sender *known = reporter ? NULL : sender_of(faxes, sender, token); /* never what our own letters caused */
	if (!number)
		return "550 5.1.1 expected NUMBER@ or NUMBER+TOKEN@";
	if (!known)
		return "550 5.7.1 this sender may not send faxes";
	if (outgoing_is_blocked(faxes, number))
		return "550 5.7.1 faxes to this number are not allowed";
	*wish = (struct wish){ g_steal_pointer(&number), known };
	return NULL;
}

char *tl_faxes_recipient(const char *sender, const char *recipient, void *user)
{
	struct wish wish = { 0 };
	g_autofree char *report = tl_post_bounce_token(recipient);
	const char *refusal = report && is_our_domain(user, strrchr(recipient, '@') + 1) ? NULL : read_wish(user, sender, recipient, &wish);
	if (!refusal && !((struct tl_faxes *)user)->epoch)
		refusal = "451 4.3.2 another desk takes faxes now";
	g_free(wish.number);
	if (refusal)
		tl_notice("mail from %s to %s refused: %s", sender, recipient, refusal);
	return g_strdup(refusal);
}

/* ---- the mail itself ---- */

struct mail {
	struct tl_faxes *faxes;
	unsigned reign;
	struct tl_post_door *door;
	uint64_t letter;
	struct tl_blob message;
	char *sender;
	char **recipients;
	GPtrArray *faxes_made; /* ids */
};

static void mail_end(struct mail *mail, const char *reply)
{
	tl_post_door_answer(mail->door, mail->letter, reply);
	g_free(mail->sender);
	g_strfreev(mail->recipients);
	g_ptr_array_unref(mail->faxes_made);
	g_free(mail);
}

static void on_kept(const struct tl_result *result, const GError *error, void *user)
{
	struct mail *mail = user;
	(void)result;
	bool reigns = mail->reign == mail->faxes->reign;
	for (unsigned i = 0; reigns && i < mail->faxes_made->len; i++) {
		struct fax *fax = g_hash_table_lookup(mail->faxes->open, mail->faxes_made->pdata[i]);
		if (fax && error) {
			g_hash_table_remove(mail->faxes->open, fax->id);
		} else if (fax) {
			fax_tell(fax);
			outgoing_convert(fax);
		}
	}
	if (error)
		tl_warning("%s", error->message);
	mail_end(mail, error ? "451 4.3.0 cannot be stored now" : "250 2.0.0 it will be faxed");
}

static struct fax *fax_of_mail(struct mail *mail, const struct wish *wish)
{
	g_autofree char *id = fax_new_id(mail->faxes);
	struct fax *fax = fax_new(mail->faxes, id, false);
	g_free(fax->called);
	fax->called = g_strdup(wish->number);
	fax->box = g_strdup(wish->sender->box);
	fax->sender = g_strdup(mail->sender);
	fax->source = g_strdup(mail->message.sha256);
	fax->source_type = g_strdup("message/rfc822");
	fax->priority = wish->sender->priority ? wish->sender->priority : 5;
	return fax;
}

static bool is_known(const struct tl_result *result, const char *number)
{
	for (unsigned row = 0; row < tl_result_rows(result, 0); row++)
		if (!strcmp(tl_result_text(result, 0, row, 0), number))
			return true;
	return false;
}

static void on_looked_up(const struct tl_result *result, const GError *error, void *user)
{
	struct mail *mail = user;
	struct tl_faxes *faxes = mail->faxes;
	if (error || !faxes->epoch || mail->reign != faxes->reign) {
		mail_end(mail, "451 4.3.0 cannot be stored now");
		return;
	}
	struct tl_transaction *t = tl_transaction_new("mail to fax");
	tl_transaction_guard(t, faxes->epoch);
	tl_blob_keep(t, &mail->message, "message/rfc822", faxes->config.keep_days ? tl_clock_utc_us() + faxes->config.keep_days * DAY_US : 0);
	for (char **recipient = mail->recipients; *recipient; recipient++) {
		struct wish wish = { 0 };
		if (read_wish(faxes, mail->sender, *recipient, &wish) || is_known(result, wish.number)) {
			g_free(wish.number);
			continue;
		}
		struct fax *fax = fax_of_mail(mail, &wish);
		fax_save(fax, t);
		g_ptr_array_add(mail->faxes_made, g_strdup(fax->id));
		g_free(wish.number);
	}
	tl_store_submit(faxes->config.store, t, on_kept, mail);
}

void tl_faxes_mail(struct tl_post_door *door, uint64_t letter, const struct tl_blob *message, const char *sender,
		   const char *const *recipients, void *user)
{
	struct tl_faxes *faxes = user;
	if (reports_take(faxes, door, letter, message, recipients))
		return;
	struct mail *mail = g_new0(struct mail, 1);
	*mail = (struct mail){ .faxes = faxes, .reign = faxes->reign, .door = door, .letter = letter, .message = *message,
			       .sender = g_strdup(sender), .recipients = g_strdupv((char **)recipients),
			       .faxes_made = g_ptr_array_new_with_free_func(g_free) };
	struct tl_transaction *t = tl_transaction_new("mail known?");
	tl_transaction_add(t, "SELECT called FROM fax WHERE source = $1 AND source_type = 'message/rfc822'", TL_VALUES(tl_text(message->sha256)));
	tl_store_submit(faxes->config.store, t, on_looked_up, mail);
}
