#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Instructions a channel-second of trunkd, with a call on each of 30 timeslots whose octets all come back on the line. Run
in a guest whose clock counts instructions; writes /out/channel.json."""
import json
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integration"))
from audio import ALAW, noise, write_wav  # noqa: E402
from far_end import Exchange  # noqa: E402
from harness import Case, wait_until  # noqa: E402
from node import Node  # noqa: E402
from outside import OUT, DahdiSpan  # noqa: E402
import tap  # noqa: E402

BEARERS = 30
WINDOWS, WINDOW_S = 5, 2


class Channel(Case):
    def test_calls_everywhere(self):
        node = Node(self, [DahdiSpan("in", 1, more=("restart = no", "group = in"))], routes={"": "group:in"},
                    variant="release", settings=("offer_timeout_ms = 5000",))
        node.start()
        write_wav(self.dir / "says.wav", noise(2, 1), ALAW)
        self.exchange = Exchange(self, "exchange", [DahdiSpan("net", 2, signalling="pri-network")],
                                 {"echo": "answer; echo on; wait released 600"}, {"": "echo"}, tick="span")
        self.exchange.await_idle("net", BEARERS)
        control, found = node.connect("operator"), {}
        for name, place in ("through", self.through), ("answered", self.answered), ("digits", self.searched):
            place(node, control)
            found[name] = self.measure(node)
            for leg in control.snapshot()["legs"]:
                control.ask("leg.release", leg=leg["leg"], cause=16)
            self.exchange.await_idle("net", BEARERS)
        (OUT / "channel.json").write_text(json.dumps(found))

    def call(self, count):
        self.exchange.start_calls("dial 100%n on net; wait answered; play says.wav forever; wait released 600", count, 30)

    def through(self, node, control):
        """From half of the timeslots to the other half and, echoed there, back."""
        self.call(BEARERS // 2)
        wait_until(lambda: [leg["state"] for leg in control.snapshot()["legs"]] == ["answered"] * BEARERS, "every leg answered")

    def answered(self, node, control):
        """By a desk, which joins them two and two."""
        self.join(node, 1)

    def searched(self, node, control):
        """The same, by a desk that wants to hear of every digit."""
        self.join(node, 2, digits=True)

    def join(self, node, epoch, **wishes):
        desk = node.connect("conductor", epoch=epoch)
        self.call(BEARERS)

        def offered():
            legs = [params["leg"]["leg"] for name, params in desk.events if name == "leg.offered"]
            return legs if len(legs) == BEARERS else None
        legs = wait_until(offered, "a call on every timeslot")
        for leg in legs:
            desk.ask("leg.take", leg=leg, **wishes)
            desk.ask("leg.answer", leg=leg)
        for a, b in zip(legs[::2], legs[1::2]):
            desk.ask("bridge.create", bridge=a, kind="voice", members=[{"leg": a}, {"leg": b}])

    @staticmethod
    def spent(node):
        """By all its threads so far, the kernel's part of their system calls included: a ns of this clock is one."""
        tasks = Path(f"/proc/{node.process.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def measure(self, node):
        time.sleep(1)
        means = []
        for _ in range(WINDOWS):
            began, before = time.monotonic(), self.spent(node)
            time.sleep(WINDOW_S)
            means.append((self.spent(node) - before) / (time.monotonic() - began) / BEARERS)
        print(f"# {[round(mean) for mean in means]}", flush=True)
        return statistics.median(means)


if __name__ == "__main__":
    os.environ.setdefault("TL_VARIANT", "release")
    tap.main()
