/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "fax.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

#define DEPTH_MS 60
#define KEEP_WITHIN_MS 60000 /* our own far end may be as slow as it was told to be */

struct machine {
	struct party *party;    /* NULL once that has ended */
	struct tl_fax *fax;
	struct tl_fax_config config;
	struct tl_fax_faults faults;
	struct fault fault;
	char *expects, *directory;
	unsigned hangup_page;   /* 0: never */
	unsigned slow_ms;
	enum { T38_REFUSE, T38_ACCEPT, T38_OFFER } t38;
	enum tl_t38_correction correction;
	JsonObject *report;     /* an entry of the party's */
	JsonArray *pages;
	bool ended, failed;
	char *words;            /* its result */
};

struct fault *fault_of(void *user)
{
	struct machine *machine = user;
	return &machine->fault;
}

static void machine_free(struct machine *machine)
{
	fault_done(&machine->fault);
	g_free(machine->expects);
	g_free(machine->directory);
	g_free(machine->words);
	g_free(machine);
}

/* ---- what it says of itself ---- */

static void on_page(struct tl_fax *fax, const struct tl_fax_page *page, void *user)
{
	struct machine *machine = user;
	if (!machine->party)
		return;
	JsonObject *entry = json_object_new();
	json_object_set_int_member(entry, "page", page->number);
	json_object_set_string_member(entry, "resolution", page->resolution);
	json_object_set_int_member(entry, "width", page->width);
	json_object_set_int_member(entry, "length", page->length);
	json_object_set_int_member(entry, "bad_rows", page->bad_rows);
	json_object_set_int_member(entry, "ms", page->ms);
	json_object_set_int_member(entry, "bit_rate", page->bit_rate);
	json_object_set_string_member(entry, "coding", page->coding);
	json_object_set_boolean_member(entry, "ecm", page->ecm);
	json_array_add_object_element(machine->pages, entry);
	if (page->number == machine->hangup_page && machine->party->dialog)
		tl_dialog_release(machine->party->dialog, TL_CAUSE_NORMAL_CLEARING);
}

static void set_text(JsonObject *object, const char *member, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	json_object_set_string_member(object, member, valid);
}

static void describe(struct machine *machine, const struct tl_fax_result *result)
{
	JsonObject *report = machine->report;
	json_object_set_string_member(report, "result", result->words);
	json_object_set_string_member(report, "trouble", tl_fax_trouble_name(result->trouble));
	json_object_set_int_member(report, "code", result->code);
	json_object_set_int_member(report, "pages_confirmed", result->pages);
	set_text(report, "remote_ident", result->remote_ident);
	set_text(report, "sub_address", result->sub_address);
	set_text(report, "password", result->password);
	json_object_set_boolean_member(report, "t38", result->t38);
	json_object_set_int_member(report, "ms", result->ms);
}

static void on_ended(struct tl_fax *fax, const struct tl_fax_result *result, void *user)
{
	struct machine *machine = user;
	machine->fax = NULL;
	if (!machine->party) {
		machine_free(machine);
		return;
	}
	describe(machine, result);
	machine->ended = true;
	machine->words = g_strdup(result->words);
	machine->failed = strcmp(machine->expects, "any") && strcmp(machine->expects, tl_fax_trouble_name(result->trouble));
	party_continue(machine->party);
}

/* Thread: a keeper's. */
static int keep(unsigned number, const void *octets, size_t n, unsigned within_ms, void *user)
{
	struct machine *machine = user;
	g_autofree char *path = g_strdup_printf("%s/page-%04u.tif", machine->directory, number);
	g_usleep(machine->slow_ms * 1000);
	return g_file_set_contents(path, octets, n, NULL) ? 0 : -EIO;
}

/* ---- its words ---- */

const char *machine_help(void)
{
	return "    ident TEXT, header TEXT, ecm on|off, modems LIST, codings LIST, resolutions LIST, widths LIST (commas),\n"
	       "    first N, last N, calling on|off (calling and receiving polls), sub TEXT, password TEXT,\n"
	       "    t38 refuse|accept|offer (by SIP; offer: with our own re-INVITE), correction none|redundancy|fec (offered),\n"
	       "    expect none|any|line|far-end|... (how it is to end; none: well),\n"
	       "    faults: noise DBM0, loss PERCENT (packets of 20 ms, T.38 datagrams), drop N (every Nth 10 ms heard), bad-tcf N,\n"
	       "    wrong-width on, no-dcn on, slow-ms N,\n"
	       "    hangup-page N, lose N, burst N (T.38: of N datagrams the first one, or so many)\n";
}

