/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/numbers.h"

#include <string.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/url.h>

#define ANONYMOUS "sip:anonymous@anonymous.invalid"

/* "+49 (30) 12-34;phone-context=x" is +49301234 (RFC 3966 5.1.1: visual separators). */
static bool user_to_number(const char *user, struct tl_number *number)
{
	char raw[256], text[TL_DIGITS_MAX + 2];
	size_t n = 0;
	if (!user || strlen(user) >= sizeof(raw))
		return false;
	url_unescape(raw, user);
	for (const char *c = raw; *c && *c != ';'; c++) {
		if (strchr("-.() ", *c))
			continue;
		if (n + 1 >= sizeof(text))
			return false;
		text[n++] = g_ascii_toupper(*c);
	}
	text[n] = 0;
	struct tl_number read;
	if (!n || !tl_number_parse(text, &read))
		return false;
	*number = read;
	return true;
}

static bool url_to_number(const url_t *url, struct tl_number *number)
{
	if (!url)
		return false;
	return user_to_number(url->url_user ? url->url_user : url->url_type == url_tel ? url->url_host : NULL, number);
}

static void read_name(const char *display, char name[TL_NAME_MAX + 1])
{
	char *text = g_strdup(display ? display : "");
	char *from = text, *to = text;
	bool quoted = *from == '"';
	for (from += quoted; *from && !(quoted && *from == '"'); from++) {
		if (quoted && *from == '\\' && from[1])
			from++;
		if ((unsigned char)*from >= 0x20 && *from != 0x7f)
			*to++ = *from;
	}
	*to = 0;
	g_strstrip(text);
	char *valid = g_utf8_make_valid(text, -1);
	if (strlen(valid) > TL_NAME_MAX)
		*g_utf8_find_prev_char(valid, valid + TL_NAME_MAX + 1) = 0;
	g_strlcpy(name, valid, TL_NAME_MAX + 1);
	g_free(valid);
	g_free(text);
}

static const char *unknown_header(const sip_t *sip, const char *name)
{
	for (const sip_unknown_t *u = sip->sip_unknown; u; u = u->un_next)
		if (u->un_name && !g_ascii_strcasecmp(u->un_name, name))
			return u->un_value;
	return NULL;
}

/* The first of a comma-separated list of name-addr, whose commas may stand in quotes or brackets. */
static sip_from_t *first_address(su_home_t *home, const char *list)
{
	bool quoted = false, bracketed = false;
	size_t n = 0;
	if (!list)
		return NULL;
	for (; list[n]; n++) {
		if (list[n] == '\\' && quoted && list[n + 1])
			n++;
		else if (list[n] == '"')
			quoted = !quoted;
		else if (!quoted && (list[n] == '<' || list[n] == '>'))
			bracketed = list[n] == '<';
		else if (!quoted && !bracketed && list[n] == ',')
			break;
	}
	return sip_from_make(home, su_strndup(home, list, (isize_t)n));
}

static bool is_private(const sip_t *sip)
{
	if (!sip->sip_privacy)
		return false;
	for (const msg_param_t *v = sip->sip_privacy->priv_values; v && *v; v++)
		if (!g_ascii_strcasecmp(*v, "id") || !g_ascii_strcasecmp(*v, "user") || !g_ascii_strcasecmp(*v, "header"))
			return true;
	return false;
}

static const struct {
	const char *name;
	unsigned value;
} reasons[] = { { "user-busy", 1 }, { "no-answer", 2 }, { "unconditional", 15 }, { "unknown", 0 } };

static void read_diversion(su_home_t *home, const sip_t *sip, struct tl_leg_setup *setup)
{
	sip_from_t *diversion = first_address(home, unknown_header(sip, "Diversion"));
	if (!diversion || !url_to_number(diversion->a_url, &setup->redirecting))
		return;
	for (const msg_param_t *p = diversion->a_params; p && *p; p++) {
		if (!g_ascii_strncasecmp(*p, "privacy=", 8) && g_ascii_strcasecmp(*p + 8, "off"))
			setup->redirecting.presentation = TL_PRESENTATION_RESTRICTED;
		if (g_ascii_strncasecmp(*p, "reason=", 7))
			continue;
		for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
			if (!g_ascii_strcasecmp(*p + 7, reasons[i].name))
				setup->redirecting_reason = reasons[i].value;
	}
}

