/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* R1's digits and caller id: our tones and messages to our receivers, through both laws, and messages that are none. */
#include <glib.h>
#include <spandsp.h>
#include <string.h>

#include "media/caller-id.h"
#include "media/dtmf.h"
#include "media/g711.h"
#include "media/mf.h"
#include "media/sound.h"

static const char all[] = "*0123456789#ABC";

static void hear_mf(struct tl_mf_detector *detector, const int16_t *samples, GString *heard)
{
	char digit = tl_mf_detector_hear(detector, samples, TL_BLOCK_OCTETS);
	if (digit)
		g_string_append_c(heard, digit);
}

static void test_mf_own_tones(void)
{
	for (enum tl_law law = TL_LAW_ALAW; law <= TL_LAW_ULAW; law++) {
		struct tl_mf_detector *detector = tl_mf_detector_new();
		g_autoptr(GString) heard = g_string_new(NULL);
		for (const char *at = all; *at; at++) {
			struct tl_oscillator oscillator;
			unsigned on = tl_mf_on_ms(tl_mf_code(*at)) / 10;
			tl_mf_tone(&oscillator, tl_mf_code(*at));
			for (unsigned block = 0; block < on + 7; block++) {
				int16_t samples[TL_BLOCK_OCTETS] = { 0 };
				uint8_t octets[TL_BLOCK_OCTETS];
				if (block < on)
					tl_oscillator_fill(&oscillator, samples, TL_BLOCK_OCTETS);
				tl_g711_encode(law, samples, octets, TL_BLOCK_OCTETS);
				tl_g711_decode(law, octets, samples, TL_BLOCK_OCTETS);
				hear_mf(detector, samples, heard);
			}
		}
		g_assert_cmpstr(heard->str, ==, all);
		tl_mf_detector_free(detector);
	}
}

static void test_mf_spandsp_tones(void)
{
	struct tl_mf_detector *detector = tl_mf_detector_new();
	bell_mf_tx_state_t *tx = bell_mf_tx_init(NULL);
	g_autoptr(GString) heard = g_string_new(NULL);
	g_assert_cmpint(bell_mf_tx_put(tx, all, -1), ==, 0);
	for (unsigned block = 0; block < 300; block++) {
		int16_t samples[TL_BLOCK_OCTETS] = { 0 };
		bell_mf_tx(tx, samples, TL_BLOCK_OCTETS);
		hear_mf(detector, samples, heard);
	}
	g_assert_cmpstr(heard->str, ==, all);
	bell_mf_tx_free(tx);
	tl_mf_detector_free(detector);
}

static bool receive(struct tl_caller_id_receiver *receiver, struct tl_sound *sound, enum tl_law law, struct tl_caller_id *id)
{
	size_t n;
	const uint8_t *octets = tl_sound_octets(sound, law, &n);
	bool heard = false;
	for (size_t at = 0; at < n; at += TL_BLOCK_OCTETS) {
		uint8_t block[TL_BLOCK_OCTETS];
		int16_t samples[TL_BLOCK_OCTETS];
		memset(block, tl_law_idle(law), sizeof block);
		memcpy(block, octets + at, MIN(n - at, sizeof block));
		tl_g711_decode(law, block, samples, TL_BLOCK_OCTETS);
		heard |= tl_caller_id_receiver_hear(receiver, samples, TL_BLOCK_OCTETS);
	}
	return heard && tl_caller_id_receiver_take(receiver, id);
}

static void check_id(enum tl_caller_id_kind kind, enum tl_law law, const struct tl_caller_id *id)
{
	struct tl_caller_id_receiver *receiver = tl_caller_id_receiver_new(kind);
	struct tl_sound *sound = tl_caller_id_sound(kind, id, "12312359");
	struct tl_caller_id heard;
	/* Two rings are four seconds apart. */
	g_assert_cmpuint(tl_sound_duration_ms(sound), <, 3600);
	g_assert_true(receive(receiver, sound, law, &heard));
	g_assert_cmpstr(heard.digits, ==, id->digits);
	g_assert_cmpint(heard.restricted, ==, id->restricted);
	g_assert_cmpstr(heard.name, ==, kind == TL_CALLER_ID_DTMF ? "" : id->name);
	tl_sound_unref(sound);
	tl_caller_id_receiver_free(receiver);
}

static void test_caller_id(void)
{
	static const struct tl_caller_id ids[] = {
		{ .digits = "0301234567", .name = "Anna Example" },
		{ .digits = "1" },
		{ .digits = "12345678901234567890", .name = "Fifteen letters" },
		{ .restricted = true },
		{ .restricted = false },
	};
	for (enum tl_caller_id_kind kind = TL_CALLER_ID_BELL; kind <= TL_CALLER_ID_DTMF; kind++)
		for (enum tl_law law = TL_LAW_ALAW; law <= TL_LAW_ULAW; law++)
			for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++)
				check_id(kind, law, &ids[i]);
}

/* SpanDSP looks at 102 samples at a time, a tick has 80: after so many samples both begin together again. */
#define ALIGNMENTS (102 * 80 / 2)

