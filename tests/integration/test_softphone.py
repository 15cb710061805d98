#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Agents in real browsers: a call from the trunk, heard both ways, through everything an agent does with it, a page that is
loaded again and a desk that dies."""
import os
import re
import subprocess
from pathlib import Path

from audio import read_wav
from browser import Browser
from centre import MUSIC, NUMBER, Centre, assert_heard
from harness import free_row, main, program, wait_until
from speech import alaw, assert_spoken, features, speak
from turn import Turn

# Both ends run on clocks of their own here: a browser's is never ours to set.
SAYS = {"caller": "Good morning, I would like to order seven boxes of apples and a ladder.",
        "berta": "You have reached the sales department. How may I help you today?",
        "carl": "This is Carl from the workshop, what does the caller want to know?"}
PLACES = 2  # two browsers with pictures of their own keep a core busy
SHOTS = os.environ.get("TL_SHOTS")  # a folder for pictures, to be looked at


def hashed(password):
    return subprocess.run([program("deskd"), "--hash-password"], input=password + "\n", text=True, check=True,
                          capture_output=True).stdout.strip()


class Softphone(Centre):
    agents = {}
    browsers = ("berta",)

    def setUp(self):
        self.node_more = f"[browser]\nport = {free_row(2)}\naddresses = 127.0.0.1\n"
        secret = hashed("sesame")
        self.desk_more = tuple(f"[agent {name}]\ndisplay = {name.capitalize()}\npassword = {secret}\ndevice = browser\n"
                               "queues = sales" for name in self.browsers)
        super().setUp()
        self.said = {who: speak(self.dir / f"{who}-says.wav", text, 60, 8000 if who == "caller" else 48000)
                     for who, text in SAYS.items()}
        self.pages = {name: Browser(self, name, self.dir / f"{name}-says.wav") for name in self.browsers}

    def sign_in(self, name):
        page = self.pages[name]
        page.open(f"http://127.0.0.1:{self.desk.port}/agent")
        page.type("input[name=agent]", name)
        page.type("input[name=password]", "sesame")
        page.button("Sign in")
        page.await_css("[data-state]")
        # Where it may, the page connects by itself, a moment later.
        wait_until(lambda: page.find("[data-phone=connected]") or page.press("Connect the phone") and None, f"{name}'s phone")
        wait_until(lambda: self.agent(name)["browser_connected"], f"{name}'s browser at the desk")
        page.button("Ready")
        page.await_css("[data-state=ready]")
        return page

    def dial(self, more="wait released 300", calling="0301"):
        return self.network.start_calls(f"dial {NUMBER} from {calling} name 'Ada Lovelace' on net; wait answered; "
                                        f"record heard-{calling}.wav; play caller-says.wav forever; {more}")

    def shoot(self, page, name):
        if SHOTS:
            page.screenshot(Path(SHOTS, f"{name}.png"))

    def assert_hears(self, page, who, what, patience=4):
        """What a busy machine tears in one while it may not tear in @patience of them."""
        others = [other for other in SAYS if other != who]
        while True:
            rate, samples = page.listen(8)
            patience -= 1
            try:
                return assert_spoken(features(rate, samples), self.said[who], self.said[others[0]], what)
            except AssertionError:
                if not patience:
                    raise

    def assert_was_heard(self, who, what):
        octets = read_wav(self.dir / "heard-0301.wav")
        heard = features(8000, alaw(octets))
        others = [other for other in SAYS if other != who]
        assert_spoken(heard, self.said[who], self.said[others[0]], what)


HEARD_ON_PAGE = """
  const found = (await (await fetch('/api/recordings')).json()).recordings.filter(one => one.queue === 'sales');
  if (found.length < arguments[0]) return null;
  const audio = await (await fetch('/api/recording/' + found[found.length - 1].file)).arrayBuffer();
  const decoded = await new OfflineAudioContext(2, 8000, 8000).decodeAudioData(audio);
  return [decoded.numberOfChannels, ...[0, 1].map(side => Array.from(decoded.getChannelData(side), one => Math.round(one * 32767)))];
"""


# By which way the page's media come: the kind of the address at its end, and what it speaks to it.
WAY = """
  const all = [...(await peer.getStats()).values()], transport = all.find(one => one.type === 'transport');
  const pair = all.find(one => one.id === transport?.selectedCandidatePairId);
  const own = all.find(one => one.id === pair?.localCandidateId);
  return own && [own.candidateType, own.relayProtocol ?? ''];
