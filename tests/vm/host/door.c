/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * vm-door SOCKET: a UNIX socket of this host for one connection from the guest
 * (QEMU's guestfwd=...-cmd:). A test knocks several times a second.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* False when @from has ended, or @to. */
static bool pass(int from, int to)
{
	char octets[65536];
	ssize_t got = read(from, octets, sizeof(octets));

	for (ssize_t done = 0, written; done < got; done += written) {
		written = write(to, octets + done, (size_t)(got - done));
		if (written <= 0)
			return false;
	}
	return got > 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct pollfd ways[2] = { { STDIN_FILENO, POLLIN, 0 }, { socket(AF_UNIX, SOCK_STREAM, 0), POLLIN, 0 } };

	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
		return 2;
	strcpy(address.sun_path, argv[1]);
	if (connect(ways[1].fd, (struct sockaddr *)&address, sizeof(address))) {
		perror(argv[1]);
		return 1;
	}
	while (poll(ways, 2, -1) > 0)
		for (int i = 0; i < 2; i++)
			if (ways[i].revents && !pass(ways[i].fd, ways[!i].fd))
				return 0;
	return 1;
}
