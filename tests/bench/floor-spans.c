/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "floor-spans.h"

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

struct span {
	int fd;
	struct sockaddr_in far;
	struct mmsghdr in[PW_A_TICK], out[PW_A_TICK];
	struct iovec in_iov[PW_A_TICK], out_iov[PW_A_TICK];
	uint8_t octets[PW_A_TICK][PW_OCTETS];
};

static struct span spans[SPANS_MAX];

static void span_open(struct span *span, const struct plan *plan, unsigned i)
{
	span->fd = plan_socket(plan, NODE_PW_PORT(i));
	span->far = plan_address(plan, LOAD_PW_PORT(i));
	for (unsigned k = 0; k < PW_A_TICK; k++) {
		span->in_iov[k] = span->out_iov[k] = (struct iovec){ span->octets[k], PW_OCTETS };
		span->in[k].msg_hdr = (struct msghdr){ .msg_iov = &span->in_iov[k], .msg_iovlen = 1 };
		span->out[k].msg_hdr = (struct msghdr){ .msg_name = &span->far, .msg_namelen = sizeof span->far,
							.msg_iov = &span->out_iov[k], .msg_iovlen = 1 };
	}
}

void floor_spans_open(const struct plan *plan)
{
	for (unsigned i = 0; i < plan->spans; i++)
		span_open(&spans[i], plan, i);
}

void floor_spans_relay(const struct plan *plan)
{
	for (struct span *span = spans; span < spans + plan->spans; span++) {
		(void)!recvmmsg(span->fd, span->in, PW_A_TICK, MSG_DONTWAIT, NULL);
		(void)!sendmmsg(span->fd, span->out, PW_A_TICK, MSG_DONTWAIT);
	}
}
