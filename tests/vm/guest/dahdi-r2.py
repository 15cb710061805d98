#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""R2 calls over DAHDI: each odd span is trunkd's end of a line, the next one the exchange's; a variant on each line.
trunkd sends a call on by the first digit of its number, so each call is one that comes and one that goes."""
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "integration"), str(Path(__file__).resolve().parent)]
from audio import ALAW, assert_contains, noise, read_wav, write_wav  # noqa: E402
from far_end import Exchange  # noqa: E402
from harness import Case, wait_until  # noqa: E402
from node import Node  # noqa: E402
from outside import DahdiSpan  # noqa: E402
from tap import main  # noqa: E402

BEARERS = 30
VARIANTS = ("itu", "ar", "br", "mx")


class R2(Case):
    def plug(self, scripts=None, answers=None, ours=None, theirs=None):
        """@ours, @theirs: further lines of each end's spans, by variant."""
        def spans(prefix, first, more):
            return [DahdiSpan(prefix + v, 2 * i + first, signalling="r2", more=(f"r2_variant = {v}", *(more or {}).get(v, ())))
                    for i, v in enumerate(VARIANTS)]
        ours = {v: (f"group = {v}", *(ours or {}).get(v, ())) for v in VARIANTS}
        self.node = Node(self, spans("", 1, ours), routes={str(i): f"group:{v}" for i, v in enumerate(VARIANTS)},
                         settings=("offer_timeout_ms = 500",), variant="release").start()
        self.far = [spans("net-", 2, theirs), scripts, answers]
        self.start_exchange()
        self.control = self.node.connect("operator")
        self.settle()

    def start_exchange(self):
        self.exchange = Exchange(self, "exchange", *self.far, tick="span")

    def settle(self):
        """Nothing is stuck, at either end."""
        for v in VARIANTS:
            self.exchange.await_idle(f"net-{v}", BEARERS)
            self.node.await_span(self.control, v, BEARERS)
        self.assertEqual(self.control.snapshot()["legs"], [])

    def run_calls(self, *scripts):
        """All at once."""
        for call in [self.exchange.start_calls(script) for script in scripts]:
            call.all_good()

    def counter(self, variant, name):
        return next(s for s in self.control.snapshot()["spans"] if s["span"] == variant)["counters"][name]

    def test_calls_and_audio(self):
        """From each line to the next, through a clear bridge: octets are the same, both ways."""
        said = {who: noise(1, seed) for seed, who in enumerate(("caller", "called"))}
        for who, octets in said.items():
            write_wav(self.dir / f"{who}-says.wav", octets, ALAW)
        talk = "answer; record called-{}.wav; pause 0.5; say called-says.wav; wait released"
        self.plug({f"talk{i}": talk.format(v) for i, v in enumerate(VARIANTS)},
                  {f"{i}5510": f"talk{i}" for i in range(len(VARIANTS))})
        self.run_calls(*(f"""dial {(i + 1) % 4}5510 from 3019{i} on net-{v}; wait answered; record caller-{v}.wav
                             pause 0.5; say caller-says.wav; pause 0.5; hangup 16""" for i, v in enumerate(VARIANTS)))
        self.settle()
        for v in VARIANTS:
            assert_contains(read_wav(self.dir / f"caller-{v}.wav"), said["called"], f"the caller on {v}")
            assert_contains(read_wav(self.dir / f"called-{v}.wav"), said["caller"], f"the called on {v}")
            self.assertEqual((self.counter(v, "calls_received"), self.counter(v, "calls_sent")), (1, 1), v)
            self.assertEqual(self.counter(v, "protocol_errors"), 0, v)

    def test_causes(self):
        """A refusal comes back through both lines as what it was."""
        causes = {17: "busy", 42: "congestion", 1: "unallocated", 27: "out of order"}
        self.plug({f"say{cause}": f"reject {cause}" for cause in causes},
                  {f"{i}{cause:02}": f"say{cause}" for cause in causes for i in range(4)})
        self.run_calls(*(f"dial {(i + 1) % 4}{cause:02}55 from 3019 on net-{v}; expect cause {cause}"
                         for i, v in enumerate(VARIANTS) for cause in causes if cause in (17, 42) or v == "itu"))
        self.settle()

    def test_cleared_at_every_state(self):
        self.plug({"ring": "alert; wait released", "answer": "answer; wait released", "end": "answer; pause 0.3; hangup 16"},
                  {**{f"{i}1": "ring" for i in range(4)}, **{f"{i}2": "answer" for i in range(4)},
                   **{f"{i}3": "end" for i in range(4)}})
        # Clear forward: within the seizure, at every stage of the registers, while it rings, and in the call.
        self.run_calls(*(f"dial {(i + 1) % 4}1555 from 3019 on net-{v}; pause {after}; hangup 16"
                         for i, after in enumerate((0.02, 0.1, 0.3, 0.5, 0.8, 1.2, 2)) for v in VARIANTS[i % 4:i % 4 + 1]),
                       *(f"dial {(i + 1) % 4}1555 from 3019 on net-{v}; wait alerting; hangup 16" for i, v in enumerate(VARIANTS)),
                       *(f"dial {(i + 1) % 4}2555 from 3019 on net-{v}; wait answered; hangup 16" for i, v in enumerate(VARIANTS)))
        self.settle()
        # Clear back.
        self.run_calls(*(f"dial {(i + 1) % 4}3555 from 3019 on net-{v}; wait answered; expect cause 16"
                         for i, v in enumerate(VARIANTS)))
        self.settle()

    def test_blocking(self):
        self.plug({"end": "answer; pause 0.1; hangup 16"}, {"": "end"})
        self.control.ask("node.drain", span="itu", slot=5)
        self.exchange.await_idle("net-itu", BEARERS - 1)
        refused = self.exchange.start_calls("dial 1555 on net-itu/5; wait answered")
        self.assertIn("timeslot 5 is not idle", str(refused.results()))
        self.control.ask("node.drain", span="itu", slot=5, off=True)
        self.settle()
        # An exchange that leaves blocks its end, and is free for calls when it is back.
        self.exchange.process.stop()
        for v in VARIANTS:
            self.node.await_span(self.control, v, 0)
        self.start_exchange()
        self.settle()
        self.run_calls("dial 1555 from 3019 on net-itu/5; wait answered; expect cause 16")
        self.settle()

    def test_settings(self):
        """DTMF for registers, metering pulses, collect calls, forced release, no charge."""
        dtmf = ("r2_dtmf_dial = yes", "r2_dtmf_detect = yes", "r2_dtmf_end_ms = 1000")
        forced = ("r2_forced_release = yes",)
        self.plug({"stay": "answer; wait released", "rings": "alert; pause 0.3; hangup 17"},
                  {"": "stay", "29": "rings"},
                  {"itu": dtmf, "ar": ("r2_metering_ms = 700",), "br": ("r2_accept_collect = no", *forced),
                   "mx": ("r2_charge = no", *forced)},
                  {"itu": dtmf, "ar": ("r2_double_answer = yes",), "br": ("r2_category = collect", *forced)})
        self.run_calls("dial 3555 from 3019 on net-itu; wait answered; pause 0.5; hangup 16",
                       "dial 0555 on net-mx; wait answered; pause 0.5; hangup 16",
                       "dial 1555 from 3019 on net-mx; wait answered; pause 1.5; hangup 16",
                       "dial 1555 from 3019 on net-br; expect cause 1",  # Brazil has one signal for both
                       "dial 2955 from 3019 on net-mx; wait alerting; expect cause 16")
        self.settle()
        self.assertEqual(self.counter("ar", "metering_pulses"), 1)
        self.assertEqual(self.counter("br", "collect_refused"), 1)

    def test_far_end_killed(self):
        """A far end that goes without a word leaves no call behind, and shows blocked until it is back."""
        self.plug({"stay": "answer; wait released"}, {"": "stay"})
        call = self.exchange.start_calls("dial 0555 from 3019 on net-mx; wait answered; wait released 60")
        wait_until(lambda: [leg["state"] for leg in self.control.snapshot()["legs"]] == ["answered"] * 2, "a call")
        self.exchange.process.kill()
        call.drop()
        wait_until(lambda: not self.control.snapshot()["legs"], "no call", 120)
        for v in VARIANTS:
            self.node.await_span(self.control, v, 0)
        self.start_exchange()
        self.settle()
        self.run_calls("dial 0555 from 3019 on net-mx; wait answered; pause 0.2; hangup 16")
        self.settle()


if __name__ == "__main__":
    main()
