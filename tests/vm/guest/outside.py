# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""What a test in the guest has around it: the emulated card (span.sh's `card`), and outside, at the other end of the
card's line, the exchange that host/exchange runs."""
import functools
import json
import os
import re
import socket
import subprocess
import termios
import tty
from dataclasses import dataclass
from pathlib import Path

from far_end import Calls, Exchange
from harness import LIMIT_S

OUT = Path(os.environ.get("VM_OUT", "/out"))
DOOR = ("10.0.2.100", 7000)  # where a case's --network option puts the exchange's door


@dataclass
class DahdiSpan:
    """One end of a line that DAHDI has, in place of far_end.Span."""
    name: str
    number: int
    kind: str = "e1"
    more: tuple = ()
    signalling: str = "pri-cpe"
    clock: str = "loop"

    def section(self):
        return "\n".join([f"[span {self.name}]", f"kind = {self.kind}", "backend = dahdi", f"dahdi_span = {self.number}",
                          f"signalling = {self.signalling}", *self.more, ""])


class Card:
    """The control socket of the card model."""

    def __init__(self, case):
        self.port = os.open("/dev/ttyS1", os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.port, termios.TCSANOW)
        case.on_end(lambda: os.close(self.port))

    def ask(self, *words):
        os.write(self.port, " ".join(words).encode() + b"\n")
        said = b""
        while not said.endswith(b"\n"):
            said += os.read(self.port, 4096)
        if said.startswith(b"error"):
            raise AssertionError(f"card {' '.join(words)}: {said.decode()}")
        return said.decode().strip()

    def stats(self):
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", self.ask("stats"))}


@functools.cache
def network_up():
    """The way to the exchange's door. Where udev runs it gives the interface another name."""
    subprocess.run(["modprobe", "virtio_net"], check=True)
    if Path("/run/udev/control").exists():
        subprocess.run(["udevadm", "settle"], check=True)
    name = next(card.name for card in Path("/sys/class/net").iterdir() if card.name != "lo")
    for words in f"address replace 10.0.2.15/24 dev {name}", f"link set {name} up":
        subprocess.run(["ip", *words.split()], check=True)


class Order:
    """One order to the exchange and its answers, JSON objects by line."""

    def __init__(self, **order):
        self.socket = socket.create_connection(DOOR, LIMIT_S)
        self.socket.sendall(json.dumps(order).encode() + b"\n")
        self.lines = self.socket.makefile()

    def answers(self, limit_s=LIMIT_S):
        self.socket.settimeout(limit_s)
        found = []
        while not found or not found[-1].get("last"):
            line = self.lines.readline()
            if not line:
                raise AssertionError(f"the exchange went away after {found}")
            found.append(json.loads(line))
        return found

    def close(self):
        self.lines.close()
        self.socket.close()


class OutsideCalls(Calls):
    def __init__(self, **order):
        self.order = Order(do="call", **order)

    def results(self, limit_s=LIMIT_S * 2):
        *results, summary = self.order.answers(limit_s)
        return results, summary

    def drop(self):
        self.order.close()


class Outside(Exchange):
    """The exchange on the host, as far_end.Exchange is one beside the test. What its scripts record is in OUT."""

    look_every_s = 0.3

    def __init__(self, case):
        network_up()
        self.case = case
        self.directory = re.search(r"^socket = (.*)/", (OUT / "exchange.conf").read_text(), re.M)[1]

    def order(self, *words):
        order = Order(do=words[0], **dict(zip(("span", "alarms"), words[1:])))
        answer = order.answers()[-1]
        order.close()
        if not answer["ok"]:
            raise AssertionError(f"exchange {' '.join(words)}: {answer}")
        return answer

    def start_calls(self, script, count=1, rate=20):
        steps = "; ".join(s.strip() for s in script.strip().splitlines())
        calls = OutsideCalls(script=steps, directory=self.directory, count=count, rate=float(rate))
        self.case.on_end(calls.drop)
        return calls
