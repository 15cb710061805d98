#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Calls over DAHDI: spans 1 and 2 are one line, 3 and 4 another; trunkd is at 1 and 3, the exchange at 2 and 4."""
import os
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integration"))
from audio import ALAW, assert_contains, noise, read_wav, write_wav  # noqa: E402
from far_end import Exchange  # noqa: E402
from harness import Case, wait_until  # noqa: E402
from node import Node  # noqa: E402
from outside import DahdiSpan  # noqa: E402
import tap  # noqa: E402

DIGITS = "0123456789*#ABCD"
BEARERS = 30


def carrier(name, number, more=()):
    return DahdiSpan(name, number, more=more, signalling="pri-network")


class SystemCalls:
    """Counts those of one thread, by the kernel's tracepoint."""

    EVENT = Path("/sys/kernel/tracing/events/raw_syscalls/sys_enter")

    def __init__(self, process, thread):
        if not self.EVENT.exists():
            subprocess.run(["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"], check=True)
        tid = next(task.name for task in Path(f"/proc/{process}/task").iterdir()
                   if (task / "comm").read_text().strip() == thread)
        self.hist = f"hist:keys=id if common_pid=={tid}"
        (self.EVENT / "trigger").write_text(self.hist)

    def end(self):
        lines = (self.EVENT / "hist").read_text()
        (self.EVENT / "trigger").write_text("!" + self.hist)
        return {int(number): int(count) for number, count in re.findall(r"id: +(\d+) .*hitcount: +(\d+)", lines)}


class OneProcess(Case):
    """tl_pri's two sides in one program, on the two ends of a line."""

    def plug(self, scripts, answers):
        self.exchange = Exchange(self, "exchange", [carrier("net", 2), DahdiSpan("sub", 1)], scripts, answers,
                                 tick="span")
        for span in "net", "sub":
            self.exchange.await_idle(span, BEARERS)

    def test_audio_and_digits_both_ways(self):
        said = {"caller": noise(2, 1), "called": noise(2, 2)}
        for who, octets in said.items():
            write_wav(self.dir / f"{who}-says.wav", octets, ALAW)
        self.plug({"talk": f"""answer; record called-hears.wav; expect digits {DIGITS}; say called-says.wav
                               send {DIGITS}; wait released"""}, {"": "talk"})
        self.exchange.call(f"""dial 100 from 0301 on net; wait answered; record caller-hears.wav; send {DIGITS}
                               expect digits {DIGITS}; say caller-says.wav; pause 0.5; hangup 16""")
        for span in "net", "sub":
            self.exchange.await_idle(span, BEARERS)
        assert_contains(read_wav(self.dir / "called-hears.wav"), said["caller"], "the called")
        assert_contains(read_wav(self.dir / "caller-hears.wav"), said["called"], "the caller")


class WithNode(Case):
    """A whole trunkd."""

    def plug(self, scripts=None, answers=None):
        self.node = Node(self, [DahdiSpan("in", 1), DahdiSpan("out", 3, more=("group = back",))],
                         routes={"": "group:back"}, settings=("offer_timeout_ms = 60000",), variant="release")
        self.node.start()
        t309 = ("t309_ms = 3000",)
        self.exchange = Exchange(self, "exchange", [carrier("net", 2, t309), carrier("back", 4, t309)], scripts,
                                 answers, tick="span")
        self.settle()

    def settle(self):
        self.control = self.node.connect("operator")
        for span in "net", "back":
            self.exchange.await_idle(span, BEARERS)
        for span in "in", "out":
            self.node.await_span(self.control, span, BEARERS)

    def test_clear_bridge_is_byte_exact(self):
        said = {"caller": noise(2, 3), "called": noise(2, 4)}
        for who, octets in said.items():
            write_wav(self.dir / f"{who}-says.wav", octets, ALAW)
        self.plug({"talk": """answer; record called-hears.wav; expect digits 1; say called-says.wav; send 2
                              wait released"""}, {"": "talk"})
        self.exchange.call("""dial 100 from 0301 on net; wait answered; record caller-hears.wav; send 1
                              expect digits 2; say caller-says.wav; pause 0.5; hangup 16""")
        self.exchange.await_idle("net", BEARERS)
        self.exchange.await_idle("back", BEARERS)
        assert_contains(read_wav(self.dir / "called-hears.wav"), said["caller"], "the called")
        assert_contains(read_wav(self.dir / "caller-hears.wav"), said["called"], "the caller")
        self.node.await_no_leg(self.control)

    def test_digits_are_collected(self):
        self.plug()
        desk = self.node.connect("conductor", epoch=1)
        call = self.exchange.start_calls(f"dial 200 on net; wait answered; pause 0.3; send {DIGITS}; hangup 16")
        leg = desk.await_event("leg.offered")["leg"]["leg"]
        desk.ask("leg.answer", leg=leg)
        desk.ask("leg.collect", leg=leg, collect="c1", max=len(DIGITS))
        self.assertEqual(desk.await_event("leg.collected")["digits"], DIGITS)
        call.all_good()
        self.assertEqual(desk.await_event("leg.ended")["cause"], 16)

    def test_killed_in_a_call(self):
        """The far end's T309 or the next trunkd's RESTART clears the call; then all channels are free and take calls."""
        self.plug({"echo": "answer; echo on; wait released 600"}, {"": "echo"})
        call = self.exchange.start_calls("dial 100 on net; wait answered; wait released 60")
        # Until both ends of the exchange know: what the node has answered may not have left it yet.
        wait_until(lambda: self.exchange.status()["calls_answered"] == 2, "a call")
        self.node.process.kill()
        self.assertTrue(call.results()[0][0]["answered"])
        self.node.start()
        self.settle()
        self.exchange.call("dial 100 on net; wait answered; pause 0.2; hangup 16")
        self.settle()

    def instructions(self):
        """Of all threads so far, the kernel's part of their system calls included: a ns of this clock is one."""
        tasks = Path(f"/proc/{self.node.process.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def test_cost_of_calls(self):
        """With a call on every timeslot: at most 4 system calls a tick and span, 400,000 instructions a channel-second."""
        self.plug({"echo": "answer; echo on; wait released 600"}, {"": "echo"})
        calls = self.exchange.start_calls("dial 100%n on net; wait answered; pause 60; hangup 16", BEARERS, 30)
        wait_until(lambda: len(self.control.snapshot()["legs"]) == 2 * BEARERS, "a leg on every timeslot")
        counted = SystemCalls(self.node.process.process.pid, "media")
        began, spent = time.monotonic(), self.instructions()
        time.sleep(3)
        seconds, spent = time.monotonic() - began, self.instructions() - spent
        found, ticks = counted.end(), seconds * 100
        channel = spent / seconds / 2 / BEARERS
        print(f"# {channel:.0f} instructions a channel-second, bridged and untouched, over {seconds:.2f} s")
        each = sum(found.values()) / ticks / 2
        print(f"# {each:.2f} system calls a tick and span, by number: {found}, in {ticks:.0f} ticks of 2 spans")
        self.assertLessEqual(each, 4)
        self.assertGreater(each, 1)
        self.assertLess(channel, 400000)
        calls.drop()


if __name__ == "__main__":
    tap.main()
