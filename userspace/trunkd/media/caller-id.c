/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "media/caller-id.h"

#include <glib.h>
#include <spandsp.h>
#include <string.h>

#include "media/sound.h"

#define MESSAGE_MAX 256
#define SAMPLES_MAX (8000 * 6)
#define SILENCE_SAMPLES 800 /* after the message, for the far end's filters */
#define BELL_NAME_MAX 15 /* GR-30 */
/* The last digit of a DTMF message is understood before it is over: who listens next shall not take it for a key. */
#define LAST_DIGIT_SAMPLES 800

static int standard_of(enum tl_caller_id_kind kind)
{
	switch (kind) {
	case TL_CALLER_ID_BELL: return ADSI_STANDARD_CLASS;
	case TL_CALLER_ID_V23: return ADSI_STANDARD_CLIP;
	case TL_CALLER_ID_DTMF: return ADSI_STANDARD_CLIP_DTMF;
	case TL_CALLER_ID_NONE: break;
	}
	return ADSI_STANDARD_NONE;
}

/* ---- saying it ---- */

static int add(adsi_tx_state_t *tx, uint8_t *message, int n, uint8_t type, const char *text)
{
	return adsi_add_field(tx, message, n, type, (const uint8_t *)text, (int)strlen(text));
}

static int dtmf_message(adsi_tx_state_t *tx, uint8_t *message, const struct tl_caller_id *id)
{
	int n = adsi_add_field(tx, message, -1, CLIP_DTMF_C_TERMINATED, NULL, 0);
	if (id->digits[0])
		return add(tx, message, n, CLIP_DTMF_C_CALLER_NUMBER, id->digits);
	return add(tx, message, n, CLIP_DTMF_C_ABSENCE, id->restricted ? "10" : "00");
}

static int fsk_message(adsi_tx_state_t *tx, uint8_t *message, enum tl_caller_id_kind kind, const struct tl_caller_id *id,
		       const char *minute)
{
	g_autofree char *name = g_str_to_ascii(id->name, "C");
	const char *absence = id->restricted ? "P" : "O";
	int n = adsi_add_field(tx, message, -1, CLASS_MDMF_CALLERID, NULL, 0);
	/* Both standards number these fields alike. */
	G_STATIC_ASSERT((int)CLASS_MDMF_CALLERID == (int)CLIP_MDMF_CALLERID &&
			(int)MCLASS_CALLER_NUMBER == (int)CLIP_CALLER_NUMBER);
	if (kind == TL_CALLER_ID_BELL)
		name[MIN(strlen(name), BELL_NAME_MAX)] = '\0';
	n = add(tx, message, n, MCLASS_DATETIME, minute);
	n = add(tx, message, n, id->digits[0] ? MCLASS_CALLER_NUMBER : MCLASS_ABSENCE1, id->digits[0] ? id->digits : absence);
	if (name[0] || id->restricted)
		n = add(tx, message, n, name[0] ? MCLASS_CALLER_NAME : MCLASS_ABSENCE2, name[0] ? name : absence);
	return n;
}

struct tl_sound *tl_caller_id_sound(enum tl_caller_id_kind kind, const struct tl_caller_id *id, const char *minute)
{
	g_autofree int16_t *samples = g_new0(int16_t, SAMPLES_MAX + SILENCE_SAMPLES);
	uint8_t message[MESSAGE_MAX];
	adsi_tx_state_t *tx = adsi_tx_init(NULL, standard_of(kind));
	int n = kind == TL_CALLER_ID_DTMF ? dtmf_message(tx, message, id) : fsk_message(tx, message, kind, id, minute);
	adsi_tx_put_message(tx, message, n);
	n = adsi_tx(tx, samples, SAMPLES_MAX);
	adsi_tx_free(tx);
	return tl_sound_new_linear(samples, (unsigned)n + SILENCE_SAMPLES);
}

/* ---- understanding it ---- */

static bool is_number(const uint8_t *octets, size_t n)
{
	bool good = n >= 1 && n <= TL_CALLER_ID_DIGITS_MAX;
	for (size_t i = 0; good && i < n; i++)
		good = octets[i] && strchr("0123456789*#", octets[i]);
	return good;
}

static bool take_number(const uint8_t *octets, size_t n, struct tl_caller_id *id)
{
	if (!is_number(octets, n))
		return false;
	memcpy(id->digits, octets, n);
	id->digits[n] = '\0';
	return true;
}

static void take_name(const uint8_t *octets, size_t n, struct tl_caller_id *id)
{
	n = MIN(n, TL_CALLER_ID_NAME_MAX);
	for (size_t i = 0; i < n; i++)
		id->name[i] = octets[i] >= ' ' && octets[i] < 0x7f ? (char)octets[i] : '?';
	id->name[n] = '\0';
}

