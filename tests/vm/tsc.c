/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * vm-tsc: the rate of the time stamp counter in kHz. QEMU gives the guest the
 * host's; told its rate, the guest's kernel need not measure it, which on a busy
 * host goes wrong by a factor.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define PAUSE_NS 100000000

struct mark {
	uint64_t ticks;
	int64_t ns;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The tightest of several tries: counter and clock as nearly at once as can be. */
static struct mark mark(void)
{
	struct mark best = { 0, 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 20; i++) {
		const uint64_t before = __rdtsc();
		const int64_t ns = now_ns();
		const uint64_t width = __rdtsc() - before;

		if (width < least) {
			least = width;
			best = (struct mark){ before + width / 2, ns };
		}
	}
	return best;
}

int main(void)
{
	const struct timespec pause = { 0, PAUSE_NS };
	const struct mark first = mark();
	struct mark last;

	nanosleep(&pause, NULL);
	last = mark();
	printf("%.0f\n", (double)(last.ticks - first.ticks) * 1e6 / (double)(last.ns - first.ns));
	return 0;
}
