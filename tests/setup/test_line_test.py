#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""line-test over a looped pseudowire: what is put in is what is found."""
import json
import os
import signal
import socket
import subprocess
import unittest
from pathlib import Path

BUILD = Path(os.environ.get("BUILD", Path(__file__).resolve().parents[2] / "build"))
LINE_TEST = BUILD / "release/line-test"
LIMIT_S = 120
ATTEMPTS = 4


def ports():
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    found = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return found


def wire(near, far, *words):
    return [LINE_TEST, "--pseudowire", f"127.0.0.1:{near}", "--peer", f"127.0.0.1:{far}", "--jitter-ms", "100", *words]


class Loop(unittest.TestCase):
    def measure(self, *words, loop=()):
        """A test's status and report over a line that this host's load has not spoilt: both ends count what it did."""
        for _ in range(ATTEMPTS):
            near, far = ports()
            looping = subprocess.Popen(wire(far, near, "--loop", "--clock", "loop", "--json", *loop), stdout=subprocess.PIPE, text=True)
            try:
                done = subprocess.run(wire(near, far, "--json", *words), capture_output=True, text=True, timeout=LIMIT_S)
            finally:
                looping.send_signal(signal.SIGINT)
                answer = looping.communicate(timeout=LIMIT_S)[0]
            self.assertEqual(looping.returncode, 0)
            report = json.loads(done.stdout)
            spoilt = {**report["counters"], "far": json.loads(answer)["counters"]["lost"]}
            if not any(spoilt[name] for name in ("lost", "late", "underruns", "overruns", "slips_dropped", "slips_repeated", "far")):
                return done.returncode, report
        self.fail(f"the host spoilt the line {ATTEMPTS} times: {spoilt}")

    def test_clean(self):
        for kind, slots in ("e1", 31), ("t1", 24):
            with self.subTest(kind):
                status, report = self.measure("--kind", kind, "--seconds", "3", loop=("--kind", kind))
                self.assertEqual((status, report["good"], len(report["slots"])), (0, True, slots))
                for slot in report["slots"]:
                    self.assertTrue(slot["good"] and slot["in_step"])
                    self.assertEqual((slot["errors"], slot["slips"], slot["seconds_errored"]), (0, 0, 0))
                    self.assertGreater(slot["bits"], 64000)
                # All come back together, after at least the depth of both ends.
                delays = {slot["delay_us"] for slot in report["slots"]}
                self.assertEqual(len(delays), 1)
                self.assertGreater(min(delays), 100000)

    def test_errors_and_slips(self):
        for pattern in "9", "11", "15":
            with self.subTest(pattern):
                status, report = self.measure("--seconds", "5", "--pattern", pattern, "--slots", "1,2,16,31",
                                              "--put-errors", "25", "--put-slips", "2")
                self.assertEqual((status, report["good"]), (1, False))
                self.assertEqual([slot["slot"] for slot in report["slots"]], [1, 2, 16, 31])
                for slot in report["slots"]:
                    self.assertEqual((slot["errors"], slot["slips"], slot["slipped_octets"], slot["losses_of_step"]), (25, 2, 2, 2))
                    self.assertTrue(slot["in_step"])
                    self.assertGreater(slot["seconds_errored"], 0)

    def test_timeslot_that_is_not_looped(self):
        status, report = self.measure("--seconds", "2", "--slots", "1-3", loop=("--slots", "1,3"))
        self.assertEqual(status, 1)
        self.assertEqual([slot["good"] for slot in report["slots"]], [True, False, True])
        self.assertEqual((report["slots"][1]["bits"], "delay_us" in report["slots"][1]), (0, False))

    def test_no_far_end(self):
        near, far = ports()
        done = subprocess.run(wire(near, far, "--seconds", "2", "--slots", "1"), capture_output=True, text=True, timeout=LIMIT_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn("RED", done.stdout)
        self.assertIn("BAD", done.stdout)

    def test_refusals(self):
        for words, expected in ((["--slots", "0"], "--slots"), (["--slots", "5-2"], "--slots"), (["--slots", "1,,2"], "--slots"),
                                (["--pattern", "12"], "--pattern"), (["--seconds", "0"], "--seconds"), (["--kind", "j1"], "--kind"),
                                (["--clock", "sun"], "--clock"), (["--dahdi", "1"], "one of --dahdi and --pseudowire"),
                                (["--kind", "t1", "--slots", "25"], "--slots"), (["--frames", "7"], "frames"),
                                (["--put-errors", "-1"], "--put-errors"), (["extra"], "options only")):
            with self.subTest(words):
                done = subprocess.run(wire(*ports(), *words), capture_output=True, text=True, timeout=LIMIT_S)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(expected, done.stderr)


if __name__ == "__main__":
    unittest.main()
