#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A node alone, trunk to trunk by its fallback routes: audio, digits, causes both ways, and facts for the bill."""
from audio import ALAW, ULAW, assert_contains, noise, read_wav, write_wav
from facts import records
from far_end import Exchange, Span
from harness import Case, free_ports, main, wait_until
from node import Node, near
from wire import Pacer

DIGITS = "0123456789*#ABCD"


class Tandem(Case):
    """The exchange is both far ends: it calls on span net and is called on span back."""

    kind, law, bearers, settings, speed = "e1", ALAW, 30, (), 4

    def plug(self, scripts, answers, more=()):
        a, b, c, d = free_ports(4)
        self.lines, self.node_ports = Pacer(self, [(a, b), (c, d)], self.speed, self.kind), (b, d)
        (net, into), (back, out) = self.lines.ports(0), self.lines.ports(1)
        more = Pacer.SETTINGS + more
        self.node = Node(self, [near("in", b, into, self.kind, more=more),
                                near("out", d, out, self.kind, more=("group = back", *more))], routes={"": "group:back"}, settings=self.settings)
        self.node.start()
        self.exchange = Exchange(self, "exchange", [
            Span("net", a, net, self.kind, clock="loop", more=Pacer.SETTINGS),
            Span("back", c, back, self.kind, clock="loop", more=Pacer.SETTINGS)], scripts, answers, tick="span")
        self.control = self.node.connect("operator")
        self.settle()

    def settle(self):
        for span in "net", "back":
            self.exchange.await_idle(span, self.bearers)
        for span in "in", "out":
            self.node.await_span(self.control, span, self.bearers)

    def records(self):
        return records(self.node.connect("conductor", epoch=1))

    def assert_clean(self):
        self.settle()
        self.assertEqual(self.exchange.status()["calls_failed"], 0, self.exchange.process.tail())
        wait_until(lambda: not self.control.snapshot()["legs"], "no leg left on the node")


class E1(Tandem):
    def test_audio_is_byte_exact_both_ways(self):
        said = {"caller": noise(3, 1), "called": noise(3, 2)}
        for who, octets in said.items():
            write_wav(self.dir / f"{who}-says.wav", octets, self.law)
        self.plug({"talk": """answer
                              record called-hears.wav
                              expect digits 1 600
                              say called-says.wav
                              send 2
                              wait released 600"""}, {"": "talk"})
        self.exchange.call("""dial 100 from 0301 on net; wait answered; record caller-hears.wav
                              send 1
                              expect digits 2 600
                              say caller-says.wav
                              pause 0.5
                              hangup 16""")
        self.assert_clean()
        assert_contains(read_wav(self.dir / "called-hears.wav"), said["caller"], "the called")
        assert_contains(read_wav(self.dir / "caller-hears.wav"), said["called"], "the caller")
        self.assertEqual(self.records(), [("in", "in", "100", True, 16), ("out", "out", "100", True, 16)])

    def test_all_digits_both_ways(self):
        self.plug({"digits": f"answer; expect digits {DIGITS} 600; send {DIGITS}; wait released 600"}, {"": "digits"})
        result = self.exchange.call(f"dial 100 on net; wait answered; send {DIGITS}; expect digits {DIGITS} 600; hangup")
        self.assertEqual(result["digits"], DIGITS)
        self.assert_clean()

    def test_every_channel_at_once(self):
        for n in range(1, self.bearers + 1):
            write_wav(self.dir / f"says-{n}.wav", noise(1, n), self.law)
        self.plug({"echo": "answer; echo on; wait released 600"}, {"": "echo"})
        self.lines.run_at(0.5)  # slowly, until all have been seen at once
        calls = self.exchange.start_calls("""dial 100%n on net; wait answered; record hears-%n.wav; pause 5
                                             say says-%n.wav; pause 3; hangup 16""", count=self.bearers, rate=30)
        wait_until(lambda: len(self.control.snapshot()["legs"]) == 2 * self.bearers, "a leg on every channel")
        self.lines.run_at(self.speed)
        for result in calls.all_good():
            n = result["number"]
            assert_contains(read_wav(self.dir / f"hears-{n}.wav"), noise(1, n), f"call {n}, echoed")
        self.assert_clean()
        rows = self.records()
        self.assertEqual(len(rows), 2 * self.bearers)
        self.assertEqual({row[3:] for row in rows}, {(True, 16)})
        self.assertEqual({row[2] for row in rows}, {f"100{n}" for n in range(1, self.bearers + 1)})

    def test_hangup_in_every_state_by_the_called(self):
        self.plug({
            "busy": "reject 17", "proceeding": "proceed; reject 21", "alerting": "proceed; alert; hangup 19",
            "early": "progress; hangup 31", "answered": "answer; pause 0.3; hangup 16",
        }, {"1": "busy", "2": "proceeding", "3": "alerting", "4": "early", "5": "answered"})
        expected = []
        for number, cause in ("1", 17), ("2", 21), ("3", 19), ("4", 31), ("5", 16), ("9", 1):
            result = self.exchange.call(f"dial {number} on net; wait released 600; expect cause {cause}")
            self.assertTrue(result["by_peer"])
            expected += [("in", "in", number, number == "5", cause), ("out", "out", number, number == "5", cause)]
            self.settle()
        self.assertEqual(self.records(), expected)

    def test_hangup_in_every_state_by_the_caller(self):
        self.plug({
            "silent": "wait released 600", "alerting": "proceed; alert; wait released 600",
            "early": "progress; wait released 600", "answered": "answer; wait released 600",
        }, {"1": "silent", "2": "alerting", "3": "early", "4": "answered"})
        for number, state in ("1", "proceeding"), ("2", "alerting"), ("3", "progress"), ("4", "answered"):
            self.exchange.call(f"dial {number} on net; wait {state}; hangup 16")
            self.assert_clean()
        rows = self.records()
        self.assertEqual([row[:4] for row in rows if row[0] == "in"],
                         [("in", "in", n, n == "4") for n in "1234"])
        self.assertEqual({row[4] for row in rows}, {16})


