/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * card-model --control PATH --card SPEC [--card SPEC]... -- qemu-system-x86_64 ARGUMENT...
 *
 * Starts QEMU with one x-pci-proxy-dev for each card and serves them from one
 * poll loop until QEMU ends; exits with QEMU's status. SPEC: see README.md.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "card/card.h"
#include "card/control.h"
#include "card/spec.h"

#define CARDS_MAX 4
#define FIRST_SLOT 5 /* two slots apart: on "pc", INTA of 5 and 7 are different lines */

struct machine {
	struct tl_card_config configs[CARDS_MAX];
	struct tl_card *cards[CARDS_MAX];
	unsigned count;
	const char *control_path;
	struct tl_control *control;
	struct tl_irq *irq;
	struct tl_guest *guest;
	int64_t next_us; /* when a card has something to do, whatever comes */
	pid_t qemu;
	int qemu_fds[1 + CARDS_MAX]; /* QEMU's ends: qtest, then a link a card */
	int model_fds[1 + CARDS_MAX];
};

static int64_t monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* Returns the index of QEMU's own words, or -1. */
static int parse_options(struct machine *machine, int argc, char **argv)
{
	int i = 1;

	for (; i + 1 < argc && strcmp(argv[i], "--"); i += 2) {
		if (!strcmp(argv[i], "--control")) {
			machine->control_path = argv[i + 1];
		} else if (!strcmp(argv[i], "--card") && machine->count < CARDS_MAX) {
			if (!tl_spec_parse(argv[i + 1], &machine->configs[machine->count++]))
				return -1;
		} else {
			fprintf(stderr, "card-model: unknown option, or a card too many: %s\n", argv[i]);
			return -1;
		}
	}
	if (i + 1 >= argc || !machine->control_path || !machine->count) {
		fprintf(stderr, "usage: card-model --control PATH --card SPEC... -- qemu-system-x86_64 ...\n");
		return -1;
	}
	return i + 1;
}

static bool make_sockets(struct machine *machine)
{
	for (unsigned i = 0; i < 1 + machine->count; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
			perror("card-model: fatal: socketpair");
			return false;
		}
		machine->model_fds[i] = pair[0];
		machine->qemu_fds[i] = pair[1];
	}
	return true;
}

static char *text(const char *format, int a, int b, int c)
{
	char *result;

	return asprintf(&result, format, a, b, c) < 0 ? NULL : result;
}

/* Runs in the child: QEMU's words, and the devices that this program is behind. */
static void become_qemu(struct machine *machine, char **words)
{
	char *argv[256];
	unsigned n = 0;

	while (words[n] && n < 200) {
		argv[n] = words[n];
		n++;
	}
	argv[n++] = "-name";
	argv[n++] = "debug-threads=on";
	argv[n++] = "-chardev";
	argv[n++] = text("socket,id=qtest,fd=%d", dup(machine->qemu_fds[0]), 0, 0);
	argv[n++] = "-object";
	argv[n++] = "qtest,id=qtest0,chardev=qtest,log=none";
	for (unsigned i = 0; i < machine->count; i++) {
		argv[n++] = "-device";
		argv[n++] = text("x-pci-proxy-dev,fd=%d,bus=pci.0,addr=%d,id=card%d",
				 dup(machine->qemu_fds[1 + i]), FIRST_SLOT + 2 * (int)i, (int)i);
	}
	argv[n] = NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static bool start(struct machine *machine, char **words)
{
	machine->control = tl_control_new(machine->control_path, machine->cards, machine->count);
	if (!machine->control || !make_sockets(machine))
		return false;
	machine->irq = tl_irq_new(machine->model_fds[0]);
	machine->guest = tl_guest_new();
	for (unsigned i = 0; i < machine->count; i++) {
		machine->cards[i] =
			tl_card_new(&machine->configs[i], i, machine->model_fds[1 + i], machine->irq,
				    machine->guest);
		if (!machine->cards[i])
			return false;
	}
	machine->qemu = fork();
	if (machine->qemu == 0)
		become_qemu(machine, words);
	for (unsigned i = 0; i < 1 + machine->count; i++)
		close(machine->qemu_fds[i]);
	if (machine->qemu > 0)
		tl_guest_start(machine->guest, machine->qemu);
	prctl(PR_SET_TIMERSLACK, 1000); /* nanoseconds: the usual 50,000 are an eighth of a short period */
	return machine->qemu > 0;
}

static void let_time_pass(struct machine *machine)
{
	machine->next_us = INT64_MAX;
	for (unsigned i = 0; i < machine->count; i++) {
		int64_t due_us = tl_card_run(machine->cards[i], monotonic_us());

		machine->next_us = due_us < machine->next_us ? due_us : machine->next_us;
	}
}

static int wait_for_work(struct machine *machine, struct pollfd *fds, nfds_t count)
{
	int64_t left_us = machine->next_us - monotonic_us();
	struct timespec left = { .tv_sec = 0 };

	if (left_us > 0)
		left = (struct timespec){ left_us / 1000000, left_us % 1000000 * 1000 };
	return ppoll(fds, count, &left, NULL);
}

/* False once QEMU has gone. */
static bool serve_once(struct machine *machine)
{
	struct pollfd fds[1 + 2 * CARDS_MAX + TL_CONTROL_FDS] = { { tl_irq_fd(machine->irq), POLLIN, 0 } };
	struct pollfd *links = fds + 1, *lines = links + machine->count,
		      *control = lines + machine->count;

	for (unsigned i = 0; i < machine->count; i++) {
		links[i] = (struct pollfd){ tl_mpqemu_fd(machine->cards[i]->link), POLLIN, 0 };
		lines[i] = (struct pollfd){ tl_line_fd(machine->cards[i]->line), POLLIN, 0 };
	}
	tl_control_prepare(machine->control, control);
	if (wait_for_work(machine, fds, 1 + 2 * machine->count + TL_CONTROL_FDS) < 0)
		return true;
	if (fds[0].revents && !tl_irq_drain(machine->irq))
		return false;
	for (unsigned i = 0; i < machine->count; i++) {
		if (links[i].revents && !tl_mpqemu_serve(machine->cards[i]->link))
			return false;
		if (lines[i].revents)
			tl_line_receive(machine->cards[i]->line, monotonic_us());
	}
	tl_control_dispatch(machine->control, control);
	let_time_pass(machine);
	return true;
}

static int finish(struct machine *machine)
{
	int status = 0;

	if (machine->qemu > 0)
		waitpid(machine->qemu, &status, 0);
	for (unsigned i = 0; i < machine->count; i++)
		tl_card_free(machine->cards[i]);
	tl_irq_free(machine->irq);
	tl_guest_free(machine->guest);
	tl_control_free(machine->control);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	static struct machine machine;
	int words = parse_options(&machine, argc, argv);

	if (words < 0)
		return 2;
	if (!start(&machine, argv + words))
		return 1;
	while (serve_once(&machine))
		;
	return finish(&machine);
}
