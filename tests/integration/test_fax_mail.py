#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Faxes and mails with a real postfix and a real dovecot: results and refusals come back by IMAP, a mail server that is
away gets each letter once when it is back, and a desk that is killed loses and doubles nothing."""
import datetime
import struct
import subprocess
import unittest
import urllib.request
import zlib
import zoneinfo

import mail_server
from centre import NUMBER
from control import Refused
from fax import SPEED, FaxLine, pixels, write_document
from fax_desk import MailDesk, mail, seed_fax
from gates import Converter, Relay, Store
from harness import Case, free_ports, main, program, wait_until
from node import Node


def huge_png(side=30000):
    """A sound picture of 900 million pixels in some hundred thousand octets."""
    def chunk(kind, octets):
        return struct.pack(">I", len(octets)) + kind + octets + struct.pack(">I", zlib.crc32(kind + octets))
    row = bytes(1 + side // 8)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)) + \
        chunk(b"IDAT", zlib.compress(row * side, 1)) + chunk(b"IEND", b"")


@unittest.skipIf(mail_server.missing(), mail_server.missing() or "")
class FaxMail(Case):
    def setUp(self):
        super().setUp()
        self.server = mail_server.MailServer(self)
        self.node = Node(self, routes={NUMBER: "announcement:tone:busy"})
        self.node.start()
        self.desk = MailDesk(self, self.node, self.server)
        self.control = self.desk.start()

    def fax(self, state):
        return wait_until(lambda: self.control.ask("fax.list", state=state)["faxes"], f"a fax that is {state}")[0]

    def test_refusals_come_back(self):
        """No line leads to the number; a document is broken: who sent it is told why, and the good go on."""
        self.server.start()
        self.server.send(mail("Broken", ("../../report.pdf", b"%PDF-1.4 nonsense")), "anna@example.org", "5551000@fax.example")
        told, = self.server.await_mails("anna", 1)
        self.assertEqual(told["Subject"], "Fax to 5551000: NOT sent")
        self.assertIn("report.pdf: the PDF is broken", told.get_body().get_content())
        tiff = write_document(self.dir / "half.tif", [1]).read_bytes()
        for number, (name, octets) in enumerate({"bomb.png": huge_png(), "half.tif": tiff[:len(tiff) // 2]}.items()):
            self.server.send(mail(name, (name, octets)), "anna@example.org", f"555200{number}@fax.example")
        self.server.send(mail("Good"), "anna@example.org", "5551001@fax.example")
        mails = {one["Subject"].split(":")[0].split()[-1]: one for one in self.server.await_mails("anna", 4)}
        self.assertIn("bomb.png: the image has too many pixels", mails["5552000"].get_body().get_content())
        self.assertIn("half.tif: the TIFF is broken", mails["5552001"].get_body().get_content())
        self.assertIn("no line is configured", mails["5551001"].get_body().get_content())
        picture, = mails["5551001"].iter_attachments()
        self.assertEqual((picture.get_content_type(), picture.get_content()[:4]), ("image/png", b"\x89PNG"))

    def test_strangers_are_refused(self):
        """The desk says no in the conversation itself; postfix tells the sender."""
        self.server.start()
        self.server.send(mail("Spam"), "eve@evil.example", "5551000@fax.example")
        wait_until(lambda: "may not send faxes" in (self.dir / "postfix/log").read_text(), "postfix hears the refusal")
        self.assertEqual(self.control.ask("fax.list")["faxes"], [])
        self.assertRaisesRegex(Refused, "state: expected one of converting, waiting, .*, cancelled$", self.control.ask, "fax.list", state="gone")

    def test_server_away_for_a_while(self):
        (self.dir / "bad.pdf").write_bytes(b"%PDF-1.4 nonsense")
        sent = self.desk.trunkctl("fax", "send", str(self.dir / "bad.pdf"), "5551000", "tell=ben@example.org")["faxes"][0]
        fax = self.fax("failed")
        self.assertEqual(fax["fax"], sent["fax"])
        shown = wait_until(lambda: self.waiting(fax["fax"]), "a letter that was tried in vain")
        self.assertEqual(shown["state"], "waiting")
        self.server.start()
        told, = self.server.await_mails("ben", 1)
        self.assertIn("bad.pdf: the PDF is broken", told.get_body().get_content())
        self.assertNotIn("Subject:", told.get_body().get_content())  # it had none
        done = wait_until(lambda: self.delivery(fax["fax"], "done"), "the letter is done")
        self.assertGreater(done["tries"], 1)
        self.assertEqual(len(self.server.read("ben")), 1)

    def deliveries(self, fax):
        return self.control.ask("fax.show", fax=fax)["deliveries"]

    def waiting(self, fax):
        return next((one for one in self.deliveries(fax) if one.get("tries", 0) > 1), None)

    def delivery(self, fax, state):
        return next((one for one in self.deliveries(fax) if one["state"] == state), None)

    def test_desk_killed(self):
        """Killed at moments of its own choosing while mails come in: each becomes one fax and one answer."""
        self.server.start()
        n = 6
        for i in range(n):
            self.server.send(mail(f"Number {i}"), "anna@example.org", f"555200{i}@fax.example")
            if i % 2:
                self.desk.kill()
                self.control = self.desk.start()
        wait_until(lambda: len(self.control.ask("fax.list", state="failed")["faxes"]) == n, "each is over")
        faxes = self.control.ask("fax.list")["faxes"]
        self.assertEqual(sorted(fax["called"] for fax in faxes), [f"555200{i}" for i in range(n)])
        for fax in faxes:
            wait_until(lambda fax=fax: self.delivery(fax["fax"], "done"), f"an answer about {fax['called']}")
        # A desk killed between the server's yes and its own commit says it again, under the same Message-ID.
        self.server.await_handed_over()
        mails = self.server.await_mails("anna", n)
        for name in "Message-ID", "Subject":
            self.assertEqual(len({one[name] for one in mails}), n)


# What a person writes, and what it is for one fax.
COVER = "<b>Fax to {to}</b>\nfrom {from}, {date}\n<i>{subject}</i>, {pages} pages\n\n{text}"
MAILED = "<b>Fax to 5552000</b>\nfrom Anna &lt;anna@example.org&gt;, %s\n<i>Terms &lt;&amp;&gt; dates</i>, 1 pages\n\nHello, machine."
ASKED = "<b>Fax to 5553000</b>\nfrom ben@example.org, %s\n<i>A picture</i>, 2 pages\n\n"


@unittest.skipIf(mail_server.missing(), mail_server.missing() or "")
class FaxLineAndMail(Case):
    def setUp(self):
        super().setUp()
        self.server = mail_server.MailServer(self)
        self.server.start()
        self.line = FaxLine(self, {"mailed": "alert; answer; fax receive mailed", "asked": "alert; answer; fax receive asked"},
                            {"5552": "mailed", "5553": "asked"})
        self.line.control.close()
        (self.dir / "cover").write_text(COVER)
        self.desk = MailDesk(self, self.line.node, self.server, "[service 5551001]", "otherwise = fax:office",
                             "[fax-line mailed]", "to = span:e1/1", "prefixes = 5552", "[fax-line asked]", "to = span:e1/2", "prefixes = 5553",
                             "[faxes]", "retry_trouble_s = 1", f"cover = {self.dir / 'cover'}", "body = cover", "zone = Asia/Kolkata",
                             box=("deliver = mail:office@example.org mail:gone@example.org",))
        self.control = self.desk.start()

    def test_both_ways(self):
        """Over an E1: a machine's fax is read as a PDF by IMAP, pixel by pixel, and is seen to have come back from a mailbox
        that is not there; a mail and a document of trunkctl's arrive at machines, with their covers."""
        document = write_document(self.dir / "document.tif", [1, 2], (204, 196), length=400)
        sent = self.line.far.start_calls(f"dial 5551001; wait answered; fax send {document}").results()[0][0]["faxes"][0]
        self.assertEqual("ok", sent["result"])
        came, = self.server.await_mails("office", 1)
        self.assertIn("2 pages", came["Subject"])
        pdf, = came.iter_attachments()
        (self.dir / "came.pdf").write_bytes(pdf.get_content())
        subprocess.run(["pdfimages", "-tiff", "came.pdf", "came"], cwd=self.dir, check=True)
        for number, wanted in enumerate(pixels(document)):
            came, = pixels(self.dir / f"came-{number:03}.tif")
            self.assertTrue(came == wanted, f"page {number + 1}: {len(came)} of {len(wanted)} octets, "
                            f"{sum(a != b for a, b in zip(came, wanted))} differ")
        self.send_both()
        self.assert_bounced()

    def send_both(self):
        picture = write_document(self.dir / "picture.tif", [3], (204, 196), length=100)
        self.server.send(mail("Terms <&> dates", text="Hello, machine."), "anna@example.org", "5552000@fax.example")
        asked, = self.desk.trunkctl("fax", "send", str(picture), "5553000", "box=office", "subject=A picture", "tell=ben@example.org")["faxes"]
        told, = self.server.await_mails("anna", 1)
        self.assertEqual("Fax to 5552000: sent, 1 page", told["Subject"])
        self.assertIn("Page 1: confirmed", told.get_body().get_content())
        told, = self.server.await_mails("ben", 1)
        self.assertEqual("Fax to 5553000: sent, 2 pages", told["Subject"])
        mailed = next(fax for fax in self.control.ask("fax.list", state="sent")["faxes"] if fax["fax"] != asked["fax"])
        self.assert_arrived("mailed", mailed, MAILED, [])
        self.assert_arrived("asked", asked, ASKED, pixels(picture))

    def assert_arrived(self, machine, fax, cover, more):
        """At @machine: the cover that says what it should, then the pages @more; the desk's own picture of it is the same."""
        given = datetime.datetime.fromtimestamp(fax["created_utc_us"] / 1e6, zoneinfo.ZoneInfo("Asia/Kolkata"))
        markup, drawn, kept = self.dir / "filled", self.dir / "drawn.tif", self.dir / "kept.tif"
        markup.write_text(cover % given.strftime("%Y-%m-%d %H:%M %Z"))
        subprocess.run([program("faxpages"), f"--cover={markup}", "--value=text=", "fax", drawn], stdout=subprocess.DEVNULL, check=True)
        wanted = pixels(drawn) + more
        pages = sorted((self.dir / machine).iterdir())
        self.assertEqual(len(wanted), len(pages))
        for number, page in enumerate(pages):
            self.assertTrue(pixels(page) == [wanted[number]], f"{machine}: page {number + 1}")
        with urllib.request.urlopen(f"http://127.0.0.1:{self.desk.port}/api/fax/{fax['fax']}/document", timeout=60) as answer:
            kept.write_bytes(answer.read())
        self.assertTrue(pixels(kept) == wanted, f"{machine}: what the desk keeps")

    def assert_bounced(self):
        """The report of the real mail server is found to be of one delivery; the other stays done, and no mail comes of it."""
        fax, = self.control.ask("fax.list", state="received")["faxes"]
        def deliveries():
            return {one["target"].split("@")[0]: one for one in self.desk.trunkctl("fax", "show", fax["fax"])["deliveries"]}
        gone = wait_until(lambda: deliveries()["gone"]["state"] == "bounced" and deliveries()["gone"], "the bounce is shown")
        self.assertRegex(gone["why"], r"550 5\.1\.1 <gone@example\.org> User doesn't exist")
        self.assertEqual("done", deliveries()["office"]["state"])
        self.assertEqual(1, len(self.server.read("office")))


