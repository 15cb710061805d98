#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Long faxes and bad lines: a hundred pages each way, by audio and by T.38; and how many faxes come through noise and loss, as a
table in BUILD/soak/fax-lines.md, beside those that come through from SpanDSP to SpanDSP (fax-alone.c). RTP packets get lost between
the node and its sockets (rtp-loss.c), all else is the exchange's doing. FAX_COUNT (20) faxes of two
pages a cell, all at once."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from fax import FaxLine, pixels, write_document  # noqa: E402
from files import put_blob  # noqa: E402
from harness import BUILD, Case, free_ports, main, program  # noqa: E402

COUNT = int(os.environ.get("FAX_COUNT", "20"))
RTP = "t38 refuse"
ALONE = 200  # of SpanDSP's own, which cost little
LIMIT_S = 600
T38 = "t38 accept"
NOISE = {"none": "", **{f"{level} dBm0": f"noise {level}" for level in (-60, -55, -52, -50, -49, -48, -47, -46)}}
LOSS = {"none": "", **{f"{percent} %": f"loss {percent}" for percent in (0.2, 0.5, 1, 2, 5, 10)}}
TABLES = (("Noise on an E1", NOISE, "e1", ""), ("Loss of RTP packets, G.711", LOSS, "sip", RTP),
          ("Loss of T.38 datagrams, redundancy", LOSS, "sip", T38))


class Lines(Case):
    def line(self, scripts=None, answers=None):
        self.far_port, self.node_port = free_ports(2)
        line = FaxLine(self, scripts, answers, sip=(self.far_port, self.node_port), variant="release", speed=6)
        line.epoch = 1
        line.pacer.GONE_S = 60  # what a busy machine loses must not count as the line's loss
        return line

    def receive(self, line, where, document, words, count):
        """(results of the machines of the exchange, ends by leg)."""
        mark, legs, on = line.control.mark(), set(), f"on sip:127.0.0.1:{self.node_port}" if where == "sip" else ""
        calls = line.far.start_calls(f"dial 100 {on}; wait answered; fax send {document} {words} expect any", count=count, rate=20)
        while len(legs) < count:
            leg = line.control.await_event("leg.offered", lambda p: p["leg"]["leg"] not in legs, mark)["leg"]["leg"]
            legs.add(leg)
            line.control.ask("leg.answer", leg=leg)
            line.control.ask("fax.receive", leg=leg, fax=leg)
        ends = {}
        while len(ends) < count:
            ended = line.control.await_event("fax.ended", lambda p: p["leg"] not in ends, mark, LIMIT_S)
            ends[ended["leg"]] = ended
        return [result["faxes"][0] for result in calls.results(LIMIT_S)[0]], list(ends.values())

    def cell(self, line, where, document, words):
        """(well ended, every pixel right) of a hundred; and nobody may have been told more than was kept."""
        wanted = pixels(document)
        sent, ends = self.receive(line, where, document, words, COUNT)
        self.assertLessEqual(sum(fax["pages_confirmed"] for fax in sent), sum(end["pages"] for end in ends))
        good = [end for end in ends if end["result"] == "ok"]
        whole = [end for end in good if [pixels(line.part(end["item"], n))[0] for n in range(1, end["pages"] + 1)] == wanted]
        return round(100 * len(good) / COUNT), round(100 * len(whole) / COUNT)

    def alone(self, document, words, ecm):
        """How many end well, of a hundred, without us."""
        kind, level = words.split() or ("none", "0")
        asked = [program("tests/soak/fax-alone"), document, "2", str(ALONE), "ecm" if ecm == "on" else "no-ecm", kind, level]
        return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)

    def lose(self, line, words):
        """The node anew, on a network that loses RTP packets."""
        line.kill_node()
        line.env = {"LD_PRELOAD": program("tests/soak/rtp-loss.so"), "RTP_LOSS": words.split()[1]} if words else {}
        line.epoch += 1
        line.begin(line.epoch)

    def row(self, line, where, document, words, how):
        cells = []
        if how == RTP:
            self.lose(line, words)
        for ecm in ("on", "off"):
            cells += self.cell(line, where, document, f"{'' if how == RTP else words} {how} ecm {ecm}")
            if how != T38:
                cells.append(self.alone(document, words, ecm))
        return cells

    def test_table(self):
        line = self.line()
        document = write_document(self.dir / "document.tif", [1, 2], length=400)
        out = []
        for title, levels, where, how in TABLES:
            heads = ["ended well", "all pixels"] + ["SpanDSP alone"] * (how != T38)
            heads = [f"{ecm}: {head}" for ecm in ("ECM", "no ECM") for head in heads]
            out += ["", f"| {title} | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
            for level, words in levels.items():
                cells = self.row(line, where, document, words, how)
                out.append("| " + " | ".join([level, *(f"{value} %" for value in cells)]) + " |")
                print(out[-1], flush=True)
                if level == "none":
                    self.assertEqual([100] * len(heads), cells, title)
        path = BUILD / "soak/fax-lines.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(out) + "\n")

    def test_hundred_pages(self):
        line = self.line({"machine": "answer; fax receive got; wait released",
                          "image": "answer; fax receive got-image t38 offer; wait released"},
                         {"200": "machine", "300": "image"})
        document = write_document(self.dir / "long.tif", range(1, 101), length=100)
        wanted, digest = pixels(document), put_blob(line.node, document.read_bytes())
        for where, words in (("e1", ""), ("e1", "ecm off"), ("sip", "t38 accept")):
            with self.subTest(received=where, words=words):
                sent, ends = self.receive(line, where, document, words, 1)
                self.assertEqual(("ok", "ok", 100), (sent[0]["result"], ends[0]["result"], sent[0]["pages_confirmed"]))
                line.assert_received(ends[0], document)
        for to, number, directory in (("span:e1/1", "200", "got"), ("trunk:far", "300", "got-image")):
            with self.subTest(sent=to):
                line.control.ask("leg.originate", leg=number, to=to, setup={"called": number})
                line.control.await_event("leg.state", lambda p, leg=number: p["leg"] == leg and p["state"] == "answered")
                line.control.ask("fax.send", leg=number, fax=f"f{number}", document=digest)
                ended = line.control.await_event("fax.ended", lambda p, fax=f"f{number}": p["fax"] == fax, limit_s=LIMIT_S)
                self.assertEqual(("ok", 100), (ended["result"], ended["pages"]))
                self.assertEqual(wanted, [pixels(self.dir / directory / f"page-{n:04}.tif")[0] for n in range(1, 101)])


if __name__ == "__main__":
    main()
