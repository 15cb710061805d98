# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A real browser without a screen: Debian's Chromium, steered by WebDriver (W3C) from the standard library. Its microphone
plays a file; what a page hears is kept as samples."""
import array
import base64
import json
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from harness import LIMIT_S, die_with_parent, free_ports, wait_until

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
         "--window-size=1000,900", "--use-fake-device-for-media-stream",
         # A node on loopback is no network that a browser would look at by itself.
         "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

# Keeps what each remote track plays, as 16-bit samples, and what breaks the page's Content-Security-Policy.
EARS = """
  window.heard = []; window.heardRate = 0; window.violations = [];
  addEventListener('securitypolicyviolation', event => violations.push(event.violatedDirective + ' ' + event.blockedURI));
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...how) {
      super(...how);
      window.peer = this;
      this.addEventListener('track', async event => {
        if (event.track.kind !== 'audio') return;
        const reader = new MediaStreamTrackProcessor({ track: event.track }).readable.getReader();
        for (;;) {
          const { value, done } = await reader.read();
          if (done) return;
          const samples = new Float32Array(value.numberOfFrames);
          value.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
          heardRate = value.sampleRate;
          value.close();
          heard.push(Int16Array.from(samples, s => Math.max(-1, Math.min(1, s)) * 32767));
        }
      });
    }
  };
"""
TAKE_HEARD = """
  const all = window.heard.splice(0), n = all.reduce((sum, part) => sum + part.length, 0), out = new Int16Array(n);
  let at = 0;
  for (const part of all) { out.set(part, at); at += part.length; }
  const bytes = new Uint8Array(out.buffer);
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return [window.heardRate, btoa(text)];
"""


class Browser:
    """One browser of its own, with a profile of its own. @microphone: a WAV file that is said over and over; None: there
    is none. @allow: whether pages may have it unasked."""

    def __init__(self, case, name="browser", microphone=None, allow=True, flags=()):
        self.case = case
        self.profile = tempfile.mkdtemp(prefix="tl-browser-")
        port, = free_ports(1)
        self.base = f"http://127.0.0.1:{port}"
        with open(case.dir / f"{name}.log", "w", encoding="utf-8") as log:
            self.driver = subprocess.Popen(["chromedriver", f"--port={port}", "--allowed-ips=127.0.0.1"], stdout=log, stderr=log,
                                           stdin=subprocess.DEVNULL, preexec_fn=die_with_parent, start_new_session=True)
        self.session = None
        case.on_end(self.quit)
        wait_until(self.is_up, "the browser's driver")
        more = [f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
        if not microphone:
            more.append("--use-fake-device-for-media-stream=device-count=0")
        if allow:
            more.append("--use-fake-ui-for-media-stream")
        options = {"binary": shutil.which("chromium"), "args": [*FLAGS, *more, *flags, f"--user-data-dir={self.profile}"],
                   "prefs": {} if allow else {"profile.default_content_setting_values.media_stream_mic": 2}}
        opened = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "acceptInsecureCerts": False, "timeouts": {"script": LIMIT_S * 1000},
            "goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": options}}})
        self.session = f"/session/{opened['sessionId']}"
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=EARS)

    def is_up(self):
        try:
            return self.ask("GET", "/status", None)["ready"]
        except OSError:
            return False

    def ask(self, method, path, body):
        request = urllib.request.Request(self.base + path, method=method, headers={"Content-Type": "application/json"},
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S * 2) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise AssertionError(f"browser: {method} {path}: {value['error']}: {value['message'].splitlines()[0]}") from None

    def do(self, path, **body):
        return self.ask("POST", self.session + path, body)

    def cdp(self, command, **params):
        return self.do("/goog/cdp/execute", cmd=command, params=params)

    def quit(self):
        try:
            if self.session:
                self.ask("DELETE", self.session, None)
        except (OSError, AssertionError):
            pass
        self.driver.terminate()
        try:
            self.driver.wait(10)
        except subprocess.TimeoutExpired:
            self.driver.kill()
            self.driver.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    # ---- pages ----

    def open(self, url):
        self.do("/url", url=url)

    def reload(self):
        self.do("/refresh")

    def run(self, script, *arguments):
        return self.do("/execute/sync", script=script, args=list(arguments))

    def run_async(self, script, *arguments):
        """What @script, the body of an async function, returns."""
        return self.do("/execute/async", script=f"(async function() {{ {script} }}).apply(null, [...arguments].slice(0, -1)).then(arguments[arguments.length - 1], why => arguments[arguments.length - 1](String(why)));",
                       args=list(arguments))

    def find(self, css):
        """Elements, seen or not."""
        return [found[ELEMENT] for found in self.do("/elements", using="css selector", value=css)]

    def text(self, css="body"):
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join('\\n')", css)

    def await_text(self, words, css="body", limit_s=LIMIT_S):
        return wait_until(lambda: words in self.text(css), f"{words!r} in {css}", limit_s)

    def await_css(self, css, limit_s=LIMIT_S):
        return wait_until(lambda: self.find(css), f"an element {css}", limit_s)[0]

    def await_gone(self, css):
        wait_until(lambda: not self.find(css), f"no element {css}")

    def press(self, name):
        """Clicks the button with this accessible name if it is there and may be clicked; whether it did."""
        script = """const button = [...document.querySelectorAll('button:not(:disabled)')].find(b =>
                    (b.getAttribute('aria-label') || b.innerText).trim() === arguments[0]); if (button) button.click();
                    return !!button;"""
        return self.run(script, name)

    def button(self, name):
        """As soon as it can be clicked."""
        wait_until(lambda: self.press(name), f"a button {name!r}")

    def type(self, css, text):
        element = self.await_css(css)
        self.do(f"/element/{element}/clear")
        self.do(f"/element/{element}/value", text=text)

    def keys(self, *keys):
        """Together, as Alt+A."""
        names = {"Alt": "\ue00a", "Enter": "\ue007", "Tab": "\ue004"}
        pressed = [names.get(key, key) for key in keys]
        down = [{"type": "keyDown", "value": key} for key in pressed]
        up = [{"type": "keyUp", "value": key} for key in reversed(pressed)]
        self.do("/actions", actions=[{"type": "key", "id": "keyboard", "actions": down + up}])

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self.ask("GET", self.session + "/screenshot", None)))

    def dark(self, on=True):
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if on else "light"}])

    def errors(self):
        """What the console complained of, and what the policy refused."""
        said = self.do("/se/log", type="browser")
        return [entry["message"] for entry in said if entry["level"] == "SEVERE"] + (self.run("return window.violations || []"))

    # ---- sound ----

    def take_heard(self):
        """Samples per second, and the samples heard since the last time."""
        rate, text = self.run(TAKE_HEARD)
        return rate, array.array("h", base64.b64decode(text))

    def listen(self, seconds):
        """So many seconds of what it hears from now on."""
        self.take_heard()
        wait_until(lambda: self.run("return heard.reduce((n, part) => n + part.length, 0) >= arguments[0] * (heardRate || 48000)",
                                    seconds), f"{seconds} s of sound")
        return self.take_heard()
