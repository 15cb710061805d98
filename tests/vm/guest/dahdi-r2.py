#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""R2 calls over DAHDI: each odd span is trunkd's end of a line, the next one the exchange's; a variant on each line.
trunkd sends a call on by the first digit of its number, so each call is one that comes and one that goes."""
import signal
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "integration"), str(Path(__file__).resolve().parent)]
from audio import ALAW, noise, read_wav, write_wav  # noqa: E402
from far_end import Exchange  # noqa: E402
from harness import Case, wait_until  # noqa: E402
from node import Node  # noqa: E402
from outside import DahdiSpan  # noqa: E402
from tap import main  # noqa: E402

BEARERS = 30
TALK = {f"talk{i}": f"answer; record called-{i}.wav; expect digits 1; say called-says.wav; send 2; wait released" for i in range(4)}
TO_TALK = {f"{i}5510": f"talk{i}" for i in range(4)}


class R2(Case):
    """Line i takes the numbers that begin with i. A test talks on each of its lines, besides what is its own."""

    def plug(self, variants, scripts=(), answers=(), ours=None, theirs=None):
        """@ours, @theirs: further lines of each end's spans, by the line's number."""
        def spans(prefix, first, more):
            return [DahdiSpan(f"{prefix}{i}", 2 * i + first, signalling="r2", more=(f"r2_variant = {v}", *more.get(i, ())))
                    for i, v in enumerate(variants)]
        self.lines = range(len(variants))
        ours = {i: (f"group = line{i}", *(ours or {}).get(i, ())) for i in self.lines}
        self.node = Node(self, spans("line", 1, ours), routes={str(i): f"group:line{i}" for i in self.lines},
                         settings=("offer_timeout_ms = 500",), variant="release").start()
        self.said = {who: noise(1, seed) for seed, who in enumerate(("caller", "called"))}
        for who, octets in self.said.items():
            write_wav(self.dir / f"{who}-says.wav", octets, ALAW)
        self.far = [spans("net", 2, theirs or {}), {**TALK, **dict(scripts)}, {**TO_TALK, **dict(answers)}]
        self.start_exchange()
        self.control = self.node.connect("operator")
        self.settle()

    def start_exchange(self):
        self.exchange = Exchange(self, "exchange", *self.far, tick="span")

    def settle(self):
        """Nothing is stuck, at either end."""
        for i in self.lines:
            self.exchange.await_idle(f"net{i}", BEARERS)
            self.node.await_span(self.control, f"line{i}", BEARERS)
        self.node.await_no_leg(self.control)

    def run_calls(self, *scripts):
        """All at once."""
        for call in [self.exchange.start_calls(script) for script in scripts]:
            call.all_good()

    def beyond(self, i):
        """The line that calls of line @i go to."""
        return (i + 1) % len(self.lines)

    def counter(self, i, name):
        return next(s for s in self.control.snapshot()["spans"] if s["span"] == f"line{i}")["counters"][name]

    def assert_heard(self, name, who):
        heard, said = read_wav(self.dir / name), self.said[who]
        pieces = [said[at:at + 400] for at in range(0, len(said), 400)]
        self.assertGreaterEqual(sum(piece in heard for piece in pieces), len(pieces) // 2, name)

    def talk(self):
        """From each line to the next, through a clear bridge: digits, and octets that are the same, both ways. Time runs free
        here, and a bearer that ran dry begins anew: so pieces of what was said are looked for, not all of it at once."""
        self.run_calls(*(f"""dial {self.beyond(i)}5510 from 3019{i} on net{i}; wait answered; record caller-{i}.wav
                             send 1; say caller-says.wav; expect digits 2; hangup 16""" for i in self.lines))
        self.settle()
        for i in self.lines:
            self.assert_heard(f"caller-{i}.wav", "called")
            self.assert_heard(f"called-{i}.wav", "caller")
            self.assertEqual((self.counter(i, "calls_received"), self.counter(i, "calls_sent")), (1, 1), i)
            self.assertEqual(self.counter(i, "protocol_errors"), 0, i)

    def test_calls_and_causes(self):
        causes = {17: "busy", 42: "congestion", 1: "unallocated", 27: "out of order"}
        self.plug(("itu", "ar", "br", "mx"), {f"say{cause}": f"reject {cause}" for cause in causes},
                  {f"{i}9{cause:02}": f"say{cause}" for cause in causes for i in range(4)})
        self.talk()
        # A refusal comes back through both lines as what it was.
        self.run_calls(*(f"dial {self.beyond(i)}9{cause:02}5 from 3019 on net{i}; expect cause {cause}"
                         for i in self.lines for cause in causes if cause in (17, 42) or i == 0))
        self.settle()

    def test_cleared_at_every_state(self):
        self.plug(("itu", "ar", "br", "mx"),
                  {"ring": "alert; wait released", "answer": "answer; wait released", "end": "answer; pause 0.3; hangup 16"},
                  {f"{i}{n}": name for i in range(4) for n, name in ((1, "ring"), (2, "answer"), (3, "end"))})
        # Clear forward: within the seizure, at every stage of the registers, while it rings, and in the call.
        self.run_calls(*(f"dial {self.beyond(i)}1555 from 3019 on net{i % 4}/{20 + i // 4}; pause {after}; hangup 16"
                         for i, after in enumerate((0.02, 0.1, 0.3, 0.5, 0.8, 1.2, 2))),
                       *(f"dial {self.beyond(i)}1555 from 3019 on net{i}/22; wait alerting; hangup 16" for i in self.lines),
                       *(f"dial {self.beyond(i)}2555 from 3019 on net{i}; wait answered; hangup 16" for i in self.lines))
        self.settle()
        # Clear back; and on timeslots that have had a call nothing of that is left, neither tones nor bits.
        self.run_calls(*(f"dial {self.beyond(i)}3555 from 3019 on net{i}; wait answered; expect cause 16" for i in self.lines),
                       *(f"dial {self.beyond(i)}1555 from 3019 on net{i}/{slot}; wait alerting; hangup 16"
                         for i in self.lines for slot in (20, 22)))
        self.settle()

    def test_blocking_and_a_far_end_killed(self):
        self.plug(("co", "cz", "ph", "ec"), {"stay": "answer; wait released", "end": "answer; pause 0.1; hangup 16", "busy": "reject 17"},
                  {"": "end", "07": "stay", "09": "busy", "19": "busy"})
        self.talk()
        self.run_calls("dial 0955 from 3019 on net3; expect cause 17", "dial 1955 from 3019 on net0; expect cause 17")
        self.control.ask("node.drain", span="line0", slot=5)
        self.exchange.await_idle("net0", BEARERS - 1)
        refused = self.exchange.start_calls("dial 1555 on net0/5; wait answered")
        self.assertIn("timeslot 5 is not idle", str(refused.results()))
        self.control.ask("node.drain", span="line0", slot=5, off=True)
        self.settle()
        # An exchange that leaves blocks its end, and is free for calls when it is back.
        self.exchange.process.stop()
        self.await_blocked()
        self.start_exchange()
        self.settle()
        self.run_calls("dial 1555 from 3019 on net0/5; wait answered; expect cause 16")
        self.settle()
        # One that goes without a word leaves no call behind, and shows blocked until it is back.
        call = self.exchange.start_calls("dial 0755 from 3019 on net3; wait answered; wait released 60")
        wait_until(lambda: [leg["state"] for leg in self.control.snapshot()["legs"]] == ["answered"] * 2, "a call")
        self.exchange.process.kill()
        call.drop()
        self.node.await_no_leg(self.control)
        self.await_blocked()
        self.start_exchange()
        self.settle()
        self.run_calls("dial 0755 from 3019 on net3; wait answered; pause 0.2; hangup 16")
        self.settle()
        # A node that ends while nobody answers its clearing ends all the same.
        call = self.exchange.start_calls("dial 0755 from 3019 on net3; wait answered; wait released 60")
        wait_until(lambda: [leg["state"] for leg in self.control.snapshot()["legs"]] == ["answered"] * 2, "a call")
        self.exchange.process.signal(signal.SIGSTOP)
        self.assertEqual(self.node.process.stop(), 0, self.node.process.tail())
        self.exchange.process.signal(signal.SIGCONT)
        call.drop()

    def await_blocked(self):
        for i in self.lines:
            self.node.await_span(self.control, f"line{i}", 0)

    def test_settings(self):
        """DTMF for registers, metering pulses, collect calls, forced release, no charge."""
        dtmf = ("r2_dtmf_dial = yes", "r2_dtmf_detect = yes", "r2_dtmf_end_ms = 1000")
        forced = ("r2_forced_release = yes",)
        self.plug(("itu", "ar", "br", "mx"), {"stay": "answer; wait released", "rings": "alert; pause 0.3; hangup 17"},
                  {"": "stay", "29": "rings"},
                  {0: dtmf, 1: ("r2_metering_ms = 700",), 2: ("r2_accept_collect = no", *forced), 3: ("r2_charge = no", *forced)},
                  {0: dtmf, 1: ("r2_double_answer = yes",), 2: ("r2_category = collect", *forced)})
        self.run_calls("dial 3555 from 3019 on net0; wait answered; pause 0.5; hangup 16",
                       "dial 0555 on net3; wait answered; pause 0.5; hangup 16",
                       "dial 1555 from 3019 on net3; wait answered; pause 1.5; hangup 16",
                       "dial 1555 from 3019 on net2; expect cause 1",  # Brazil has one signal for both
                       "dial 2955 from 3019 on net3; wait alerting; expect cause 16")
        self.settle()
        self.assertEqual(self.counter(1, "metering_pulses"), 1)
        self.assertEqual(self.counter(2, "collect_refused"), 1)

    def test_register_settings(self):
        """Calls accepted in group A, no category asked for, tones that must last, a short wait for the next digit."""
        alone = ("r2_immediate_accept = yes",)
        skip = ("r2_skip_category = yes", "r2_ani_first = no")
        self.plug(("itu", "cn", "id", "ve"), {"slow": "pause 1; answer; wait released", "busy": "reject 17",
                                                 "talk1": f"expect from ''; {TALK['talk1']}", "talk2": f"expect from ''; {TALK['talk2']}", "talk3": f"expect from 30192; {TALK['talk3']}"},
                  {"07": "slow", "09": "busy"},
                  {0: alone, 1: skip, 2: ("r2_mf_threshold_ms = 60",), 3: ("r2_mf_timeout_ms = 1000",)},
                  {0: alone, 1: skip, 2: ("r2_mf_threshold_ms = 60",)})
        self.talk()  # Line 1's caller is not asked who it is.
        # Both ends of line 0 accept by themselves; the answer comes later, and a refusal is heard: trunkd's to its caller, for
        # nobody has the number, and the exchange's to trunkd, which passes it on.
        self.run_calls("dial 0755 from 3019 on net3; wait answered; pause 0.2; hangup 16",
                       "dial 9555 from 3019 on net0; wait alerting; expect tone 1400; expect tone 425; hangup 16",
                       "dial 0955 from 3019 on net3; wait alerting; expect tone 480; expect silence; expect tone 480; hangup 16")
        self.settle()


if __name__ == "__main__":
    main()
