/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Q.921/Q.931 frames as a pcap file that Wireshark reads: link type
 * LINUX_LAPD (177), whose header of 16 octets tells the direction.
 */
#include "trunkctl.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LINKTYPE_LINUX_LAPD 177
#define ARPHRD_LAPD 8445
#define ETH_P_LAPD 48
#define PACKET_OUTGOING 4

struct pcap_header {
	uint32_t magic;
	uint16_t major, minor;
	int32_t zone;
	uint32_t accuracy, length_max, link_type;
};

struct pcap_record {
	uint32_t seconds, microseconds, length, original_length;
};

static void write_frame(FILE *file, gint64 utc_us, bool sent, const guchar *octets, gsize n)
{
	uint8_t header[16] = { [1] = sent ? PACKET_OUTGOING : 0, [2] = ARPHRD_LAPD >> 8, [3] = ARPHRD_LAPD & 0xff,
			       [15] = ETH_P_LAPD };
	struct pcap_record record = { .seconds = utc_us / G_USEC_PER_SEC, .microseconds = utc_us % G_USEC_PER_SEC,
				      .length = n + sizeof header, .original_length = n + sizeof header };
	fwrite(&record, sizeof record, 1, file);
	fwrite(header, sizeof header, 1, file);
	fwrite(octets, 1, n, file);
	fflush(file);
}

static void on_frame(const char *name, JsonObject *params, void *user)
{
	if (strcmp(name, "trace.frame"))
		return;
	gsize n;
	g_autofree guchar *octets = g_base64_decode(json_object_get_string_member(params, "octets"), &n);
	if (json_object_has_member(params, "span"))
		write_frame(user, json_object_get_int_member(params, "utc_us"), json_object_get_boolean_member(params, "sent"),
			    octets, n);
	else
		fprintf(user, "%s\n%.*s\n", json_object_get_boolean_member(params, "sent") ? "---- sent" : "---- received",
			(int)n, (const char *)octets);
	fflush(user);
}

int run_trace(const struct place *place, char **words)
{
	static const struct pcap_header header = { .magic = 0xa1b2c3d4, .major = 2, .minor = 4, .length_max = 65535,
						   .link_type = LINKTYPE_LINUX_LAPD };
	bool sip = words[0] && !strcmp(words[0], "sip");
	if (!words[0] || (!sip && !words[1])) {
		fprintf(stderr, "trunkctl: expected trace SPAN FILE.pcap, or trace sip [FILE]\n");
		return 2;
	}
	FILE *file = words[1] ? fopen(words[1], "wb") : stdout;
	if (!file) {
		fprintf(stderr, "trunkctl: %s: %s\n", words[1], g_strerror(errno));
		return 1;
	}
	JsonObject *params = json_object_new();
	if (sip) {
		json_object_set_boolean_member(params, "sip", TRUE);
	} else {
		json_object_set_string_member(params, "span", words[0]);
		fwrite(&header, sizeof header, 1, file);
		fflush(file);
	}
	int status = listen_to(place, "node", "trace.start", params, on_frame, file);
	if (file != stdout)
		fclose(file);
	return status;
}
