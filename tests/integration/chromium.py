# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A real browser without a screen: Debian's chromium, driven by chromedriver (W3C WebDriver over HTTP)."""
import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import LIMIT_S, free_ports, wait_until

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
         "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
         "--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection",
         "--disable-features=WebRtcHideLocalIpsWithMdns"]


class Page:
    """Serves one page on 127.0.0.1, where the microphone is allowed."""

    def __init__(self, case, html):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(html.encode())

            def log_message(self, *_):
                pass
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        case.on_end(self.server.server_close)
        case.on_end(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


class Chromium:
    """@flags: more of them. The driver and the browser end with the test."""

    def __init__(self, case, flags=()):
        port, = free_ports(1)
        self.base = f"http://127.0.0.1:{port}"
        self.session = None
        driver = case.start("chromedriver", ["chromedriver", f"--port={port}"], env={"HOME": str(case.dir), "G_DEBUG": ""})
        driver.await_line("started successfully")
        self.driver = driver
        case.on_end(self.close)
        options = {"binary": "/usr/bin/chromium", "args": [*FLAGS, f"--user-data-dir={case.dir}/chromium", *flags]}
        value = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
        self.session = f"/session/{value['sessionId']}"
        self.ask("POST", f"{self.session}/timeouts", {"script": LIMIT_S * 1000})

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, method=method, data=json.dumps(body).encode() if body is not None else None,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=2 * LIMIT_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"chromium: {json.load(error)['value']['message']}") from None

    def go(self, url):
        self.ask("POST", f"{self.session}/url", {"url": url})

    def run(self, script, *arguments):
        """What @script, the body of an async function, returns."""
        wrapped = f"""const done = arguments[arguments.length - 1];
            (async function() {{ {script} }}).apply(null, arguments).then(value => done({{value}}),
            error => done({{error: String(error && error.stack || error)}}));"""
        result = self.ask("POST", f"{self.session}/execute/async", {"script": wrapped, "args": list(arguments)})
        if "error" in result:
            raise AssertionError(f"page: {result['error']}")
        return result.get("value")

    def until(self, script, what):
        return wait_until(lambda: self.run(script), what)

    def close(self):
        if self.session:
            self.ask("DELETE", self.session)
        self.ask("GET", "/shutdown")
        self.driver.wait()
