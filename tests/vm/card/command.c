/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "card/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "card/card.h"

#define WORDS_MAX 8

struct answer {
	char *text;
	size_t octets;
};

struct command {
	const char *name;
	unsigned words; /* at least, itself included */
	void (*run)(struct tl_card *card, char **words, struct answer *answer);
};

__attribute__((format(printf, 2, 3))) static void say(struct answer *answer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(answer->text, answer->octets, format, arguments);
	va_end(arguments);
}

static bool is_on(const char *word)
{
	return !strcmp(word, "on") || !strcmp(word, "1");
}

static void run_stats(struct tl_card *card, char **words, struct answer *answer)
{
	const struct tl_card_counters *c = &card->counters;
	const struct tl_line_counters *l = tl_line_counters(card->line);

	(void)words;
	say(answer,
	    "reads=%llu writes=%llu config_reads=%llu config_writes=%llu resets=%llu ticks=%llu "
	    "interrupts=%llu acknowledgements=%llu lost=%llu late=%llu spurious=%llu garbage=%llu "
	    "waited_guest=%llu waited_line=%llu misaligned=%llu dma_aborts=%llu line_ms=%llu "
	    "packets_sent=%llu packets_received=%llu packets_refused=%llu packets_lost=%llu stalls=%llu "
	    "remote_loss=%llu",
	    (unsigned long long)c->reads, (unsigned long long)c->writes,
	    (unsigned long long)c->config_reads, (unsigned long long)c->config_writes,
	    (unsigned long long)c->resets, (unsigned long long)c->ticks,
	    (unsigned long long)c->interrupts, (unsigned long long)c->acknowledgements,
	    (unsigned long long)c->lost_interrupts, (unsigned long long)c->late_interrupts,
	    (unsigned long long)c->spurious_interrupts, (unsigned long long)c->garbage_reads,
	    (unsigned long long)c->waited_guest, (unsigned long long)c->waited_line,
	    (unsigned long long)c->misaligned, (unsigned long long)card->tiger.aborts,
	    (unsigned long long)card->line_ms, (unsigned long long)l->packets_sent,
	    (unsigned long long)l->packets_received, (unsigned long long)l->refused,
	    (unsigned long long)l->lost, (unsigned long long)l->stalls,
	    (unsigned long long)l->remote_loss);
}

static void run_zero(struct tl_card *card, char **words, struct answer *answer)
{
	(void)words;
	memset(&card->counters, 0, sizeof(card->counters));
	card->tiger.aborts = 0;
	say(answer, "ok");
}

/* Does not disturb: interrupt status is not cleared. */
static void run_peek(struct tl_card *card, char **words, struct answer *answer)
{
	uint8_t address = (uint8_t)strtoul(words[2], NULL, 16);

	if (!strcmp(words[1], "tiger"))
		say(answer, "%02x", card->tiger.registers[address]);
	else if (!strcmp(words[1], "falc"))
		say(answer, "%02x", card->falc.written[address]);
	else if (!strcmp(words[1], "cpld"))
		say(answer, "%02x", card->cpld[address & 0xf]);
	else if (!strcmp(words[1], "cas"))
		say(answer, "%x", card->falc.sent.cas[address & 0x1f]);
	else
		say(answer, "error no such chip: tiger, falc, cpld, cas");
}

static void run_sent(struct tl_card *card, char **words, struct answer *answer)
{
	const struct tl_line_frame *sent = &card->falc.sent;

	(void)words;
	say(answer, "ais=%d rai=%d cas=%d", sent->ais, sent->rai, sent->has_cas);
}

static bool *line_fault(struct tl_falc_faults *faults, const char *name)
{
	const struct {
		const char *name;
		bool *fault;
	} table[] = {
		{ "los", &faults->los },       { "ais", &faults->ais },       { "rai", &faults->rai },
		{ "lfa", &faults->lfa },       { "lmfa", &faults->lmfa },     { "nmf", &faults->nmf },
		{ "lmfa16", &faults->lmfa16 }, { "ais16", &faults->ais16 },   { "rai16", &faults->rai16 },
		{ "loopup", &faults->loop_up }, { "loopdown", &faults->loop_down },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].name, name))
			return table[i].fault;
	return NULL;
}

static void run_line(struct tl_card *card, char **words, struct answer *answer)
{
	bool *fault = line_fault(&card->falc.faults, words[1]);

	if (!fault) {
		say(answer, "error no such condition: los ais rai lfa lmfa nmf lmfa16 ais16 rai16 loopup loopdown");
		return;
	}
	*fault = is_on(words[2]);
	say(answer, "ok");
}

static void run_flap(struct tl_card *card, char **words, struct answer *answer)
{
	card->flap_ticks = strtoul(words[1], NULL, 10);
	card->flaps = 2 * (unsigned)strtoul(words[2], NULL, 10);
	card->flap_tick = card->line_ms;
	say(answer, "ok");
}