/* O: out of area, P: private (GR-30 2.4). */
static bool take_absence(const uint8_t *octets, size_t n, struct tl_caller_id *id)
{
	if (n != 1 || (octets[0] != 'O' && octets[0] != 'P'))
		return false;
	id->restricted = octets[0] == 'P';
	return true;
}

static bool parse_mdmf(const uint8_t *octets, size_t n, struct tl_caller_id *id)
{
	bool told = false;
	for (size_t at = 0; at + 2 <= n;) {
		const uint8_t *body = octets + at + 2;
		size_t length = octets[at + 1];
		if (length > n - at - 2)
			return false;
		if (octets[at] == MCLASS_CALLER_NUMBER)
			told |= take_number(body, length, id);
		else if (octets[at] == MCLASS_ABSENCE1)
			told |= take_absence(body, length, id);
		else if (octets[at] == MCLASS_CALLER_NAME)
			take_name(body, length, id);
		at += 2 + length;
	}
	return told;
}

/* Date and time, then a number or a letter. */
static bool parse_sdmf(const uint8_t *octets, size_t n, struct tl_caller_id *id)
{
	if (n < 9)
		return false;
	return take_absence(octets + 8, n - 8, id) || take_number(octets + 8, n - 8, id);
}

static bool parse_fsk(const uint8_t *octets, size_t n, struct tl_caller_id *id)
{
	if (n < 2 || octets[1] != n - 2)
		return false;
	if (octets[0] == CLASS_MDMF_CALLERID)
		return parse_mdmf(octets + 2, n - 2, id);
	return octets[0] == CLASS_SDMF_CALLERID && parse_sdmf(octets + 2, n - 2, id);
}

/* Fields of a letter and digits, to C or #: A the number, B a reason, D another number, or of three digits a reason. */
static bool parse_dtmf(const uint8_t *octets, size_t n, struct tl_caller_id *id)
{
	bool told = false;
	for (size_t at = 0, end; at < n && octets[at] != 'C' && octets[at] != '#'; at = end) {
		for (end = at + 1; end < n && g_ascii_isdigit(octets[end]);)
			end++;
		const uint8_t *body = octets + at + 1;
		size_t length = end - at - 1;
		if (octets[at] == 'A' && length)
			told |= take_number(body, length, id);
		else if ((octets[at] == 'B' && length == 2) || (octets[at] == 'D' && length == 1)) {
			id->restricted = body[0] == '1';
			told = true;
		}
	}
	return told;
}

bool tl_caller_id_parse(enum tl_caller_id_kind kind, const uint8_t *octets, size_t n_octets, struct tl_caller_id *id)
{
	struct tl_caller_id read = { 0 };
	if (!(kind == TL_CALLER_ID_DTMF ? parse_dtmf(octets, n_octets, &read) : parse_fsk(octets, n_octets, &read)))
		return false;
	*id = read;
	return true;
}

/* ---- hearing it ---- */

struct tl_caller_id_receiver {
	enum tl_caller_id_kind kind; /* RO */
	adsi_rx_state_t *rx;         /* tick */
	uint8_t message[MESSAGE_MAX]; /* tick until heard, then main */
	unsigned n_octets;           /* 0: none heard yet */
	int left;                    /* tick: samples of the last digit still to come */
	bool told;                   /* tick */
};

static void on_message(void *user, const uint8_t *octets, int n)
{
	struct tl_caller_id_receiver *receiver = user;
	if (receiver->n_octets || n < 1 || n > MESSAGE_MAX)
		return;
	memcpy(receiver->message, octets, (size_t)n);
	receiver->n_octets = (unsigned)n;
	receiver->left = receiver->kind == TL_CALLER_ID_DTMF ? LAST_DIGIT_SAMPLES : 0;
}

struct tl_caller_id_receiver *tl_caller_id_receiver_new(enum tl_caller_id_kind kind)
{
	struct tl_caller_id_receiver *receiver = g_new0(struct tl_caller_id_receiver, 1);
	receiver->kind = kind;
	receiver->rx = adsi_rx_init(NULL, standard_of(kind), on_message, receiver);
	return receiver;
}

void tl_caller_id_receiver_free(struct tl_caller_id_receiver *receiver)
{
	if (!receiver)
		return;
	adsi_rx_free(receiver->rx);
	g_free(receiver);
}

bool tl_caller_id_receiver_hear(struct tl_caller_id_receiver *receiver, const int16_t *samples, unsigned n)
{
	if (receiver->told)
		return false;
	if (!receiver->n_octets)
		adsi_rx(receiver->rx, samples, (int)n);
	else
		receiver->left -= (int)n;
	receiver->told = receiver->n_octets && receiver->left <= 0;
	return receiver->told;
}

bool tl_caller_id_receiver_take(const struct tl_caller_id_receiver *receiver, struct tl_caller_id *id)
{
	return tl_caller_id_parse(receiver->kind, receiver->message, receiver->n_octets, id);
}
