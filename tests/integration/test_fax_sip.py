#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Faxes by SIP, every modem and coding by T.38 and by G.711: T.38 both ways through a network that loses datagrams, G.711 where
it is refused, calls that begin by T.38, and gateways between an E1 and T.38. Both ends' SIP legs follow the line's time, so that
packets keep step with it."""
from fax import PAPERS, V17, V27TER, V29, WAYS, FaxLine, pixels, words_of, write_document, write_papers
from files import put_blob
from harness import Case, free_ports, main, wait_until

SPEED = 4
LOSSY = "lose 14 burst 3"
RATES = {V27TER: 4800, V29: 9600, V17: 14400}
ALL = range(len(WAYS))


class SipFax(Case):
    def line(self, scripts=None, answers=None, routes=None):
        self.far_port, self.node_port = free_ports(2)
        return FaxLine(self, scripts, answers, sip=(self.far_port, self.node_port), speed=SPEED, routes=routes)

    def run_fast_after_t38(self, line, gateways):
        """Once @gateways calls have gone over to T.38. Until then a test lets a line run as fast as a real one: where a called
        machine's first message begins T.38, the re-INVITEs must be through before that message has been answered."""
        wait_until(lambda: sum("T.38, by a gateway" in said for said in line.node.process.lines) == gateways, "T.38")
        line.pacer.run_at(SPEED)

    def assert_page(self, image, way, paper, t38):
        rate = RATES[way[0]] if t38 else way[4]
        self.assertEqual((way[1], rate, way[2] == "on", paper[1], paper[0]),
                         tuple(image[name] for name in ("coding", "bit_rate", "ecm", "resolution", "width")))

    def assert_got(self, document, directory):
        self.assertEqual(pixels(document), [pixels(self.dir / directory / f"page-{n:04}.tif")[0] for n in (1, 2)])

    def test_received(self):
        line = self.line()
        documents = write_papers(self.dir)
        where, calls = f"on sip:127.0.0.1:{self.node_port}", {}
        for i in ALL:
            send = f"wait answered; fax send {documents[i % 3]}"
            audio, image = f"{words_of(WAYS[i])} t38 refuse", f"{words_of(WAYS[i], False)} t38 accept {LOSSY}"
            calls[f"5{i:02}"] = line.take(f"5{i:02}", f"dial 100 from 5{i:02} {where}; {send} {audio}")
            calls[f"6{i:02}"] = line.take(f"6{i:02}", f"dial 100 from 6{i:02} {where}; {send} {image}")
        image_only = line.take("699", f"dial 100 from 699 {where} media image; wait answered; fax send {documents[0]} {LOSSY}")
        for number, call in calls.items():
            t38, i = number.startswith("6"), int(number[1:])
            with self.subTest(way=WAYS[i], t38=t38):
                ended, sent = line.ended(number), call.results()[0][0]["faxes"][0]
                self.assertEqual(("ok", "ok", t38, t38), (sent["result"], ended["result"], sent["t38"], ended["t38"]))
                self.assert_page(line.first_page(number)["image"], WAYS[i], PAPERS[i % 3], t38)
                line.assert_received(ended, documents[i % 3])
        self.assertEqual(("ok", True), tuple(line.ended("699")[name] for name in ("result", "t38")))
        line.assert_received(line.ended("699"), documents[0])
        image_only.all_good()
        counters = line.control.ask("node.counters")["counters"]
        self.assertGreater(counters["fax_t38_recovered"], 0)
        self.assertEqual(0, counters["fax_t38_malformed"])

    def test_sent(self):
        how = {"audio": "t38 refuse", "t38": f"t38 offer correction {{}} {LOSSY}"}
        line = self.line({f"{kind}{i}": f"answer; fax receive got-{kind}{i} {words_of(WAYS[i], kind == 'audio')} "
                                        f"{words.format(('redundancy', 'fec')[i % 2])}; wait released"
                          for i in ALL for kind, words in how.items()},
                         {f"{2 if kind == 'audio' else 3}{i:02}": f"{kind}{i}" for i in ALL for kind in how})
        documents = write_papers(self.dir)
        digests = [put_blob(line.node, document.read_bytes()) for document in documents]
        calls = [(kind, i, f"{2 if kind == 'audio' else 3}{i:02}") for i in ALL for kind in how]
        for kind, i, number in calls:
            mark = line.control.mark()
            line.control.ask("leg.originate", leg=number, to="trunk:far", setup={"called": number})
            line.control.await_event("leg.state", lambda p, leg=number: p["leg"] == leg and p["state"] == "answered", mark)
            line.control.ask("fax.send", leg=number, fax=f"f{number}", document=digests[i % 3])
        for kind, i, number in calls:
            with self.subTest(way=WAYS[i], kind=kind):
                ended = line.ended(number)
                self.assertEqual(("ok", 2, kind == "t38"), (ended["result"], ended["pages"], ended["t38"]))
                self.assert_page(line.first_page(number)["image"], WAYS[i], PAPERS[i % 3], kind == "t38")
                self.assert_got(documents[i % 3], f"got-{kind}{i}")

    def test_gateway(self):
        """E1 to T.38 and back, by routes alone: no desk is there. When the far end that calls does not ask for T.38 (401), the
        machine on the E1 is heard, and we do; where that is refused (402), the audio carries it."""
        machines = {number: f"answer; fax receive got-{number}; wait released" for number in ("400", "401", "402")}
        line = self.line({"machine": f"answer; fax receive got-sip t38 offer {LOSSY}; wait released", **machines},
                         {"300": "machine", **{number: number for number in machines}},
                         {"300": "trunk:far", **{number: f"span:e1/2{number[2]}" for number in machines}})
        document = write_document(self.dir / "document.tif", [1, 2])
        line.control.close()
        line.pacer.run_at(1)
        out = line.far.start_calls(f"dial 300; wait answered; fax send {document}")
        back = {number: line.far.start_calls(f"dial {number} on sip:127.0.0.1:{self.node_port}; wait answered; "
                                             f"fax send {document} {how}")
                for number, how in (("400", f"t38 offer correction fec {LOSSY}"), ("401", "t38 accept"), ("402", "t38 refuse"))}
        self.run_fast_after_t38(line, 3)
        for calls, directory, t38 in ((out, "got-sip", False), (back["400"], "got-400", True), (back["401"], "got-401", True),
                                      (back["402"], "got-402", False)):
            with self.subTest(directory=directory):
                sent = calls.results()[0][0]["faxes"][0]
                self.assertEqual(("ok", t38), (sent["result"], sent["t38"]))
                self.assert_got(document, directory)

    def test_called_machine_heard(self):
        """In a clear bridge nobody but us asks for T.38: the tone of the machine on the E1 makes us."""
        line = self.line({"paper": "answer; fax receive got-e1; wait released"}, {"400": "paper"})
        document = write_document(self.dir / "document.tif", [1, 2])
        control = line.control
        line.pacer.run_at(1)
        calls = line.far.start_calls(f"dial 500 on sip:127.0.0.1:{self.node_port}; wait answered; fax send {document} t38 accept")
        caller = control.await_event("leg.offered")["leg"]["leg"]
        control.ask("leg.originate", leg="machine", to="span:e1/20", setup={"called": "400"})
        control.await_event("leg.state", lambda p: p["leg"] == "machine" and p["state"] == "answered")
        control.ask("leg.answer", leg=caller)
        control.ask("bridge.create", bridge="clear", kind="clear", members=[{"leg": caller}, {"leg": "machine"}])
        self.run_fast_after_t38(line, 1)
        sent = calls.results()[0][0]["faxes"][0]
        self.assertEqual(("ok", True), (sent["result"], sent["t38"]))
        self.assertEqual("ced", control.await_event("leg.fax_tone")["tone"])
        self.assert_got(document, "got-e1")


if __name__ == "__main__":
    main()
