/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "fax-tester.h"

#include <stdlib.h>
#include <string.h>

#include <spandsp.h>

#include "fake-span.h"

#define MS 8                    /* samples */
#define PREAMBLE_FLAGS 37       /* 1 s at 300 bit/s */
#define GAP_MS 75
#define HEAR_MS 40000
#define TCF_MS 1500
#define BLOCK_OCTETS 256
#define RTC_EOLS 6
#define EOL "000000000001"
#define WHITE_ROW EOL "010011011" "00110101" /* 1728: make-up and terminating code (T.4 tables 2 and 3) */
#define GARBLED_ROW EOL "11011" "00110101" /* 64 pixels are no row */

static const struct { const char *name; uint8_t fcf; } frames[] = {
	{ "DIS", T30_DIS }, { "CSI", T30_CSI }, { "NSF", T30_NSF }, { "DTC", T30_DTC }, { "CIG", T30_CIG }, { "PWD", T30_PWD },
	{ "SEP", T30_SEP }, { "SUB", T30_SUB }, { "DCS", T30_DCS }, { "TSI", T30_TSI }, { "CFR", T30_CFR }, { "FTT", T30_FTT },
	{ "EOM", T30_EOM }, { "MPS", T30_MPS }, { "EOP", T30_EOP }, { "PRI-EOP", T30_PRI_EOP }, { "PRI-MPS", T30_PRI_MPS },
	{ "MCF", T30_MCF }, { "RTP", T30_RTP }, { "RTN", T30_RTN }, { "PIP", T30_PIP }, { "PIN", T30_PIN }, { "DCN", T30_DCN },
	{ "CRP", T30_CRP }, { "PPS", T30_PPS }, { "PPR", T30_PPR }, { "RR", T30_RR }, { "RNR", T30_RNR }, { "CTC", T30_CTC },
	{ "CTR", T30_CTR }, { "EOR", T30_EOR }, { "ERR", T30_ERR }, { "NULL", T30_NULL },
};

struct fax_tester {
	struct tl_span *span;
	unsigned slot;
	char *name;
	char **steps;
	unsigned at, heard_blocks;
	bool begun;
	unsigned waited;        /* samples since the step began */
	bool calls;             /* its frames have the bit X of who called */
	unsigned page;          /* of ECM, that PPS tells of */
	GPtrArray *ahead;       /* frames that go before the next one, in one breath */

	GArray *out;            /* samples to be said */
	unsigned said;
	uint8_t now[TL_BLOCK_OCTETS];

	fsk_rx_state_t *fsk;
	hdlc_rx_state_t *hdlc;
	int heard;              /* FCF, -1: none since it was looked at */
	GString *log;
};

/* ---- rendering ---- */

struct bits {
	const char *text;       /* '0' and '1' */
	size_t at, n;
};

static int next_bit(void *user)
{
	struct bits *bits = user;
	return bits->at < bits->n ? bits->text[bits->at++] - '0' : SIG_STATUS_END_OF_DATA;
}

static void add_silence(struct fax_tester *tester, unsigned ms)
{
	g_array_set_size(tester->out, tester->out->len + ms * MS);
}

/* Whatever the modem says until it falls silent. */
static void add_modem(struct fax_tester *tester, int (*tx)(void *, int16_t *, int), void *modem)
{
	int16_t block[TL_BLOCK_OCTETS];
	int n;
	do {
		n = tx(modem, block, TL_BLOCK_OCTETS);
		g_array_append_vals(tester->out, block, n);
	} while (n == TL_BLOCK_OCTETS);
}

