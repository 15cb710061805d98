#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Faxes over an E1 in fast motion: each modem and coding both ways, misbehaving far ends, thirty at once, no disk."""
from control import Refused
from fax import PAPERS, WAYS, FaxLine, pixels, words_of, write_document, write_papers
from files import put_blob
from harness import Case, main, wait_until


class Fax(Case):
    def assert_image(self, image, way, paper):
        self.assertEqual((way[1], way[4], way[2] == "on", paper[1], paper[0]),
                         tuple(image[name] for name in ("coding", "bit_rate", "ecm", "resolution", "width")))

    def assert_pages(self, document, directory):
        self.assertEqual(pixels(document), [pixels(self.dir / directory / f"page-{n:04}.tif")[0] for n in (1, 2)])

    def test_received(self):
        """All ways at once, each document by some of them; and one that we are polled for."""
        line = FaxLine(self)
        documents = write_papers(self.dir)
        calls = [line.take(f"7{i:02}", f"dial 100 from 7{i:02}; wait answered; fax send {documents[i % 3]} {words_of(way)} "
                           f"ident '+49 30 {i}' sub 47{i}") for i, way in enumerate(WAYS)]
        polling = line.take("799", "dial 100 from 799; wait answered; fax receive polled calling on sub 4711 password 99",
                            "fax.send", document=put_blob(line.node, documents[0].read_bytes()), calling=False)
        for i, way in enumerate(WAYS):
            with self.subTest(way=way):
                ended, page = line.ended(f"7{i:02}"), line.first_page(f"7{i:02}")
                self.assertEqual(("ok", f"+49 30 {i}", f"47{i}"), tuple(ended[n] for n in ("result", "remote_ident", "sub_address")))
                line.assert_received(ended, documents[i % 3])
                self.assert_image(page["image"], way, PAPERS[i % 3])
                self.assertEqual(("in", 1, "page-0001.tif"), (page["direction"], page["page"], page["part"]))
                sent = calls[i].results()[0][0]["faxes"][0]
                self.assertEqual(("ok", 2), (sent["result"], len(sent["pages"])))
        ended = line.ended("799")
        self.assertEqual(("ok", 2, "4711", "99"), tuple(ended[n] for n in ("result", "pages", "sub_address", "password")))
        polling.all_good()
        self.assert_pages(documents[0], "polled")

        def closed():
            items = line.control.ask("spool.list")["items"]
            return [(i["kind"], i["state"], len(i["parts"])) for i in items] == [("fax", "complete", 2)] * len(WAYS)
        wait_until(closed, "every item complete, with two pages")

    def test_sent(self):
        """All ways at once, too; and one that we poll."""
        scripts = {f"way{i}": f"alert; answer; fax receive got{i} {words_of(way)}" for i, way in enumerate(WAYS)}
        scripts["polled"] = "answer; fax send standard.tif calling off"
        line = FaxLine(self, scripts, {f"2{i:02}": f"way{i}" for i in range(len(WAYS))} | {"299": "polled"})
        documents = write_papers(self.dir)
        digests = [put_blob(line.node, document.read_bytes()) for document in documents]
        with self.assertRaises(Refused) as refused:
            line.control.ask("fax.send", leg="none", fax="f", document=digests[0])
        self.assertEqual(-32003, refused.exception.code)
        for i in (*range(len(WAYS)), 99):
            line.control.ask("leg.originate", leg=f"out{i:02}", to=f"span:e1/{min(i + 1, 31)}", setup={"called": f"2{i:02}"})
        for i in (*range(len(WAYS)), 99):
            line.control.await_event("leg.state", lambda p, i=i: p["leg"] == f"out{i:02}" and p["state"] == "answered")
            if i < 99:
                line.control.ask("fax.send", leg=f"out{i:02}", fax=f"f{i:02}", document=digests[i % 3])
        line.control.ask("fax.receive", leg="out99", fax="f99", options={"sub_address": "4711", "password": "99"})
        for i, way in enumerate(WAYS):
            with self.subTest(way=way):
                ended = line.ended(f"{i:02}")
                self.assertEqual(("ok", 2, "none"), (ended["result"], ended["pages"], ended["trouble"]))
                line.control.await_event("leg.ended", lambda p, i=i: p["leg"] == f"out{i:02}")  # the machine hangs up
                self.assert_image(line.first_page(f"{i:02}")["image"], way, PAPERS[i % 3])
                self.assert_pages(documents[i % 3], f"got{i}")
        line.assert_received(line.ended("99"), documents[0])

    def test_resumed(self):
        line = FaxLine(self, {"machine": "answer; fax receive got"}, {"200": "machine"})
        document = write_document(self.dir / "document.tif", [1, 2, 3])
        line.control.ask("leg.originate", leg="out", to="span:e1/1", setup={"called": "200"})
        line.control.await_event("leg.state", lambda p: p["state"] == "answered")
        digest = put_blob(line.node, document.read_bytes())
        self.assertEqual(2, line.control.ask("fax.send", leg="out", fax="f", document=digest, first_page=2)["pages"])
        self.assertEqual(("ok", 2), tuple(line.ended("")[name] for name in ("result", "pages")))
        self.assertEqual([2, 3], [p["page"] for name, p in line.control.events if name == "fax.page"])
        self.assertEqual(pixels(document)[1:], [pixels(self.dir / "got" / f"page-000{n}.tif")[0] for n in (1, 2)])

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
        wait_until(lambda: "spool-reserve" in line.control.snapshot()["node"].get("alarms", []), "an alarm")
        line.far.start_calls("dial 100; wait answered; pause 60")
        leg = line.control.await_event("leg.offered")["leg"]["leg"]
        line.control.ask("leg.answer", leg=leg)
        with self.assertRaises(Refused) as refused:
            line.control.ask("fax.receive", leg=leg, fax="f1")
        self.assertEqual(-32009, refused.exception.code)
        self.assertEqual("answered", line.control.snapshot()["legs"][0]["state"])


if __name__ == "__main__":
    main()
