/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include <stdio.h>
#include <string.h>

#include "settings.h"

#define STRING(section, key, fallback, required, help) { section, key, TL_CONFIG_STRING, fallback, NULL, 0, 0, required, help }
#define INT(section, key, fallback, min, max, help) { section, key, TL_CONFIG_INT, fallback, NULL, min, max, FALSE, help }
#define BOOL(section, key, fallback, help) { section, key, TL_CONFIG_BOOL, fallback, NULL, 0, 0, FALSE, help }
#define CHOICE(section, key, fallback, choices, required, help) \
	{ section, key, TL_CONFIG_CHOICE, fallback, choices, 0, 0, required, help }
#define LIST(section, key, required, help) { section, key, TL_CONFIG_LIST, NULL, NULL, 0, 0, required, help }
#define ADDRESS(section, key, required, help) { section, key, TL_CONFIG_ADDRESS, NULL, NULL, 0, 0, required, help }
#define NUMBER(section, key, required, help) { section, key, TL_CONFIG_NUMBER, NULL, NULL, 0, 0, required, help }

#define SRTP "off|allow|require"

/* The order of choices is the order of the enums that settings.c casts them to. */
const struct tl_config_key tl_settings_keys[] = {
	STRING("node", "name", "trunkd", FALSE, "name of this node, unique in the centre; letters, digits, . _ -"),
	STRING("node", "state_dir", "/var/lib/trunkline/trunkd", FALSE, "directory of journal, blobs and epoch; made when missing"),
	STRING("node", "sounds_dir", "/usr/share/trunkline/sounds", FALSE, "directory of file: sounds; digits/0.wav ... in it"),
	CHOICE("node", "log_level", "info", "error|warning|notice|info|debug", FALSE, "entries above it are dropped"),
	INT("node", "offer_timeout_ms", "3000", 10, 60000, "how long an offered call waits for a desk before the node routes it"),
	INT("node", "max_legs", "2000", 1, 4096, "legs at once; beyond it calls are refused with cause 42"),
	STRING("node", "country", "de", FALSE, "whose tones are played: two letters, such as de, us, gb"),
	INT("node", "journal_segment_kib", "1024", 16, 65536, "size at which a new journal file is begun"),
	INT("node", "journal_max_mib", "1024", 1, 1048576, "journal that no desk has stored; beyond it new calls are refused"),
	INT("node", "spool_reserve_mib", "512", 1, 16777216, "disk kept free; with less, no fax is taken and no recording begun"),
	INT("node", "record_threads", "2", 1, 16, "threads that write recordings"),
	INT("node", "blob_max_mib", "64", 1, 4096, "largest blob (sound, fax document) that is taken"),
	INT("node", "sound_cache_mib", "64", 1, 4096, "memory for loaded sounds"),
	INT("node", "sound_max_s", "600", 1, 7200, "longest sound that is loaded"),

	STRING("control", "socket", NULL, FALSE, "path of the UNIX socket; default: trunkd.sock in state_dir, unless tcp is given"),
	ADDRESS("control", "tcp", FALSE, "address and port to listen on besides"),
	INT("control", "events_kept", "4096", 16, 1048576, "events kept for connections that come back"),
	INT("control", "backlog_max_kib", "8192", 64, 1048576, "a connection that lets more wait is cut off"),

	STRING("token", "token", NULL, TRUE, "the secret that a connection shows, at least 8 characters"),
	CHOICE("token", "role", NULL, "observer|operator|application|conductor", TRUE, "what it may do"),

	INT("fax", "threads", "0", 0, 64, "threads that run fax machines; 0: as many as processors"),
	INT("fax", "depth_ms", "60", 10, 200, "audio that they are ahead of the line"),
	INT("fax", "page_timeout_ms", "1500", 50, 2500, "for a page to become durable; later it is not confirmed to the sender"),
	BOOL("fax", "t38", "yes", "whether faxes by SIP go over to T.38 where the far end can, too"),
	CHOICE("fax", "t38_correction", "redundancy", "none|redundancy|fec", FALSE, "against lost packets, where we ask for T.38"),

	CHOICE("media", "tick", NULL, "monotonic|span", FALSE,
	       "what drives the media: the clock, or the spans' line time; default: span with a dahdi span, else monotonic"),
	INT("media", "realtime_priority", "0", 0, 99, "SCHED_FIFO priority of the media thread; 0: ordinary scheduling"),
	STRING("media", "rtp_host", "127.0.0.1", FALSE, "numeric address of RTP sockets"),
	STRING("media", "rtp_announce", NULL, FALSE, "address told to peers instead of rtp_host"),
	INT("media", "rtp_port_min", "20000", 1024, 65534, "first UDP port for RTP"),
	INT("media", "rtp_port_max", "29998", 1024, 65535, "last UDP port for RTP"),
	INT("media", "jitter_min_ms", "20", 0, 500, "least playout depth of RTP"),
	INT("media", "jitter_max_ms", "120", 10, 1000, "greatest playout depth of RTP"),
	INT("media", "load_limit_us", "8000", 1, 1000000,
	    "CPU time of a media thread in a tick of 10000 us; from there on new calls are refused with cause 42; above 10000: never"),
	INT("media", "line_patience_ms", "1000", 100, 60000,
	    "with tick = span: so long the line's time is waited for before the clock takes its place"),
	INT("media", "threads", "1", 1, 16,
	    "media threads: one moves some 2000 calls of a span with SIP, or 1000 with a browser; each has a UDP port for browsers"),
	CHOICE("media", "law", NULL, "alaw|ulaw", FALSE, "offered first by SIP; default: the first span's, else alaw"),

	CHOICE("span", "kind", NULL, "e1|t1", TRUE, "e1 or t1"),
	CHOICE("span", "law", NULL, "alaw|ulaw", FALSE, "default: alaw for e1, ulaw for t1"),
	STRING("span", "clock_domain", NULL, FALSE, "spans of one domain never slip against each other; default: the span's own"),
	INT("span", "d_channel", NULL, 0, 31, "timeslot of the D-channel; default with pri-*: 16 for e1, 24 for t1; 0: none"),
	CHOICE("span", "backend", "pseudowire", "pseudowire|dahdi", FALSE, "what carries it: packets, or a card through DAHDI"),
	INT("span", "dahdi_span", NULL, 1, 128, "DAHDI's number of the span, as in /etc/dahdi/system.conf"),
	INT("span", "dahdi_depth_ms", "20", 10, 60, "octets kept waiting for the card, in tens; more bear a busier machine"),
	ADDRESS("span", "local", FALSE, "UDP address and port of the pseudowire here"),
	ADDRESS("span", "remote", FALSE, "UDP address and port of its far end, the only peer that is heard"),
	INT("span", "frames", "8", 1, 40, "125 us frames a packet; must divide 80, or with cas-* a multiframe of 16 (e1) or 24 (t1)"),
	INT("span", "jitter_ms", "5", 1, 200, "playout depth"),
	INT("span", "jitter_max_ms", "0", 0, 1000, "depth beyond which frames are dropped; 0: twice jitter_ms and 10"),
	CHOICE("span", "clock", "adaptive", "adaptive|local|loop", FALSE, "where line time comes from"),
	BOOL("span", "rtp", "no", "RTP header in each packet (RFC 5086 4.3.1)"),
	STRING("span", "group", NULL, FALSE, "trunk group it belongs to"),
	TL_SIGNALLING_KEYS("none", "yes"),

	INT("browser", "port", "3478", 1024, 65535, "UDP port of all browsers' media, the first of one a media thread; without this section there are none"),
	LIST("browser", "addresses", TRUE, "numeric addresses to bind; 0.0.0.0 and :: are every one that the machine has"),
	LIST("browser", "announce", FALSE, "addresses told to browsers instead, where a router translates"),
	STRING("browser", "certificate", NULL, FALSE, "file of key and certificate, made when missing; default: new with each start"),
	INT("browser", "certificate_days", "30", 1, 3650, "until the certificate is made anew"),
	INT("browser", "sessions_max", "1000", 1, 4096, "browsers at once; beyond it they are refused"),
	INT("browser", "consent_s", "30", 2, 30, "a browser not heard of for so long is cut off (RFC 7675)"),
	INT("browser", "grace_s", "30", 1, 3600, "how long a leg waits for its browser to come back"),
	INT("browser", "workers", "2", 1, 8, "threads for handshakes"),
	CHOICE("browser", "codec", "g711", "g711|opus", FALSE,
	       "with browsers that have both; g711 reaches trunks as it is, opus bears bad networks and costs far more CPU"),
	INT("browser", "opus_bit_rate", "24000", 6000, 40000, "bits a second of Opus to browsers"),
	INT("browser", "opus_complexity", "5", 0, 10, "CPU spent on Opus' quality"),
	BOOL("browser", "opus_dtx", "no", "Opus sends next to nothing in silence, both ways"),
	BOOL("browser", "video", "yes", "relayed between two browsers that have it"),

	LIST("sip", "listen", TRUE, "sip:127.0.0.1:5060 sip:[::1]:5060;transport=tcp sips:127.0.0.1:5061 ...; no transport: UDP and TCP"),
	STRING("sip", "realm", "trunkline", FALSE, "realm of digest authentication"),
	INT("sip", "register_min_s", "60", 10, 86400, "shortest registration granted"),
	INT("sip", "register_max_s", "3600", 10, 86400, "longest registration granted"),
	INT("sip", "session_expires_s", "1800", 0, 86400, "session timer (RFC 4028); 0: off"),
	INT("sip", "rtp_timeout_s", "60", 0, 86400, "an answered party not heard for so long, by RTP or RTCP, is released; 0: never; in steps of 10 s"),
	INT("sip", "max_dialogs", "4000", 1, 100000, "beyond it 503"),
	STRING("sip", "certificate", NULL, FALSE, "file of key and certificate chain, PEM, for TLS; read at start and on SIGHUP; default: one of our own"),
	STRING("sip", "authorities", NULL, FALSE, "file of those who may vouch for whom we call by TLS, PEM; default: anybody is believed"),
	INT("sip", "tls_connections", "2000", 1, 20000, "made to us by TLS at one time; beyond it they are hung up on"),
	INT("sip", "tls_connections_per_address", "200", 1, 20000, "of them from one IPv4 address or IPv6 /64"),
	INT("sip", "tls_handshake_s", "10", 1, 120, "until a handshake by TLS is given up"),
	CHOICE("sip", "srtp", "allow", SRTP, FALSE, "whether calls are encrypted, for users and trunks that do not say; require: or refused"),
	BOOL("sip", "keys_in_clear", "no", "SRTP's keys go by UDP and TCP, too, where others can read them"),

	STRING("user", "password", NULL, FALSE, "the phone's password; or"),
	STRING("user", "ha1", NULL, FALSE, "hexadecimal MD5 of user:realm:password (RFC 2617 3.2.2.2)"),
	CHOICE("user", "srtp", NULL, SRTP, FALSE, "default: sip's"),

	STRING("trunk", "target", NULL, TRUE, "sip:host:port, perhaps with ;transport=tcp, or sips:host:port: where calls are sent"),
	LIST("trunk", "peers", FALSE, "numeric addresses that its calls may come from"),
	STRING("trunk", "user", NULL, FALSE, "name to authenticate ourselves with"),
	STRING("trunk", "password", NULL, FALSE, "password to authenticate ourselves with"),
	CHOICE("trunk", "srtp", NULL, SRTP, FALSE, "default: sip's"),
	STRING("trunk", "group", NULL, FALSE, "trunk group it belongs to"),

	NUMBER("route", "prefix", FALSE, "called numbers that begin with it, + for international ones; without it: every number"),
	STRING("route", "to", NULL, TRUE, "group:NAME, span:NAME/SLOT, user:NAME, trunk:NAME, sip:URI or announcement:SOUND"),
	{ NULL },
};

