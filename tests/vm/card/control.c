/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "card/control.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "card/command.h"

#define CLIENTS (TL_CONTROL_FDS - 1)
#define LINE_MAX_OCTETS 512

struct client {
	int fd;
	char text[LINE_MAX_OCTETS];
	size_t length;
};

struct tl_control {
	int listener;
	struct client clients[CLIENTS];
	struct tl_card **cards;
	unsigned count;
};

static int listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path)) {
		fprintf(stderr, "card-model: fatal: %s: longer than a socket's path may be\n", path);
		return -1;
	}
	strcpy(address.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, CLIENTS)) {
		perror("card-model: fatal: cannot listen on the control socket");
		return -1;
	}
	return fd;
}

struct tl_control *tl_control_new(const char *path, struct tl_card **cards, unsigned count)
{
	struct tl_control *control = calloc(1, sizeof(*control));

	control->cards = cards;
	control->count = count;
	for (unsigned i = 0; i < CLIENTS; i++)
		control->clients[i].fd = -1;
	control->listener = listen_on(path);
	if (control->listener < 0) {
		free(control);
		return NULL;
	}
	return control;
}

void tl_control_free(struct tl_control *control)
{
	if (!control)
		return;
	for (unsigned i = 0; i < CLIENTS; i++)
		if (control->clients[i].fd >= 0)
			close(control->clients[i].fd);
	close(control->listener);
	free(control);
}

void tl_control_prepare(struct tl_control *control, struct pollfd *fds)
{
	fds[0] = (struct pollfd){ control->listener, POLLIN, 0 };
	for (unsigned i = 0; i < CLIENTS; i++)
		fds[1 + i] = (struct pollfd){ control->clients[i].fd, POLLIN, 0 };
}

static void accept_client(struct tl_control *control)
{
	int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);

	for (unsigned i = 0; i < CLIENTS && fd >= 0; i++) {
		if (control->clients[i].fd >= 0)
			continue;
		control->clients[i] = (struct client){ .fd = fd };
		return;
	}
	if (fd >= 0)
		close(fd);
}

/* In one write: the guest's serial port may not be read while it waits in a BAR. */
static void answer(struct tl_control *control, int fd, char *command)
{
	char text[2048];

	tl_command_run(control->cards, control->count, command, text, sizeof(text) - 1);
	strcat(text, "\n");
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void read_client(struct tl_control *control, struct client *client)
{
	ssize_t got = read(client->fd, client->text + client->length,
			   sizeof(client->text) - 1 - client->length);
	char *end;

	if (got <= 0) {
		close(client->fd);
		client->fd = -1;
		return;
	}
	client->length += (size_t)got;
	client->text[client->length] = '\0';
	while ((end = strpbrk(client->text, "\r\n"))) {
		*end = '\0';
		if (client->text[0])
			answer(control, client->fd, client->text);
		client->length -= (size_t)(end + 1 - client->text);
		memmove(client->text, end + 1, client->length + 1);
	}
	if (client->length == sizeof(client->text) - 1)
		client->length = 0;
}

void tl_control_dispatch(struct tl_control *control, const struct pollfd *fds)
{
	if (fds[0].revents)
		accept_client(control);
	for (unsigned i = 0; i < CLIENTS; i++)
		if (fds[1 + i].revents && fds[1 + i].fd == control->clients[i].fd)
			read_client(control, &control->clients[i]);
}
