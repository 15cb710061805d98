#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""CAS over DAHDI: spans 1 and 2 are one line, 3 and 4 another; trunkd is at 1 and 3, the exchange at 2 and 4."""
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "integration"), str(Path(__file__).resolve().parent)]
from far_end import Exchange  # noqa: E402
from harness import Case  # noqa: E402
from node import Node  # noqa: E402
from outside import DahdiSpan  # noqa: E402
from tap import main  # noqa: E402

OTHER = {"fxs-loop": "fxo-loop", "fxo-loop": "fxs-loop", "fxs-kewl": "fxo-kewl", "fxo-kewl": "fxs-kewl"}


def card(name, number, kind, signalling, more):
    own = "cas_number = 100" if signalling.startswith("fxs") else "cas_digits_max = 7"
    return DahdiSpan(name, number, kind, (own, *more), f"cas-{signalling}")


class Cas(Case):
    """Numbers with a 2 go from span back to span net, all others the other way; who is on span back hangs up."""

    def both_ways(self, signalling, *more, ii="", to_back="''", to_net="''", flash=""):
        other, slots = OTHER.get(signalling, signalling), 24 if self.kind == "t1" else 30
        node = Node(self, [card("in", 1, self.kind, other, (*more, "group = front")),
                           card("out", 3, self.kind, signalling, (*more, "group = back"))],
                    routes={"": "group:back", "2": "group:front"}, variant="release").start()
        exchange = Exchange(
            self, "exchange", [card("net", 2, self.kind, signalling, more), card("back", 4, self.kind, other, more)],
            {"back": f"expect from {to_back}; answer; expect digits 1 60; send 2; pause 0.6; hangup",
             "net": f"expect from {to_net}; answer; pause 0.5; send 1; expect digits 2 60; wait released 60"},
            {"": "back", "2": "net"}, tick="span")
        control = node.connect("operator")

        def settle():
            for span in "net", "back":
                exchange.await_idle(span, slots)
            for span in "in", "out":
                node.await_span(control, span, slots)
        settle()
        exchange.call(f"dial 5551000 from 3015550 {ii} on net; wait answered 60; send 1; expect digits 2 60; wait released 60")
        settle()
        exchange.call(f"dial 2551000 from 3016660 {ii} on back; wait answered 60; expect digits 1 60; {flash}; send 2; pause 0.5; hangup")
        settle()
        self.assertEqual(exchange.status()["calls_failed"], 0, exchange.process.tail())
        return control


class T1(Cas):
    kind = "t1"

    def test_em_immediate(self):
        self.both_ways("em-immediate")

    def test_em_wink_mf(self):
        self.both_ways("em-wink", "cas_digits = mf")

    def test_feature_group_d_mf(self):
        self.both_ways("fgd", "cas_digits = mf", ii="ii 62", to_back="3015550; expect ii 62", to_net="3016660; expect ii 62")

    def test_kewl_start_bell_caller_id_and_flash(self):
        control = self.both_ways("fxo-kewl", "caller_id = bell", to_back="3015550", flash="flash; pause 1.5")
        control.await_event("leg.flash")

    def test_loop_start(self):
        self.both_ways("fxo-loop")


class E1(Cas):
    kind = "e1"

    def test_em_wink(self):
        self.both_ways("em-wink")

    def test_loop_start_v23_caller_id_and_reversal(self):
        self.both_ways("fxo-loop", "caller_id = v23", "cas_reversal = yes", to_back="3015550")


if __name__ == "__main__":
    main()
