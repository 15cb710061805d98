/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * For LD_PRELOAD: loses RTP packets of G.711 of 20 ms, both ways and at random, as a network would. RTP_LOSS is how many percent.
 * They are told by their size and first octet; nothing else that a node sends looks so.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#define PACKET (12 + 160)
#define VERSION_2 0x80

static ssize_t (*next_recvmsg)(int, struct msghdr *, int);
static ssize_t (*next_sendto)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
static double share;

__attribute__((constructor)) static void begin(void)
{
	const char *percent = getenv("RTP_LOSS");
	if (!percent)
		abort(); /* a measurement without loss would prove nothing */
	share = atof(percent) / 100;
	next_recvmsg = (__typeof__(next_recvmsg))dlsym(RTLD_NEXT, "recvmsg");
	next_sendto = (__typeof__(next_sendto))dlsym(RTLD_NEXT, "sendto");
}

static bool is_lost(const void *octets, ssize_t n)
{
	static __thread unsigned short seed[3];
	if (!seed[1])
		seed[1] = (unsigned short)((unsigned long)pthread_self() >> 12) | 1;
	return n == PACKET && *(const unsigned char *)octets == VERSION_2 && erand48(seed) < share;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t n = next_recvmsg(fd, message, flags);
	if (n <= 0 || message->msg_iovlen != 1 || !is_lost(message->msg_iov[0].iov_base, n))
		return n;
	errno = EAGAIN;
	return -1;
}

ssize_t sendto(int fd, const void *octets, size_t n, int flags, const struct sockaddr *to, socklen_t length)
{
	return is_lost(octets, n) ? (ssize_t)n : next_sendto(fd, octets, n, flags, to, length);
}
