/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Every channel's four bits, both ways, in each of the three framings. */
#include "framer.h"
#include "memory-bus.h"

#include <glib.h>

#define XS1 0x70

struct fixture {
	struct memory_bus memory;
	struct tl_framer framer;
};

static void start(struct fixture *f, const struct tl_framer_config *config)
{
	memory_bus_init(&f->memory);
	g_assert_cmpint(tl_framer_init(&f->framer, &f->memory.bus, 0), ==, 0);
	f->memory.bus.lock.held = 1;
	tl_framer_configure(&f->framer, config);
}

/* What was sent comes back: the registers are the same. */
static void plug(struct fixture *f)
{
	for (unsigned n = 0; n < 16; n++)
		f->memory.status[XS1 + n] = f->memory.written[XS1 + n];
}

static void read_all(struct fixture *f, u8 bits[32])
{
	struct tl_framer_abcd abcd[TL_FRAMER_ABCD_MAX];

	for (unsigned i = 0; i < tl_framer_signalling_count(&f->framer); i++) {
		unsigned n = tl_framer_signalling_read(&f->framer, i, abcd);

		for (unsigned k = 0; k < n; k++) {
			g_assert_cmpuint(abcd[k].channel, <, 32);
			g_assert_cmphex(bits[abcd[k].channel], ==, 0xff);
			bits[abcd[k].channel] = abcd[k].bits;
		}
	}
}

static void check(const struct tl_framer_config *config, unsigned channels, unsigned skip, u8 mask)
{
	struct fixture f;

	start(&f, config);
	for (unsigned round = 0; round < 16; round++) {
		u8 bits[32];

		for (unsigned c = 0; c < 32; c++)
			bits[c] = 0xff;
		for (unsigned c = 1; c <= channels; c++)
			tl_framer_signalling_set(&f.framer, c, (u8)((c * 7 + round * 5) & 0xf));
		plug(&f);
		read_all(&f, bits);
		for (unsigned c = 1; c <= channels; c++)
			g_assert_cmphex(bits[c], ==, c == skip ? 0xff : ((c * 7 + round * 5) & mask));
	}
}

static void test_e1(void)
{
	check(&(struct tl_framer_config){ .line = TL_LINE_E1, .cas = true }, 31, 16, 0xf);
}

static void test_esf(void)
{
	check(&(struct tl_framer_config){ .line = TL_LINE_T1 }, 24, 0, 0xf);
}

static void test_d4(void)
{
	check(&(struct tl_framer_config){ .line = TL_LINE_T1, .d4 = true }, 24, 0, 0xc);
}

static void test_d4_second_half(void)
{
	struct fixture f;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_T1, .d4 = true });
	tl_framer_signalling_set(&f.framer, 2, 0xf);
	g_assert_cmphex(f.memory.written[XS1], ==, 0x30);
	g_assert_cmphex(f.memory.written[XS1 + 6], ==, 0x30);
}

static void test_places_e1(void)
{
	struct fixture f;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_E1, .cas = true });
	tl_framer_signalling_set(&f.framer, 1, 0xa);
	tl_framer_signalling_set(&f.framer, 17, 0x5);
	g_assert_cmphex(f.memory.written[XS1 + 1], ==, 0xa5);
	tl_framer_signalling_set(&f.framer, 15, 0x3);
	tl_framer_signalling_set(&f.framer, 31, 0xc);
	g_assert_cmphex(f.memory.written[XS1 + 15], ==, 0x3c);
}

/* Timeslots 0 and 16 have no bits of their own, and there is no timeslot 32. */
static void test_refused(void)
{
	struct fixture f;
	unsigned before;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_E1, .cas = true });
	before = f.memory.writes;
	tl_framer_signalling_set(&f.framer, 0, 0xf);
	tl_framer_signalling_set(&f.framer, 16, 0xf);
	tl_framer_signalling_set(&f.framer, 32, 0xf);
	g_assert_cmpuint(f.memory.writes, ==, before);
	start(&f, &(struct tl_framer_config){ .line = TL_LINE_T1 });
	before = f.memory.writes;
	tl_framer_signalling_set(&f.framer, 0, 0xf);
	tl_framer_signalling_set(&f.framer, 25, 0xf);
	g_assert_cmpuint(f.memory.writes, ==, before);
}

static void test_ccs_reads_nothing(void)
{
	struct fixture f;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_E1 });
	g_assert_cmpuint(tl_framer_signalling_count(&f.framer), ==, 0);
}

/* An interrupt may still walk ESF's twelve registers when D4 with its six is set. */
static void test_fewer_registers(void)
{
	struct tl_framer_abcd abcd[TL_FRAMER_ABCD_MAX];
	struct fixture f;

	start(&f, &(struct tl_framer_config){ .line = TL_LINE_T1, .d4 = true });
	g_assert_cmpuint(tl_framer_signalling_read(&f.framer, 5, abcd), ==, 4);
	g_assert_cmpuint(abcd[3].channel, ==, 24);
	g_assert_cmpuint(tl_framer_signalling_read(&f.framer, 6, abcd), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/driver/signalling/e1", test_e1);
	g_test_add_func("/driver/signalling/esf", test_esf);
	g_test_add_func("/driver/signalling/d4", test_d4);
	g_test_add_func("/driver/signalling/d4-second-half", test_d4_second_half);
	g_test_add_func("/driver/signalling/places-e1", test_places_e1);
	g_test_add_func("/driver/signalling/refused", test_refused);
	g_test_add_func("/driver/signalling/ccs", test_ccs_reads_nothing);
	g_test_add_func("/driver/signalling/fewer-registers", test_fewer_registers);
	return g_test_run();
}
