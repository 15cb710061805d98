#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Two exchanges, network and user side, over a pseudowire: what line, signal and media do by themselves."""
from audio import ALAW, ULAW, assert_contains, noise, read_wav, write_wav
from far_end import Exchange, Span
from harness import Case, free_ports, main
from wire import Pacer

DIGITS = "0123456789*#ABCD"
SPEED = 4


class Pair(Case):
    """A network and a subscriber, plugged into one another."""

    kind, law, bearers = "e1", ALAW, 30

    def plug(self, scripts, answers, network=None):
        a, b = free_ports(2)
        self.line = Pacer(self, [(a, b)], SPEED, self.kind)
        far, near = self.line.ports(0)
        self.network = Exchange(
            self, "network", [Span("net", a, far, self.kind, clock="loop", more=Pacer.SETTINGS)],
            tick="span", **(network or {}))
        self.subscriber = Exchange(
            self, "subscriber", [Span("sub", b, near, self.kind, "pri-cpe", "loop", Pacer.SETTINGS)],
            scripts, answers, tick="span")
        self.network.await_idle("net", self.bearers)
        self.subscriber.await_idle("sub", self.bearers)

    def idle_again(self):
        self.network.await_idle("net", self.bearers)
        self.subscriber.await_idle("sub", self.bearers)
        self.assertEqual(self.subscriber.status()["calls_failed"], 0, self.subscriber.process.tail())


class E1(Pair):
    def test_audio_is_byte_exact_both_ways(self):
        said = {side: noise(3, seed) for seed, side in enumerate(("network", "subscriber"))}
        for side, octets in said.items():
            write_wav(self.dir / f"{side}-says.wav", octets, self.law)
        self.plug({"talk": """answer
                              record subscriber-hears.wav
                              expect digits 1 600
                              say subscriber-says.wav
                              send 2
                              wait released 600"""}, {"": "talk"})
        result = self.network.call("""dial 100 from 0301; wait answered; record network-hears.wav
                                      send 1
                                      expect digits 2 600
                                      say network-says.wav
                                      pause 0.3
                                      hangup 16""")
        self.assertEqual((result["cause"], result["answered"], result["by_peer"]), (16, True, False))
        self.idle_again()
        for hears, says in ("subscriber", "network"), ("network", "subscriber"):
            assert_contains(read_wav(self.dir / f"{hears}-hears.wav"), said[says], f"{hears} hears {says}")

    def test_all_digits_both_ways(self):
        self.plug({"digits": f"answer; expect digits {DIGITS} 600; send {DIGITS}; wait released 600"}, {"": "digits"})
        result = self.network.call(f"dial 100; wait answered; send {DIGITS}; expect digits {DIGITS} 600; hangup")
        self.assertEqual(result["digits"], DIGITS)
        self.idle_again()

    def test_every_channel_at_once(self):
        """All bearers talk at the same time, each with a voice of its own; one more call finds none."""
        for n in range(1, self.bearers + 1):
            write_wav(self.dir / f"says-{n}.wav", noise(1, n), self.law)
        self.plug({"echo": "answer; echo on; wait released 600"}, {"": "echo"})
        self.line.run_at(0.5)  # slowly, until all have been seen at once
        calls = self.network.start_calls("""dial 100%n; wait answered; record hears-%n.wav; pause 4
                                            say says-%n.wav; pause 3; hangup 16""", count=self.bearers, rate=30)
        self.network.await_idle("net", 0)
        _, summary = self.network.start_calls("dial 1; wait answered").results()
        self.assertIn("no span has an idle channel", summary["failures"][0]["failure"])
        self.line.run_at(SPEED)
        for result in calls.all_good():
            self.assertEqual(result["cause"], 16)
            n = result["number"]
            assert_contains(read_wav(self.dir / f"hears-{n}.wav"), noise(1, n), f"call {n} hears itself")
        self.idle_again()

    def test_hangup_in_every_state_by_the_caller(self):
        self.plug({
            "silent": "wait released 600",
            "proceeding": "proceed; wait released 600",
            "alerting": "proceed; alert; wait released 600",
            "early": "progress; wait released 600",
            "answered": "answer; wait released 600",
        }, {"1": "silent", "2": "proceeding", "3": "alerting", "4": "early", "5": "answered"})
        for number, state in ("1", None), ("2", "proceeding"), ("3", "alerting"), ("4", "progress"), ("5", "answered"):
            with self.subTest(state=state):
                wait = f"wait {state}" if state else "pause 0.2"
                result = self.network.call(f"dial {number}; {wait}; hangup 16")
                self.assertEqual((result["cause"], result["by_peer"]), (16, False))
                self.idle_again()

    def test_hangup_in_every_state_by_the_called(self):
        causes = {"1": 17, "2": 21, "3": 19, "4": 31, "5": 16}
        self.plug({
            "busy": "reject 17",
            "proceeding": "proceed; reject 21",
            "alerting": "proceed; alert; hangup 19",
            "early": "progress; hangup 31",
            "answered": "answer; hangup 16",
        }, dict(zip(causes, ("busy", "proceeding", "alerting", "early", "answered"))))
        for number, cause in causes.items():
            with self.subTest(cause=cause):
                result = self.network.call(f"dial {number}; wait released 600; expect cause {cause}")
                self.assertEqual((result["cause"], result["by_peer"]), (cause, True))
                self.idle_again()
        _, summary = self.network.start_calls("dial 9; wait answered").results()
        self.assertEqual(summary["failures"][0]["cause"], 1)

    def test_glare(self):
        """Both ends take the same channel at once, over and over: every call comes through."""
        self.plug({"take": "answer; pause 0.5; wait released 600"}, {"": "take"}, network={
            "scripts": {"take": "answer; pause 0.5; wait released 600"}, "answers": {"": "take"}})
        script = "dial 100; wait answered; pause 1; hangup 16"
        sides = [side.start_calls(script, count=10, rate=40) for side in (self.network, self.subscriber)]
        for calls in sides:
            for result in calls.all_good():
                self.assertEqual(result["cause"], 16)
        self.idle_again()


class T1(E1):
    """NI2 and mu-law; the same proof."""

    kind, law, bearers = "t1", ULAW, 23


del Pair
if __name__ == "__main__":
    main()
