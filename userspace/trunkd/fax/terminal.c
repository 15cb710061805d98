/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * One end of T.30. SpanDSP tells of a page before MCF goes out, but ignores
 * what its handler returns: so from within the handler the line hears nothing
 * any more of what T.30 says, and T.30's time stands still, until the page is
 * durable. When it cannot be, the line never hears it again. Thread: fax.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "fax/inside.h"

#define SAMPLES_PER_MS 8
#define SAMPLES_PER_S 8000
#define ROWS_MAX 65000 /* 1.7 m at 400 dots/inch; memory grows with rows, and a row may be one bit on the line */
/* A command that is repeated because its answer was lost comes T4 (3 s and 15 %) later, with a preamble of 1 s; before it nobody speaks. */
#define REPEATED_WITHIN (11 * SAMPLES_PER_S / 2)
#define COMMAND_LASTS (2 * SAMPLES_PER_S)
#define LOUD 13000 /* mean square: -43 dBm0, where modems take it for a carrier */
#define NO_ANSWER 0xfe /* SpanDSP repeats what it has not said yet: the first page was lost */
#define NOT_TAKEN "the far end did not take the page"

static void note_stats(struct tl_fax *fax, const t30_stats_t *stats)
{
	fax->result.bit_rate = stats->bit_rate;
	fax->result.ecm = stats->error_correcting_mode;
}

static void note_remote(struct tl_fax *fax)
{
	struct tl_fax_result *result = &fax->result;
	const char *ident = t30_get_rx_ident(fax->t30), *sub = t30_get_rx_sub_address(fax->t30);
	const char *sep = t30_get_rx_selective_polling_address(fax->t30), *password = t30_get_rx_password(fax->t30);
	g_strlcpy(result->remote_ident, ident ? ident : "", sizeof result->remote_ident);
	g_strlcpy(result->sub_address, sub && *sub ? sub : sep ? sep : "", sizeof result->sub_address);
	g_strlcpy(result->password, password ? password : "", sizeof result->password);
}

/* ---- the end ---- */

static void conclude(struct tl_fax *fax, enum tl_fax_trouble trouble, int code, const char *words)
{
	if (fax->over)
		return;
	fax->over = true;
	fax->hold = TL_FAX_CUT;
	if (fax->t30)
		note_remote(fax);
	else
		tl_fax_gateway_note(fax);
	fax->result.trouble = trouble;
	fax->result.code = code;
	fax->result.ms = fax->samples / SAMPLES_PER_MS;
	g_strlcpy(fax->result.words, trouble == TL_FAX_FINE ? "ok" : words, sizeof fax->result.words);
}

/* A document whose end was confirmed is whole, whatever became of the farewell; SpanDSP finds no fault with one that was refused. */
static void on_phase_e(t30_state_t *t30, void *user, int code)
{
	struct tl_fax *fax = user;
	if (fax->procedure_ended && fax->hold == TL_FAX_OPEN)
		conclude(fax, TL_FAX_FINE, code, "ok");
	else if (code == T30_ERR_OK && fax->config.sends)
		conclude(fax, TL_FAX_FAR_END, code, NOT_TAKEN);
	else if (code == T30_ERR_OK && !fax->result.pages)
		conclude(fax, TL_FAX_FAR_END, code, "it ended without a page");
	else
		conclude(fax, tl_fax_trouble_of(code), code, t30_completion_code_to_str(code));
}

void tl_fax_terminal_stop(struct tl_fax *fax, enum tl_fax_trouble trouble, const char *words)
{
	if (!fax->over && fax->procedure_ended && fax->hold == TL_FAX_OPEN)
		trouble = TL_FAX_FINE;
	conclude(fax, trouble, -1, words);
}

/* ---- pages ---- */

static void describe(struct tl_fax *fax, const t30_stats_t *stats)
{
	fax->page.ms = (fax->samples - fax->samples_at_page) / SAMPLES_PER_MS;
	fax->samples_at_page = fax->samples;
	tl_fax_page_describe(&fax->page, stats);
}

static void tell_page(struct tl_fax *fax)
{
	struct tl_fax_event event = { .fax = fax, .kind = TL_FAX_EVENT_PAGE, .page = fax->page };
	tl_fax_tell(&event);
}

static void not_kept(struct tl_fax *fax, int result)
{
	char words[128];
	g_snprintf(words, sizeof words, "page %u could not be kept: %s", fax->page.number, g_strerror(-result));
	conclude(fax, TL_FAX_DISK, -1, words);
}

static bool confirms(int command)
{
	return command == T30_EOP || command == T30_PRI_EOP;
}

