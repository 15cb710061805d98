/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/play.h"

#include <string.h>

#include "call/report.h"

#define DIGITS_MAX 64
#define FIRST_MS 10000
#define NEXT_MS 5000

struct tl_collect {
	struct tl_leg *leg;
	char *id, *terminators;
	unsigned max, first_ms, next_ms;
	char digits[DIGITS_MAX + 1];
	struct tl_timer *timer;
};

static void on_timeout(void *user)
{
	struct tl_collect *collect = user;
	tl_collect_end(collect->leg, "timeout");
}

static void finish(struct tl_leg *leg, const char *why)
{
	struct tl_collect *collect = g_steal_pointer(&leg->collect);
	if (*collect->digits) {
		JsonObject *more = json_object_new();
		json_object_set_string_member(more, "digits", collect->digits);
		tl_fact_leg(leg, "digits", more, NULL);
	}
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "collect", collect->id);
	json_object_set_string_member(params, "digits", collect->digits);
	json_object_set_string_member(params, "why", why);
	tl_report_leg(leg, "leg.collected", params);
	tl_timer_free(collect->timer);
	g_free(collect->id);
	g_free(collect->terminators);
	g_free(collect);
}

void tl_collect_end(struct tl_leg *leg, const char *why)
{
	if (!leg->collect)
		return;
	finish(leg, why);
	tl_leg_audio_search(leg);
}

void tl_collect_start(struct tl_leg *leg, const struct tl_collect_config *config)
{
	if (leg->collect) /* the search goes on: a press may be under way */
		finish(leg, "replaced");
	struct tl_collect *collect = g_new0(struct tl_collect, 1);
	collect->leg = leg;
	collect->id = g_strdup(config->id);
	collect->terminators = g_strdup(config->terminators ? config->terminators : "");
	collect->max = MIN(config->max, DIGITS_MAX);
	collect->first_ms = config->first_ms ? config->first_ms : FIRST_MS;
	collect->next_ms = config->next_ms ? config->next_ms : NEXT_MS;
	collect->timer = tl_timer_new("collect", on_timeout, collect);
	leg->collect = collect;
	tl_leg_audio_search(leg);
	if (!leg->play)
		tl_timer_start(collect->timer, collect->first_ms);
}

void tl_collect_play_began(struct tl_leg *leg)
{
	if (leg->collect && !*leg->collect->digits)
		tl_timer_stop(leg->collect->timer);
}

void tl_collect_play_ended(struct tl_leg *leg)
{
	if (leg->collect && !*leg->collect->digits)
		tl_timer_start(leg->collect->timer, leg->collect->first_ms);
}

static void gather(struct tl_leg *leg, char digit)
{
	struct tl_collect *collect = leg->collect;
	size_t n = strlen(collect->digits);
	if (!n && leg->play)
		tl_play_stop(leg);
	if (strchr(collect->terminators, digit)) {
		tl_collect_end(leg, "terminator");
		return;
	}
	collect->digits[n] = digit;
	if (n + 1 >= collect->max)
		tl_collect_end(leg, "max");
	else
		tl_timer_start(collect->timer, collect->next_ms);
}

void tl_collect_digit(struct tl_leg *leg, char digit, unsigned duration_ms)
{
	const char text[] = { digit, '\0' };
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "digit", text);
	json_object_set_int_member(params, "duration_ms", duration_ms);
	tl_report_leg(leg, "leg.digit", params);
	if (leg->collect)
		gather(leg, digit);
}