static void add_fast(struct fax_tester *tester, unsigned rate, get_bit_func_t get_bit, void *user)
{
	add_silence(tester, GAP_MS);
	if (rate <= 4800) {
		v27ter_tx_state_t *modem = v27ter_tx_init(NULL, rate, FALSE, get_bit, user);
		add_modem(tester, (int (*)(void *, int16_t *, int))v27ter_tx, modem);
		v27ter_tx_free(modem);
	} else {
		v29_tx_state_t *modem = v29_tx_init(NULL, rate, FALSE, get_bit, user);
		add_modem(tester, (int (*)(void *, int16_t *, int))v29_tx, modem);
		v29_tx_free(modem);
	}
	add_silence(tester, GAP_MS);
}

struct queue {
	GPtrArray *frames;      /* GBytes */
	unsigned at, flags;
	bool spoil;
	hdlc_tx_state_t *hdlc;
};

static void on_underflow(void *user)
{
	struct queue *queue = user;
	if (queue->at == queue->frames->len) {
		hdlc_tx_frame(queue->hdlc, NULL, 0);
		return;
	}
	gsize n;
	const uint8_t *octets = g_bytes_get_data(g_ptr_array_index(queue->frames, queue->at++), &n);
	hdlc_tx_frame(queue->hdlc, octets, n);
	if (queue->spoil)
		hdlc_tx_corrupt_frame(queue->hdlc);
}

static int next_hdlc_bit(void *user)
{
	struct queue *queue = user;
	return hdlc_tx_get_bit(queue->hdlc);
}

static void queue_begin(struct queue *queue, unsigned flags)
{
	*queue = (struct queue){ .frames = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref) };
	queue->hdlc = hdlc_tx_init(NULL, FALSE, 2, FALSE, on_underflow, queue);
	hdlc_tx_flags(queue->hdlc, flags);
}

static void queue_end(struct queue *queue)
{
	hdlc_tx_free(queue->hdlc);
	g_ptr_array_unref(queue->frames);
}

static void add_frame(struct fax_tester *tester, const uint8_t *octets, size_t n, bool spoil)
{
	struct queue queue;
	queue_begin(&queue, PREAMBLE_FLAGS);
	queue.spoil = spoil;
	for (unsigned i = 0; i < tester->ahead->len; i++)
		g_ptr_array_add(queue.frames, g_bytes_ref(g_ptr_array_index(tester->ahead, i)));
	g_ptr_array_set_size(tester->ahead, 0);
	g_ptr_array_add(queue.frames, g_bytes_new(octets, n));
	add_silence(tester, GAP_MS);
	fsk_tx_state_t *modem = fsk_tx_init(NULL, &preset_fsk_specs[FSK_V21CH2], next_hdlc_bit, &queue);
	add_modem(tester, (int (*)(void *, int16_t *, int))fsk_tx, modem);
	fsk_tx_free(modem);
	queue_end(&queue);
}

static uint8_t fcf_of(const char *name)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(frames); i++)
		if (!strcmp(frames[i].name, name))
			return frames[i].fcf;
	g_error("fax-tester: no frame is called %s", name);
}

static const char *name_of(int fcf)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(frames); i++)
		if (frames[i].fcf == fcf)
			return frames[i].name;
	return "?";
}

/* ---- what it says ---- */

static void say(struct fax_tester *tester, const char *word, const uint8_t *fif, size_t n)
{
	uint8_t octets[40] = { 0xff, 0x13 };
	g_autofree char *name = g_strdup(word);
	bool spoil = g_str_has_suffix(name, "!");
	if (spoil)
		name[strlen(name) - 1] = '\0';
	octets[2] = fcf_of(name) | (tester->calls ? 1 : 0);
	memcpy(octets + 3, fif, n);
	add_frame(tester, octets, 3 + n, spoil);
}

static unsigned read_hex(char **words, uint8_t *octets, unsigned most)
{
	unsigned n = 0;
	for (; words[n] && n < most; n++)
		octets[n] = strtoul(words[n], NULL, 16);
	return n;
}

static void put_ahead(struct fax_tester *tester, char **words)
{
	uint8_t octets[40] = { 0xff, 0x03, fcf_of(words[1]) };
	unsigned n = read_hex(words + 2, octets + 3, sizeof octets - 3);
	g_ptr_array_add(tester->ahead, g_bytes_new(octets, 3 + n));
}

