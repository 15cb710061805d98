#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Calls on a card while the line is pulled, the card goes and comes back, the driver is exchanged and trunkd dies."""
import os
import subprocess
from pathlib import Path

from stack import Stack
from facts import records
from harness import wait_until
import tap

DRIVER = Path(os.environ["BUILD"], "driver/tl_t1e1.ko")
FORGOTTEN = (27, 41, 81, 101)  # ended by RESTART, or as a call that is not known any more (ITU-T Q.931 5.8.10)


class Talking(Stack):
    def talk(self, span="card"):
        """A call in state Active at both ends: the desk has heard the digit 1, the caller waits for 7 and says 8."""
        self.desk = self.node.connect("conductor", epoch=1)
        call = self.exchange.start_calls(f"""dial 400 from 0301 on {span}; wait answered; send 1; expect digits 7 600
                                             send 8; wait released 600""")
        self.leg = self.desk.await_event("leg.offered")["leg"]["leg"]
        self.desk.ask("leg.answer", leg=self.leg)
        self.assertEqual(self.collect(), "1")
        return call

    def collect(self):
        mark = self.desk.mark()
        self.desk.ask("leg.collect", leg=self.leg, collect="c", max=1, first_ms=60000)
        return self.desk.await_event("leg.collected", after=mark)["digits"]

    def goes_on(self, call):
        """The same call, and audio both ways on it."""
        self.speaks(call)
        self.settle()
        self.node.await_no_leg(self.control)

    def speaks(self, call):
        self.desk.ask("leg.dtmf", leg=self.leg, digits="7")
        self.assertEqual(self.collect(), "8")
        self.desk.ask("leg.release", leg=self.leg, cause=16)
        self.assertEqual(call.all_good()[0]["cause"], 16)
        self.desk.close()  # calls are the node's own again

    def await_span(self, true, order, *words, span="card"):
        """Until the node tells of the span what follows from an order."""
        mark = self.control.mark()
        order(*words)
        self.control.await_event("span.changed", lambda params: params["span"]["span"] == span and true(params["span"]),
                                 mark)

    def is_up(self, span):
        return span["alarms"] == "OK" and span["d_channel_up"]

    def echoes(self):
        self.settle()
        self.exchange.call("dial 100; wait answered; send 5; expect digits 5; hangup 16")
        self.settle()


class Line(Talking):
    def test_pulled_and_restored_in_a_call(self):
        call = self.talk()
        self.await_span(lambda span: "RED" in span["alarms"] and not span["d_channel_up"], self.card.ask, "line los on")
        self.await_span(self.is_up, self.card.ask, "line los off")
        self.goes_on(call)

    def test_trunkd_killed_in_a_call(self):
        self.node.file.write_text(self.node.file.read_text().replace("restart = no", "restart = yes"))
        call = self.talk()
        self.node.process.kill()
        self.start_node()
        result = call.results()[0][0]
        self.assertTrue(result["by_peer"])
        self.assertIn(result["cause"], FORGOTTEN)
        self.node.await_no_leg(self.control)
        desk = self.node.connect("conductor", epoch=2)
        self.assertEqual(records(desk), [("in", "card", "400", True, 41)])
        desk.close()
        self.echoes()


class LineForLong(Talking):
    more = ("restart = no", "t309_ms = 1500")

    def test_pulled_longer_than_t309(self):
        """The node's end of the call is over; the far end hears of it when the line is back; no timeslot stays taken."""
        call = self.talk()
        self.card.ask("line los on")
        self.assertEqual(self.desk.await_event("leg.ended")["cause"], 27)
        self.await_span(self.is_up, self.card.ask, "line los off")
        result = call.results()[0][0]
        self.assertTrue(result["by_peer"])
        self.assertIn(result["cause"], FORGOTTEN)
        self.desk.close()
        self.echoes()


class Cards(Talking):
    """The nth card is the nth span's."""

    def setUp(self):
        super().setUp()
        self.devices = Path("/sys/bus/pci/devices")
        self.addresses = sorted(d.name for d in self.devices.iterdir() if (d / "vendor").read_text().strip() == "0xe159")

    def remove(self, n=0):
        self.await_span(lambda span: "NOTOPEN" in span["alarms"],
                        (self.devices / self.addresses[n] / "remove").write_text, "1", span=self.spans[n])

    def bring_back(self, n=0):
        Path("/sys/bus/pci/rescan").write_text("1")
        bound = Path("/sys/bus/pci/drivers/tl_t1e1", self.addresses[n])
        wait_until(bound.exists, "the card is the driver's again")
        self.card.ask(f"@{n}", "period 2000 1500")
        wait_until(lambda: subprocess.run("dahdi_cfg").returncode == 0, "dahdi_cfg")


class CardAndDriver(Cards):
    def test_card_removed_and_back_in_a_call(self):
        call = self.talk()
        self.remove()
        self.await_span(self.is_up, self.bring_back)
        self.goes_on(call)

    def test_driver_reloaded(self):
        refused = subprocess.run(["rmmod", "tl_t1e1"], capture_output=True, text=True)
        self.assertIn("in use", refused.stderr)
        self.remove()
        subprocess.run(["rmmod", "tl_t1e1"], check=True)
        subprocess.run(["insmod", DRIVER, "settle_ms=300"], check=True)
        self.await_span(self.is_up, self.bring_back)
        self.echoes()


class TickFailOver(Cards):
    """The tick follows the lines of two cards: neither is needed for it."""

    spans = ("card", "other")

    def goes_on_without(self, n):
        call = self.talk(self.spans[1 - n])
        self.remove(n)
        self.speaks(call)
        self.await_span(self.is_up, self.bring_back, n, span=self.spans[n])
        self.settle()
        self.exchange.call(f"dial 100 on {self.spans[n]}; wait answered; send 5; expect digits 5; hangup 16")
        self.settle()

    def test_without_the_first(self):
        self.goes_on_without(0)

    def test_without_the_second(self):
        self.goes_on_without(1)


if __name__ == "__main__":
    tap.main()