static void received(struct tl_fax *fax, const t30_stats_t *stats, int command)
{
	if ((unsigned)stats->pages_rx == fax->result.pages) {
		/* Without ECM it was so bad that RTN follows; with ECM, MCF would confirm a page of no rows. */
		if (stats->error_correcting_mode)
			conclude(fax, TL_FAX_FAR_END, -1, "a page without an image");
		return;
	}
	if (fax->config.max_pages && fax->result.pages >= fax->config.max_pages) {
		conclude(fax, TL_FAX_STOPPED, -1, "more pages than allowed");
		return;
	}
	fax->page.number = fax->result.pages + 1;
	describe(fax, stats);
	fax->procedure_ended = confirms(command);
	GBytes *octets = tl_fax_page_extract(fax->file);
	if (!octets) {
		not_kept(fax, -errno);
		return;
	}
	fax->hold = TL_FAX_KEEPING;
	tl_fax_keep(fax, octets);
}

/* SpanDSP would go on with the next page, and count this one. */
static void sent(struct tl_fax *fax, const t30_stats_t *stats, int answer)
{
	unsigned first = MAX(fax->config.first_page, 1);
	unsigned last = fax->config.last_page ? fax->config.last_page : (unsigned)MAX(stats->pages_in_file, 0);
	if (answer == T30_RTN || answer == T30_PIN) {
		conclude(fax, TL_FAX_FAR_END, -1, NOT_TAKEN);
		return;
	}
	if ((unsigned)stats->pages_tx == fax->result.pages)
		return;
	fax->page.number = first + fax->result.pages++;
	fax->procedure_ended = fax->page.number == last;
	describe(fax, stats);
	tell_page(fax);
}

static int on_phase_d(t30_state_t *t30, void *user, int command)
{
	struct tl_fax *fax = user;
	t30_stats_t stats;
	fax->command_told = true;
	if (fax->hold != TL_FAX_OPEN)
		return T30_ERR_OK;
	t30_get_transfer_statistics(t30, &stats);
	note_stats(fax, &stats);
	if (fax->config.sends)
		sent(fax, &stats, command & 0xfe);
	else
		received(fax, &stats, command & 0xfe);
	return T30_ERR_OK;
}

static int on_phase_b(t30_state_t *t30, void *user, int command)
{
	struct tl_fax *fax = user;
	struct tl_fax_event event = { .fax = fax, .kind = TL_FAX_EVENT_NEGOTIATED };
	t30_stats_t stats;
	t30_get_transfer_statistics(t30, &stats);
	note_stats(fax, &stats);
	note_remote(fax);
	event.negotiated = (struct tl_fax_negotiated){ .bit_rate = stats.bit_rate, .ecm = stats.error_correcting_mode,
						       .t38 = fax->result.t38 };
	g_strlcpy(event.negotiated.remote_ident, fax->result.remote_ident, sizeof event.negotiated.remote_ident);
	g_strlcpy(event.negotiated.sub_address, fax->result.sub_address, sizeof event.negotiated.sub_address);
	tl_fax_tell(&event);
	return T30_ERR_OK;
}

/* ---- repetitions ---- */

void tl_fax_terminal_hear(struct tl_fax *fax, const int16_t samples[TL_BLOCK_OCTETS])
{
	int64_t power = 0;
	if (!fax->confirmed || !fax->silent)
		return;
	for (unsigned i = 0; i < TL_BLOCK_OCTETS; i++)
		power += samples[i] * samples[i];
	if (power / TL_BLOCK_OCTETS > LOUD)
		fax->loud += TL_BLOCK_OCTETS;
}

static bool is_repeated(const struct tl_fax *fax)
{
	return fax->command == fax->confirmed && fax->samples - fax->samples_at_confirmation < REPEATED_WITHIN &&
	       fax->loud < COMMAND_LASTS;
}

static bool ends_page(int command)
{
	return command == T30_MPS || command == T30_EOM || command == T30_EOS || command == T30_EOP || command == T30_PRI_MPS ||
	       command == T30_PRI_EOM || command == T30_PRI_EOP;
}

static void heard_command(struct tl_fax *fax, int command)
{
	if (!ends_page(command))
		return;
	fax->command = command;
	fax->command_told = false;
}

/* RTN instead, as SpanDSP says of a page that was too bad, and waits as it waits now: training and the page come again. After EOM
 * the far end would wait, too, for DIS. SpanDSP repeats itself twice in a fax; the third time it disconnects. */
static void ask_again(struct tl_fax *fax, uint8_t *octets)
{
	if (fax->command != T30_MPS && fax->command != T30_EOP) {
		conclude(fax, TL_FAX_LINE, -1, "a page was lost on the line");
		return;
	}
	octets[2] = T30_RTN | fax->config.calling;
	fax->confirmed = 0;
}

/* Without ECM SpanDSP takes a command before which it noticed no carrier for a repeated one and answers as before, without its
 * handler. When a page was lost there, that would confirm it. */
