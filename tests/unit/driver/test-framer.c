/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What is written to the FALC56, and what is made of its status. */
#include "framer.h"
#include "framer-falc56-regs.h"
#include "memory-bus.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

struct fixture {
	struct memory_bus memory;
	struct tl_framer framer;
};

static void lock(struct fixture *f)
{
	f->memory.bus.lock.held = 1;
}

static void start(struct fixture *f, const struct tl_framer_config *config)
{
	memory_bus_init(&f->memory);
	g_assert_cmpint(tl_framer_init(&f->framer, &f->memory.bus, 0), ==, 0);
	g_assert_cmpint(f->memory.bus.lock.held, ==, 0);
	lock(f);
	tl_framer_configure(&f->framer, config);
}

#define assert_register(f, reg, value) g_assert_cmphex((f)->memory.written[reg], ==, value)

static void test_absent(void)
{
	struct fixture f;

	memory_bus_init(&f.memory);
	f.memory.dead = true;
	g_assert_cmpint(tl_framer_init(&f.framer, &f.memory.bus, 0), ==, -ENODEV);
	g_assert_cmpint(memory_bus_when(&f.memory, SIC1), ==, -1);
}

static void test_versions(void)
{
	struct fixture f;

	memory_bus_init(&f.memory);
	g_assert_cmpint(tl_framer_init(&f.framer, &f.memory.bus, 0), ==, 0);
	assert_register(&f, RC1, 0x05);
	assert_register(&f, GCM(2), 0x18);
	assert_register(&f, GCM(8), 0xdf);
	assert_register(&f, IMR0, 0xff);
	memory_bus_init(&f.memory);
	f.memory.status[VSTR] = VSTR_1_2;
	g_assert_cmpint(tl_framer_init(&f.framer, &f.memory.bus, 0), ==, 0);
	assert_register(&f, RC1, 0x04);
	assert_register(&f, GCM(2), 0x58);
	assert_register(&f, GCM(7), 0x00);
}

static void test_e1(void)
{
	struct fixture f;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_E1, .crc4 = true });
	assert_register(&f, FMR0, 0xf0);
	assert_register(&f, FMR1, 0x0c);
	assert_register(&f, FMR2, 0xc3);
	assert_register(&f, XSW_E1, 0x9f);
	assert_register(&f, XSP_E1, 0x1c);
	assert_register(&f, LIM0, 0x08);
	assert_register(&f, LIM1, 0xf0);
	assert_register(&f, LIM2, 0x20);
	assert_register(&f, PCD, 10);
	assert_register(&f, PCR, 21);
	assert_register(&f, CMDR, 0);
	g_assert_cmpint(memory_bus_when(&f.memory, LIM1), <, memory_bus_when(&f.memory, LIM0));
	start(&f, &(struct tl_framer_config){ .line = TL_LINE_E1, .ami = true, .cas = true });
	assert_register(&f, FMR0, 0xa0);
	assert_register(&f, FMR1, 0x04);
	assert_register(&f, FMR2, 0x03);
	assert_register(&f, XSP_E1, 0x5c);
	assert_register(&f, XS(1), 0x0b);
}

static void test_t1(void)
{
	struct fixture f;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_T1, .clear = 0x800001 });
	assert_register(&f, FMR0, 0xf0);
	assert_register(&f, FMR1, 0x1c);
	assert_register(&f, FMR2, 0x20);
	assert_register(&f, FMR4_T1, 0x0e);
	assert_register(&f, FMR5_T1, 0x40);
	assert_register(&f, LIM1, 0xf8);
	assert_register(&f, LIM2, 0x21);
	assert_register(&f, CCB1_T1, 0x80);
	assert_register(&f, CCB1_T1 + 1, 0x00);
	assert_register(&f, CCB1_T1 + 2, 0x01);
	start(&f, &(struct tl_framer_config){ .line = TL_LINE_T1, .d4 = true, .ami = true });
	assert_register(&f, FMR0, 0xa0);
	assert_register(&f, FMR4_T1, 0x0c);
}