static void say_hex(struct fax_tester *tester, char **words)
{
	uint8_t fif[32] = { 0 };
	unsigned n = read_hex(words + 2, fif, sizeof fif);
	/* A bit for each of a block's 256 frames. */
	say(tester, words[1], fif, g_str_has_prefix(words[1], "PPR") ? sizeof fif : n);
}

/* T.30 table 2: bits 9-16, 17-24, 25-32. */
static void say_dis(struct fax_tester *tester, const char *kind)
{
	bool ecm = !g_strcmp0(kind, "ecm"), nothing = !g_strcmp0(kind, "nothing"), polled = !g_strcmp0(kind, "polled");
	const uint8_t fif[] = { 0x00, (nothing ? 0x0c : 0x0e) | polled, ecm ? 0xf0 : 0x70, 0x04 };
	say(tester, "DIS", fif, ecm ? 4 : 3);
}

static void say_dcs(struct fax_tester *tester, unsigned rate, bool ecm)
{
	uint8_t code = rate == 2400 ? 0x00 : rate == 4800 ? 0x08 : rate == 7200 ? 0x0c : 0x04;
	const uint8_t fif[] = { 0x00, 0x02 | code, ecm ? 0xf0 : 0x70, 0x04 };
	say(tester, "DCS", fif, ecm ? 4 : 3);
}

static void say_bits(struct fax_tester *tester, unsigned rate, const GString *text)
{
	struct bits bits = { text->str, 0, text->len };
	add_fast(tester, rate, next_bit, &bits);
}

static void say_tcf(struct fax_tester *tester, unsigned rate, bool bad)
{
	GString *text = g_string_new(NULL);
	for (unsigned i = 0; i < rate * TCF_MS / 1000; i++)
		g_string_append_c(text, bad && i % 2 ? '1' : '0');
	say_bits(tester, rate, text);
	g_string_free(text, TRUE);
}

static GString *page_bits(unsigned rows, bool bad)
{
	GString *text = g_string_new(NULL);
	for (unsigned i = 0; i < rows; i++)
		g_string_append(text, bad && i % 3 ? GARBLED_ROW : WHITE_ROW);
	for (unsigned i = 0; i < RTC_EOLS; i++)
		g_string_append(text, i ? "000000000001" : EOL);
	return text;
}

static void say_page(struct fax_tester *tester, unsigned rate, unsigned rows, bool bad)
{
	GString *text = page_bits(rows, bad);
	say_bits(tester, rate, text);
	g_string_free(text, TRUE);
}

/* Octets of a white page of @n frames: T.4 is sent bit by bit, the first one an octet's lowest (T.30 annex A). */
static GByteArray *page_octets(unsigned n)
{
	GByteArray *octets = g_byte_array_new();
	GString *text = page_bits((n * BLOCK_OCTETS * 8 - RTC_EOLS * 12) / strlen(WHITE_ROW) - 1, false);
	for (size_t at = 0; at < text->len; at += 8) {
		uint8_t octet = 0;
		for (unsigned bit = 0; bit < 8 && at + bit < text->len; bit++)
			octet |= (text->str[at + bit] - '0') << bit;
		g_byte_array_append(octets, &octet, 1);
	}
	guint used = octets->len;
	g_byte_array_set_size(octets, n * BLOCK_OCTETS);
	memset(octets->data + used, 0, octets->len - used);
	g_string_free(text, TRUE);
	return octets;
}