static bool read_list(struct party *party, enum tl_fax_ability ability, const char *list, unsigned *bits)
{
	g_auto(GStrv) names = g_strsplit(list, ",", -1);
	*bits = 0;
	for (char **name = names; *name; name++)
		if (!tl_fax_ability_parse(ability, *name, bits)) {
			party_fail(party, "fax: \"%s\" is not known", *name);
			return false;
		}
	return true;
}

static bool is_on(const char *word)
{
	return !strcmp(word, "on");
}

static bool read_ability(struct party *party, struct tl_fax_options *options, const char *key, const char *value, bool *known)
{
	*known = true;
	if (!strcmp(key, "modems"))
		return read_list(party, TL_FAX_MODEM, value, &options->modems);
	if (!strcmp(key, "codings"))
		return read_list(party, TL_FAX_CODING, value, &options->codings);
	if (!strcmp(key, "resolutions"))
		return read_list(party, TL_FAX_RESOLUTION, value, &options->resolutions);
	if (!strcmp(key, "widths"))
		return read_list(party, TL_FAX_WIDTH, value, &options->widths);
	*known = false;
	return true;
}

static bool read_config(struct tl_fax_config *config, const char *key, const char *value)
{
	struct tl_fax_options *options = &config->options;
	if (!strcmp(key, "ident"))
		g_strlcpy(options->ident, value, sizeof options->ident);
	else if (!strcmp(key, "header"))
		g_strlcpy(options->header, value, sizeof options->header);
	else if (!strcmp(key, "sub"))
		g_strlcpy(options->sub_address, value, sizeof options->sub_address);
	else if (!strcmp(key, "password"))
		g_strlcpy(options->password, value, sizeof options->password);
	else if (!strcmp(key, "ecm"))
		options->ecm = is_on(value);
	else if (!strcmp(key, "first"))
		config->first_page = atoi(value);
	else if (!strcmp(key, "last"))
		config->last_page = atoi(value);
	else if (!strcmp(key, "calling"))
		config->calling = is_on(value);
	else
		return false;
	return true;
}

static bool read_fault(struct machine *machine, const char *key, const char *value)
{
	struct fault *fault = &machine->fault;
	if (!strcmp(key, "noise"))
		fault_noise(fault, atoi(value));
	else if (!strcmp(key, "loss"))
		fault->loss_percent = g_ascii_strtod(value, NULL);
	else if (!strcmp(key, "drop"))
		fault->drop_every = atoi(value);
	else if (!strcmp(key, "lose"))
		fault->lose_every = atoi(value);
	else if (!strcmp(key, "burst"))
		fault->burst = atoi(value);
	else if (!strcmp(key, "bad-tcf"))
		fault->bad_tcfs = atoi(value);
	else if (!strcmp(key, "wrong-width"))
		fault->wrong_width = is_on(value);
	else if (!strcmp(key, "no-dcn"))
		fault->no_dcn = is_on(value);
	else if (!strcmp(key, "slow-ms"))
		machine->slow_ms = atoi(value);
	else if (!strcmp(key, "hangup-page"))
		machine->hangup_page = atoi(value);
	else
		return false;
	return true;
}

static int place_of(const char *const *words, const char *word)
{
	int at = 0;
	while (words[at] && strcmp(words[at], word))
		at++;
	return words[at] ? at : -1;
}

static bool read_t38(struct machine *machine, const char *key, const char *value)
{
	static const char *const ways[] = { "refuse", "accept", "offer", NULL }, *const corrections[] = { "none", "redundancy", "fec", NULL };
	int way = strcmp(key, "t38") ? -1 : place_of(ways, value);
	int correction = strcmp(key, "correction") ? -1 : place_of(corrections, value);
	if (way >= 0)
		machine->t38 = way;
	if (correction >= 0)
		machine->correction = correction;
	return way >= 0 || correction >= 0;
}

static bool read_words(struct machine *machine, char **words)
{
	struct party *party = machine->party;
	for (char **word = words; *word; word += 2) {
		bool known;
		if (!word[1]) {
			party_fail(party, "fax: nothing after \"%s\"", *word);
			return false;
		}
		if (!strcmp(*word, "expect")) {
			g_free(machine->expects);
			machine->expects = g_strdup(word[1]);
			continue;
		}
		if (!read_ability(party, &machine->config.options, *word, word[1], &known))
			return false;
		if (!known && !read_config(&machine->config, *word, word[1]) && !read_fault(machine, *word, word[1]) &&
		    !read_t38(machine, *word, word[1])) {
			party_fail(party, "fax: \"%s\" is not known", *word);
			return false;
		}
	}
	return true;
}