static void test_build_out(void)
{
	static const u8 xpm0[4] = { 0xd7, 0x8c, 0x8c, 0x07 };
	struct fixture f;

	for (u8 step = 0; step < 4; step++) {
		start(&f, &(struct tl_framer_config){ .line = TL_LINE_T1, .build_out = step });
		assert_register(&f, LIM2, 0x21 | step << 6);
		assert_register(&f, XPM0, xpm0[step]);
	}
}

static void test_alarms_sent(void)
{
	struct fixture f;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_E1, .cas = true });
	tl_framer_ais_set(&f.framer, true);
	assert_register(&f, FMR1, 0x05);
	tl_framer_rai_set(&f.framer, true);
	assert_register(&f, XSW_E1, 0xbf);
	tl_framer_distant_mfa_set(&f.framer, true);
	assert_register(&f, XS(1), 0x0f);
	tl_framer_configure(&f.framer, &(struct tl_framer_config){ .line = TL_LINE_T1 });
	assert_register(&f, FMR1, 0x1d);
	assert_register(&f, FMR4_T1, 0x2e);
	tl_framer_ais_set(&f.framer, false);
	tl_framer_rai_set(&f.framer, false);
	assert_register(&f, FMR1, 0x1c);
	assert_register(&f, FMR4_T1, 0x0e);
}

static void test_loops(void)
{
	struct fixture f;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_E1 });
	tl_framer_loop_set(&f.framer, TL_LOOP_LOCAL);
	assert_register(&f, LIM0, 0x0a);
	assert_register(&f, FMR1, 0x05); /* and AIS to the line */
	tl_framer_loop_set(&f.framer, TL_LOOP_NETWORK);
	assert_register(&f, LIM0, 0x08);
	assert_register(&f, LIM1, 0xf6);
	assert_register(&f, FMR1, 0x04);
	tl_framer_loop_set(&f.framer, TL_LOOP_PAYLOAD);
	assert_register(&f, LIM1, 0xf0);
	assert_register(&f, FMR2, 0x07);
	tl_framer_loop_set(&f.framer, TL_LOOP_NONE);
	assert_register(&f, FMR2, 0x03);
}

static void test_loop_codes(void)
{
	struct fixture f;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_T1 });
	tl_framer_loop_code_set(&f.framer, TL_LOOP_CODE_UP);
	assert_register(&f, FMR5_T1, 0x50);
	tl_framer_loop_code_set(&f.framer, TL_LOOP_CODE_DOWN);
	assert_register(&f, FMR5_T1, 0x60);
	start(&f, &(struct tl_framer_config){ .line = TL_LINE_E1 });
	tl_framer_loop_code_set(&f.framer, TL_LOOP_CODE_UP);
	assert_register(&f, XSP_E1, 0x1c); /* the same register means another thing */
	f.memory.status[FRS1] = 0x18;
	g_assert_cmphex(tl_framer_defects(&f.framer), ==, 0);
}

static void test_errors_sent(void)
{
	struct fixture f;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_E1 });
	g_assert_cmpint(tl_framer_error_send(&f.framer, TL_FRAMER_ERROR_FAS), ==, 0);
	assert_register(&f, IERR, 0x20);
	g_assert_cmpint(tl_framer_error_send(&f.framer, TL_FRAMER_ERROR_CRC), ==, -EOPNOTSUPP);
	g_assert_cmpint(tl_framer_error_send(&f.framer, TL_FRAMER_ERROR_CAS), ==, -EOPNOTSUPP);
	assert_register(&f, IERR, 0x20);
}

static unsigned defects_of(struct fixture *f, u8 frs0, u8 frs1)
{
	f->memory.status[FRS0] = frs0;
	f->memory.status[FRS1] = frs1;
	return tl_framer_defects(&f->framer);
}

