/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "card/irq.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PINS 24
#define IOAPIC "/machine/i440fx/ioapic"

struct tl_irq {
	int fd;
	uint32_t holders[PINS];
};

struct tl_irq *tl_irq_new(int fd)
{
	struct tl_irq *irq = calloc(1, sizeof(*irq));

	irq->fd = fd;
	return irq;
}

void tl_irq_free(struct tl_irq *irq)
{
	if (!irq)
		return;
	close(irq->fd);
	free(irq);
}

int tl_irq_fd(const struct tl_irq *irq)
{
	return irq->fd;
}

bool tl_irq_drain(struct tl_irq *irq)
{
	char text[256];

	return recv(irq->fd, text, sizeof(text), MSG_DONTWAIT) != 0;
}

static void wait_for_ok(struct tl_irq *irq)
{
	char text[256];
	size_t length = 0;

	do {
		ssize_t got = read(irq->fd, text + length, sizeof(text) - 1 - length);

		if (got <= 0)
			return;
		length += (size_t)got;
	} while (text[length - 1] != '\n' && length < sizeof(text) - 1);
	text[length] = '\0';
	if (strncmp(text, "OK", 2))
		fprintf(stderr, "card-model: fatal: qtest answered %s", text);
}

void tl_irq_set(struct tl_irq *irq, unsigned holder, unsigned pin, bool level)
{
	uint32_t before, after;
	char text[128];
	int length;

	/* Before the firmware has routed it, the line register reads 0 or 255. */
	if (pin == 0 || pin >= PINS)
		return;
	before = irq->holders[pin];
	after = level ? before | 1u << holder : before & ~(1u << holder);
	irq->holders[pin] = after;
	if (!before == !after)
		return;
	length = snprintf(text, sizeof(text), "set_irq_in " IOAPIC " unnamed-gpio-in %u %d\n", pin, after != 0);
	if (write(irq->fd, text, (size_t)length) == length)
		wait_for_ok(irq);
}
