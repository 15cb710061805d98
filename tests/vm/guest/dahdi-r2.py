#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""R2 calls over DAHDI: each odd span is trunkd's end of a line, the next one the exchange's; a variant on each line."""
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
    def plug(self, scripts=None, answers=None, variants=VARIANTS, ours=(), theirs=()):
        """A number's first digit says on which line trunkd sends it on."""
        routes = {str(i): f"group:{v}" for i, v in enumerate(variants)}
        node_spans = [DahdiSpan(v, 2 * VARIANTS.index(v) + 1, signalling="r2",
                                more=(f"r2_variant = {v}", f"group = {v}", *ours)) for v in variants]
        far_spans = [DahdiSpan(f"net-{v}", 2 * VARIANTS.index(v) + 2, signalling="r2",
                               more=(f"r2_variant = {v}", *theirs)) for v in variants]
        self.variants = variants
        self.node = Node(self, node_spans, routes=routes, settings=("offer_timeout_ms = 500",), variant="release")
        self.node.start()
        self.exchange = Exchange(self, "exchange", far_spans, scripts, answers, tick="span")
        self.control = self.node.connect("operator")
        self.settle()

    def settle(self, idle=BEARERS):
        for v in self.variants:
            self.exchange.await_idle(f"net-{v}", idle)
            self.node.await_span(self.control, v, idle)

    def test_calls_both_ways(self):
        """From each line to the next, through a clear bridge."""
        said = {who: noise(1, seed) for seed, who in enumerate(("caller", "called"))}
        for who, octets in said.items():
            write_wav(self.dir / f"{who}-says.wav", octets, ALAW)
        self.plug({"talk": "answer; record called-%n.wav; pause 0.5; say called-says.wav; wait released"}, {"": "talk"})
        calls = [self.exchange.start_calls(
            f"""dial {(i + 1) % len(VARIANTS)}55100{i} from 301{i} on net-{v}; wait answered; record caller-{v}.wav
                pause 0.5; say caller-says.wav; pause 0.5; hangup 16""") for i, v in enumerate(VARIANTS)]
        for call in calls:
            call.all_good()
        self.settle()
        for v in VARIANTS:
            assert_contains(read_wav(self.dir / f"caller-{v}.wav"), said["called"], f"the caller on {v}")


if __name__ == "__main__":
    main()
