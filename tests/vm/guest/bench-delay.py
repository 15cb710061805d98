#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""From DAHDI's taking an octet off the line to the sending of the RTP packet that ends with it, with a call to a phone on
each of 30 timeslots. Both ends are stamped by the kernel. Run in a guest whose clock counts instructions; writes
/out/delay.json, ms."""
import json
import os
import re
import socket
import struct
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integration"))
from audio import ALAW, noise, write_wav  # noqa: E402
from far_end import Exchange  # noqa: E402
from harness import Case, free_ports, wait_until  # noqa: E402
from node import Node  # noqa: E402
from outside import OUT, DahdiSpan  # noqa: E402
import tap  # noqa: E402

BEARERS = 30
WINDOW_S = 0.5
TRACE = Path("/sys/kernel/tracing")
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
RTP_OCTETS = 12


def own_socket():
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    return one


class Phone:
    """Answers every INVITE; the audio of all calls comes to one socket."""

    def __init__(self):
        self.sip, self.rtp = own_socket(), own_socket()
        self.rtp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.rtp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def uri(self):
        return f"sip:phone@127.0.0.1:{self.sip.getsockname()[1]}"

    def serve(self):
        while True:
            request, peer = self.sip.recvfrom(65536)
            head = request.decode().split("\r\n\r\n")[0]
            if not head.startswith("ACK "):
                self.sip.sendto(self.answer(head, head.startswith("INVITE ")).encode(), peer)

    def answer(self, head, invited):
        kept = [line for line in head.split("\r\n")[1:] if re.match("(Via|From|Call-ID|CSeq|Record-Route):", line, re.I)]
        to = re.search(r"^To:.*$", head, re.M | re.I)[0].strip()
        sdp = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
               f"m=audio {self.rtp.getsockname()[1]} RTP/AVP 8", "a=ptime:20", ""]
        body = "\r\n".join(sdp) if invited else ""
        return "\r\n".join(["SIP/2.0 200 OK", *kept, to if "tag=" in to else f"{to};tag=phone", f"Contact: <{self.uri}>",
                            *(["Content-Type: application/sdp"] if invited else []), f"Content-Length: {len(body)}", "", body])

    def heard(self):
        """(when it was sent, its last eight octets) of each packet that has come; over the loopback that is one moment."""
        self.rtp.setblocking(False)
        found = []
        while True:
            try:
                packet, ancillary, _, _ = self.rtp.recvmsg(2048, 128)
            except BlockingIOError:
                return found
            seconds, ns = struct.unpack("qq", next(data for _, kind, data in ancillary if kind == SO_TIMESTAMPNS))
            if len(packet) >= RTP_OCTETS + 8:
                found.append((seconds + ns / 1e9, packet[-8:]))


class Line:
    """What DAHDI receives, a millisecond of a channel at a time."""

    def __enter__(self):
        if not (TRACE / "trace").exists():
            os.system(f"mount -t tracefs tracefs {TRACE}")
        (TRACE / "trace_clock").write_text("mono")
        (TRACE / "buffer_size_kb").write_text("65536")
        (TRACE / "kprobe_events").write_text("p:chunk dahdi:__dahdi_receive_chunk octets=+0(%si):x64")
        (TRACE / "events/kprobes/chunk/enable").write_text("1")
        return self

    def __exit__(self, *_):
        (TRACE / "events/kprobes/chunk/enable").write_text("0")

    @staticmethod
    def seen():
        """Octets -> when they last came, by the clock of the packets."""
        ahead = time.clock_gettime(time.CLOCK_REALTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
        found = {}
        with open(TRACE / "trace", encoding="ascii", errors="replace") as trace:
            for line in trace:
                chunk = re.search(r"(\d+\.\d+): chunk: .*octets=(0x[0-9a-f]+)", line)
                if chunk:
                    found.setdefault(int(chunk[2], 16).to_bytes(8, "little"), float(chunk[1]) + ahead)
        return found


class Delay(Case):
    def test_from_line_to_packet(self):
        phone = Phone()
        node = Node(self, [DahdiSpan("in", 1, more=("restart = no",))], routes={"": phone.uri}, variant="release",
                    sip=f"sip:127.0.0.1:{free_ports(1)[0]}")
        node.start()
        for n in range(1, BEARERS + 1):
            write_wav(self.dir / f"says-{n}.wav", noise(8, n), ALAW)
        exchange = Exchange(self, "exchange", [DahdiSpan("net", 2, signalling="pri-network")], tick="span")
        exchange.await_idle("net", BEARERS)
        exchange.start_calls("dial 100%n on net; wait answered; play says-%n.wav forever; wait released 600", BEARERS, 30)
        control = node.connect("operator")
        wait_until(lambda: sum(leg["state"] == "answered" for leg in control.snapshot()["legs"]) == 2 * BEARERS, "30 calls")
        time.sleep(1)
        with Line():
            time.sleep(0.1)
            phone.heard()
            time.sleep(WINDOW_S)
        packets, line = phone.heard(), Line.seen()
        ms = sorted(1000 * (sent - line[octets]) for sent, octets in packets if octets in line)
        print(f"# {len(ms)} of {len(packets)} packets: p50 {ms[len(ms) // 2]:.3f}, p99 {ms[len(ms) * 99 // 100]:.3f} ms")
        self.assertGreater(len(ms), len(packets) * 0.9)
        (OUT / "delay.json").write_text(json.dumps({"p50": ms[len(ms) // 2], "p99": ms[len(ms) * 99 // 100]}))


if __name__ == "__main__":
    os.environ.setdefault("TL_VARIANT", "release")
    tap.main()
