/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "fax/udptl.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#define SLOTS 64            /* a power of two; what is remembered of both directions */
#define REACH_MAX 48        /* packets back that copies or parities may tell of */
#define COPIES_MAX REACH_MAX
#define PARITIES_MAX 16
#define JUMP_MAX 1000       /* numbers lost in one go, half a minute's; beyond it, the far end began anew */
#define FEC 0x80            /* error-recovery's choice */

struct slot {
	uint16_t sequence, n;   /* n 0: not known */
	uint8_t octets[TL_UDPTL_IFP_MAX];
};

/* A piece of a datagram. */
struct piece {
	const uint8_t *at;
	size_t n;
};

struct datagram {
	uint16_t sequence;
	struct piece primary;
	unsigned n_copies;      /* of sequence - 1, - 2 ... */
	struct piece copies[COPIES_MAX];
	unsigned span, n_parities;
	struct piece parities[PARITIES_MAX];
};

struct tl_udptl {
	struct tl_udptl_config config;
	tl_udptl_packet on_packet;
	void *user;
	struct tl_udptl_counters counters;

	uint16_t next;          /* to be sent */
	unsigned n_sent;        /* SLOTS at most */
	struct slot sent[SLOTS];

	bool heard;
	uint16_t expected;
	struct slot came[SLOTS];
};

struct tl_udptl *tl_udptl_new(const struct tl_udptl_config *config, tl_udptl_packet on_packet, void *user)
{
	struct tl_udptl *udptl = g_new0(struct tl_udptl, 1);
	udptl->config = *config;
	udptl->config.copies = CLAMP(config->copies, 1, 8);
	udptl->config.parities = CLAMP(config->parities, 1, 4);
	udptl->config.datagram_max = MIN(config->datagram_max, TL_UDPTL_OCTETS_MAX);
	udptl->on_packet = on_packet;
	udptl->user = user;
	return udptl;
}

void tl_udptl_free(struct tl_udptl *udptl)
{
	g_free(udptl);
}

const struct tl_udptl_counters *tl_udptl_counters(const struct tl_udptl *udptl)
{
	return &udptl->counters;
}

static struct slot *slot_at(struct slot *slots, uint16_t sequence)
{
	return &slots[sequence % SLOTS];
}

static const struct slot *known(struct slot *slots, uint16_t sequence)
{
	const struct slot *slot = slot_at(slots, sequence);
	return slot->n && slot->sequence == sequence ? slot : NULL;
}

static void remember(struct slot *slots, uint16_t sequence, const uint8_t *octets, size_t n)
{
	struct slot *slot = slot_at(slots, sequence);
	slot->sequence = sequence;
	slot->n = n;
	memcpy(slot->octets, octets, n);
}

/* ---- reading ---- */

/* A length (ITU-T X.691 10.9): one octet below 128, two below 16384; fragments are longer than a datagram. */
static bool read_length(struct piece *rest, size_t *value)
{
	if (!rest->n)
		return false;
	size_t used = rest->at[0] & 0x80 ? 2 : 1;
	if (used > rest->n || (rest->at[0] & 0xc0) == 0xc0)
		return false;
	*value = used == 2 ? (size_t)(rest->at[0] & 0x3f) << 8 | rest->at[1] : rest->at[0];
	rest->at += used, rest->n -= used;
	return true;
}

static bool read_open(struct piece *rest, struct piece *value)
{
	size_t n;
	if (!read_length(rest, &n) || n > rest->n || n > TL_UDPTL_IFP_MAX)
		return false;
	*value = (struct piece){ rest->at, n };
	rest->at += n, rest->n -= n;
	return true;
}

