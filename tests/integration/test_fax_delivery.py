#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""What becomes of faxes that came: mails by TLS and login to several recipients, as each box says; a directory, a webhook;
refusals that are shown; settings read anew; and the page that a person sees."""
import hashlib
import hmac
import http.server
import re
import signal
import subprocess
import threading
import unittest

import mail_server
from browser import Browser
from fax import pixels, write_document
from fax_desk import MailDesk, seed_fax
from harness import Case, main, program, wait_until
from mail_server import PASSWORD
from node import Node


class Webhook(http.server.ThreadingHTTPServer):
    """Says no for now to the first that comes, and takes the others."""

    def __init__(self, case):
        super().__init__(("127.0.0.1", 0), WebhookRequest)
        self.taken = []
        threading.Thread(target=self.serve_forever, daemon=True).start()
        case.on_end(self.server_close)
        case.on_end(self.shutdown)


class WebhookRequest(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.headers, body))
        self.send_response(200 if len(self.server.taken) > 1 else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@unittest.skipIf(mail_server.missing(), mail_server.missing() or "")
class Delivery(Case):
    def setUp(self):
        super().setUp()
        self.server = mail_server.MailServer(self)
        self.server.start()
        self.node = Node(self, settings=("spool_reserve_mib = 1",))

    def deliveries(self, fax):
        return {one["target"]: one for one in self.control.ask("fax.show", fax=fax)["deliveries"]}

    def await_delivery(self, fax, target, state):
        def looks_so():
            one = self.deliveries(fax).get(target, {})
            return one if one.get("state") == state else None
        return wait_until(looks_so, f"{target}: {state}")

    def mail_settings(self, server, password=PASSWORD, more=""):
        return [f"server = {server}", "tls = required", "user = desk", f"password = {password}", *more.split("|")]

    def test_everywhere(self):
        """A wrong password and a certificate that nobody vouches for: it waits. With better settings it is delivered."""
        hook, out = Webhook(self), self.dir / "out"
        url = f"http://127.0.0.1:{hook.server_port}/fax"
        out.mkdir()
        seed_fax(self.node, 1, "office", [1, 2])
        seed_fax(self.node, 2, "court", [3])
        self.node.start()
        bad = self.mail_settings(f"smtp://127.0.0.1:{self.server.smtp}", "wrong", f"ca_file = {self.server.authority}")
        desk = MailDesk(
            self, self.node, self.server,
            "[fax court]", "deliver = mail:court@example.org mail:nobody@example.org", "format = tiff", "subject = Court: {id}",
            "[webhook own]", f"url = {url}", "token = bear-me", "secret = sign-me", mail_settings=bad,
            box=(f"deliver = mail:office@example.org mail:second@example.org dir:{out} {url}",
                 "subject = Fax, {pages} p.{note}", "text = Hello\\n{pages}"))
        settings = desk.file.read_text()
        self.control = desk.start()
        first, second, target = "f1", "f2", "office@example.org"
        wait_until(lambda: len(self.control.ask("fax.list", state="received")["faxes"]) == 2, "both faxes")
        wait_until(lambda: self.deliveries(first).get(target, {}).get("why"), "a login that was refused")
        self.assertEqual("waiting", self.deliveries(first)[target]["state"])
        self.assertEqual([], self.server.read("office"))
        desk.file.write_text(settings.replace("password = wrong", f"password = {PASSWORD}"))
        desk.process.signal(signal.SIGHUP)
        for user in "office", "second":
            message, = self.server.await_mails(user, 1)
            self.assertEqual("Fax, 2 p. (INCOMPLETE: the transmission broke off)", message["Subject"])
            self.assertEqual(["Hello", "2"], message.get_body().get_content().split())
            self.assertRegex(message["Received"] + "".join(message.get_all("Received")), r"(?s)using TLSv1.*Authenticated sender: desk")
        pdf, = message.iter_attachments()
        self.assertEqual("application/pdf", pdf.get_content_type())
        wait_until(lambda: len(list(out.glob("*.pdf"))) == 1, "a file in the directory")
        self.assertEqual(pdf.get_content(), next(out.glob("*.pdf")).read_bytes())
        self.assert_webhook(hook, first, url, pdf.get_content())
        message, = self.server.await_mails("court", 1)
        self.assertEqual(f"Court: {second}", message["Subject"])
        tiff, = message.iter_attachments()
        (self.dir / "court.tif").write_bytes(tiff.get_content())
        self.assertTrue(pixels(write_document(self.dir / "wanted.tif", [3], length=400)) == pixels(self.dir / "court.tif"), "the page")
        refused = self.await_delivery(second, "nobody@example.org", "failed")
        self.assertRegex(refused["why"], "nobody lives here")
        self.assert_implicit_tls(desk, settings, first)

    def assert_webhook(self, hook, fax, url, document):
        done = self.await_delivery(fax, url, "done")
        self.assertEqual(2, done["tries"])
        (one, _), (headers, body) = hook.taken
        self.assertEqual(one["Trunkline-Delivery"], headers["Trunkline-Delivery"])
        self.assertEqual("Bearer bear-me", headers["Authorization"])
        self.assertEqual("sha256=" + hmac.new(b"sign-me", body, hashlib.sha256).hexdigest(), headers["Trunkline-Signature"])
        self.assertIn(document, body)

    def assert_implicit_tls(self, desk, settings, fax):
        """Delivered anew, by TLS from the start: not to a server that nobody vouches for."""
        settings = settings.replace("password = wrong", f"password = {PASSWORD}")
        settings = settings.replace(f"smtp://127.0.0.1:{self.server.smtp}", f"smtps://127.0.0.1:{self.server.smtps}")
        stranger = settings.replace(f"ca_file = {self.server.authority}", "ca_file = /etc/hosts")
        for text in stranger, settings:
            desk.file.write_text(text)
            mark = desk.process.mark()
            desk.process.signal(signal.SIGHUP)
            desk.process.await_line("as configured now", mark)
            if text is stranger:
                self.control.ask("fax.retry", fax=fax)
                again = wait_until(lambda: next((one for one in self.control.ask("fax.show", fax=fax)["deliveries"]
                                                 if one["target"] == "second@example.org" and "why" in one), None), "no mail to a stranger")
                self.assertEqual("waiting", again["state"])
                self.assertEqual(1, len(self.server.read("second")))
        self.assertEqual(2, len(self.server.await_mails("second", 2)))


class FaxPage(Case):
    def test_explained(self):
        """What there is to say of faxes is said without a desk."""
        def run(*words):
            done = subprocess.run([program("trunkctl"), "fax", *words], capture_output=True, text=True, timeout=60, check=False)
            return done.returncode, done.stdout, done.stderr
        status, said, _ = run("--help")
        self.assertEqual(0, status)
        self.assertEqual((0, said, ""), run("send", "--help"))
        self.assertEqual((2, "", said), run())
        for word in "send FILE", "tell=", "priority=", "at=", "list", "show", "cancel", "retry":
            self.assertIn(word, said)

    def test_seen(self):
        """A fax that came, with its pages; one that waits for its hour, by trunkctl; what trunkctl says is what the page shows."""
        node = Node(self, settings=("spool_reserve_mib = 1",))
        seed_fax(node, 1, "office", [1, 2])
        node.start()
        desk = MailDesk(self, node, None, "[fax-line pstn]", "to = group:none", "[faxes]", "quiet = 00:00-23:59", mail_settings=["hello = desk"])
        # Nobody takes letters there.
        desk.file.write_text(desk.file.read_text().replace("mail:office@example.org", f"http://127.0.0.1:{desk.port}/nowhere"))
        desk.start()
        text = self.dir / "letter.txt"
        text.write_text("Dear machine,\n\nhello.\n")
        batch = desk.trunkctl("fax", "send", str(text), "5551", "5552", "box=office", "subject=Hello", "at=2039-01-01T00:00", "priority=3")["faxes"]
        self.assertEqual(1, len({fax["batch"] for fax in batch}))
        browser = Browser(self)
        browser.open(f"http://127.0.0.1:{desk.port}/")
        browser.await_text("Faxes (2)", "header nav")
        browser.run("document.querySelector('a[href=\"/faxes.html\"]').click()")
        browser.await_text("From unknown", "#past")
        browser.await_text("To 5552", "#going")
        browser.await_text("received, 2 pages, incomplete", "#past")
        browser.await_text("1 letter did not arrive", "#past")
        wait_until(lambda: len(re.findall(r"waiting until .*39.*, 1 page\n", browser.text("#going"))) == 2, "both wait for their hour")
        self.await_drawn(browser, "#past .thumb img")
        self.await_drawn(browser, "#going .thumb img")
        browser.run("document.querySelector('#past .thumb').click()")
        self.await_drawn(browser, "#sheet")
        first = browser.run("return document.getElementById('sheet').src")
        browser.button("Next page")
        wait_until(lambda: browser.run("return document.getElementById('sheet').src !== arguments[0]", first), "the next page")
        self.await_drawn(browser, "#sheet")
        browser.await_text("2 / 2", "#viewer")
        browser.await_text("/nowhere: failed", "#details")
        browser.screenshot(self.dir / "viewer.png")
        browser.button("Close")
        browser.run("document.querySelector('#past .thumb').focus()")
        one, other = (fax["fax"] for fax in batch)
        desk.trunkctl("fax", "cancel", batch[0]["batch"])
        browser.await_text("No fax is under way.")
        self.assertEqual("cancelled", desk.trunkctl("fax", "show", one)["fax"]["state"])
        desk.trunkctl("fax", "retry", other)
        browser.await_text("To 5552", "#going")
        wait_until(lambda: [other] == [fax["fax"] for fax in desk.trunkctl("fax", "list", "state=waiting")["faxes"]], "that one waits")
        self.assertTrue(browser.run("return document.activeElement.matches('#past li:last-child .thumb')"), "the focus stays on what has not changed")
        browser.screenshot(self.dir / "faxes.png")
        self.assertEqual([], browser.errors())

    def await_drawn(self, browser, css):
        wait_until(lambda: browser.run("const all = [...document.querySelectorAll(arguments[0])];"
                                       "return all.length && all.every(image => image.complete && image.naturalWidth > 100)", css), f"pictures {css}")


if __name__ == "__main__":
    main()