static void run_errors(struct tl_card *card, char **words, struct answer *answer)
{
	static const char *const names[TL_FALC_COUNTERS] = {
		[TL_FALC_FRAMING] = "framing", [TL_FALC_CODE_VIOLATION] = "code", [TL_FALC_CRC] = "crc",
		[TL_FALC_EBIT] = "ebit",       [TL_FALC_BIT] = "bit",             [TL_FALC_COFA] = "cofa",
	};
	unsigned count = (unsigned)strtoul(words[2], NULL, 10);

	for (unsigned i = 0; i < TL_FALC_COUNTERS; i++) {
		if (strcmp(words[1], names[i]))
			continue;
		tl_falc_count(&card->falc, i, count);
		say(answer, "ok");
		return;
	}
	if (!strcmp(words[1], "octets")) {
		card->falc.bit_errors += count;
		say(answer, "ok");
		return;
	}
	say(answer, "error no such counter: framing code crc ebit bit cofa octets");
}

static void run_slip(struct tl_card *card, char **words, struct answer *answer)
{
	bool positive = words[1][0] == '+';

	if (!tl_elastic_slip(&card->elastic, positive)) {
		say(answer, "error the elastic buffer has no room that way");
		return;
	}
	tl_falc_slip(&card->falc, positive);
	say(answer, "ok");
}

static void run_irq(struct tl_card *card, char **words, struct answer *answer)
{
	unsigned count = (unsigned)strtoul(words[2], NULL, 10);

	say(answer, "ok");
	if (!strcmp(words[1], "lose")) {
		card->faults.lose_interrupts = count;
	} else if (!strcmp(words[1], "late")) {
		card->faults.late_interrupts = count;
		card->faults.late_ms = words[3] ? (unsigned)strtoul(words[3], NULL, 10) : 3;
	} else if (!strcmp(words[1], "spurious")) {
		card->faults.spurious_interrupts = count;
	} else {
		say(answer, "error no such fault: lose late spurious");
	}
}

static void run_dma(struct tl_card *card, char **words, struct answer *answer)
{
	card->faults.dma_stalled = !strcmp(words[1], "stall");
	say(answer, "ok");
}

static void run_registers(struct tl_card *card, char **words, struct answer *answer)
{
	struct tl_card_faults *faults = &card->faults;
	unsigned garbage_reads = 0;
	bool ones = false;

	if (!strcmp(words[1], "garbage")) {
		garbage_reads = (unsigned)strtoul(words[2], NULL, 10);
	} else if (!strcmp(words[1], "ones")) {
		ones = is_on(words[2]);
	} else {
		say(answer, "error no such fault: garbage ones");
		return;
	}
	faults->later_garbage_reads = garbage_reads;
	faults->later_ones = ones;
	faults->well_accesses = words[3] ? (unsigned)strtoul(words[3], NULL, 10) : 0;
	if (!faults->well_accesses) {
		faults->garbage_reads = garbage_reads;
		faults->ones = ones;
	}
	say(answer, "ok");
}

static void run_unplug(struct tl_card *card, char **words, struct answer *answer)
{
	(void)words;
	tl_card_unplug(card, true);
	say(answer, "ok");
}

static void run_plug(struct tl_card *card, char **words, struct answer *answer)
{
	(void)words;
	tl_card_unplug(card, false);
	say(answer, "ok");
}

static void run_freerun(struct tl_card *card, char **words, struct answer *answer)
{
	card->faults.freerun = is_on(words[1]);
	say(answer, "ok");
}

static void run_period(struct tl_card *card, char **words, struct answer *answer)
{
	card->period_us = strtol(words[1], NULL, 10);
	card->gap_us = words[2] ? strtol(words[2], NULL, 10) : card->gap_us;
	say(answer, "ok");
}

static const struct command commands[] = {
	{ "stats", 1, run_stats },   { "zero", 1, run_zero },     { "peek", 3, run_peek },
	{ "sent", 1, run_sent },     { "line", 3, run_line },     { "flap", 3, run_flap },
	{ "errors", 3, run_errors }, { "slip", 2, run_slip },     { "irq", 3, run_irq },
	{ "dma", 2, run_dma },       { "registers", 3, run_registers }, { "unplug", 1, run_unplug },
	{ "plug", 1, run_plug },     { "freerun", 2, run_freerun }, { "period", 2, run_period },
};

static void run_words(struct tl_card *card, char **words, unsigned count, struct answer *answer)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, words[0]))
			continue;
		if (count < commands[i].words)
			say(answer, "error %s wants %u words more", words[0], commands[i].words - count);
		else
			commands[i].run(card, words, answer);
		return;
	}
	say(answer, "error no such command: %s", words[0]);
}

void tl_command_run(struct tl_card **cards, unsigned count, char *text, char *answer_text, size_t octets)
{
	struct answer answer = { answer_text, octets };
	char *words[WORDS_MAX + 1] = { NULL };
	unsigned n = 0, number = 0, first = 0;

	for (char *word = strtok(text, " \t"); word && n < WORDS_MAX; word = strtok(NULL, " \t"))
		words[n++] = word;
	if (n && words[0][0] == '@') {
		number = (unsigned)strtoul(words[0] + 1, NULL, 10);
		first = 1;
	}
	if (number >= count || n == first)
		say(&answer, "error no such card, or no command");
	else
		run_words(cards[number], words + first, n - first, &answer);
}
