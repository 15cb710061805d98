#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""The softphone's page in a real browser, without a call: signing in, what it says when something is wrong, HTTPS."""
import http.client
import json
import re
import socket
import ssl
import subprocess
import sys

from browser import Browser
from harness import TREE, Case, free_ports, main, program
from node import VARIANT

sys.dont_write_bytecode = True
sys.path.insert(0, str(TREE / "tools/demo"))
import certificate  # noqa: E402


def password_hash(password):
    return subprocess.run([program("deskd"), "--hash-password"], input=password + "\n", text=True, check=True,
                          capture_output=True).stdout.strip()


class Page(Case):
    def start_desk(self, web=(), name="deskd"):
        self.port, = free_ports(1)
        return self.run_desk("\n".join([
            "[desk]", f"state_dir = {self.dir / 'deskd'}", "[web]", f"listen = 127.0.0.1:{self.port}", *web,
            "[queue sales]", "[agent berta]", "display = Berta", f"password = {password_hash('sesame')}", "device = browser",
            "queues = sales", "[service 100]", "otherwise = queue:sales", ""]), name)

    def run_desk(self, text, name="deskd"):
        file = self.dir / f"{name}.conf"
        file.write_text(text)
        desk = self.start(name, [program("deskd", VARIANT), "--config", str(file)])
        desk.await_line("https?://")
        return desk

    def sign_in(self, browser, password="sesame", host="127.0.0.1"):
        browser.open(f"http://{host}:{self.port}/agent")
        browser.type("input[name=agent]", "berta")
        browser.type("input[name=password]", password)
        browser.keys("Enter")

    def test_signing_in_and_out_and_a_desk_that_goes(self):
        desk = self.start_desk()
        browser = Browser(self, microphone=None)
        self.sign_in(browser, "a wrong one")
        browser.await_text("Name or password is wrong.", "[role=alert]")
        # The 401 above, and nothing else.
        self.assertEqual([line for line in browser.errors() if "401" not in line], [])
        self.sign_in(browser)
        browser.await_text("Berta")
        cookie, = browser.ask("GET", browser.session + "/cookie", None)
        self.assertTrue(cookie["httpOnly"] and cookie["sameSite"] == "Strict")
        desk.kill()
        browser.await_text("The desk cannot be reached", "[data-notice=offline]")
        self.run_desk((self.dir / "deskd.conf").read_text(), "deskd-again")
        browser.await_gone("[data-notice=offline]")
        browser.reload()
        browser.await_text("Berta")  # who has signed in stays so
        browser.button("Sign out")
        browser.await_css("input[name=password]")
        self.assertEqual(browser.run("return violations"), [])

    def test_a_microphone_that_is_not_allowed(self):
        self.start_desk()
        browser = Browser(self, microphone=None, allow=False)
        self.sign_in(browser)
        browser.button("Connect the phone")
        browser.await_text("The microphone is blocked", "[data-notice=trouble]")

    def test_a_page_that_is_not_secure(self):
        self.start_desk(web=("host = desk.test",))
        browser = Browser(self, flags=("--host-resolver-rules=MAP desk.test 127.0.0.1",))
        browser.open(f"http://desk.test:{self.port}/agent")
        browser.await_text("not loaded securely", "[data-notice=trouble]")

    def test_https(self):
        authority, own, key = certificate.for_host(str(self.dir), "127.0.0.1")
        self.start_desk(web=(f"certificate = {own}", f"key = {key}"))
        trusting = ssl.create_default_context(cafile=authority)
        desk = http.client.HTTPSConnection("127.0.0.1", self.port, context=trusting, timeout=60)
        desk.request("POST", "/api/login", json.dumps({"agent": "berta", "password": "sesame"}), {"Content-Type": "application/json"})
        answer = desk.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertRegex(answer.headers["Set-Cookie"], "; Secure$")
        answer.read()
        desk.request("GET", "/agent")
        answer = desk.getresponse()
        self.assertIn("console.js", answer.read().decode())
        policy = answer.headers["Content-Security-Policy"]
        self.assertIsNone(re.search("unsafe|\\*|data:", policy), policy)
        for talk in b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello":  # not TLS: refused, and the desk goes on
            with socket.create_connection(("127.0.0.1", self.port), timeout=60) as plain:
                plain.sendall(talk)
                try:
                    while plain.recv(4096):
                        pass
                except ConnectionError:
                    pass
        desk.request("GET", "/health")
        self.assertEqual(desk.getresponse().status, 200)
        with self.assertRaises(ssl.SSLCertVerificationError):
            http.client.HTTPSConnection("127.0.0.1", self.port, context=ssl.create_default_context(), timeout=60).connect()


if __name__ == "__main__":
    main()
