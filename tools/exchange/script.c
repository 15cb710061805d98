/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "exchange.h"

#include <string.h>

G_DEFINE_QUARK(exchange-error-quark, exchange_error)

static const struct {
	const char *name;
	unsigned min_words, max_words; /* after the verb */
	const char *usage;
} verbs[] = {
	[VERB_DIAL] = { "dial", 1, 13, "dial NUMBER [from NUMBER] [ii DIGITS] [name NAME] [on SPAN[/SLOT]|URI] [bearer speech|audio-3k1|unrestricted] [media audio|image]" },
	[VERB_WAIT] = { "wait", 1, 2, "wait proceeding|alerting|progress|answered|released [SECONDS]" },
	[VERB_EXPECT] = { "expect", 1, 3, "expect cause N | digits D [SECONDS] | from NUMBER | ii DIGITS | flash [SECONDS] | tone HZ [SECONDS] | audio [SECONDS] | silence [SECONDS]" },
	[VERB_PLAY] = { "play", 1, 2, "play FILE [forever]: goes on while later steps run" },
	[VERB_SAY] = { "say", 1, 1, "say FILE: play it and wait for its end" },
	[VERB_TONE] = { "tone", 1, 2, "tone dial|ringing|busy|congestion|milliwatt [COUNTRY]" },
	[VERB_STOP] = { "stop", 0, 0, "stop: end what plays" },
	[VERB_SEND] = { "send", 1, 3, "send DIGITS [ON_MS [OFF_MS]]: DTMF; w pauses half a second" },
	[VERB_RECORD] = { "record", 1, 1, "record FILE.wav: what is heard from now on, octet by octet" },
	[VERB_PAUSE] = { "pause", 1, 1, "pause SECONDS" },
	[VERB_ECHO] = { "echo", 1, 1, "echo on|off: say back what is heard" },
	[VERB_PROCEED] = { "proceed", 0, 0, "proceed" },
	[VERB_ALERT] = { "alert", 0, 1, "alert [inband]" },
	[VERB_PROGRESS] = { "progress", 0, 0, "progress: early audio" },
	[VERB_ANSWER] = { "answer", 0, 0, "answer" },
	[VERB_REJECT] = { "reject", 1, 1, "reject CAUSE" },
	[VERB_HANGUP] = { "hangup", 0, 1, "hangup [CAUSE]" },
	[VERB_HOLD] = { "hold", 0, 0, "hold (SIP)" },
	[VERB_RETRIEVE] = { "retrieve", 0, 0, "retrieve (SIP)" },
	[VERB_FAX] = { "fax", 2, 60, "fax send FILE.tif | receive DIRECTORY [WORD VALUE]...: until it has ended" },
	[VERB_FLASH] = { "flash", 0, 0, "flash: a hook flash (cas-fxs-*)" },
};

const char *script_help(void)
{
	static GString *help;
	if (!help) {
		help = g_string_new(NULL);
		for (unsigned i = 0; i < G_N_ELEMENTS(verbs); i++)
			g_string_append_printf(help, "  %s\n", verbs[i].usage);
	}
	return help->str;
}

static bool step_parse(struct step *step, const char *text, GError **error)
{
	g_autoptr(GError) cause = NULL;
	int n = 0;
	if (!g_shell_parse_argv(text, &n, &step->words, &cause)) {
		g_set_error(error, EXCHANGE_ERROR, 0, "step \"%s\": %s", text, cause->message);
		return false;
	}
	step->text = g_strdup(text);
	for (unsigned i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (strcmp(verbs[i].name, step->words[0]))
			continue;
		step->verb = i;
		if ((unsigned)n - 1 >= verbs[i].min_words && (unsigned)n - 1 <= verbs[i].max_words)
			return true;
		g_set_error(error, EXCHANGE_ERROR, 0, "step \"%s\": expected %s", text, verbs[i].usage);
		return false;
	}
	g_set_error(error, EXCHANGE_ERROR, 0, "step \"%s\": unknown verb; expected one of dial, wait, expect, play, say, "
		    "tone, stop, send, record, pause, echo, proceed, alert, progress, answer, reject, hangup, hold, retrieve, fax, "
		    "flash",
		    text);
	return false;
}

static bool step_listens(const struct step *step)
{
	static const char *const heard[] = { "tone", "audio", "silence", NULL };
	return step->verb == VERB_RECORD || (step->verb == VERB_EXPECT && g_strv_contains(heard, step->words[1]));
}

struct script *script_parse(const char *text, GError **error)
{
	struct script *script = g_new0(struct script, 1);
	g_auto(GStrv) lines = g_strsplit_set(text, ";\n", -1);
	script->steps = g_new0(struct step, g_strv_length(lines) + 1);
	for (char **line = lines; *line; line++) {
		g_strstrip(*line);
		if (!**line || **line == '#')
			continue;
		struct step *step = &script->steps[script->n_steps++];
		if (!step_parse(step, *line, error)) {
			script_free(script);
			return NULL;
		}
		script->listens |= step_listens(step);
	}
	return script;
}

void script_free(struct script *script)
{
	if (!script)
		return;
	for (unsigned i = 0; i < script->n_steps; i++) {
		g_strfreev(script->steps[i].words);
		g_free(script->steps[i].text);
	}
	g_free(script->steps);
	g_free(script);
}