static const char *type_of(const struct tl_config_key *key)
{
	switch (key->type) {
	case TL_CONFIG_STRING:
		return "text";
	case TL_CONFIG_INT:
		return "number";
	case TL_CONFIG_BOOL:
		return "yes|no";
	case TL_CONFIG_CHOICE:
		return key->choices;
	case TL_CONFIG_LIST:
		return "list";
	case TL_CONFIG_ADDRESS:
		return "address:port";
	case TL_CONFIG_NUMBER:
		return "telephone number";
	}
	return "";
}

void tl_settings_print_help(void)
{
	static const char *const named[] = { "token", "span", "user", "trunk", "route", NULL };
	const char *section = "";
	printf("# Every key of trunkd's configuration, with its default. [kind NAME] may stand several times.\n");
	for (const struct tl_config_key *key = tl_settings_keys; key->section; key++) {
		if (strcmp(section, key->section))
			printf("\n[%s%s]\n", key->section, g_strv_contains(named, key->section) ? " NAME" : "");
		section = key->section;
		printf("# %s (%s", key->help, type_of(key));
		if (key->type == TL_CONFIG_INT)
			printf(" %" G_GINT64_FORMAT "-%" G_GINT64_FORMAT, key->min, key->max);
		printf("%s)\n%s%s =%s%s\n", key->required ? ", required" : "", key->fallback || key->required ? "" : "# ",
		       key->key, key->fallback ? " " : "", key->fallback ? key->fallback : "");
	}
}
