/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "secure/dtls-bio.h"

#include <glib.h>
#include <string.h>

static int wire_write(BIO *bio, const char *octets, int n)
{
	struct tl_dtls_wire *wire = BIO_get_data(bio);

	wire->on_write((const uint8_t *)octets, (size_t)n, wire->user);
	return n;
}

static int wire_read(BIO *bio, char *octets, int capacity)
{
	struct tl_dtls_wire *wire = BIO_get_data(bio);
	size_t n = wire->n_octets;

	BIO_clear_retry_flags(bio);
	if (!wire->octets) {
		BIO_set_retry_read(bio);
		return -1;
	}
	n = MIN(n, (size_t)capacity);
	memcpy(octets, wire->octets, n);
	wire->octets = NULL;
	return (int)n;
}

static long wire_control(BIO *bio, int command, long number, void *pointer)
{
	/* Overhead of IP and UDP is the caller's, so none is told; there is nothing to flush, and nothing waits. */
	return command == BIO_CTRL_FLUSH;
}

static const BIO_METHOD *method(void)
{
	static gsize once;
	static BIO_METHOD *wire;

	if (g_once_init_enter(&once)) {
		wire = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
		g_assert(wire);
		BIO_meth_set_write(wire, wire_write);
		BIO_meth_set_read(wire, wire_read);
		BIO_meth_set_ctrl(wire, wire_control);
		g_once_init_leave(&once, 1);
	}
	return wire;
}

BIO *tl_dtls_bio_new(struct tl_dtls_wire *wire)
{
	BIO *bio = BIO_new(method());

	g_assert(bio);
	BIO_set_data(bio, wire);
	BIO_set_init(bio, 1);
	return bio;
}