CRAWL = 0.1  # line time per wall clock


def taken(way, octets):
    """The mail server has a mail, and says so."""
    return way == "back" and octets.startswith(b"250 2.0.0 Ok: queued")


def unmasked(octets):
    """The texts of a WebSocket client's frames (RFC 6455 5.2)."""
    while len(octets) > 6 and octets[1] & 128:
        n, at = octets[1] & 127, 2
        if n == 126:
            n, at = int.from_bytes(octets[2:4], "big"), 4
        mask, at = octets[at:at + 4], at + 4
        yield bytes(octet ^ mask[i % 4] for i, octet in enumerate(octets[at:at + n]))
        octets = octets[at + n:]


def asks(method):
    """The desk asks its node for @method."""
    return lambda way, octets: way == "there" and any(method in text for text in unmasked(octets))


def hears(words):
    """Somebody is told @words."""
    return lambda way, octets: way == "back" and words in octets


@unittest.skipIf(mail_server.missing(), mail_server.missing() or "")
class DeskKilled(Case):
    """A desk is killed at each stage of a fax (faxjob/README.md): nothing is lost, and nothing twice but what another had
    taken unheard."""

    def begin(self, scripts=None, answers=None, more=()):
        self.fax_line = FaxLine(self, scripts, answers)
        self.fax_line.control.close()
        self.server = mail_server.MailServer(self)
        self.server.start()
        smtp, = free_ports(1)
        self.smtp = Relay(self, ("127.0.0.1", smtp), ("127.0.0.1", self.server.plain))
        self.lmtp = Relay(self, str(self.dir / "lmtp.sock"), str(self.dir / "desk-lmtp.sock"))
        (self.dir / "lmtp.sock").chmod(0o666)
        self.node = Relay(self, str(self.dir / "relay.sock"), str(self.fax_line.node.socket))
        self.converter, self.store = Converter(self), Store(self)
        self.desk = MailDesk(self, self.fax_line.node, self.server, *more, "[faxes]", f"converter = {self.converter.path}",
                             "retry_trouble_s = 1", "retry_no_answer_s = 1", smtp=smtp, node_socket=self.dir / "relay.sock",
                             lmtp=self.dir / "desk-lmtp.sock", box=("deliver = mail:office@example.org", "ocr = cp {in} {out}"))
        self.desk.launch()

    def kill_at(self, door, meant, act=lambda: None):
        """Starts the desk unless it runs, and kills it before @door, to which @act leads it."""
        door.shut(meant)
        if not self.desk.process.running():
            self.desk.launch()
        act()
        door.await_stopped()
        self.desk.kill()
        door.open()

    def kill_on_line(self, meant, act=lambda: None):
        """Before the door to its node, while a call is under way: nearly no line time passes without a desk."""
        pacer = self.fax_line.pacer
        def lead():
            self.desk.process.await_line("under-test: connected")
            act()
            pacer.run_at(SPEED)
        self.kill_at(self.node, lambda *seen: meant(*seen) and (pacer.run_at(CRAWL), True)[1], lead)

    def assert_told_once(self, user):
        """Taken by the server twice, unheard the first time: one mail by its Message-ID."""
        mails = self.server.await_mails(user, 2)
        self.assertEqual(1, len({mail["Message-ID"] for mail in mails}))
        return mails[0]

    def test_received(self):
        """A fax on the line; then its pages on the node, fetched and not freed there, drawn, searched, about to be mailed, mailed."""
        self.begin(more=("[service 5551001]", "otherwise = fax:office"))
        document = write_document(self.dir / "document.tif", [1, 2], (204, 196), length=400)
        calls, script = [], f"dial 5551001; wait answered; fax send {document}; wait released 3600"
        self.kill_on_line(asks(b"fax.receive"), lambda: calls.append(self.fax_line.far.start_calls(script)))
        self.kill_on_line(hears(b"fax.page"))
        self.kill_on_line(hears(b"fax.ended"))
        self.kill_at(self.node, lambda way, octets: b"GET /spool/" in octets)
        self.kill_at(self.node, asks(b"spool.free"))
        folder, = (self.fax_line.node.state / "spool").iterdir()
        for job in "pdf", "run", "picture":
            self.kill_at(self.converter, job)
        self.kill_at(self.smtp, lambda way, octets: way == "back")
        self.kill_at(self.smtp, taken)
        control = self.desk.start()
        mail = self.assert_told_once("office")
        self.assertIn(", 2 pages", mail["Subject"])
        self.assertNotIn("INCOMPLETE", mail["Subject"])
        fax, = control.ask("fax.list")["faxes"]
        self.assertEqual(("received", False), (fax["state"], fax["partial"]))
        wait_until(lambda: control.ask("fax.show", fax=fax["fax"])["deliveries"][0]["state"] == "done", "the delivery is done")
        wait_until(lambda: not folder.exists(), "the spool is free")
        self.fax_line.pacer.run_at(SPEED)
        calls[0].results()  # the desk has ended the call, as its caller did not

    def test_sent(self):
        """A mail: on disk and not in the store, brought again, taken unheard; then its pages being made, brought to the node,
        called with, sent; its result, being mailed. One fax comes of it."""
        self.begin({"machine": "alert; answer; fax receive got"}, {"5552000": "machine"}, ("[fax-line e1]", "to = span:e1/1"))
        written = mail("Three pages", text="one\f\ntwo\f\nthree")
        self.desk.process.await_line("under-test: connected")
        self.kill_at(self.store, b"Subject: Three pages", lambda: self.server.send(written, "anna@example.org", "5552000@fax.example"))
        self.kill_at(self.lmtp, lambda way, octets: way == "there" and b"\r\n.\r\n" in octets)
        self.kill_at(self.lmtp, hears(b"250 2.0.0 it will be faxed"))
        for job in "fax", "picture":
            self.kill_at(self.converter, job)
        self.kill_at(self.node, lambda way, octets: b"PUT /blob/" in octets)
        self.kill_on_line(asks(b"leg.originate"))
        self.kill_on_line(hears(b'"answered"'))
        self.kill_on_line(asks(b"fax.send"))
        self.kill_on_line(hears(b"fax.page"))
        self.kill_on_line(hears(b"fax.ended"))
        self.fax_line.pacer.run_at(SPEED)
        self.kill_at(self.smtp, lambda way, octets: way == "back")
        self.kill_at(self.smtp, taken)
        control = self.desk.start()
        told = self.assert_told_once("anna")
        self.assertEqual("Fax to 5552000: sent, 3 pages", told["Subject"])
        self.server.await_handed_over()
        fax, = control.ask("fax.list")["faxes"]
        self.assertEqual(("sent", 3), (fax["state"], fax["pages_done"]))
        with urllib.request.urlopen(f"http://127.0.0.1:{self.desk.port}/api/fax/{fax['fax']}/document", timeout=60) as answer:
            (self.dir / "sent.tif").write_bytes(answer.read())
        got = [page for part in sorted((self.dir / "got").iterdir()) for page in pixels(part)]
        self.assertTrue(pixels(self.dir / "sent.tif") == got, "the machine's pages, each once, though no desk heard most of it")


if __name__ == "__main__":
    main()
