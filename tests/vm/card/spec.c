/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "card/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "card/card.h"

#define RTP_PAYLOAD_TYPE 96
#define QUEUE_FRAMES 512 /* window x frames stays within half the line's queue */

static bool parse_number(const char *value, unsigned low, unsigned high, unsigned *number)
{
	char *end;
	unsigned long parsed = value ? strtoul(value, &end, 10) : 0;

	if (!value || end == value || *end || parsed < low || parsed > high)
		return false;
	*number = (unsigned)parsed;
	return true;
}

static bool parse_subsystem(const char *value, struct tl_card_config *config)
{
	unsigned vendor, device;

	if (!value || sscanf(value, "%4x:%4x", &vendor, &device) != 2)
		return false;
	config->subsystem_vendor = (uint16_t)vendor;
	config->subsystem_device = (uint16_t)device;
	return true;
}

static bool parse_rtp(const char *value, struct tl_cesop_format *format)
{
	format->rtp = true;
	format->rtp_payload_type = RTP_PAYLOAD_TYPE;
	format->rtp_ssrc = value ? (uint32_t)strtoul(value, NULL, 0) : 0;
	return value != NULL;
}

static bool parse_option(char *name, const char *value, struct tl_card_config *config)
{
	struct tl_line_config *line = &config->line;

	if (!strcmp(name, "open"))
		return line->kind = TL_LINE_OPEN, true;
	if (!strcmp(name, "cas"))
		return line->format.cas = true;
	if (!strcmp(name, "rtp"))
		return parse_rtp(value, &line->format);
	if (!strcmp(name, "subsystem"))
		return parse_subsystem(value, config);
	if (!strcmp(name, "port")) {
		line->kind = TL_LINE_PSEUDOWIRE;
		return parse_number(value, 0, 65535, &line->local_port);
	}
	if (!strcmp(name, "peer"))
		return parse_number(value, 1, 65535, &line->remote_port);
	if (!strcmp(name, "frames"))
		return parse_number(value, 1, TL_CESOP_FRAMES_MAX, &line->format.frames);
	if (!strcmp(name, "window"))
		return parse_number(value, 1, QUEUE_FRAMES, &line->window);
	if (!strcmp(name, "patience"))
		return parse_number(value, 1, 600000, &line->patience_ms);
	return false;
}

static bool is_complete(const struct tl_card_config *config)
{
	const struct tl_line_config *line = &config->line;

	if (line->kind == TL_LINE_PSEUDOWIRE && !line->remote_port)
		return false;
	if (line->format.cas && line->format.multiframe % line->format.frames)
		return false;
	return line->window * line->format.frames <= QUEUE_FRAMES;
}

bool tl_spec_parse(const char *text, struct tl_card_config *config)
{
	char *copy = strdup(text), *rest = copy, *word = strsep(&rest, ",");
	bool good = !strcmp(word, "e1") || !strcmp(word, "t1");

	memset(config, 0, sizeof(*config));
	config->t1 = !strcmp(word, "t1");
	config->subsystem_vendor = 0x71fe;
	config->subsystem_device = 0x0003;
	config->line = (struct tl_line_config){
		.kind = TL_LINE_PLUG,
		.format = { .slots = config->t1 ? 24 : 31, .frames = 8, .multiframe = config->t1 ? 24 : 16 },
		.window = 24,
		.patience_ms = 20000,
	};
	while (good && (word = strsep(&rest, ","))) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		good = parse_option(word, value, config);
	}
	good = good && is_complete(config);
	if (!good)
		fprintf(stderr, "card-model: not a card: %s\n", text);
	free(copy);
	return good;
}
