# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Documents to be faxed and pages that came, pixel by pixel; a node and an exchange that fax over a line in fast motion."""
import random

from PIL import Image, ImageSequence

from far_end import Exchange, Span
from harness import free_ports
from node import PATIENCE, Node, near
from wire import Pacer

# A V.17 machine has the slower modems as well, and every machine has MH (ITU-T T.30 table 2, T.4).
V27TER, V29, V17 = "v27ter", "v27ter,v29", "v27ter,v29,v17"
# Every modem with every coding, with ECM and without: (modems, coding, ecm, training checks that are spoiled, bit rate).
WAYS = [(V27TER, "mh", "off", 1, 2400), (V27TER, "mr", "off", 0, 4800), (V27TER, "mh", "on", 0, 4800),
        (V27TER, "mr", "on", 0, 4800), (V27TER, "mmr", "on", 1, 2400), (V29, "mh", "off", 0, 9600),
        (V29, "mr", "off", 1, 7200), (V29, "mh", "on", 0, 9600), (V29, "mr", "on", 0, 9600), (V29, "mmr", "on", 1, 7200),
        (V17, "mh", "off", 0, 14400), (V17, "mr", "off", 1, 12000), (V17, "mh", "on", 2, 9600), (V17, "mr", "on", 0, 14400),
        (V17, "mmr", "on", 0, 14400)]
# Width, resolution, dots/inch, rows.
PAPERS = [(1728, "standard", (204, 98), 50), (2048, "fine", (204, 196), 40), (2432, "superfine", (204, 391), 40)]

# Line time per wall clock, if the machine can. T.30 gives up after T1, 35 s of line time, in which a busy
# machine must have answered, opened a spool item and begun to speak.
SPEED = 8


def make_page(number, width=1728, length=60):
    """A pattern of which no two pages share a row."""
    chance = random.Random(number)
    page = Image.new("1", (width, length), 1)
    for y in range(0, length, 4):
        x = 0
        while x < width:
            run = chance.randrange(20, 300)
            page.paste(0, (x, y, min(x + run // 2, width), y + 4))
            x += run
    return page


def write_document(path, pages, dpi=(204, 98), **form):
    images = [make_page(number, **form) for number in pages]
    images[0].save(path, compression="group4", dpi=dpi, save_all=True, append_images=images[1:])
    return path


def write_papers(directory):
    """Documents of two pages, one for each of PAPERS."""
    return [write_document(directory / f"{name}.tif", [2 * i + 1, 2 * i + 2], dpi, width=width, length=length)
            for i, (width, name, dpi, length) in enumerate(PAPERS)]


def words_of(way, bad_tcfs=True):
    modems, coding, ecm, spoiled, _ = way
    return f"modems {modems} codings mh,{coding} ecm {ecm} bad-tcf {spoiled if bad_tcfs else 0}"


def pixels(path):
    """Of each page of a TIFF."""
    with Image.open(path) as tiff:
        return [page.convert("1").tobytes() for page in ImageSequence.Iterator(tiff)]


class FaxLine:
    """One E1 between an exchange and a node, run by a pacer. @sip: both also have SIP at these ports. @env: the node's."""

    def __init__(self, case, scripts=None, answers=None, settings=(), sip=None, variant=None, speed=SPEED, routes=None, env=None):
        a, b = free_ports(2)
        self.case = case
        self.pacer, self.node_port = Pacer(case, [(a, b)], speed), b
        to_far, to_node = self.pacer.ports(0)
        far_sip, node_sip = sip or (None, None)
        self.far = Exchange(case, "far", [Span("net", a, to_far, clock="loop", more=Pacer.SETTINGS)], scripts, answers,
                            tick="span", more=f"\n[sip]\nlisten = sip:127.0.0.1:{far_sip}\n" if sip else "")
        more = (f"[trunk far]\ntarget = sip:127.0.0.1:{far_sip}\npeers = 127.0.0.1\n" if sip else "") + \
            "[fax]\npage_timeout_ms = 2500\n"
        known = {"variant": variant} if variant else {}
        self.node = Node(case, [near("e1", b, to_node, more=Pacer.SETTINGS)], settings=(PATIENCE, *(settings or ("spool_reserve_mib = 1",))),
                         sip=f"sip:127.0.0.1:{node_sip}" if sip else None, more=more, routes=routes, **known)
        self.env = env or {}
        self.begin()

    def begin(self, epoch=1):
        self.node.start(**self.env)
        self.control = self.node.connect("conductor", epoch=epoch)
        self.far.await_idle("net", 30)
        self.node.await_span(self.control, "e1", 30)

    def kill_node(self):
        self.node.process.kill()
        self.control.close()
        self.pacer.died(self.node_port)

    def answer(self, after=0, fax="f1", **params):
        """Takes the next offered call and receives a fax on it; the leg."""
        leg = self.control.await_event("leg.offered", after=after)["leg"]["leg"]
        self.control.ask("leg.answer", leg=leg)
        self.control.ask("fax.receive", leg=leg, fax=fax, **params)
        return leg

    def receive(self, words, document, fax="f1", **params):
        """One fax from the exchange to the node: (result of the exchange's machine, event fax.ended)."""
        mark = self.control.mark()
        calls = self.far.start_calls(f"dial 100; wait answered; fax send {document} {words}")
        self.answer(mark, fax, **params)
        ended = self.control.await_event("fax.ended", after=mark)
        return calls.results()[0][0]["faxes"][0], ended

    def take(self, number, script, method="fax.receive", **params):
        """A call of the exchange, from @number, answered at once: its fax is f@number."""
        mark = self.control.mark()
        calls = self.far.start_calls(script)
        leg = self.control.await_event("leg.offered", lambda p: p["leg"]["setup"].get("calling") == number, mark)["leg"]["leg"]
        self.control.ask("leg.answer", leg=leg)
        self.control.ask(method, leg=leg, fax=f"f{number}", **params)
        return calls

    def ended(self, number):
        return self.control.await_event("fax.ended", lambda p: p["fax"] == f"f{number}")

    def first_page(self, number):
        return self.control.await_event("fax.page", lambda p: p["fax"] == f"f{number}")

    def part(self, item, page):
        return self.node.state / "spool" / item / f"page-{page:04}.tif"

    def assert_received(self, ended, document):
        wanted = pixels(document)
        self.case.assertEqual(len(wanted), ended["pages"], ended)
        for number, page in enumerate(wanted, 1):
            self.case.assertEqual([page], pixels(self.part(ended["item"], number)), f"page {number}")
