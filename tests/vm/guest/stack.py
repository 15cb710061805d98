#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""trunkd on a card, an exchange outside at the other end of its line: PRI calls both ways. KIND is e1 or t1."""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integration"))
from audio import ALAW, ULAW, assert_contains, noise, read_wav, write_wav  # noqa: E402
from harness import Case, wait_until  # noqa: E402
from node import Node  # noqa: E402
from outside import OUT, Card, DahdiSpan, Outside  # noqa: E402
import tap  # noqa: E402

DIGITS = "0123456789*#ABCD"
KIND = os.environ.get("KIND", "e1")
# A guest's time passes while its host runs others: neither work in a tick nor a line that stands still, though it looks so.
MEDIA = ("load_limit_us = 1000000", "line_patience_ms = 30000")
LAW, BEARERS = (ALAW, 30) if KIND == "e1" else (ULAW, 23)


class Stack(Case):
    """Calls to 500 hear an announcement; all others go out again, on another timeslot of the same line."""

    more = ("restart = no",)
    spans = ("card",)

    def setUp(self):
        super().setUp()
        self.card, self.exchange = Card(self), Outside(self)
        self.node = Node(self, [DahdiSpan(name, n, KIND, (f"group = {name}", "dahdi_depth_ms = 60", *self.more))
                                for n, name in enumerate(self.spans, 1)],
                         routes={"": "group:card", "500": "announcement:file:hello.wav"},
                         settings=("offer_timeout_ms = 60000",), media=MEDIA, variant="release")
        write_wav(self.node.sounds / "hello.wav", noise(1, 9), LAW)
        self.start_node()

    def start_node(self):
        self.node.start()
        self.control = self.node.connect("operator")
        self.settle()

    def settle(self):
        for name in self.spans:
            self.exchange.await_idle(name, BEARERS)
            self.node.await_span(self.control, name, BEARERS)

    def assert_clean(self):
        """No timeslot stays taken, and the line carried every octet once."""
        self.settle()
        self.node.await_no_leg(self.control)
        status = self.exchange.span_status("card")
        self.assertEqual((status["lost"], status["slips"]), (0, 0))


class Calls(Stack):
    def test_call_in(self):
        # Its end is the call's: cause 31, as that of any announcement in place of an answer.
        self.exchange.call("dial 500 from 0301; record heard.wav; wait released; expect cause 31")
        # Its beginning may be over when the exchange has read that there is early audio.
        assert_contains(read_wav(OUT / "heard.wav"), noise(1, 9)[4000:], "the announcement")
        self.assert_clean()

    def test_call_out(self):
        """And digits both ways, heard by trunkd's own detector."""
        desk = self.node.connect("conductor", epoch=1)
        desk.ask("leg.originate", leg="out", to="group:card", setup={"called": "300", "calling": "0301"})
        desk.await_event("leg.state", lambda leg: leg["state"] == "answered")
        desk.ask("leg.collect", leg="out", collect="c", max=len(DIGITS), first_ms=60000, next_ms=60000)
        desk.ask("leg.dtmf", leg="out", digits=DIGITS)
        self.assertEqual(desk.await_event("leg.collected")["digits"], DIGITS)
        desk.ask("leg.release", leg="out", cause=16)
        self.assertEqual(desk.await_event("leg.ended")["cause"], 16)
        self.assert_clean()

    def test_clear_bridge_is_byte_exact(self):
        said = {"caller": noise(1, 3), "called": noise(1, 4)}
        for who, octets in said.items():
            write_wav(OUT / f"{who}-says.wav", octets, LAW)
        self.exchange.call("""dial 200 from 0301; wait answered; record caller-hears.wav; send 1; expect digits 2
                              say caller-says.wav; send 3; wait released""")
        self.assert_clean()
        assert_contains(read_wav(OUT / "called-hears.wav"), said["caller"], "the called")
        assert_contains(read_wav(OUT / "caller-hears.wav"), said["called"], "the caller")

    def all_answered(self):
        legs = self.control.snapshot()["legs"]
        return len(legs) == BEARERS and all(leg["state"] == "answered" for leg in legs) and legs

    def test_every_timeslot_at_once(self):
        """Half of them go through the node to the other half, each with a voice of its own; an odd one is the node's."""
        pairs = BEARERS // 2
        for n in range(1, pairs + 1):
            write_wav(OUT / f"says-{n}.wav", noise(1, n), LAW)
        application = self.node.connect("application")
        for n in range(BEARERS % 2):
            application.ask("leg.originate", leg=f"odd-{n}", to="group:card", setup={"called": "100"})
        # Each waits for a word from the node, when all are there; then its echo says that the bridge is.
        calls = self.exchange.start_calls("""dial 100%n; wait answered; record hears-%n.wav; expect digits 0 300; send 1
                                             expect digits 1; say says-%n.wav; send 2; expect digits 2; hangup 16""", pairs, 30)
        legs = wait_until(self.all_answered, "a call on every timeslot")
        desk = self.node.connect("conductor", epoch=1)
        for leg in legs:
            if leg["direction"] == "in":
                desk.ask("leg.dtmf", leg=leg["leg"], digits="0")
        for result in calls.all_good():
            n = result["number"]
            assert_contains(read_wav(OUT / f"hears-{n}.wav"), noise(1, n), f"call {n}, echoed")
        for n in range(BEARERS % 2):
            application.ask("leg.release", leg=f"odd-{n}", cause=16)
        self.assert_clean()


if __name__ == "__main__":
    tap.main()
