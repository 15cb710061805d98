/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What comes back of our own letters: a report (RFC 3464) makes its delivery bounced; anything else, such as a notice of
 * absence, is taken and dropped. No mail is ever written because of one, so nothing can go round.
 */
#include "faxjob/inside.h"

#include <string.h>

#define TL_ROOM "fax"
#include "base/log.h"

struct report {
	struct tl_post *post;
	struct tl_post_door *door;
	uint64_t letter;
	char *token;
};

static void answer(struct report *report, const char *reply)
{
	tl_post_door_answer(report->door, report->letter, reply);
	g_free(report->token);
	g_free(report);
}

static void on_stored(bool known, const GError *error, void *user)
{
	if (error)
		tl_warning("%s", error->message);
	answer(user, error ? "451 4.3.0 cannot be stored now" : known ? "250 2.0.0 noted" : "550 5.1.1 no such letter");
}

static const char *text_of(JsonObject *entry, const char *member)
{
	return json_object_get_string_member_with_default(entry, member, "");
}

/* The first recipient's that failed, else the first's that waits; each letter has one. */
static JsonObject *worst_of(JsonArray *entries, bool *failed)
{
	JsonObject *worst = NULL;
	*failed = false;
	for (unsigned i = 0; i < json_array_get_length(entries) && !*failed; i++) {
		JsonObject *entry = json_array_get_object_element(entries, i);
		*failed = !g_ascii_strcasecmp(text_of(entry, "action"), "failed");
		if (*failed || (!worst && !g_ascii_strcasecmp(text_of(entry, "action"), "delayed")))
			worst = entry;
	}
	return worst;
}

static char *why_of(JsonObject *entry, bool failed)
{
	const char *said = text_of(entry, "diagnostic"), *status = text_of(entry, "status");
	return g_strdup_printf("%s%s", failed ? "" : "delayed: ", *said ? said : *status ? status : "the mail server does not say why");
}

static void on_read(const struct tl_blob *blob, JsonObject *result, const GError *error, void *user)
{
	struct report *report = user;
	(void)blob;
	if (error && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA)) {
		tl_warning("a report: %s", error->message);
		answer(report, "451 4.3.0 cannot be read now");
		return;
	}
	bool failed = false;
	JsonObject *worst = error ? NULL : worst_of(json_object_get_array_member(result, "entries"), &failed);
	if (worst) {
		g_autofree char *why = why_of(worst, failed);
		tl_post_report(report->post, report->token, failed, why, on_stored, report);
	} else {
		tl_info("an answer to a letter of ours is no report of trouble; dropped");
		answer(report, "250 2.0.0 noted");
	}
}

bool reports_take(struct tl_faxes *faxes, struct tl_post_door *door, uint64_t letter, const struct tl_blob *message,
		  const char *const *recipients)
{
	g_autofree char *token = NULL;
	for (unsigned i = 0; recipients[i] && !token; i++)
		token = tl_post_bounce_token(recipients[i]);
	if (!token)
		return false;
	if (recipients[1]) {
		tl_post_door_answer(door, letter, "550 5.5.3 a report has one recipient");
		return true;
	}
	struct report *report = g_new(struct report, 1);
	*report = (struct report){ faxes->config.post, door, letter, g_steal_pointer(&token) };
	g_autofree char *path = tl_blobs_path(faxes->config.blobs, message->sha256);
	tl_papers_run(faxes->config.papers, "report", (const char *[]){ path, NULL }, on_read, report);
	return true;
}