class T1(E1):
    kind, law, bearers = "t1", ULAW, 23


class Outages(Tandem):
    speed = 1  # T309 and the alarms' times are the wall's, what a script waits for is the line's

    def plug(self, *what, **more):
        super().plug(*what, **more)
        self.lines.GONE_S = 4  # who is in a red alarm says nothing

    def talk(self):
        """A call in state Active on both lines."""
        call = self.exchange.start_calls(
            "dial 100 on net; wait answered; record 1.wav; pause 1; record 2.wav; wait released 600")
        wait_until((self.dir / "1.wav").exists, "a call that talks")
        return call

    def test_line_lost_longer_than_t309(self):
        """The call ends with cause 27 on both sides; no timeslot stays taken."""
        self.plug({"echo": "answer; echo on; wait released 600"}, {"": "echo"}, more=("t309_ms = 1500",))
        call = self.talk()
        self.exchange.fault("back", "red")
        result, = call.results()[0]
        self.assertEqual((result["cause"], result["by_peer"]), (27, True))
        self.exchange.fault("back", "none")
        self.settle()
        self.assertEqual({row[3:] for row in self.records()}, {(True, 27)})

    def test_alarm_in_a_call(self):
        """Yellow and a short blue leave the call alone; a blue line takes no new calls, and then does again."""
        self.plug({"echo": "answer; echo on; wait released 600"}, {"": "echo"})
        call = self.talk()
        for alarm, word in ("yellow", "YELLOW"), ("blue", "BLUE"):
            mark = self.control.mark()
            self.exchange.fault("back", alarm)
            self.control.await_event("span.changed", lambda p, word=word: p["span"]["span"] == "out" and
                                     word in p["span"]["alarms"], mark)
        refused = self.exchange.call("dial 200 on net; wait released 600; expect cause 34")
        self.assertFalse(refused["answered"])
        talking = [leg for leg in self.control.snapshot()["legs"] if leg["state"] == "answered"]
        self.assertEqual(len(talking), 2)
        mark = self.control.mark()
        self.exchange.fault("back", "none")
        self.control.await_event("span.changed", lambda p: p["span"]["span"] == "out" and p["span"]["alarms"] == "OK" and
                                 p["span"]["d_channel_up"], mark)
        self.exchange.call("dial 300 on net; wait answered; hangup 16")
        self.control.ask("leg.release", leg=next(leg["leg"] for leg in talking if leg["direction"] == "in"), cause=16)
        result, = call.results()[0]
        self.assertEqual((result["ok"], result["cause"]), (True, 16))
        self.assert_clean()


del Tandem
if __name__ == "__main__":
    main()
