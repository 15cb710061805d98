/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The envelope's sender of each mail, one that tells it from all others (VERP), and what comes back to it. */
#include "post/bounce.h"

#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

#define TL_ROOM "post"
#include "base/log.h"

#define PREFIX "bounce+"
#define TOKEN_OCTETS 16

char *bounce_token_new(void)
{
	guint8 octets[TOKEN_OCTETS];
	ssize_t n = getrandom(octets, sizeof octets, 0);
	g_assert(n == sizeof octets); /* getrandom(2): up to 256 octets come whole */
	GString *token = g_string_new(NULL);
	for (unsigned i = 0; i < sizeof octets; i++)
		g_string_append_printf(token, "%02x", octets[i]);
	return g_string_free(token, FALSE);
}

char *bounce_address(const char *token, const char *domain)
{
	return g_strdup_printf(PREFIX "%s@%s", token, domain);
}

char *tl_post_bounce_token(const char *recipient)
{
	const char *at = strrchr(recipient, '@');
	gsize prefix = strlen(PREFIX), n = at ? (gsize)(at - recipient) : 0;
	if (n != prefix + 2 * TOKEN_OCTETS || g_ascii_strncasecmp(recipient, PREFIX, prefix))
		return NULL;
	char *token = g_ascii_strdown(recipient + prefix, n - prefix);
	if (strspn(token, "0123456789abcdef") != n - prefix)
		g_clear_pointer(&token, g_free);
	return token;
}

struct reporting {
	struct tl_post *post;
	bool failed;
	char *why;
	tl_post_reported on_done;
	void *user;
};

static void on_stored(const struct tl_result *result, const GError *error, void *user)
{
	struct reporting *reporting = user;
	bool known = !error && tl_result_rows(result, 0);
	if (known) {
		bool told = !strcmp(tl_result_text(result, 0, 0, 5), "bounced"); /* reported before */
		struct tl_delivery_info info = { .id = tl_result_text(result, 0, 0, 0), .kind = tl_result_text(result, 0, 0, 1),
						 .about = tl_result_text(result, 0, 0, 2), .target = tl_result_text(result, 0, 0, 3),
						 .state = reporting->failed ? "bounced" : tl_result_text(result, 0, 0, 5), .why = reporting->why,
						 .tries = tl_result_int(result, 0, 0, 4) };
		tl_notice("%s to %s: %s: %s", info.id, info.target, reporting->failed ? "bounced" : "reported", info.why);
		if (!told)
			bounce_tell(reporting->post, &info);
	}
	reporting->on_done(known, error, reporting->user);
	g_free(reporting->why);
	g_free(reporting);
}

void tl_post_report(struct tl_post *post, const char *token, bool failed, const char *why, tl_post_reported on_done, void *user)
{
	struct reporting *reporting = g_new(struct reporting, 1);
	*reporting = (struct reporting){ post, failed, g_strdup(why), on_done, user };
	struct tl_transaction *t = tl_transaction_new("report");
	tl_transaction_add(t, "SELECT id, kind, about, target, tries, state FROM delivery WHERE bounce = $1", TL_VALUES(tl_text(token)));
	if (failed) /* also one that waits: an earlier try has been taken, whatever we heard of it */
		tl_transaction_add(t, "UPDATE delivery SET state = 'bounced', why = $1, next_utc_us = NULL, ended_utc_us = now_us() "
				      "WHERE bounce = $2 AND state <> 'bounced'", TL_VALUES(tl_text(why), tl_text(token)));
	else
		tl_transaction_add(t, "UPDATE delivery SET why = $1 WHERE bounce = $2 AND state = 'done'", TL_VALUES(tl_text(why), tl_text(token)));
	tl_store_submit(bounce_store(post), t, on_stored, reporting);
}