static void say_blocks(struct fax_tester *tester, unsigned rate, unsigned n, int skip)
{
	g_autoptr(GByteArray) octets = page_octets(n);
	struct queue queue;
	queue_begin(&queue, rate / 4 / 8); /* 250 ms */
	for (unsigned i = 0; i < n + 3; i++) {
		uint8_t frame[4 + BLOCK_OCTETS] = { 0xff, 0x03, i < n ? T4_FCD : T4_RCP, i };
		if (i < n)
			memcpy(frame + 4, octets->data + i * BLOCK_OCTETS, BLOCK_OCTETS);
		if ((int)i != skip)
			g_ptr_array_add(queue.frames, g_bytes_new(frame, i < n ? sizeof frame : 3));
	}
	add_fast(tester, rate, next_hdlc_bit, &queue);
	queue_end(&queue);
}

/* Of the page before when it is said @again after MCF. */
static void say_pps(struct fax_tester *tester, const char *name, unsigned n, bool again)
{
	const uint8_t fif[] = { fcf_of(name) | (fcf_of(name) ? tester->calls : 0), tester->page - again, 0, n - 1 };
	say(tester, "PPS", fif, sizeof fif);
}

static void say_ced(struct fax_tester *tester)
{
	modem_connect_tones_tx_state_t *tone = modem_connect_tones_tx_init(NULL, MODEM_CONNECT_TONES_FAX_CED);
	add_modem(tester, (int (*)(void *, int16_t *, int))modem_connect_tones_tx, tone);
	modem_connect_tones_tx_free(tone);
}

/* ---- steps ---- */

static unsigned number(char **words, unsigned i)
{
	return i < g_strv_length(words) ? strtoul(words[i], NULL, 10) : 0;
}

static bool has(char **words, const char *word)
{
	return g_strv_contains((const char *const *)words, word);
}

static void begin(struct fax_tester *tester, char **words)
{
	const char *verb = words[0];
	g_array_set_size(tester->out, 0);
	tester->said = tester->waited = 0;
	if (!strcmp(verb, "say"))
		say_hex(tester, words);
	else if (!strcmp(verb, "ahead"))
		put_ahead(tester, words);
	else if (!strcmp(verb, "dis"))
		say_dis(tester, words[1]);
	else if (!strcmp(verb, "dcs"))
		say_dcs(tester, number(words, 1), has(words, "ecm"));
	else if (!strcmp(verb, "tcf"))
		say_tcf(tester, number(words, 1), has(words, "bad"));
	else if (!strcmp(verb, "page"))
		say_page(tester, number(words, 1), number(words, 2), has(words, "bad"));
	else if (!strcmp(verb, "blocks"))
		say_blocks(tester, number(words, 1), number(words, 2), has(words, "skip") ? (int)number(words, 4) : -1);
	else if (!strcmp(verb, "pps"))
		say_pps(tester, words[1], number(words, 2), has(words, "again"));
	else if (!strcmp(verb, "ced"))
		say_ced(tester);
	else if (!strcmp(verb, "quiet") || !strcmp(verb, "wait"))
		add_silence(tester, number(words, 1));
	else if (strcmp(verb, "hear"))
		g_error("fax-tester: no step is called %s", verb);
	tester->calls |= !strcmp(verb, "dcs");
}

static bool hears(struct fax_tester *tester, char **words)
{
	unsigned within_ms = number(words, 2) ? number(words, 2) : HEAR_MS;
	if (tester->heard < 0) {
		if (tester->waited > within_ms * MS)
			g_error("%s: \"%s\" did not come: %s", tester->name, tester->steps[tester->at], tester->log->str);
		return false;
	}
	int heard = tester->heard;
	tester->heard = -1;
	if (heard != fcf_of(words[1]))
		g_error("%s: \"%s\", but %s came: %s", tester->name, tester->steps[tester->at], name_of(heard), tester->log->str);
	tester->page += heard == T30_MCF;
	return true;
}

