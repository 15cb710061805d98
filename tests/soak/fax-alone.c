/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What SpanDSP alone does on a bad line, as the floor of fax_lines.py: faxes of DOCUMENT from one SpanDSP to another, with nothing
 * of ours between them but A-law, and the same faults each way as the exchange's. Says in percent how many ended well at both ends
 * with every page: fax-alone DOCUMENT PAGES COUNT ecm|no-ecm none|noise|loss LEVEL
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <spandsp.h>

#define BLOCK 80
#define BLOCKS_A_PACKET 2
#define BLOCKS_MAX (600 * 100) /* ten minutes */

struct end {
	fax_state_t *fax;
	awgn_state_t *noise; /* on what it says */
	int code, pages;
	bool lost;
};

static double loss_percent;

static void on_phase_e(t30_state_t *t30, void *user, int code)
{
	struct end *end = user;
	t30_stats_t stats;
	t30_get_transfer_statistics(t30, &stats);
	end->code = code;
	end->pages = stats.pages_rx + stats.pages_tx;
}

static void open_end(struct end *end, bool sends, const char *path, bool ecm)
{
	*end = (struct end){ .fax = fax_init(NULL, sends), .code = -1 };
	t30_state_t *t30 = fax_get_t30_state(end->fax);
	fax_set_transmit_on_idle(end->fax, TRUE);
	t30_set_ecm_capability(t30, ecm);
	t30_set_supported_modems(t30, T30_SUPPORT_V27TER | T30_SUPPORT_V29 | T30_SUPPORT_V17);
	t30_set_supported_compressions(t30, T30_SUPPORT_T4_1D_COMPRESSION | T30_SUPPORT_T4_2D_COMPRESSION | T30_SUPPORT_T6_COMPRESSION);
	t30_set_phase_e_handler(t30, on_phase_e, end);
	if (sends)
		t30_set_tx_file(t30, path, -1, -1);
	else
		t30_set_rx_file(t30, path, -1);
}

static void say(struct end *end, int16_t *samples, unsigned at)
{
	int n = fax_tx(end->fax, samples, BLOCK);
	memset(samples + n, 0, (BLOCK - n) * sizeof *samples);
	if (at % BLOCKS_A_PACKET == 0)
		end->lost = loss_percent && g_random_double_range(0, 100) < loss_percent;
	for (unsigned i = 0; i < BLOCK; i++) {
		int sample = samples[i] + (end->noise ? awgn(end->noise) : 0);
		samples[i] = end->lost ? 0 : alaw_to_linear(linear_to_alaw(CLAMP(sample, G_MININT16, G_MAXINT16)));
	}
}

static void converse(struct end ends[2])
{
	int16_t samples[2][BLOCK];
	for (unsigned at = 0; at < BLOCKS_MAX && (ends[0].code < 0 || ends[1].code < 0); at++) {
		for (unsigned e = 0; e < 2; e++)
			say(&ends[e], samples[e], at);
		for (unsigned e = 0; e < 2; e++) {
			if (ends[!e].lost)
				fax_rx_fillin(ends[e].fax, BLOCK);
			else
				fax_rx(ends[e].fax, samples[!e], BLOCK);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc != 7)
		g_error("fax-alone DOCUMENT PAGES COUNT ecm|no-ecm none|noise|loss LEVEL");
	int pages = atoi(argv[2]), count = atoi(argv[3]), good = 0;
	bool ecm = !strcmp(argv[4], "ecm"), noise = !strcmp(argv[5], "noise");
	g_autofree char *to = g_strdup_printf("%s.alone-%d", argv[1], getpid());
	loss_percent = !strcmp(argv[5], "loss") ? g_ascii_strtod(argv[6], NULL) : 0;
	for (int i = 0; i < count; i++) {
		struct end ends[2];
		for (unsigned e = 0; e < 2; e++) {
			open_end(&ends[e], e == 0, e ? to : argv[1], ecm);
			ends[e].noise = noise ? awgn_init_dbm0(NULL, 2 * i + e + 1, atoi(argv[6])) : NULL;
		}
		converse(ends);
		good += ends[0].code == T30_ERR_OK && ends[1].code == T30_ERR_OK && ends[0].pages == pages && ends[1].pages == pages;
		for (unsigned e = 0; e < 2; e++) {
			fax_free(ends[e].fax);
			if (ends[e].noise)
				awgn_free(ends[e].noise);
		}
		unlink(to);
	}
	printf("%d\n", (100 * good + count / 2) / count);
	return 0;
}
