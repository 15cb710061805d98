#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Faxes by SIP: T.38 both ways through a network that loses datagrams, G.711 where it is refused, and a gateway between an
E1 and T.38. Both ends' SIP legs follow the line's time, so that packets keep step with it."""
from fax import FaxLine, pixels, write_document
from files import put_blob
from harness import Case, free_ports, main

SPEED = 4  # a re-INVITE takes wall clock time, T.30's timers take line time
LOSSY = "lose 14 burst 3"
# What the exchange's machine does about T.38. Who receives asks for it.
RECEIVED = {"refuse": "t38 refuse", "accept": f"t38 accept {LOSSY}", "accept-plain": f"t38 accept {LOSSY} ecm off"}
SENT = {"audio": "t38 refuse", "redundancy": f"t38 offer {LOSSY}", "fec": f"t38 offer correction fec {LOSSY} ecm off"}


class SipFax(Case):
    def line(self, scripts=None, answers=None, routes=None):
        self.far_port, self.node_port = free_ports(2)
        return FaxLine(self, scripts, answers, sip=(self.far_port, self.node_port), speed=SPEED, routes=routes)

    def test_received(self):
        line = self.line()
        document = write_document(self.dir / "document.tif", [1, 2])
        mark = line.control.mark()
        calls = {}
        for way, words in RECEIVED.items():
            calls[way] = line.far.start_calls(f"dial 100 from {len(calls)} on sip:127.0.0.1:{self.node_port}; wait answered; "
                                              f"fax send {document} {words}")
            line.answer(mark, fax=way)
            mark = line.control.mark()
        for way in RECEIVED:
            t38 = way != "refuse"
            ended = line.control.await_event("fax.ended", lambda p, way=way: p["fax"] == way)
            with self.subTest(way=way):
                sent = calls[way].results()[0][0]["faxes"][0]
                self.assertEqual(("ok", "ok", t38, t38), (sent["result"], ended["result"], sent["t38"], ended["t38"]))
                line.assert_received(ended, document)
        counters = line.control.ask("node.counters")["counters"]
        self.assertGreater(counters["fax_t38_recovered"], 0)
        self.assertEqual(0, counters["fax_t38_malformed"])

    def test_sent(self):
        line = self.line({way: f"answer; fax receive got-{way} {words}; wait released" for way, words in SENT.items()},
                         {f"20{i}": way for i, way in enumerate(SENT)})
        document = write_document(self.dir / "document.tif", [1, 2])
        digest = put_blob(line.node, document.read_bytes())
        for i, way in enumerate(SENT):
            mark = line.control.mark()
            line.control.ask("leg.originate", leg=way, to="trunk:far", setup={"called": f"20{i}"})
            line.control.await_event("leg.state", lambda p, way=way: p["leg"] == way and p["state"] == "answered", mark)
            line.control.ask("fax.send", leg=way, fax=way, document=digest)
        for way in SENT:
            ended = line.control.await_event("fax.ended", lambda p, way=way: p["fax"] == way)
            with self.subTest(way=way):
                self.assertEqual(("ok", 2, way != "audio"), (ended["result"], ended["pages"], ended["t38"]))
                self.assertEqual(pixels(document), [pixels(self.dir / f"got-{way}" / f"page-000{n}.tif")[0] for n in (1, 2)])

    def test_gateway(self):
        """E1 to T.38 and back, by routes alone: no desk is there."""
        line = self.line({"machine": f"answer; fax receive got-sip t38 offer {LOSSY}; wait released",
                          "paper": "answer; fax receive got-e1; wait released"},
                         {"300": "machine", "400": "paper"}, {"300": "trunk:far", "400": "span:e1/20"})
        document = write_document(self.dir / "document.tif", [1, 2])
        line.control.close()
        out = line.far.start_calls(f"dial 300; wait answered; fax send {document}")
        back = line.far.start_calls(f"dial 400 on sip:127.0.0.1:{self.node_port}; wait answered; "
                                    f"fax send {document} t38 offer correction fec {LOSSY}")
        for calls, directory, t38 in ((out, "got-sip", False), (back, "got-e1", True)):
            with self.subTest(directory=directory):
                sent = calls.results()[0][0]["faxes"][0]
                self.assertEqual(("ok", t38), (sent["result"], sent["t38"]))
                self.assertEqual(pixels(document), [pixels(self.dir / directory / f"page-000{n}.tif")[0] for n in (1, 2)])


if __name__ == "__main__":
    main()
