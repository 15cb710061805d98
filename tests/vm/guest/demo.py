#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""`make run DAHDI=1`: the demonstration centre answers on the card, too, and the exchange outside calls it."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integration"))
from harness import BUILD, TREE, Case, wait_until  # noqa: E402
from outside import Outside  # noqa: E402
import tap  # noqa: E402


class Demo(Case):
    def test_it_takes_the_card_in(self):
        exchange = Outside(self)
        demo = self.start("demo", ["/usr/bin/python3", str(TREE / "tools/demo/run"), "--build", str(BUILD)],
                          env={"DAHDI": "1", "NUMBER": "5550123"})
        demo.await_line(r"Cards +span 1 \(E1, .*\): takes calls to 5551000 and 5550123")
        exchange.await_idle("card", 30)
        # A guest's time passes while its host runs others, which looks like work: calls may be refused for it.
        dial = "dial 5550123 from 0301; wait answered; expect audio; hangup 16"
        wait_until(lambda: exchange.start_calls(dial).results()[1]["ok"], "a call that hears the centre", every_s=1)


if __name__ == "__main__":
    tap.main()