static void read_calling(su_home_t *home, const sip_t *sip, bool trusted, struct tl_leg_setup *setup)
{
	sip_from_t *asserted = trusted ? first_address(home, unknown_header(sip, "P-Asserted-Identity")) : NULL;
	const sip_from_t *from = sip->sip_from;
	bool anonymous = from && from->a_url->url_user && !g_ascii_strcasecmp(from->a_url->url_user, "anonymous");
	if (asserted && url_to_number(asserted->a_url, &setup->calling)) {
		setup->calling.screening = TL_SCREENING_NETWORK;
		read_name(asserted->a_display, setup->calling_name);
	} else if (from) {
		url_to_number(from->a_url, &setup->calling);
		setup->calling.screening = trusted ? TL_SCREENING_USER : TL_SCREENING_PASSED;
	}
	if (from && !setup->calling_name[0] && !anonymous)
		read_name(from->a_display, setup->calling_name);
	if (is_private(sip) || anonymous)
		setup->calling.presentation = TL_PRESENTATION_RESTRICTED;
	else if (!setup->calling.digits[0])
		setup->calling.presentation = TL_PRESENTATION_UNAVAILABLE;
}

void tl_numbers_read(const sip_t *sip, bool trusted, struct tl_leg_setup *setup)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	*setup = (struct tl_leg_setup){ .bearer = TL_BEARER_SPEECH, .called_complete = true };
	su_home_init(home);
	if (!url_to_number(sip->sip_request->rq_url, &setup->called) && sip->sip_to)
		url_to_number(sip->sip_to->a_url, &setup->called);
	read_calling(home, sip, trusted, setup);
	if (trusted)
		read_diversion(home, sip, setup);
	su_home_deinit(home);
}

const char *tl_numbers_user(const struct tl_number *number, char *text)
{
	char digits[TL_DIGITS_MAX + 2], *out = text;
	for (const char *c = tl_number_format(number, digits); *c; c++) {
		if (*c == '#')
			out = g_stpcpy(out, "%23");
		else
			*out++ = *c;
	}
	*out = 0;
	return text;
}

static char *quote(const char *name)
{
	GString *out = g_string_new("\"");
	for (const char *c = name; *c; c++) {
		if (*c == '"' || *c == '\\')
			g_string_append_c(out, '\\');
		if ((unsigned char)*c >= 0x20 && *c != 0x7f)
			g_string_append_c(out, *c);
	}
	g_string_append(out, "\" ");
	return g_string_free(out, FALSE);
}

static char *address(const char *name, const char *user, const char *host)
{
	char *quoted = name && name[0] ? quote(name) : g_strdup("");
	char *text = g_strdup_printf("%s<sip:%s@%s>", quoted, user, host);
	g_free(quoted);
	return text;
}

static char *diversion(const struct tl_leg_setup *setup, const char *host)
{
	char user[3 * TL_DIGITS_MAX + 2];
	const char *reason = "unknown";
	for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
		if (reasons[i].value == setup->redirecting_reason)
			reason = reasons[i].name;
	bool hidden = setup->redirecting.presentation != TL_PRESENTATION_ALLOWED;
	return g_strdup_printf("Diversion: <sip:%s@%s>;reason=%s%s\r\n", tl_numbers_user(&setup->redirecting, user), host,
			       reason, hidden ? ";privacy=full" : "");
}

void tl_numbers_write(const struct tl_leg_setup *setup, const struct tl_numbers_peer *peer,
		      struct tl_numbers_headers *headers)
{
	char user[3 * TL_DIGITS_MAX + 2];
	*headers = (struct tl_numbers_headers){ 0 };
	bool known = setup->calling.digits[0];
	bool hidden = setup->calling.presentation == TL_PRESENTATION_RESTRICTED;
	tl_numbers_user(&setup->calling, user);
	if (hidden)
		headers->from = g_strdup("\"Anonymous\" <" ANONYMOUS ">");
	else if (known)
		headers->from = address(setup->calling_name, user, peer->local_host);
	else if (peer->identity)
		headers->from = address(setup->calling_name, peer->identity, peer->local_host);
	else
		headers->from = g_strdup("<" ANONYMOUS ">");
	if (hidden)
		headers->privacy = g_strdup("id");
	if (known && peer->trusted) {
		char *asserted = address(setup->calling_name, user, peer->local_host);
		headers->asserted = g_strdup_printf("P-Asserted-Identity: %s\r\n", asserted);
		g_free(asserted);
	}
	if (setup->called.digits[0])
		headers->to = address(NULL, tl_numbers_user(&setup->called, user), peer->remote_host);
	if (setup->redirecting.digits[0] && peer->trusted)
		headers->diversion = diversion(setup, peer->local_host);
}

void tl_numbers_clear(struct tl_numbers_headers *headers)
{
	g_free(headers->from), g_free(headers->to), g_free(headers->asserted);
	g_free(headers->privacy), g_free(headers->diversion);
	*headers = (struct tl_numbers_headers){ 0 };
}