static bool is_done(struct fax_tester *tester, char **words)
{
	if (!strcmp(words[0], "hear"))
		return hears(tester, words);
	if (!strcmp(words[0], "quiet") && tester->heard >= 0)
		g_error("%s: \"%s\", but %s came: %s", tester->name, tester->steps[tester->at], name_of(tester->heard), tester->log->str);
	if (strcmp(words[0], "quiet") && tester->said < tester->out->len)
		tester->heard = -1; /* its own echo, or what it was not waiting for */
	return tester->said >= tester->out->len;
}

static void run(struct fax_tester *tester)
{
	while (tester->steps[tester->at]) {
		g_auto(GStrv) words = g_strsplit(tester->steps[tester->at], " ", -1);
		if (!tester->begun) {
			begin(tester, words);
			g_string_append_printf(tester->log, "\n\t%s", tester->steps[tester->at]);
		}
		tester->begun = true;
		if (!is_done(tester, words))
			return;
		tester->begun = false;
		tester->at++;
	}
}

/* ---- the line ---- */

static void on_frame(void *user, const uint8_t *octets, int n, int ok)
{
	struct fax_tester *tester = user;
	if (n < 3 || !ok)
		return;
	bool is_named = strcmp(name_of(octets[2]), "?"); /* DTC is DIS but for the bit X */
	int fcf = is_named ? octets[2] : octets[2] & 0xfe;
	g_string_append_printf(tester->log, " [%s]", name_of(fcf));
	if (fcf != T30_CSI && fcf != T30_NSF && fcf != T30_TSI && fcf != T30_SUB && fcf != T30_CIG && fcf != T30_PWD && fcf != T30_SEP)
		tester->heard = fcf;
}

struct fax_tester *fax_tester_new(struct tl_span *span, unsigned slot, const char *name, const char *script)
{
	struct fax_tester *tester = g_new0(struct fax_tester, 1);
	tester->span = span;
	tester->slot = slot;
	tester->name = g_strdup(name);
	tester->steps = g_strsplit(script, "; ", -1);
	tester->out = g_array_new(FALSE, TRUE, sizeof(int16_t));
	tester->ahead = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	tester->log = g_string_new(NULL);
	tester->heard = -1;
	tester->heard_blocks = fake_span_done(span);
	tester->hdlc = hdlc_rx_init(NULL, FALSE, TRUE, 2, on_frame, tester);
	tester->fsk = fsk_rx_init(NULL, &preset_fsk_specs[FSK_V21CH2], FSK_FRAME_MODE_SYNC, (put_bit_func_t)hdlc_rx_put_bit, tester->hdlc);
	memset(tester->now, tl_law_idle(TL_LAW_ALAW), sizeof tester->now);
	fake_span_say(span, slot, tester->now, sizeof tester->now);
	return tester;
}

void fax_tester_free(struct fax_tester *tester)
{
	fsk_rx_free(tester->fsk);
	hdlc_rx_free(tester->hdlc);
	g_strfreev(tester->steps);
	g_free(tester->name);
	g_array_unref(tester->out);
	g_ptr_array_unref(tester->ahead);
	g_string_free(tester->log, TRUE);
	g_free(tester);
}

void fax_tester_hear(struct fax_tester *tester)
{
	const uint8_t *octets = fake_span_sent(tester->span, tester->slot);
	int16_t samples[TL_BLOCK_OCTETS];
	while (tester->heard_blocks < fake_span_done(tester->span)) {
		const uint8_t *block = octets + tester->heard_blocks++ * TL_BLOCK_OCTETS;
		for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
			samples[i] = alaw_to_linear(block[i]);
		fsk_rx(tester->fsk, samples, TL_BLOCK_OCTETS);
		tester->waited += TL_BLOCK_OCTETS;
	}
}

void fax_tester_speak(struct fax_tester *tester)
{
	run(tester);
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++) {
		int16_t sample = tester->said < tester->out->len ? g_array_index(tester->out, int16_t, tester->said++) : 0;
		tester->now[i] = linear_to_alaw(sample);
	}
}

bool fax_tester_done(const struct fax_tester *tester)
{
	return !tester->steps[tester->at];
}
