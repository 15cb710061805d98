/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "signal/r2-words.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

unsigned tl_r2_cause_read(openr2_call_disconnect_cause_t cause)
{
	switch (cause) {
	case OR2_CAUSE_BUSY_NUMBER:
		return TL_CAUSE_USER_BUSY;
	case OR2_CAUSE_NETWORK_CONGESTION:
		return TL_CAUSE_CONGESTION;
	case OR2_CAUSE_UNALLOCATED_NUMBER:
		return TL_CAUSE_UNALLOCATED;
	case OR2_CAUSE_OUT_OF_ORDER:
		return TL_CAUSE_OUT_OF_ORDER;
	case OR2_CAUSE_NO_ANSWER:
		return TL_CAUSE_NO_ANSWER;
	case OR2_CAUSE_COLLECT_CALL_REJECTED:
		return TL_CAUSE_REJECTED;
	case OR2_CAUSE_NUMBER_CHANGED:
		return TL_CAUSE_NUMBER_CHANGED;
	case OR2_CAUSE_NORMAL_CLEARING:
	case OR2_CAUSE_FORCED_RELEASE:
		return TL_CAUSE_NORMAL_CLEARING;
	case OR2_CAUSE_UNSPECIFIED:
		break;
	}
	return TL_CAUSE_NORMAL_UNSPECIFIED;
}

openr2_call_disconnect_cause_t tl_r2_cause_write(unsigned cause)
{
	switch (cause) {
	case TL_CAUSE_USER_BUSY:
		return OR2_CAUSE_BUSY_NUMBER;
	case TL_CAUSE_UNALLOCATED:
	case TL_CAUSE_NO_ROUTE:
	case TL_CAUSE_INVALID_NUMBER:
		return OR2_CAUSE_UNALLOCATED_NUMBER;
	case TL_CAUSE_NUMBER_CHANGED:
		return OR2_CAUSE_NUMBER_CHANGED;
	case TL_CAUSE_NO_CIRCUIT:
	case TL_CAUSE_NETWORK_OUT_OF_ORDER:
	case TL_CAUSE_TEMPORARY_FAILURE:
	case TL_CAUSE_CONGESTION:
	case TL_CAUSE_REQUESTED_CIRCUIT_UNAVAILABLE:
		return OR2_CAUSE_NETWORK_CONGESTION;
	case TL_CAUSE_NORMAL_CLEARING:
		return OR2_CAUSE_NORMAL_CLEARING;
	default:
		return OR2_CAUSE_OUT_OF_ORDER;
	}
}

unsigned tl_r2_error_cause(openr2_protocol_error_t error)
{
	switch (error) {
	case OR2_BACK_MF_TIMEOUT:
	case OR2_SEIZE_TIMEOUT:
	case OR2_FWD_SAFETY_TIMEOUT:
	case OR2_ANSWER_TIMEOUT:
		return TL_CAUSE_RECOVERY_ON_TIMER;
	case OR2_LIBRARY_BUG:
	case OR2_INTERNAL_ERROR:
		return TL_CAUSE_TEMPORARY_FAILURE;
	case OR2_INVALID_CAS_BITS:
	case OR2_INVALID_MF_TONE:
	case OR2_BROKEN_MF_SEQUENCE:
	case OR2_INVALID_R2_STATE:
	case OR2_INVALID_MF_STATE:
	case OR2_INVALID_MF_GROUP:
		break;
	}
	return TL_CAUSE_PROTOCOL_ERROR;
}

openr2_variant_t tl_r2_variant_write(enum tl_r2_variant variant)
{
	static const openr2_variant_t variants[TL_N_R2_VARIANTS] = {
		[TL_R2_ITU] = OR2_VAR_ITU, [TL_R2_AR] = OR2_VAR_ARGENTINA, [TL_R2_BR] = OR2_VAR_BRAZIL, [TL_R2_CN] = OR2_VAR_CHINA,
		[TL_R2_CZ] = OR2_VAR_CZECH, [TL_R2_CO] = OR2_VAR_COLOMBIA, [TL_R2_EC] = OR2_VAR_ECUADOR,
		[TL_R2_ID] = OR2_VAR_INDONESIA, [TL_R2_MX] = OR2_VAR_MEXICO, [TL_R2_PH] = OR2_VAR_PHILIPPINES,
		[TL_R2_VE] = OR2_VAR_VENEZUELA,
	};
	return variants[variant];
}

openr2_calling_party_category_t tl_r2_category_write(enum tl_r2_category category)
{
	switch (category) {
	case TL_R2_NATIONAL:
		break;
	case TL_R2_NATIONAL_PRIORITY:
		return OR2_CALLING_PARTY_CATEGORY_NATIONAL_PRIORITY_SUBSCRIBER;
	case TL_R2_INTERNATIONAL:
		return OR2_CALLING_PARTY_CATEGORY_INTERNATIONAL_SUBSCRIBER;
	case TL_R2_INTERNATIONAL_PRIORITY:
		return OR2_CALLING_PARTY_CATEGORY_INTERNATIONAL_PRIORITY_SUBSCRIBER;
	case TL_R2_COLLECT:
		return OR2_CALLING_PARTY_CATEGORY_COLLECT_CALL;
	case TL_R2_TEST:
		return OR2_CALLING_PARTY_CATEGORY_TEST_EQUIPMENT;
	}
	return OR2_CALLING_PARTY_CATEGORY_NATIONAL_SUBSCRIBER;
}

/* OpenR2 1.3.3 takes Colombia's B-2, busy, for ITU-T's special information tone, which accepts. Tones can only be set by file. */
static bool correct_colombia(openr2_context_t *context)
{
	static const char correction[] = "mf_gb_tones.special_info_tone=X\n";
	char path[32];
	int fd = memfd_create("r2-colombia", MFD_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	bool good = write(fd, correction, sizeof correction - 1) > 0 && !openr2_context_configure_from_advanced_file(context, path);
	close(fd);
	return good;
}

openr2_context_t *tl_r2_context_new(const struct tl_r2_config *config, openr2_event_interface_t *events)
{
	openr2_context_t *context = openr2_context_new(NULL, events, NULL, tl_r2_variant_write(config->variant),
						       (int)config->max_ani, (int)config->max_dnis);
	if (!context)
		return NULL;
	openr2_context_set_log_level(context, OR2_LOG_ERROR | OR2_LOG_WARNING);
	if (config->ani_first != TL_R2_BY_VARIANT)
		openr2_context_set_ani_first(context, config->ani_first == TL_R2_YES);
	openr2_context_set_skip_category_request(context, config->skip_category);
	openr2_context_set_immediate_accept(context, config->immediate_accept);
	openr2_context_set_double_answer(context, config->double_answer);
	if (config->metering_ms >= 0)
		openr2_context_set_metering_pulse_timeout(context, config->metering_ms);
	if (config->mf_timeout_ms >= 0)
		openr2_context_set_mf_back_timeout(context, config->mf_timeout_ms);
	if (config->mf_threshold_ms >= 0)
		openr2_context_set_mf_threshold(context, config->mf_threshold_ms);
	openr2_context_set_dtmf_detection(context, config->dtmf_detect);
	openr2_context_set_dtmf_dialing(context, config->dtmf_dial, (int)config->dtmf_on_ms, (int)config->dtmf_off_ms);
	if (config->dtmf_end_ms >= 0)
		openr2_context_set_dtmf_detection_end_timeout(context, config->dtmf_end_ms);
	if (config->variant != TL_R2_CO || correct_colombia(context))
		return context;
	openr2_context_delete(context);
	return NULL;
}