"""


class Talk(Softphone):
    queue = ("record = opus", "overflow_s = 300")

    def test_answered_in_the_page(self):
        page = self.sign_in("berta")
        call = self.dial()
        page.await_text("Ada Lovelace")
        self.shoot(page, "ringing")
        page.keys("Alt", "a")
        page.await_css("[data-call=Talking]")
        page.await_text("First call from this number.")
        self.assert_hears(page, "caller", "berta")
        self.shoot(page, "talking")
        page.reload()
        page.await_css("[data-phone=connected]")
        page.await_css("[data-call=Talking]")
        self.assert_hears(page, "caller", "berta, whose page was loaded again")
        self.assertNotEqual(wait_until(lambda: page.run_async(WAY), "a way")[0], "relay")
        self.desk.kill()
        page.await_text("The desk cannot be reached", "[data-notice=offline]")
        self.shoot(page, "desk-away")
        self.assert_hears(page, "caller", "berta, with no desk")
        relay = Turn(self, "north")
        self.desk.configure_web(f"turn = {relay.url}", "turn_secret = north", "turn_only = yes")
        self.control = self.desk.start()
        page.await_gone("[data-notice=offline]")
        page.await_css("[data-call=Talking]")
        page.reload()
        page.await_css("[data-phone=connected]")
        page.await_css("[data-call=Talking]")
        self.assertEqual(wait_until(lambda: page.run_async(WAY), "a way"), ["relay", "tcp"])
        relay.process.await_line(r"user <\d+:berta>: incoming packet CREATE_PERMISSION processed, success")
        self.assert_hears(page, "caller", "berta, with a new desk and by TURN over TCP")
        page.await_css("[data-recording=on]")
        page.button("Pause the recording")
        page.await_css("[data-recording=paused]")
        self.shoot(page, "recording-paused")
        page.button("Record again")
        page.await_css("[data-recording=on]")
        page.button("Hang up")
        self.assertEqual(call.all_good()[0]["cause"], 16)
        page.await_css("[data-state=ready]")
        self.all_but_browsers_quiet(1)
        self.assert_was_heard("berta", "the caller")
        sides, left, right = wait_until(lambda: page.run_async(HEARD_ON_PAGE, 1), "the recording, played in the page")
        self.assertEqual(sides, 2)
        assert_spoken(features(8000, left), self.said["caller"], self.said["berta"], "the recording's left side")
        assert_spoken(features(8000, right), self.said["berta"], self.said["caller"], "the recording's right side")
        # The second time the page knows the caller.
        again = self.dial("expect digits 12# 600; hangup 16")
        page.await_text("Earlier calls")
        page.button("Answer")
        page.await_css("[data-call=Talking]")
        page.button("Hold")
        page.await_css("[data-call='On hold']")
        self.lines.await_time(2)  # as long as the caller hears the music
        page.button("Back to the caller")
        page.await_css("[data-call=Talking]")
        page.button("Mute")
        page.await_css("[data-call=Muted]")
        page.button("Unmute")
        page.await_css("[data-call=Talking]")
        page.button("Keypad")
        self.shoot(page, "keypad")
        for key in "1", "2", "hash":
            page.button(key)
        self.assertEqual(again.all_good()[0]["cause"], 16)
        page.await_css("[data-state=ready]")
        assert_heard(read_wav(self.dir / "heard-0301.wav"), MUSIC, "who was held")
        # A desk that dies resets connections, one that is away refuses them; nothing else went wrong, nothing broke the page's policy.
        self.assertEqual([line for line in page.errors() if not re.search("ERR_CONNECTION_(REFUSED|RESET)|ERR_EMPTY_RESPONSE", line)], [])

    def all_but_browsers_quiet(self, standing):
        wait_until(lambda: len(self.node.connect().snapshot()["legs"]) == standing, f"{standing} standing legs, no other")


# Whether the picture has many shades, and is another one than the last time.
MOVES = """
  const video = document.querySelector('video.picture');
  if (!video || !video.videoWidth) return false;
  const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 }), context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, 64, 36);
  const now = [...context.getImageData(0, 0, 64, 36).data], was = window.lastPicture;
  window.lastPicture = now;
  return !!was && new Set(now).size > 20 && now.some((one, i) => Math.abs(one - was[i]) > 60);
"""


class Transfer(Softphone):
    """The two live on different media threads; the line is on berta's."""

    browsers, web, media = ("berta", "carl"), ("video = yes",), ("threads = 2",)

    def ties(self):
        """How many take part in a bridge of the other thread."""
        return self.node.connect().ask("node.counters")["counters"]["media_ties"]

    def test_to_one_who_was_asked(self):
        berta = self.sign_in("berta")
        call = self.dial()
        berta.button("Answer")
        berta.await_css("[data-call=Talking]")
        carl = self.sign_in("carl")
        berta.button("Transfer")
        berta.button("Ask Carl first")
        carl.await_text("Berta asks you")
        self.shoot(carl, "asked")
        carl.button("Answer")
        berta.await_text("You speak with Carl")
        self.shoot(berta, "consult")
        self.assert_hears(carl, "berta", "carl, of berta")
        self.assert_hears(berta, "carl", "berta, of carl")
        wait_until(lambda: self.ties() == 1, "one of two is of the other thread")
        berta.button("Show my camera")
        carl.await_css("video.picture")
        self.assertTrue(wait_until(lambda: carl.run(MOVES), "a picture that moves"))
        self.shoot(carl, "picture")
        carl.button("Show my camera")
        berta.await_css("video.picture")
        berta.button("Complete the transfer")
        carl.await_gone("video.picture")
        berta.await_css("[data-state=ready]")
        carl.await_text("Ada Lovelace")
        self.assert_hears(carl, "caller", "carl, of the caller")
        wait_until(lambda: self.ties() == 1, "one of two is of the other thread")
        berta.button("Break")
        carl.button("Hang up")
        self.assertEqual(call.all_good()[0]["cause"], 16)
        for page in berta, carl:
            self.assertEqual(page.errors(), [])


del Centre, Softphone
if __name__ == "__main__":
    main()
