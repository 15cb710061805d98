/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_OCTETS (1 << 20)

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
	stopping = 1;
}

static void prepare_process(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct rlimit limit;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void fail(const char *what, unsigned port)
{
	fprintf(stderr, "bench: %s, port %u: %s\n", what, port, strerror(errno));
	exit(1);
}

void plan_read(struct plan *plan, int argc, char **argv)
{
	int option;
	*plan = (struct plan){ .host = "127.0.0.1", .legs = BEARERS, .jitter_ms = 20, .threads = 1 };
	while ((option = getopt(argc, argv, "a:l:j:sdeobf:Ot:")) != -1) {
		if (option == 'a')
			plan->host = optarg;
		else if (option == 'l')
			plan->legs = (unsigned)atoi(optarg);
		else if (option == 'j')
			plan->jitter_ms = (unsigned)atoi(optarg);
		else if (option == 's')
			plan->smooth = true;
		else if (option == 'd')
			plan->detect = true;
		else if (option == 'e')
			plan->echo = true;
		else if (option == 'o')
			plan->opus = true;
		else if (option == 'b')
			plan->bare = true;
		else if (option == 'f')
			plan->folder = optarg;
		else if (option == 't')
			plan->threads = (unsigned)atoi(optarg);
		else if (option == 'O')
			plan->record_opus = true;
		else
			exit(2);
	}
	if (plan->legs < 1 || plan->legs > LEGS_MAX) {
		fprintf(stderr, "bench: -l: expected 1 to %d legs\n", LEGS_MAX);
		exit(2);
	}
	plan->spans = plan->echo ? 0 : (plan->legs + BEARERS - 1) / BEARERS;
	prepare_process();
}

struct sockaddr_in plan_address(const struct plan *plan, unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	inet_pton(AF_INET, plan->host, &address.sin_addr);
	return address;
}

int plan_socket(const struct plan *plan, unsigned port)
{
	struct sockaddr_in address = plan_address(plan, port);
	int octets = BUFFER_OCTETS;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
		fail("bind", port);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
	return fd;
}

int64_t plan_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

bool plan_sleep_until(int64_t at_ns)
{
	struct timespec at = { at_ns / 1000000000, at_ns % 1000000000 };
	while (!stopping && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
	return !stopping;
}
