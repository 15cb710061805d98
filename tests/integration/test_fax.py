#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Faxes over an E1 in fast motion: each modem and coding both ways, misbehaving far ends, thirty at once, no disk."""
from control import Refused
from fax import FaxLine, pixels, write_document
from files import put_blob
from harness import Case, main, wait_until

# A V.17 machine has the slower modems as well, and every machine has MH (ITU-T T.30 table 2, T.4).
WAYS = [("v27ter", "mh", "off"), ("v27ter,v29", "mr", "off"), ("v27ter,v29,v17", "mh", "off"),
        ("v27ter", "mmr", "on"), ("v27ter,v29", "mh", "on"), ("v27ter,v29,v17", "mr", "on"), ("v27ter,v29,v17", "mmr", "on")]
RATES = {"v27ter": 4800, "v27ter,v29": 9600, "v27ter,v29,v17": 14400}


class Fax(Case):
    def test_received(self):
        line = FaxLine(self)
        document = write_document(self.dir / "document.tif", [1, 2])
        for modems, coding, ecm in WAYS:
            with self.subTest(modems=modems, coding=coding, ecm=ecm):
                mark = line.control.mark()
                sent, ended = line.receive(f"modems {modems} codings mh,{coding} ecm {ecm} ident '+49 30 7'", document)
                self.assertEqual(("ok", "ok"), (sent["result"], ended["result"]))
                self.assertEqual(2, len(sent["pages"]))
                line.assert_received(ended, document)
                self.assertEqual("+49 30 7", ended["remote_ident"])
                page = line.control.await_event("fax.page", after=mark)
                self.assertEqual((coding, RATES[modems], ecm == "on", "standard"),
                                 tuple(page["image"][name] for name in ("coding", "bit_rate", "ecm", "resolution")))
                self.assertEqual(("in", 1, "page-0001.tif"), (page["direction"], page["page"], page["part"]))
        def closed():
            items = line.control.ask("spool.list")["items"]
            return [(i["kind"], i["state"], len(i["parts"])) for i in items] == [("fax", "complete", 2)] * len(WAYS)
        wait_until(closed, "every item complete, with two pages")

    def test_sent(self):
        line = FaxLine(self, {f"way{i}": f"alert; answer; fax receive got{i} modems {modems} codings mh,{coding} ecm {ecm}"
                              for i, (modems, coding, ecm) in enumerate(WAYS)},
                       {f"20{i}": f"way{i}" for i in range(len(WAYS))})
        document = write_document(self.dir / "document.tif", [1, 2, 3], (204, 196), width=2048, length=40)
        digest = put_blob(line.node, document.read_bytes())
        with self.assertRaises(Refused) as refused:
            line.control.ask("fax.send", leg="none", fax="f", document=digest)
        self.assertEqual(-32003, refused.exception.code)
        for i, (modems, coding, ecm) in enumerate(WAYS):
            with self.subTest(modems=modems, coding=coding, ecm=ecm):
                mark, leg = line.control.mark(), f"out{i}"
                line.control.ask("leg.originate", leg=leg, to="span:e1/1", setup={"called": f"20{i}"})
                line.control.await_event("leg.state", lambda p: p["leg"] == leg and p["state"] == "answered", mark)
                result = line.control.ask("fax.send", leg=leg, fax=f"f{i}", document=digest, first_page=2)
                self.assertEqual(2, result["pages"])
                ended = line.control.await_event("fax.ended", after=mark)
                self.assertEqual(("ok", 2, "none"), (ended["result"], ended["pages"], ended["trouble"]))
                pages = [p["page"] for name, p in line.control.events[mark:] if name == "fax.page"]
                self.assertEqual([2, 3], pages)
                line.control.await_event("leg.ended", after=mark)  # the machine hangs up
                wanted = pixels(document)[1:]
                self.assertEqual(wanted, [pixels(self.dir / f"got{i}" / f"page-000{n}.tif")[0] for n in (1, 2)])

    def test_misbehaviour(self):
        """Whatever the far end does wrong, no page that it saw confirmed is missing."""
        line = FaxLine(self)
        document = write_document(self.dir / "document.tif", [1, 2])
        cases = {"bad-tcf 1": True, "no-dcn on": True, "noise -55": True, "wrong-width on ecm off": None,
                 "wrong-width on ecm on": None, "hangup-page 1": None, "drop 150 ecm on": None, "drop 150 ecm off": None}
        for words, good in cases.items():
            with self.subTest(words=words):
                sent, ended = line.receive(f"{words} expect any", document)
                self.assertLessEqual(len(sent["pages"]), ended["pages"])
                if good is not None:
                    self.assertEqual(good, ended["result"] == "ok", ended)
                if good:
                    line.assert_received(ended, document)

    def test_thirty(self):
        line = FaxLine(self)
        document = write_document(self.dir / "document.tif", [1])
        mark = line.control.mark()
        calls = line.far.start_calls(f"dial 100; wait answered; fax send {document}", count=30, rate=100)
        seen = set()
        for i in range(30):
            leg = line.control.await_event("leg.offered", lambda p: p["leg"]["leg"] not in seen, mark)["leg"]["leg"]
            seen.add(leg)
            line.control.ask("leg.answer", leg=leg)
            line.control.ask("fax.receive", leg=leg, fax=f"f{i}")
        ended = {}
        while len(ended) < 30:
            one = line.control.await_event("fax.ended", lambda p: p["fax"] not in ended, mark)
            ended[one["fax"]] = one
            self.assertEqual("ok", one["result"], one)
            line.assert_received(one, document)
        calls.all_good()

    def test_tone(self):
        line = FaxLine(self)
        document = write_document(self.dir / "document.tif", [1])
        mark = line.control.mark()
        line.far.start_calls(f"dial 100; wait answered; fax send {document} expect any")
        leg = line.control.await_event("leg.offered", after=mark)["leg"]["leg"]
        line.control.ask("leg.answer", leg=leg)
        line.control.ask("leg.detect_fax", leg=leg, on=True)
        tone = line.control.await_event("leg.fax_tone", after=mark)
        self.assertEqual((leg, "cng"), (tone["leg"], tone["tone"]))
        line.control.ask("fax.receive", leg=leg, fax="f1")
        self.assertEqual("ok", line.control.await_event("fax.ended", after=mark)["result"])

    def test_no_disk(self):
        """Below the reserve a fax is refused, with an alarm; the call goes on."""
        line = FaxLine(self, settings=("spool_reserve_mib = 16777216",))
        self.assertIn("spool-reserve", line.control.snapshot()["node"]["alarms"])
        line.far.start_calls("dial 100; wait answered; pause 60")
        leg = line.control.await_event("leg.offered")["leg"]["leg"]
        line.control.ask("leg.answer", leg=leg)
        with self.assertRaises(Refused) as refused:
            line.control.ask("fax.receive", leg=leg, fax="f1")
        self.assertEqual(-32009, refused.exception.code)
        self.assertEqual("answered", line.control.snapshot()["legs"][0]["state"])


if __name__ == "__main__":
    main()