static void answering(struct tl_fax *fax, uint8_t *octets)
{
	int answer = octets[2] & 0xfe;
	bool lost = !fax->result.ecm && !fax->command_told && !is_repeated(fax);
	if (answer != T30_MCF && answer != T30_RTP && answer != NO_ANSWER)
		return;
	if (lost) {
		ask_again(fax, octets);
		return;
	}
	fax->confirmed = fax->command;
	fax->samples_at_confirmation = fax->samples;
	fax->loud = 0;
}

static void on_frame(t30_state_t *t30, void *user, int is_received, const uint8_t *octets, int n)
{
	struct tl_fax *fax = user;
	if (!fax->config.sends && n >= 3 && is_received)
		heard_command(fax, octets[2] & 0xfe);
	else if (!fax->config.sends && n >= 3)
		answering(fax, (uint8_t *)octets); /* a frame of SpanDSP's stack, not sent yet */
	if (fax->config.faults && fax->config.faults->frame)
		fax->config.faults->frame(!is_received, (uint8_t *)octets, n, fax->user);
}

/* ---- open and close ---- */

static void set_up(struct tl_fax *fax)
{
	char path[32];
	t30_state_t *t30 = fax->t30;
	tl_fax_options_apply(&fax->config.options, t30);
	if (fax->t38)
		t30_set_supported_modems(t30, tl_fax_modems_within(fax->config.options.modems, fax->config.t38.bit_rate));
	t30_set_phase_b_handler(t30, on_phase_b, fax);
	t30_set_phase_d_handler(t30, on_phase_d, fax);
	t30_set_phase_e_handler(t30, on_phase_e, fax);
	t30_set_real_time_frame_handler(t30, on_frame, fax);
	g_snprintf(path, sizeof path, "/proc/self/fd/%d", fax->file);
	if (fax->config.sends)
		t30_set_tx_file(t30, path, (int)fax->config.first_page - 1, (int)fax->config.last_page - 1);
	else
		t30_set_rx_file(t30, path, -1);
}

void tl_fax_terminal_open(struct tl_fax *fax)
{
	fax->result.t38 = fax->config.t38.on;
	if (fax->is_gateway) {
		tl_fax_gateway_open(fax);
		return;
	}
	if (fax->config.t38.on)
		tl_fax_t38_open(fax);
	else
		tl_fax_audio_open(fax);
	set_up(fax);
}

void tl_fax_terminal_go_t38(struct tl_fax *fax, const struct tl_t38_side *remote)
{
	if (fax->over || fax->config.t38.on)
		return; /* the same session described again */
	if (fax->result.pages || fax->hold != TL_FAX_OPEN) {
		conclude(fax, TL_FAX_LINE, -1, "the far end went over to T.38 in the middle");
		return;
	}
	tl_fax_terminal_close(fax);
	fax->config.t38 = *remote;
	tl_fax_terminal_open(fax);
}

void tl_fax_terminal_close(struct tl_fax *fax)
{
	if (fax->audio)
		tl_fax_audio_close(fax);
	if (fax->t38)
		tl_fax_t38_close(fax);
	if (fax->gateway)
		tl_fax_gateway_close(fax);
	fax->t30 = NULL;
}

/* ---- time ---- */

static void watch_length(struct tl_fax *fax)
{
	t30_stats_t stats;
	if (fax->config.sends || fax->samples - fax->samples_at_look < SAMPLES_PER_S)
		return;
	fax->samples_at_look = fax->samples;
	t30_get_transfer_statistics(fax->t30, &stats);
	if (stats.length > ROWS_MAX)
		conclude(fax, TL_FAX_FAR_END, -1, "a page without end");
}

void tl_fax_terminal_block(struct tl_fax *fax, const uint8_t in[TL_BLOCK_OCTETS], uint8_t out[TL_BLOCK_OCTETS])
{
	fax->samples += TL_BLOCK_OCTETS;
	if (fax->gateway)
		tl_fax_gateway_block(fax, in, out);
	else if (fax->t38)
		tl_fax_t38_block(fax, out);
	else
		tl_fax_audio_block(fax, in, out);
	if (fax->t30 && fax->hold == TL_FAX_OPEN)
		watch_length(fax);
}

/* A page that came to the disk too late to be confirmed is there all the same. */
static void kept(struct tl_fax *fax)
{
	atomic_store(&fax->keeping, KEEP_NONE);
	if (fax->keep_result) {
		not_kept(fax, fax->keep_result);
		return;
	}
	fax->result.pages++;
	tell_page(fax);
	if (fax->hold == TL_FAX_KEEPING)
		fax->hold = TL_FAX_OPEN;
}

void tl_fax_terminal_look(struct tl_fax *fax, int64_t now_us)
{
	if (atomic_load(&fax->keeping) == KEEP_DONE)
		kept(fax);
	else if (fax->hold == TL_FAX_KEEPING && now_us >= fax->hold_until_us)
		not_kept(fax, -ETIMEDOUT);
}
