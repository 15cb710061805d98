#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A node between an E1 and another SIP implementation, SIPp, as a trunk: calls, audio and causes both ways."""
from pathlib import Path

from audio import noise, read_wav, write_wav
from centre import assert_heard
from facts import records
from far_end import Exchange, Span
from harness import LIMIT_S, Case, free_ports, main, wait_until
from node import Node, near
from wire import Pacer

SCENARIOS = Path(__file__).resolve().parent / "sipp"


class SipTrunk(Case):
    """Numbers that begin with 2 lead from the E1 to SIPp, all others to the E1."""

    def setUp(self):
        super().setUp()
        a, b, self.sip, self.peer = free_ports(4)
        line = Pacer(self, [(a, b)])
        far, into = line.ports(0)
        self.node = Node(
            self, [near("e1", b, into, more=(*Pacer.SETTINGS, "group = carrier"))],
            routes={"2": "trunk:sipp", "": "group:carrier"}, sip=f"sip:127.0.0.1:{self.sip}",
            more=f"[trunk sipp]\ntarget = sip:127.0.0.1:{self.peer}\npeers = 127.0.0.1\n")
        self.node.start()
        self.network = Exchange(self, "network", [Span("net", a, far, clock="loop", more=Pacer.SETTINGS)],
                                {"talk": "proceed; alert; answer; wait released 600", "busy": "reject 17"},
                                {"": "talk", "7": "busy"}, tick="span")
        self.network.await_idle("net", 30)

    def sipp(self, scenario, *more, calls=1):
        media, = free_ports(1)
        return self.start(f"sipp-{scenario}", [
            "sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1", "-p", str(self.peer), "-mp", str(media),
            "-m", str(calls), "-nostdin", "-timeout", f"{LIMIT_S}s", "-timeout_error", *more])

    def calls(self, scenario, number, calls=1):
        process = self.sipp(scenario, "-s", number, "-r", "10", f"127.0.0.1:{self.sip}", calls=calls)
        self.assertEqual(process.wait(LIMIT_S * 2), 0, process.tail())

    def records(self):
        return records(self.node.connect("conductor", epoch=1))

    def test_from_the_trunk_to_sip_and_its_echo(self):
        said = noise(3, 1)
        write_wav(self.dir / "says.wav", said)
        called = self.sipp("called", "-rtp_echo")
        self.network.call("""dial 200 from 0301 on net; wait answered; record heard.wav; pause 0.5
                             say says.wav; pause 1; hangup 16""")
        self.assertEqual(called.wait(), 0, called.tail())
        assert_heard(read_wav(self.dir / "heard.wav"), said, "the echo")
        self.network.await_idle("net", 30)
        self.assertEqual(self.records(), [("in", "e1", "200", True, 16), ("out", "sipp", "200", True, 16)])

    def test_from_sip_to_the_trunk_thirty_at_once(self):
        self.calls("caller", "100", calls=30)
        self.network.await_idle("net", 30)
        status = self.network.status()
        self.assertEqual((status["calls_offered"], status["calls_answered"], status["calls_failed"]), (30, 30, 0))
        rows = self.records()
        self.assertEqual(len(rows), 60)
        self.assertEqual({row[3:] for row in rows}, {(True, 16)})

    def test_busy_both_ways(self):
        refuses = self.sipp("refuses")
        self.network.call("dial 200 from 0301 on net; wait released 600; expect cause 17")
        self.assertEqual(refuses.wait(), 0, refuses.tail())
        self.calls("refused", "700")
        self.assertEqual({row[3:] for row in self.records()}, {(False, 17)})

    def test_nobody_there(self):
        """No SIP peer answers: the caller is told within a bounded time, and nothing is left."""
        result = self.network.call("dial 200 from 0301 on net; wait released 600")
        self.assertEqual((result["answered"], result["by_peer"]), (False, True))
        self.network.await_idle("net", 30)
        wait_until(lambda: not self.node.connect().snapshot()["legs"], "no leg left on the node")


if __name__ == "__main__":
    main()