static void test_defects(void)
{
	struct fixture f;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_E1, .crc4 = true });
	f.memory.reads = 0;
	g_assert_cmphex(defects_of(&f, 0x00, 0xff), ==, 0);
	g_assert_cmpuint(f.memory.reads, ==, 1);
	g_assert_cmphex(defects_of(&f, 0xa2, 0), ==, TL_DEFECT_LOS | TL_DEFECT_LFA | TL_DEFECT_LMFA);
	g_assert_cmphex(defects_of(&f, 0x60, 0), ==, TL_DEFECT_AIS | TL_DEFECT_LFA);
	g_assert_cmphex(defects_of(&f, 0x10, 0), ==, TL_DEFECT_RAI);
	g_assert_cmphex(defects_of(&f, 0x06, 0), ==, TL_SEEN_NO_CRC4);
	start(&f, &(struct tl_framer_config){ .line = TL_LINE_E1, .cas = true });
	g_assert_cmphex(defects_of(&f, 0x02, 0x08), ==, TL_DEFECT_LMFA);
	g_assert_cmphex(defects_of(&f, 0x02, 0x40), ==, TL_DEFECT_DISTANT_MFA);
	start(&f, &(struct tl_framer_config){ .line = TL_LINE_T1 });
	g_assert_cmphex(defects_of(&f, 0x22, 0x08), ==, TL_DEFECT_LFA | TL_SEEN_LOOP_UP);
	g_assert_cmphex(defects_of(&f, 0x00, 0x10), ==, TL_SEEN_LOOP_DOWN);
}

static void test_second(void)
{
	static const u8 counters[8] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08 };
	struct tl_framer_errors e = { .crc = 77 };
	unsigned slips = 0;
	struct fixture f;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_E1, .crc4 = true });
	memcpy(f.memory.status + FECL, counters, sizeof(counters));
	g_assert_false(tl_framer_second(&f.framer, &e, &slips));
	g_assert_cmpuint(e.crc, ==, 77);
	f.memory.status[ISR3] = 0x41;
	f.memory.status[ISR4] = 0x80;
	g_assert_true(tl_framer_second(&f.framer, &e, &slips));
	g_assert_cmphex(e.framing, ==, 0x0201);
	g_assert_cmphex(e.code, ==, 0x0403);
	g_assert_cmphex(e.crc, ==, 0x0605);
	g_assert_cmphex(e.ebit, ==, 0x0807);
	g_assert_cmpuint(slips, ==, 2);
	g_assert_false(tl_framer_second(&f.framer, &e, &slips));
	g_assert_cmpuint(slips, ==, 2);
}

static void test_revive(void)
{
	struct fixture f;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_E1, .cas = true });
	tl_framer_signalling_set(&f.framer, 31, 0x9);
	tl_framer_loop_set(&f.framer, TL_LOOP_PAYLOAD);
	memset(f.memory.written, 0, sizeof(f.memory.written));
	f.memory.bus.lock.held = 0;
	g_assert_cmpint(tl_framer_revive(&f.framer), ==, 0);
	lock(&f);
	tl_framer_configure(&f.framer, &f.framer.config);
	assert_register(&f, XS(16), 0x09);
	assert_register(&f, FMR2, 0x07);
	assert_register(&f, SIC1, 0x02);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/driver/framer/absent", test_absent);
	g_test_add_func("/driver/framer/versions", test_versions);
	g_test_add_func("/driver/framer/e1", test_e1);
	g_test_add_func("/driver/framer/t1", test_t1);
	g_test_add_func("/driver/framer/build-out", test_build_out);
	g_test_add_func("/driver/framer/alarms-sent", test_alarms_sent);
	g_test_add_func("/driver/framer/loops", test_loops);
	g_test_add_func("/driver/framer/loop-codes", test_loop_codes);
	g_test_add_func("/driver/framer/errors-sent", test_errors_sent);
	g_test_add_func("/driver/framer/defects", test_defects);
	g_test_add_func("/driver/framer/second", test_second);
	g_test_add_func("/driver/framer/revive", test_revive);
	return g_test_run();
}
