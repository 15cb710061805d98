/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A session's reports: every 5 s, randomised (RFC 3550 6.3.1), and BYE at its end. Thread: tick. */
#include <stdio.h>

#include "base/clock.h"
#include "media/rtcp.h"
#include "media/session.h"

#define INTERVAL_TICKS 500

/* 0.5 to 1.5 times the interval. */
static unsigned next_interval(struct tl_rtp_session *session)
{
	session->random ^= session->random << 13;
	session->random ^= session->random >> 17;
	session->random ^= session->random << 5;
	return INTERVAL_TICKS / 2 + session->random % INTERVAL_TICKS;
}

static struct tl_rtcp_block block_of(struct tl_rtp_session *session)
{
	struct tl_rtcp_block block = {
		.ssrc = session->source.ssrc,
		.fraction = tl_rtp_source_fraction(&session->source),
		.lost = tl_rtp_source_lost(&session->source),
		.highest = session->source.highest,
		.jitter = tl_rtp_session_stream_time(session, tl_rtp_source_jitter(&session->source)),
		.last_sr = session->remote_sr,
	};
	if (session->remote_sr)
		block.delay_65536 = ((tl_clock_us() - session->remote_sr_us) << 16) / 1000000;
	return block;
}

void tl_rtp_session_send_report(struct tl_rtp_session *session, bool bye)
{
	uint8_t octets[TL_RTCP_OCTETS_MAX + TL_SRTP_GROWTH_MAX];
	char cname[TL_RTCP_CNAME_MAX];
	struct tl_rtcp_report report = {
		.ssrc = session->ssrc,
		.has_sender = session->packets != session->packets_reported,
		.ntp = tl_rtcp_ntp(tl_clock_utc_us()),
		.timestamp = tl_rtp_session_stream_time(session, session->timestamp),
		.packets = session->packets,
		.octets = session->octets,
		.has_block = session->source.heard,
		.bye = bye,
	};
	if (!tl_rtp_session_can_send(session, true))
		return;
	if (report.has_block)
		report.block = block_of(session);
	snprintf(cname, sizeof cname, "%08x@trunkline", session->ssrc); /* RFC 7022: short-lived, tells nothing */
	session->packets_reported = session->packets;
	size_t n = tl_rtcp_format(&report, cname, octets);
	/* A lost report is made good by the next. */
	tl_rtp_session_send(session, octets, n, true);
}

void tl_rtp_session_report_tick(struct tl_rtp_session *session)
{
	if (session->target.t38 || --session->report_ticks)
		return;
	session->report_ticks = next_interval(session);
	tl_rtp_session_send_report(session, false);
}

void tl_rtp_session_hear_report(struct tl_rtp_session *session, const uint8_t *octets, size_t n_octets)
{
	struct tl_port_tally *tally = &session->port->tally;
	struct tl_rtcp_report report;
	if (tl_rtcp_parse(octets, n_octets, session->ssrc, &report) != 0) {
		TL_COUNT(tally->refused, 1);
		return;
	}
	session->quiet_ticks = 0; /* alive, if it has nothing to say */
	if (report.has_sender) {
		session->remote_sr = report.ntp >> 16;
		session->remote_sr_us = tl_clock_us();
	}
	if (!report.has_block)
		return;
	if (session->opus_out)
		tl_opus_out_expect(session->opus_out, session->target.opus_fec, report.block.fraction * 100 / 256);
	uint32_t round_trip_us = tl_rtcp_round_trip_us(&report.block, tl_rtcp_ntp(tl_clock_utc_us()));
	atomic_store_explicit(&tally->remote_lost, report.block.lost > 0 ? report.block.lost : 0, memory_order_relaxed);
	if (round_trip_us)
		atomic_store_explicit(&tally->round_trip_us, round_trip_us, memory_order_relaxed);
}
