/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "report.h"

#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <stdio.h>

#define MS_PER_OCTET 0.125

static char letter(const struct bert_slot *slot)
{
	return !slot->heard.in_step ? 'x' : slot->heard.slips ? 's' : slot->heard.losses ? 'l' : slot->heard.errors ? 'e' : '.';
}

static void print_slot(unsigned number, const struct bert_slot *slot)
{
	const struct tl_prbs_checker *heard = &slot->heard;

	printf("  timeslot %2u: %" PRIu64 " bits, %" PRIu64 " errors", number, heard->bits, heard->errors);
	if (heard->bits)
		printf(" (%.1e)", (double)heard->errors / (double)heard->bits);
	printf(", %" PRIu64 " slips (%+" PRId64 " octets), %" PRIu64 " losses of step, %" PRIu64 " errored seconds", heard->slips,
	       heard->slipped_octets, heard->losses, slot->seconds_errored);
	if (slot->delay_octets >= 0)
		printf(", delay %.3f ms", slot->delay_octets * MS_PER_OCTET);
	printf("%s\n", heard->in_step ? "" : ", the sequence is not there");
}

void report_text(const struct bert *bert, const struct tl_span *span)
{
	char names[64];
	struct tl_span_counters counters;
	unsigned bad = 0;

	printf("%s: %.2f s of line time, alarms: now %s", tl_span_name(span), bert->ticks / 100.0,
	       tl_alarm_names(tl_span_alarms(span), names));
	printf(", during the test %s\n", tl_alarm_names(bert->alarms_seen, names));
	tl_span_counters(span, &counters);
	printf("  lost %" PRIu64 ", late %" PRIu64 ", underruns %" PRIu64 ", overruns %" PRIu64 ", slips %" PRIu64 "\n", counters.lost,
	       counters.late, counters.underruns, counters.overruns, counters.slips_dropped + counters.slips_repeated);
	if (bert->options.loop)
		return;
	printf("  ");
	for (unsigned i = 1; i <= tl_span_slots(span); i++) {
		printf("%s%c", i % 8 == 1 && i > 1 ? " " : "", bert->options.slots[i] ? letter(&bert->slots[i]) : ' ');
		bad += bert->options.slots[i] && !bert_slot_is_good(&bert->slots[i]);
	}
	printf("\n  timeslots from 1: . good  e errors  s slips  l lost for a while  x not there\n");
	for (unsigned i = 1; i <= tl_span_slots(span); i++)
		if (bert->options.slots[i] && !bert_slot_is_good(&bert->slots[i]) && bert->slots[i].heard.bits)
			print_slot(i, &bert->slots[i]);
	for (unsigned i = 1; !bad && i <= tl_span_slots(span); i++)
		if (bert->options.slots[i]) {
			print_slot(i, &bert->slots[i]);
			break;
		}
	printf("%s\n", bad ? "BAD" : "good");
}

static JsonObject *slot_object(unsigned number, const struct bert_slot *slot)
{
	const struct tl_prbs_checker *heard = &slot->heard;
	JsonObject *object = json_object_new();

	json_object_set_int_member(object, "slot", number);
	json_object_set_boolean_member(object, "good", bert_slot_is_good(slot));
	json_object_set_boolean_member(object, "in_step", heard->in_step);
	json_object_set_int_member(object, "bits", (gint64)heard->bits);
	json_object_set_int_member(object, "errors", (gint64)heard->errors);
	json_object_set_int_member(object, "losses_of_step", (gint64)heard->losses);
	json_object_set_int_member(object, "slips", (gint64)heard->slips);
	json_object_set_int_member(object, "slipped_octets", heard->slipped_octets);
	json_object_set_int_member(object, "seconds_errored", (gint64)slot->seconds_errored);
	json_object_set_int_member(object, "seconds_severely_errored", (gint64)slot->seconds_severe);
	json_object_set_int_member(object, "seconds_lost", (gint64)slot->seconds_lost);
	if (slot->delay_octets >= 0)
		json_object_set_int_member(object, "delay_us", slot->delay_octets * 125);
	return object;
}

static JsonObject *counters_object(const struct tl_span *span)
{
	struct tl_span_counters counters;
	JsonObject *object = json_object_new();

	tl_span_counters(span, &counters);
	json_object_set_int_member(object, "lost", (gint64)counters.lost);
	json_object_set_int_member(object, "late", (gint64)counters.late);
	json_object_set_int_member(object, "underruns", (gint64)counters.underruns);
	json_object_set_int_member(object, "overruns", (gint64)counters.overruns);
	json_object_set_int_member(object, "slips_dropped", (gint64)counters.slips_dropped);
	json_object_set_int_member(object, "slips_repeated", (gint64)counters.slips_repeated);
	json_object_set_int_member(object, "seconds_errored", (gint64)counters.seconds_errored);
	return object;
}

void report_json(const struct bert *bert, const struct tl_span *span)
{
	char names[64];
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	JsonObject *object = json_object_new();
	JsonArray *slots = json_array_new();

	json_node_take_object(node, object);
	json_object_set_string_member(object, "span", tl_span_name(span));
	json_object_set_boolean_member(object, "good", bert->options.loop || bert_is_good(bert));
	json_object_set_double_member(object, "line_seconds", bert->ticks / 100.0);
	json_object_set_string_member(object, "alarms", tl_alarm_names(tl_span_alarms(span), names));
	json_object_set_string_member(object, "alarms_seen", tl_alarm_names(bert->alarms_seen, names));
	json_object_set_object_member(object, "counters", counters_object(span));
	for (unsigned i = 1; i <= tl_span_slots(span) && !bert->options.loop; i++)
		if (bert->options.slots[i])
			json_array_add_object_element(slots, slot_object(i, &bert->slots[i]));
	json_object_set_array_member(object, "slots", slots);

	g_autofree char *text = json_to_string(node, FALSE);

	puts(text);
}