/* After @lead samples of silence. */
static bool hears_a_key_after(const struct tl_sound *sound, size_t lead)
{
	struct tl_caller_id_receiver *receiver = tl_caller_id_receiver_new(TL_CALLER_ID_DTMF);
	struct tl_dtmf_detector *detector = tl_dtmf_detector_new();
	struct tl_dtmf_press press;
	bool told = false, key = false;
	size_t n;
	const uint8_t *octets = tl_sound_octets(sound, TL_LAW_ULAW, &n);
	g_autofree uint8_t *line = g_malloc(lead + n);
	memset(line, tl_law_idle(TL_LAW_ULAW), lead);
	memcpy(line + lead, octets, n);
	for (size_t at = 0; at + TL_BLOCK_OCTETS <= lead + n; at += TL_BLOCK_OCTETS) {
		int16_t samples[TL_BLOCK_OCTETS];
		tl_g711_decode(TL_LAW_ULAW, line + at, samples, TL_BLOCK_OCTETS);
		if (told)
			key |= tl_dtmf_detector_hear(detector, samples, TL_BLOCK_OCTETS, &press);
		else
			told = tl_caller_id_receiver_hear(receiver, samples, TL_BLOCK_OCTETS);
	}
	g_assert_true(told);
	tl_dtmf_detector_free(detector);
	tl_caller_id_receiver_free(receiver);
	return key;
}

/* Who listens for keys once the id is told hears none of it. */
static void test_last_digit(void)
{
	struct tl_sound *sound = tl_caller_id_sound(TL_CALLER_ID_DTMF, &(struct tl_caller_id){ .digits = "1" }, "01010000");
	unsigned keys = 0;
	for (size_t lead = 0; lead < ALIGNMENTS; lead++)
		keys += hears_a_key_after(sound, lead);
	g_assert_cmpuint(keys, ==, 0);
	tl_sound_unref(sound);
}

/* What goes on the line is 7-bit; a long name is cut where the standard ends. */
static void test_names(void)
{
	struct tl_caller_id id = { .digits = "30", .name = "J\xc3\xbcrgen M\xc3\xbcller-Meier" }, heard;
	struct tl_caller_id_receiver *receiver = tl_caller_id_receiver_new(TL_CALLER_ID_BELL);
	struct tl_sound *sound = tl_caller_id_sound(TL_CALLER_ID_BELL, &id, "01010000");
	g_assert_true(receive(receiver, sound, TL_LAW_ULAW, &heard));
	g_assert_cmpuint(strlen(heard.name), ==, 15);
	g_assert_true(g_str_is_ascii(heard.name) && g_str_has_prefix(heard.name, "J"));
	tl_sound_unref(sound);
	tl_caller_id_receiver_free(receiver);
}

#define PARSE(kind, text) tl_caller_id_parse(kind, (const uint8_t *)(text), sizeof(text) - 1, &id)

static void test_messages(void)
{
	struct tl_caller_id id = { 0 };
	/* SDMF: date, time, number; or a letter. */
	g_assert_true(PARSE(TL_CALLER_ID_BELL, "\x04\x0f" "01012359" "5551000"));
	g_assert_cmpstr(id.digits, ==, "5551000");
	g_assert_true(PARSE(TL_CALLER_ID_BELL, "\x04\x09" "01012359" "P"));
	g_assert_true(id.restricted && !id.digits[0]);
	/* An unknown field is passed over, a damaged one is not. */
	g_assert_true(PARSE(TL_CALLER_ID_V23, "\x80\x08" "\x55\x02" "xx" "\x02\x02" "30"));
	g_assert_cmpstr(id.digits, ==, "30");
	g_assert_false(PARSE(TL_CALLER_ID_V23, "\x80\x04" "\x02\x09" "30"));
	g_assert_false(PARSE(TL_CALLER_ID_V23, "\x80\x04" "\x02\x02" "3x"));
	g_assert_false(PARSE(TL_CALLER_ID_V23, "\x80\x05" "\x02\x02" "30"));
	g_assert_false(PARSE(TL_CALLER_ID_V23, "\x82\x04" "\x02\x02" "30"));
	g_assert_false(PARSE(TL_CALLER_ID_V23, "\x80"));
	g_assert_false(PARSE(TL_CALLER_ID_V23, ""));
	/* DTMF as others send it. */
	g_assert_true(PARSE(TL_CALLER_ID_DTMF, "A0301#"));
	g_assert_cmpstr(id.digits, ==, "0301");
	g_assert_true(PARSE(TL_CALLER_ID_DTMF, "A030D99B12C"));
	g_assert_cmpstr(id.digits, ==, "030");
	g_assert_true(PARSE(TL_CALLER_ID_DTMF, "D1#") && id.restricted);
	g_assert_true(PARSE(TL_CALLER_ID_DTMF, "D3#") && !id.restricted);
	g_assert_false(PARSE(TL_CALLER_ID_DTMF, "AC"));
	g_assert_false(PARSE(TL_CALLER_ID_DTMF, "123C"));
	g_assert_cmpstr(id.digits, ==, "");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/inband/mf-own-tones", test_mf_own_tones);
	g_test_add_func("/inband/mf-spandsp-tones", test_mf_spandsp_tones);
	g_test_add_func("/inband/caller-id", test_caller_id);
	g_test_add_func("/inband/caller-id/last-digit", test_last_digit);
	g_test_add_func("/inband/names", test_names);
	g_test_add_func("/inband/messages", test_messages);
	return g_test_run();
}
