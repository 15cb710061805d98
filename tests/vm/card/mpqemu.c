/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "card/mpqemu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define REGIONS_MAX 8

enum command {
	SYNC_SYSMEM,
	RET,
	CONFIG_WRITE,
	CONFIG_READ,
	BAR_WRITE,
	BAR_READ,
	SET_IRQFD,
	DEVICE_RESET,
};

struct header {
	int32_t command;
	int32_t pad;
	uint64_t size;
};

struct config_access {
	uint32_t offset;
	uint32_t value;
	int32_t octets;
};

struct bar_access {
	uint64_t address;
	uint64_t value;
	uint32_t octets;
	uint8_t memory;
	uint8_t pad[3];
};

struct system_memory {
	uint64_t address[REGIONS_MAX];
	uint64_t size[REGIONS_MAX];
	uint64_t offset[REGIONS_MAX];
};

union payload {
	struct config_access config;
	struct bar_access bar;
	struct system_memory memory;
};

_Static_assert(sizeof(struct header) == 16, "wire format");
_Static_assert(sizeof(struct config_access) == 12, "wire format");
_Static_assert(sizeof(struct bar_access) == 24, "wire format");
_Static_assert(sizeof(struct system_memory) == 192, "wire format");

struct region {
	uint64_t address;
	uint64_t size;
	uint8_t *map;
};

struct tl_mpqemu {
	int fd;
	const struct tl_mpqemu_ops *ops;
	void *owner;
	struct region regions[REGIONS_MAX];
	unsigned region_count;
	/* Read ahead, because a message's header tells how long it is, and a second read of it costs as much as the first. */
	uint8_t octets[sizeof(struct header) + sizeof(union payload)];
	size_t held;
	int fds[REGIONS_MAX]; /* came with the last message there; the kernel reads no further than what has some */
	unsigned fd_count;
};

struct tl_mpqemu *tl_mpqemu_new(int fd, const struct tl_mpqemu_ops *ops, void *owner)
{
	struct tl_mpqemu *link = calloc(1, sizeof(*link));

	link->fd = fd;
	link->ops = ops;
	link->owner = owner;
	return link;
}

static void forget_memory(struct tl_mpqemu *link)
{
	for (unsigned i = 0; i < link->region_count; i++)
		munmap(link->regions[i].map, link->regions[i].size);
	link->region_count = 0;
}

void tl_mpqemu_free(struct tl_mpqemu *link)
{
	if (!link)
		return;
	forget_memory(link);
	close(link->fd);
	free(link);
}

int tl_mpqemu_fd(const struct tl_mpqemu *link)
{
	return link->fd;
}

void *tl_mpqemu_memory(const struct tl_mpqemu *link, uint64_t address, size_t octets)
{
	for (unsigned i = 0; i < link->region_count; i++) {
		const struct region *region = &link->regions[i];

		if (address >= region->address && octets <= region->size &&
		    address - region->address <= region->size - octets)
			return region->map + (address - region->address);
	}
	return NULL;
}

/* Takes over the descriptors. */
static void learn_memory(struct tl_mpqemu *link, const struct system_memory *memory, const int *fds,
			 unsigned count)
{
	forget_memory(link);
	for (unsigned i = 0; i < count; i++) {
		uint8_t *map = mmap(NULL, memory->size[i], PROT_READ | PROT_WRITE, MAP_SHARED, fds[i],
				    (off_t)memory->offset[i]);

		close(fds[i]);
		if (map == MAP_FAILED) {
			perror("card-model: cannot map guest memory");
			continue;
		}
		link->regions[link->region_count++] =
			(struct region){ memory->address[i], memory->size[i], map };
	}
}

static bool reply(struct tl_mpqemu *link, uint64_t value)
{
	struct {
		struct header header;
		uint64_t value;
	} message = { { RET, 0, sizeof(value) }, value };

	return write(link->fd, &message, sizeof(message)) == sizeof(message);
}

/* Descriptors of guest memory or of an irqfd may come with a message. */
static bool read_ahead(struct tl_mpqemu *link)
{
	char control[CMSG_SPACE(REGIONS_MAX * sizeof(int))];
	struct iovec vector = { link->octets + link->held, sizeof(link->octets) - link->held };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1,
				  .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t got;

	do
		got = recvmsg(link->fd, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return false;
	link->held += (size_t)got;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		link->fd_count = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(link->fds, CMSG_DATA(c), link->fd_count * sizeof(int));
	}
	return true;
}

static bool serve_bar(struct tl_mpqemu *link, bool is_read, const struct bar_access *bar)
{
	uint64_t value = 0;

	if (is_read)
		value = link->ops->on_bar_read(link->owner, bar->memory, bar->address, bar->octets);
	else
		link->ops->on_bar_write(link->owner, bar->memory, bar->address, bar->octets, bar->value);
	return reply(link, value);
}

static bool serve_config(struct tl_mpqemu *link, bool is_read, const struct config_access *access)
{
	uint32_t value = 0;

	if (is_read)
		value = link->ops->on_config_read(link->owner, access->offset, (unsigned)access->octets);
	else
		link->ops->on_config_write(link->owner, access->offset, (unsigned)access->octets,
					   access->value);
	return reply(link, value);
}

static bool obey(struct tl_mpqemu *link, int command, const union payload *payload)
{
	switch (command) {
	case SYNC_SYSMEM:
		learn_memory(link, &payload->memory, link->fds, link->fd_count);
		link->fd_count = 0;
		return true;
	case SET_IRQFD:
		/* Does nothing under software emulation: the line goes by qtest (irq.h). */
		while (link->fd_count)
			close(link->fds[--link->fd_count]);
		return true;
	case CONFIG_READ:
	case CONFIG_WRITE:
		return serve_config(link, command == CONFIG_READ, &payload->config);
	case BAR_READ:
	case BAR_WRITE:
		return serve_bar(link, command == BAR_READ, &payload->bar);
	case DEVICE_RESET:
		link->ops->on_reset(link->owner);
		return reply(link, 0);
	default:
		fprintf(stderr, "card-model: QEMU sent the unknown message %d\n", command);
		return false;
	}
}

/* The first message of what was read, if it is whole. */
static bool take_message(struct tl_mpqemu *link, struct header *header, union payload *payload)
{
	size_t length;

	if (link->held < sizeof(*header))
		return false;
	memcpy(header, link->octets, sizeof(*header));
	length = sizeof(*header) + header->size;
	if (header->size > sizeof(*payload) || link->held < length)
		return false; /* of one that is too long no room is left to read on */
	memcpy(payload, link->octets + sizeof(*header), header->size);
	link->held -= length;
	memmove(link->octets, link->octets + length, link->held);
	return true;
}

bool tl_mpqemu_serve(struct tl_mpqemu *link)
{
	struct header header;
	union payload payload;

	if (!read_ahead(link))
		return false;
	while (take_message(link, &header, &payload)) {
		if (!obey(link, header.command, &payload))
			return false;
	}
	return true;
}
