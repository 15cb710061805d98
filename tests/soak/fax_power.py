#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Faxes come in on many lines while trunkd is killed at random moments, and every other time the power is cut, too: only what
was fsynced is left (power-cut.c). Afterwards every page that a sender saw confirmed must be in the spool, pixel by pixel.
FAX_KILLS (30) kills a run; BUILD/soak/fax-power.json adds them up, of runs beside each other, too."""
import contextlib
import fcntl
import json
import os
import random
import shutil
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from control import Refused  # noqa: E402
from fax import FaxLine, pixels, write_document  # noqa: E402
from harness import BUILD, Case, main, program, wait_until  # noqa: E402

KILLS = int(os.environ.get("FAX_KILLS", "30"))
CALLS, PAGES = 10, 3
SPEED = 20  # line time per wall clock, if the machine can
TOTALS = BUILD / "soak/fax-power.json"
NONE = {"kills": 0, "power_cuts": 0, "confirmed": 0, "found": 0, "lost": 0, "seconds": 0}


def add_up(**more):
    TOTALS.parent.mkdir(parents=True, exist_ok=True)
    with open(TOTALS, "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        totals = NONE | json.loads(file.read() or "{}")
        totals = {name: round(value + more.get(name, 0), 1) for name, value in totals.items()}
        file.truncate(0)
        file.write(json.dumps(totals) + "\n")
    return totals


class Disk:
    """The node's state as a power cut would leave it."""

    def __init__(self, case, node):
        self.state, self.kept = node.state, case.dir / "durable"
        self.kept.mkdir()
        self.state.mkdir()
        self.env = {"LD_PRELOAD": program("tests/soak/power-cut.so"), "POWER_CUT_OF": str(self.state),
                    "POWER_CUT_KEPT": str(self.kept)}

    def cut(self):
        fresh = self.state.with_suffix(".fresh")
        self.make(fresh, "root")
        shutil.rmtree(self.state)
        fresh.rename(self.state)

    def make(self, path, record):
        """Whatever has no record never reached the disk: of a folder its names, of a file its octets."""
        path.mkdir()
        names = self.kept / record
        for line in names.read_text().splitlines() if names.exists() else ():
            kind, key, name = line.split(" ", 2)
            if kind == "d":
                self.make(path / name, f"d-{key}")
                continue
            octets = self.kept / f"f-{key}"
            (path / name).write_bytes(octets.read_bytes() if octets.exists() else b"")

    def begin(self):
        """What is there now is all durable: the preloaded part writes it down when it starts."""
        shutil.rmtree(self.kept)
        self.kept.mkdir()


class Power(Case):
    def setUp(self):
        super().setUp()
        self.chance = random.Random(int(os.environ.get("FAX_SEED", time.time_ns())))
        self.page = 0

    def start(self, name, command, variant="release", env=None):
        return super().start(name, command, variant, {**(env or {}), **(self.disk_env(name) or {})})

    def disk_env(self, name):
        if name != "trunkd":
            return None
        if not hasattr(self, "disk"):
            self.disk = Disk(self, self.node_of())
        return self.disk.env

    def node_of(self):
        class State:
            state = self.dir / "trunkd"
        return State

    def documents(self):
        """Of this round: no page ever comes twice, so that a page tells its document."""
        for number in range(1, CALLS + 1):
            first = self.page + 1
            self.page += PAGES
            write_document(self.dir / f"document{number}.tif", range(first, first + PAGES), length=24)

    def answer_all(self, line, mark):
        """How many faxes have begun. On a busy machine line time may run out for a call before it is answered."""
        legs, begun = set(), 0
        for number in range(CALLS):
            leg = line.control.await_event("leg.offered", lambda p: p["leg"]["leg"] not in legs, mark)["leg"]["leg"]
            legs.add(leg)
            with contextlib.suppress(Refused):
                line.control.ask("leg.answer", leg=leg)
                line.control.ask("fax.receive", leg=leg, fax=f"f{number}")
                begun += 1
        return begun

    def await_moment(self, line, mark, begun):
        """Some events of the faxes, or all there are, and then a little more."""
        wanted = self.chance.randrange(1, CALLS * (PAGES + 2))

        def happened():
            names = [name for name, _ in line.control.events[mark:] if name.startswith("fax.")]
            return len(names) >= wanted or names.count("fax.ended") == begun
        line.control.until(happened, f"{wanted} events")
        time.sleep(self.chance.random() * 0.06)

    def die(self, line, cut):
        line.kill_node()
        if cut:
            self.disk.cut()
        self.disk.begin()

    def settled(self, line):
        """The items, once what was left open is settled: listed, or removed for it has no page."""
        def all_listed():
            items = line.control.ask("spool.list")["items"]
            return {item["item"] for item in items} == {path.name for path in (line.node.state / "spool").iterdir()} and (items, )
        return wait_until(all_listed, "a spool whose items are all listed")[0]

    def spooled(self, line):
        """Image of the first page -> the images of an item's pages."""
        found = {}
        for item in self.settled(line):
            parts = [line.node.state / "spool" / item["item"] / part["name"] for part in item["parts"]]
            images = [pixels(part)[0] for part in sorted(parts)]
            if images:
                found[images[0]] = images
        return found

    def judge(self, line, results, cut):
        found, lost, confirmed = self.spooled(line), [], 0
        for result in results:
            wanted = pixels(self.dir / f"document{result['number']}.tif")
            n = sum(fax["pages_confirmed"] for fax in result.get("faxes", []) if "pages_confirmed" in fax)
            got = found.get(wanted[0], [])
            confirmed += n
            lost += [f"call {result['number']}: page {page + 1} of {n} confirmed, {len(got)} found"
                     for page in range(n) if got[page:page + 1] != [wanted[page]]]
        totals = add_up(kills=1, power_cuts=int(cut), confirmed=confirmed, found=sum(map(len, found.values())), lost=len(lost))
        self.assertEqual([], lost, f"power cut: {cut}; {totals}")

    def test_kills(self):
        line = FaxLine(self, variant="release", speed=SPEED)
        line.pacer.GONE_S = 60
        line.node.file.write_text(line.node.file.read_text().replace("restart = no", "restart = yes"))
        for kill in range(1, KILLS + 1):
            began = time.monotonic()
            self.documents()
            mark = line.control.mark()
            calls = line.far.start_calls("dial 100; wait answered; fax send document%n.tif expect any", count=CALLS, rate=200)
            self.await_moment(line, mark, self.answer_all(line, mark))
            cut = self.chance.random() < 0.5
            self.die(line, cut)
            line.begin(kill + 1)
            self.judge(line, calls.results()[0], cut)
            for item in line.control.ask("spool.list")["items"]:
                line.control.ask("spool.free", item=item["item"])
            print(add_up(seconds=time.monotonic() - began), flush=True)


if __name__ == "__main__":
    main()