/* ---- beginning and end ---- */

static struct tl_fax_pool *pool_of(struct exchange *exchange)
{
	const struct tl_fax_pool_config config = { .media = exchange->media, .threads = CLAMP(g_get_num_processors(), 1, 16),
						   .depth_ms = DEPTH_MS, .keep_within_ms = KEEP_WITHIN_MS };
	if (!exchange->fax_pool)
		exchange->fax_pool = tl_fax_pool_new(&config);
	return exchange->fax_pool;
}

static bool is_sip(const struct party *party)
{
	return party->dialog && party->dialog->media == TL_MEDIA_RTP;
}

static void offer_t38(const struct machine *machine)
{
	struct tl_dialog *dialog = machine->party->dialog;
	if (!is_sip(machine->party) || machine->t38 != T38_OFFER || dialog->remote.t38.on)
		return;
	dialog->local.t38 = tl_sdp_t38(machine->correction);
	tl_dialog_update(dialog);
}

static bool start(struct machine *machine, const char *name)
{
	static const struct tl_fax_handler handler = { NULL, on_page, on_ended, keep };
	struct party *party = machine->party;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = party_file(party, name);
	machine->config.document = path;
	if (!machine->config.sends) {
		machine->directory = g_strdup(path);
		g_mkdir_with_parents(path, 0755);
	}
	tl_port_detect_dtmf(party->port, false);
	if (is_sip(party))
		machine->config.t38 = party->dialog->remote.t38;
	machine->fax = tl_fax_start(pool_of(party->exchange), party->port, &machine->config, &handler, machine, &error);
	if (!machine->fax)
		party_fail(party, "fax: %s", error->message);
	return machine->fax != NULL;
}

static void report_to(struct machine *machine, struct party *party)
{
	if (!party->faxes)
		party->faxes = json_array_new();
	machine->report = json_object_new();
	machine->pages = json_array_new();
	json_object_set_string_member(machine->report, "direction", machine->config.sends ? "out" : "in");
	json_object_set_array_member(machine->report, "pages", machine->pages);
	json_array_add_object_element(party->faxes, machine->report);
}

bool machine_start(struct party *party, char **words)
{
	bool sends = !strcmp(words[1], "send");
	if ((!sends && strcmp(words[1], "receive")) || !party_connect(party)) {
		party_fail(party, sends ? "fax: there is no audio yet" : "fax: expected send or receive, and audio");
		return false;
	}
	struct machine *machine = g_new0(struct machine, 1);
	machine->party = party;
	machine->expects = g_strdup("none");
	machine->correction = TL_T38_REDUNDANCY;
	machine->fault.burst = 1;
	machine->config = (struct tl_fax_config){
		.sends = sends, .calling = sends,
		.options = { .ecm = true, .modems = TL_FAX_ALL, .codings = TL_FAX_ALL, .resolutions = TL_FAX_ALL,
			     .widths = TL_FAX_ALL },
	};
	party->machine = machine;
	if (!read_words(machine, words + 3)) {
		machine_leave(party);
		return false;
	}
	machine->faults = fault_faults(&machine->fault);
	machine->config.faults = &machine->faults;
	report_to(machine, party);
	if (start(machine, words[2])) {
		offer_t38(machine);
		return true;
	}
	machine_leave(party);
	return false;
}

bool machine_ended(struct party *party)
{
	struct machine *machine = party->machine;
	if (!machine->ended)
		return false;
	if (machine->failed)
		party_fail(party, "fax: %s", machine->words);
	machine_leave(party);
	return true;
}

bool machine_may_go_t38(const struct party *party)
{
	return party->machine && party->machine->fax && party->machine->t38 != T38_REFUSE;
}

void machine_media(struct party *party)
{
	if (party->machine && party->machine->fax && is_sip(party) && party->dialog->remote.t38.on)
		tl_fax_go_t38(party->machine->fax, &party->dialog->remote.t38);
}

void machine_lost(struct party *party)
{
	if (!party->machine || !party->machine->fax)
		return;
	tl_fax_port_gone(party->machine->fax, party->port);
	tl_fax_stop(party->machine->fax, TL_FAX_ENDED);
}

void machine_leave(struct party *party)
{
	struct machine *machine = g_steal_pointer(&party->machine);
	if (!machine)
		return;
	machine->party = NULL;
	if (!machine->fax)
		machine_free(machine);
}
