/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What of R2 is pure: the table of states, causes both ways, settings. Calls themselves run over DAHDI (tests/vm). */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "signal/r2-inner.h"
#include "signal/r2-words.h"
#include "signal/signal.h"

static void test_table(void)
{
	const struct tl_fsm_machine *machine = &tl_r2_dialog_machine;
	g_assert_cmpuint(tl_fsm_faults(machine, stderr), ==, 0);
	for (unsigned i = 0; i < machine->n_rows; i++)
		for (unsigned j = i + 1; j < machine->n_rows; j++)
			g_assert_false(machine->rows[i].state == machine->rows[j].state &&
				       machine->rows[i].event == machine->rows[j].event);
	/* Whatever a call is at, it can be dropped and ended. */
	for (unsigned i = 0; i < machine->n_rows; i++) {
		bool drops = !strcmp(machine->states[machine->rows[i].state], "released");
		for (unsigned j = 0; j < machine->n_rows; j++)
			drops |= machine->rows[j].state == machine->rows[i].state && machine->rows[j].event == R2_EV_DROP;
		g_assert_true(drops);
	}
}

/* What goes out by a tone of group B comes back as what it was; the rest as its like (ITU-T Q.441 4.3.4). */
static void test_causes(void)
{
	static const struct { unsigned said, heard; } cases[] = {
		{ TL_CAUSE_USER_BUSY, TL_CAUSE_USER_BUSY },
		{ TL_CAUSE_CONGESTION, TL_CAUSE_CONGESTION },
		{ TL_CAUSE_NO_CIRCUIT, TL_CAUSE_CONGESTION },
		{ TL_CAUSE_TEMPORARY_FAILURE, TL_CAUSE_CONGESTION },
		{ TL_CAUSE_UNALLOCATED, TL_CAUSE_UNALLOCATED },
		{ TL_CAUSE_NO_ROUTE, TL_CAUSE_UNALLOCATED },
		{ TL_CAUSE_NUMBER_CHANGED, TL_CAUSE_NUMBER_CHANGED },
		{ TL_CAUSE_OUT_OF_ORDER, TL_CAUSE_OUT_OF_ORDER },
		{ TL_CAUSE_NO_ANSWER, TL_CAUSE_OUT_OF_ORDER },
		{ TL_CAUSE_NORMAL_CLEARING, TL_CAUSE_NORMAL_CLEARING },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpuint(tl_r2_cause_read(tl_r2_cause_write(cases[i].said)), ==, cases[i].heard);
	for (unsigned cause = 1; cause < 128; cause++)
		g_assert_cmpuint(tl_r2_cause_read(tl_r2_cause_write(cause)), !=, 0);
	g_assert_cmpuint(tl_r2_cause_read(OR2_CAUSE_FORCED_RELEASE), ==, TL_CAUSE_NORMAL_CLEARING);
	g_assert_cmpuint(tl_r2_cause_read(OR2_CAUSE_COLLECT_CALL_REJECTED), ==, TL_CAUSE_REJECTED);
	g_assert_cmpuint(tl_r2_cause_read(OR2_CAUSE_NO_ANSWER), ==, TL_CAUSE_NO_ANSWER);
	g_assert_cmpuint(tl_r2_error_cause(OR2_SEIZE_TIMEOUT), ==, TL_CAUSE_RECOVERY_ON_TIMER);
	g_assert_cmpuint(tl_r2_error_cause(OR2_INVALID_MF_TONE), ==, TL_CAUSE_PROTOCOL_ERROR);
	g_assert_cmpuint(tl_r2_error_cause(OR2_INTERNAL_ERROR), ==, TL_CAUSE_TEMPORARY_FAILURE);
}

/* The words of the configuration mean what OpenR2 calls so. */
static void test_variants(void)
{
	g_auto(GStrv) words = g_strsplit(TL_R2_VARIANTS, "|", 0);
	g_assert_cmpuint(g_strv_length(words), ==, TL_N_R2_VARIANTS);
	for (unsigned i = 0; words[i]; i++) {
		g_autofree char *upper = g_ascii_strup(words[i], -1);
		g_assert_cmpint(tl_r2_variant_write(i), ==, openr2_proto_get_variant(upper));
	}
	g_assert_cmpint(tl_r2_category_write(TL_R2_COLLECT), ==, OR2_CALLING_PARTY_CATEGORY_COLLECT_CALL);
	g_assert_cmpint(tl_r2_category_write(TL_R2_NATIONAL), ==, OR2_CALLING_PARTY_CATEGORY_NATIONAL_SUBSCRIBER);
}

static const struct tl_config_key keys[] = {
	{ "span", "kind", TL_CONFIG_CHOICE, NULL, "e1|t1" },
	{ "span", "law", TL_CONFIG_CHOICE, NULL, "alaw|ulaw" },
	{ "span", "backend", TL_CONFIG_CHOICE, "pseudowire", "pseudowire|dahdi" },
	{ "span", "d_channel", TL_CONFIG_INT, NULL, NULL, 0, 31 },
	TL_SIGNALLING_KEYS("none", "yes"),
	{ NULL }
};

/* @lines of a span with R2; NULL and the reason when they are refused. */
static bool read_lines(const char *lines, struct tl_signalling_config *config, struct tl_span_config *span, GError **error)
{
	g_autofree char *path = NULL;
	g_autofree char *text = g_strconcat("[span a]\nkind = e1\nbackend = dahdi\nsignalling = r2\n", lines, NULL);
	int fd = g_file_open_tmp("test-r2-XXXXXX", &path, NULL);
	bool good = false;
	close(fd);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	struct tl_config *file = tl_config_load(path, keys, error);
	if (file) {
		const struct tl_config_section *section = tl_config_next(file, "span", NULL);
		span->d_channel = tl_config_string(section, "d_channel") ? tl_config_int(section, "d_channel") : 0;
		good = tl_signalling_config_read(section, config, span, error);
	}
	tl_config_free(file);
	g_unlink(path);
	return good;
}

static void test_settings(void)
{
	struct tl_signalling_config config = { 0 };
	struct tl_span_config span = { .kind = TL_SPAN_E1 };
	g_autoptr(GError) error = NULL;
	g_assert_true(read_lines("", &config, &span, &error));
	g_assert_no_error(error);
	g_assert_true(span.cas && span.lends);
	g_assert_cmpint(config.kind, ==, TL_SIGNALLING_R2);
	g_assert_cmpint(config.r2.variant, ==, TL_R2_ITU);
	g_assert_cmpint(config.r2.ani_first, ==, TL_R2_BY_VARIANT);
	g_assert_true(config.r2.charge && config.r2.accept_collect);
	g_assert_false(config.r2.double_answer || config.r2.forced_release || config.r2.dtmf_dial || config.r2.skip_category);
	g_assert_cmpint(config.r2.metering_ms, ==, -1);
	g_assert_true(read_lines("r2_variant = br\nr2_max_ani = 4\nr2_max_dnis = 7\nr2_ani_first = no\nr2_category = collect\n"
				 "r2_charge = no\nr2_metering_ms = 400\nr2_dtmf_dial = yes\nr2_dtmf_on_ms = 60\n"
				 "hunt = highest\n", &config, &span, &error));
	g_assert_cmpint(config.r2.variant, ==, TL_R2_BR);
	g_assert_cmpuint(config.r2.max_ani, ==, 4);
	g_assert_cmpuint(config.r2.max_dnis, ==, 7);
	g_assert_cmpint(config.r2.ani_first, ==, TL_R2_NO);
	g_assert_cmpint(config.r2.category, ==, TL_R2_COLLECT);
	g_assert_cmpint(config.r2.hunt, ==, TL_HUNT_HIGHEST);
	g_assert_cmpint(config.r2.metering_ms, ==, 400);
	g_assert_true(config.r2.dtmf_dial && !config.r2.charge);
	g_assert_cmpuint(config.r2.dtmf_on_ms, ==, 60);
	g_assert_true(read_lines("r2_skip_category = yes\nr2_ani_first = no\nr2_immediate_accept = yes\n", &config, &span, &error));
	g_assert_true(config.r2.skip_category && config.r2.immediate_accept);
	g_assert_true(read_lines("r2_skip_category = yes\nr2_variant = mx\nr2_mf_threshold_ms = 40\n", &config, &span, &error));
	g_assert_cmpint(config.r2.mf_threshold_ms, ==, 40);
}

static void test_refused(void)
{
	static const struct { const char *lines, *expected; } cases[] = {
		{ "r2_variant = xx\n", "r2_variant" },
		{ "r2_max_ani = 33\n", "r2_max_ani" },
		{ "r2_max_dnis = 0\n", "r2_max_dnis" },
		{ "r2_metering_ms = 5001\n", "r2_metering_ms" },
		{ "r2_mf_threshold_ms = 501\n", "r2_mf_threshold_ms" },
		{ "r2_category = collect\n", "r2_category" },
		{ "r2_skip_category = yes\n", "r2_skip_category" },
		{ "r2_skip_category = yes\nr2_variant = mx\nr2_ani_first = yes\n", "r2_skip_category" },
		{ "r2_immediate_accept = yes\nr2_variant = br\n", "r2_immediate_accept" },
		{ "r2_immediate_accept = yes\nr2_variant = mx\n", "r2_immediate_accept" },
		{ "d_channel = 16\n", "d_channel" },
		{ "law = ulaw\n", "law" },
		{ "backend = pseudowire\n", "backend" },
		{ "kind = t1\n", "kind" },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tl_signalling_config config = { 0 };
		struct tl_span_config span = { .kind = TL_SPAN_E1 };
		g_autoptr(GError) error = NULL;
		g_assert_false(read_lines(cases[i].lines, &config, &span, &error));
		g_assert_nonnull(strstr(error->message, cases[i].expected));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/r2/table", test_table);
	g_test_add_func("/r2/causes", test_causes);
	g_test_add_func("/r2/variants", test_variants);
	g_test_add_func("/r2/settings", test_settings);
	g_test_add_func("/r2/refused", test_refused);
	return g_test_run();
}
