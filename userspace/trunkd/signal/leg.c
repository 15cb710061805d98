/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "signal/leg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The words of ITU-T Q.850 table 1, shortened where they are long. */
static const char *const cause_names[128] = {
	[1] = "unallocated-number",
	[2] = "no-route-to-transit-network",
	[3] = "no-route",
	[6] = "channel-unacceptable",
	[7] = "call-awarded",
	[16] = "normal-clearing",
	[17] = "user-busy",
	[18] = "no-user-response",
	[19] = "no-answer",
	[20] = "subscriber-absent",
	[21] = "call-rejected",
	[22] = "number-changed",
	[26] = "non-selected-user-clearing",
	[27] = "destination-out-of-order",
	[28] = "invalid-number-format",
	[29] = "facility-rejected",
	[30] = "response-to-status-enquiry",
	[31] = "normal-unspecified",
	[34] = "no-circuit-available",
	[38] = "network-out-of-order",
	[41] = "temporary-failure",
	[42] = "switch-congestion",
	[43] = "access-information-discarded",
	[44] = "requested-circuit-unavailable",
	[47] = "resource-unavailable",
	[50] = "facility-not-subscribed",
	[57] = "bearer-not-authorized",
	[58] = "bearer-not-available",
	[63] = "service-not-available",
	[65] = "bearer-not-implemented",
	[66] = "channel-type-not-implemented",
	[69] = "facility-not-implemented",
	[79] = "service-not-implemented",
	[81] = "invalid-call-reference",
	[82] = "identified-channel-does-not-exist",
	[87] = "not-a-member-of-cug",
	[88] = "incompatible-destination",
	[95] = "invalid-message",
	[96] = "mandatory-element-missing",
	[97] = "message-type-unknown",
	[98] = "message-not-compatible",
	[99] = "element-unknown",
	[100] = "invalid-element-contents",
	[101] = "message-not-compatible-with-state",
	[102] = "recovery-on-timer-expiry",
	[111] = "protocol-error",
	[127] = "interworking",
};

const char *tl_cause_name(unsigned cause, char *text)
{
	if (cause < G_N_ELEMENTS(cause_names) && cause_names[cause])
		strcpy(text, cause_names[cause]);
	else
		snprintf(text, 48, "cause-%u", cause);
	return text;
}

static bool cause_value_parse(const char *text, unsigned *cause)
{
	if (!g_ascii_isdigit(*text) || strlen(text) > 3)
		return false;
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	if (*end || value < 1 || value > 127)
		return false;
	*cause = value;
	return true;
}

bool tl_cause_parse(const char *text, unsigned *cause)
{
	if (g_str_has_prefix(text, "cause-"))
		return cause_value_parse(text + strlen("cause-"), cause);
	for (unsigned i = 1; i < G_N_ELEMENTS(cause_names); i++)
		if (cause_names[i] && !strcmp(cause_names[i], text)) {
			*cause = i;
			return true;
		}
	return cause_value_parse(text, cause);
}

bool tl_number_parse(const char *text, struct tl_number *number)
{
	bool international = *text == '+';
	const char *digits = text + international;
	size_t n = strlen(digits);
	if (n > TL_DIGITS_MAX || strspn(digits, "0123456789*#ABCD") != n || (international && !n))
		return false;
	*number = (struct tl_number){
		.type = international ? TL_NUMBER_INTERNATIONAL : TL_NUMBER_UNKNOWN,
		.plan = international ? TL_PLAN_ISDN : TL_PLAN_UNKNOWN,
	};
	memcpy(number->digits, digits, n + 1);
	return true;
}

const char *tl_number_format(const struct tl_number *number, char *text)
{
	bool plus = number->type == TL_NUMBER_INTERNATIONAL && *number->digits;
	snprintf(text, TL_DIGITS_MAX + 2, "%s%s", plus ? "+" : "", number->digits);
	return text;
}