static bool read_copies(struct piece *rest, struct datagram *datagram)
{
	size_t n;
	if (!read_length(rest, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct piece copy;
		if (!read_open(rest, &copy))
			return false;
		if (i < COPIES_MAX) /* older ones are of no use, but must be right */
			datagram->copies[datagram->n_copies++] = copy;
	}
	return true;
}

/* fec-npackets is an integer without bounds: a length, which is 1 for any that makes sense, and the value. */
static bool read_parities(struct piece *rest, struct datagram *datagram)
{
	size_t width, n;
	if (!read_length(rest, &width) || width != 1 || !rest->n)
		return false;
	datagram->span = rest->at[0];
	rest->at++, rest->n--;
	if (!read_length(rest, &n) || n > PARITIES_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!read_open(rest, &datagram->parities[datagram->n_parities++]))
			return false;
	return true;
}

static bool read_datagram(struct piece rest, struct datagram *datagram)
{
	if (rest.n < 2)
		return false;
	datagram->sequence = rest.at[0] << 8 | rest.at[1];
	rest.at += 2, rest.n -= 2;
	if (!read_open(&rest, &datagram->primary) || !datagram->primary.n)
		return false;
	if (!rest.n)
		return true; /* some leave the empty list of copies out */
	bool fec = rest.at[0] & FEC;
	rest.at++, rest.n--;
	return fec ? read_parities(&rest, datagram) : read_copies(&rest, datagram);
}

/* ---- what was missing ---- */

/* Parity @p is over span packets, n_parities apart, the last of them n_parities - @p before this one (T.38 9.1.4.2). */
static uint16_t covered(const struct datagram *datagram, unsigned p, unsigned i)
{
	return datagram->sequence - datagram->n_parities * (datagram->span - i) + p;
}

static bool mend(struct tl_udptl *udptl, const struct datagram *datagram, unsigned p)
{
	struct piece parity = datagram->parities[p];
	uint8_t octets[TL_UDPTL_IFP_MAX];
	unsigned missing = 0;
	uint16_t which = 0;
	memcpy(octets, parity.at, parity.n);
	for (unsigned i = 0; i < datagram->span; i++) {
		const struct slot *slot = known(udptl->came, covered(datagram, p, i));
		missing += !slot;
		if (!slot)
			which = covered(datagram, p, i);
		for (size_t at = 0; slot && at < MIN(slot->n, parity.n); at++)
			octets[at] ^= slot->octets[at];
	}
	if (missing != 1 || (int16_t)(which - udptl->expected) < 0)
		return false;
	/* The longest one's length: what follows the packet's end is zero, and IFP knows where it ends. */
	remember(udptl->came, which, octets, parity.n);
	return true;
}

static void use_parities(struct tl_udptl *udptl, const struct datagram *datagram)
{
	if (!datagram->span || datagram->span * datagram->n_parities > REACH_MAX)
		return;
	for (unsigned p = 0; p < datagram->n_parities; p++)
		if (datagram->parities[p].n)
			mend(udptl, datagram, p);
}

static void use_copies(struct tl_udptl *udptl, const struct datagram *datagram)
{
	for (unsigned i = 0; i < datagram->n_copies; i++) {
		uint16_t sequence = datagram->sequence - 1 - i;
		const struct piece *copy = &datagram->copies[i];
		if (copy->n && (int16_t)(sequence - udptl->expected) >= 0)
			remember(udptl->came, sequence, copy->at, copy->n);
	}
}

static void deliver(struct tl_udptl *udptl, const struct datagram *datagram)
{
	uint16_t gap = datagram->sequence - udptl->expected;
	use_copies(udptl, datagram);
	use_parities(udptl, datagram);
	/* What lies further back than the slots reach is gone in any case. */
	for (uint16_t before = gap; before; before--) {
		uint16_t sequence = datagram->sequence - before;
		const struct slot *slot = before < SLOTS ? known(udptl->came, sequence) : NULL;
		udptl->counters.recovered += slot != NULL;
		udptl->counters.lost += slot == NULL;
		if (slot)
			udptl->on_packet(slot->octets, slot->n, sequence, udptl->user);
	}
	remember(udptl->came, datagram->sequence, datagram->primary.at, datagram->primary.n);
	udptl->expected = datagram->sequence + 1;
	udptl->on_packet(datagram->primary.at, datagram->primary.n, datagram->sequence, udptl->user);
}

static void begin_at(struct tl_udptl *udptl, uint16_t sequence)
{
	memset(udptl->came, 0, sizeof udptl->came);
	udptl->expected = sequence;
}

/* RFC 3550 5.1: version 2, a header of 12 octets. */
static bool is_rtp(const uint8_t *octets, size_t n)
{
	return n >= 12 && octets[0] >> 6 == 2;
}

int tl_udptl_hear(struct tl_udptl *udptl, const uint8_t *octets, size_t n)
{
	struct datagram datagram = { 0 };
	if (!read_datagram((struct piece){ octets, n }, &datagram)) {
		/* The call has just gone over: audio that was on its way is no fault of anybody's. */
		udptl->counters.malformed += udptl->heard || !is_rtp(octets, n);
		return -EBADMSG;
	}
	udptl->counters.received++;
	int16_t ahead = datagram.sequence - udptl->expected;
	if (!udptl->heard) {
		/* Numbers begin at 0: what was lost before the first that came may be had from it. */
		begin_at(udptl, datagram.sequence < REACH_MAX ? 0 : datagram.sequence);
		udptl->heard = true;
	} else if (ahead < 0 && ahead > -SLOTS) {
		udptl->counters.repeated++;
		return 0;
	} else if (ahead < 0 || ahead > JUMP_MAX) {
		udptl->counters.restarts++;
		begin_at(udptl, datagram.sequence);
	}
	deliver(udptl, &datagram);
	return 0;
}

/* ---- writing ---- */

static size_t length_octets(size_t n)
{
	return n < 128 ? 1 : 2;
}

static uint8_t *write_open(uint8_t *at, const uint8_t *octets, size_t n)
{
	if (n >= 128)
		*at++ = 0x80 | n >> 8;
	*at++ = n & 0xff;
	memcpy(at, octets, n);
	return at + n;
}

static uint8_t *write_copies(struct tl_udptl *udptl, uint8_t *at, size_t room)
{
	uint8_t *count = at + 1;
	at[0] = 0;
	*count = 0;
	at += 2;
	unsigned most = udptl->config.correction == TL_T38_PLAIN ? 0 : MIN(udptl->config.copies, udptl->n_sent);
	for (unsigned i = 1; i <= most; i++) {
		const struct slot *slot = slot_at(udptl->sent, udptl->next - i);
		size_t more = length_octets(slot->n) + slot->n;
		if (more > room)
			break;
		room -= more;
		at = write_open(at, slot->octets, slot->n);
		++*count;
	}
	return at;
}

static size_t parity(struct tl_udptl *udptl, unsigned p, unsigned span, unsigned parities, uint8_t out[TL_UDPTL_IFP_MAX])
{
	const struct datagram frame = { .sequence = udptl->next, .span = span, .n_parities = parities };
	size_t longest = 0;
	memset(out, 0, TL_UDPTL_IFP_MAX);
	for (unsigned i = 0; i < span; i++) {
		const struct slot *slot = slot_at(udptl->sent, covered(&frame, p, i));
		for (size_t at = 0; at < slot->n; at++)
			out[at] ^= slot->octets[at];
		longest = MAX(longest, slot->n);
	}
	return longest;
}

/* The longest parity of @parities over @span; 0 when not so many packets were sent. */
static size_t parities_octets(struct tl_udptl *udptl, unsigned span, unsigned parities)
{
	size_t octets = 4;
	uint8_t scratch[TL_UDPTL_IFP_MAX];
	for (unsigned p = 0; p < parities; p++) {
		size_t n = parity(udptl, p, span, parities, scratch);
		octets += length_octets(n) + n;
	}
	return octets;
}

static uint8_t *write_parities(struct tl_udptl *udptl, uint8_t *at, size_t room)
{
	unsigned parities = MIN(udptl->config.parities, udptl->n_sent);
	uint8_t octets[TL_UDPTL_IFP_MAX];
	/* In the beginning there is less to cover; and what does not fit is not sent. */
	while (parities && parities_octets(udptl, MIN(udptl->config.copies, udptl->n_sent / parities), parities) > room)
		parities--;
	unsigned span = parities ? MIN(udptl->config.copies, udptl->n_sent / parities) : 0;
	if (!parities)
		return write_copies(udptl, at, 0);
	*at++ = FEC;
	*at++ = 1;
	*at++ = span;
	*at++ = parities;
	for (unsigned p = 0; p < parities; p++)
		at = write_open(at, octets, parity(udptl, p, span, parities, octets));
	return at;
}

size_t tl_udptl_format(struct tl_udptl *udptl, const uint8_t *ifp, size_t n, uint8_t out[TL_UDPTL_OCTETS_MAX])
{
	uint8_t *at = out;
	if (!n || n > TL_UDPTL_IFP_MAX)
		return 0;
	*at++ = udptl->next >> 8;
	*at++ = udptl->next & 0xff;
	at = write_open(at, ifp, n);
	size_t used = at - out + 2, most = MAX(udptl->config.datagram_max, used);
	at = udptl->config.correction == TL_T38_FEC ? write_parities(udptl, at, most - used) : write_copies(udptl, at, most - used);
	remember(udptl->sent, udptl->next++, ifp, n);
	udptl->n_sent = MIN(udptl->n_sent + 1, SLOTS);
	udptl->counters.sent++;
	return at - out;
}
