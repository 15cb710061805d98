#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Recording of bridges on a real node: who said what, byte for byte; a notice; pause; a full disk; a death."""
import audioop
import hashlib
import json
import resource
import subprocess
import sys
import time

import test_tandem
from audio import ALAW, assert_contains, noise, read_wav, share_of, tone, write_wav
from control import Refused
from files import Http
from centre import LATER, NUMBER, Centre
from harness import main, program, wait_until

Tandem = test_tandem.E1.__bases__[0]


class Recording(Tandem):
    settings = ("spool_reserve_mib = 1",)

    def begin(self, caller, called="answer; wait released 600"):
        self.plug({"called": called}, {"": "called"})
        self.call = self.exchange.start_calls(f"dial 100 from 0301 on net; wait answered; {caller}")
        self.control = self.node.connect("conductor", epoch=1)
        bridges = wait_until(lambda: self.control.snapshot()["bridges"], "the legs are bridged")
        self.bridge = bridges[0]["bridge"]

    def record(self, **more):
        return self.control.ask("bridge.record", bridge=self.bridge, recording="r1", **more)

    def started(self):
        return self.control.await_event("recording.started", lambda e: e["recording"] == "r1")

    def ended(self):
        return self.control.await_event("recording.ended", lambda e: e["recording"] == "r1")

    def contents(self, item):
        """The one part of a finished item, by HTTP; its name."""
        said = self.control.await_event("spool.changed", lambda e: e["item"]["item"] == item and e["item"]["state"] != "open")["item"]
        return said, self.fetch(said)

    def fetch(self, said):
        [part] = said["parts"]
        http = Http(self.node.socket)
        self.on_end(http.close)
        status, body, _ = http.ask("GET", f"/spool/{said['item']}/{part['name']}", "conductor")
        self.assertEqual((200, part["size"], part["sha256"]), (status, len(body), hashlib.sha256(body).hexdigest()))
        path = self.dir / part["name"]
        path.write_bytes(body)
        return path

    def await_digit(self, leg, digit, then):
        """Sends @then to the caller, and hears @digit from @leg when what follows is done."""
        self.control.ask("leg.collect", leg=leg, collect=digit, max=1, first_ms=60000)
        self.control.ask("leg.dtmf", leg=self.legs()["in"], digits=then)
        heard = self.control.await_event("leg.collected", lambda e: (e["leg"], e["collect"]) == (leg, digit))
        self.assertEqual(digit, heard["digits"])

    def legs(self):
        return {leg["direction"]: leg["leg"] for leg in self.control.snapshot()["legs"] if leg.get("bridge") == self.bridge}

    def release(self):
        for leg in self.control.snapshot()["legs"]:
            if leg["direction"] == "in":
                self.control.ask("leg.release", leg=leg["leg"], cause=16)
        self.call.results()
        self.settle()  # the called party has written what it heard, too


class Wav(Recording):
    def test_sides_notice_and_pause(self):
        """Left is the caller, right the called, untouched; both hear the notice once it is recorded, and what is said in
        a pause is not kept."""
        said = {name: noise(1.5, i) for i, name in enumerate(("caller", "called", "secret", "notice"))}
        for name, octets in said.items():
            write_wav(self.dir / f"{name}-says.wav", octets, ALAW)
        self.begin("""record caller-hears.wav; expect digits 5 600; say secret-says.wav; send 7
                      expect digits 6 600; say caller-says.wav; send 8; wait released 600""".replace("\n", ";"),
                   "answer; record called-hears.wav; expect digits 78 600; say called-says.wav; send 9; wait released 600")
        self.node.add_sound("notice.wav", said["notice"])
        legs = self.legs()
        self.control.ask("leg.tag", leg=legs["in"], tags={"contact": "c-1"})
        item = self.record(format="wav", notice=["file:notice.wav"], tags={"queue": "q"})["item"]
        self.started()
        with self.assertRaises(Refused) as refused:
            self.control.ask("bridge.record", bridge=self.bridge, recording="r2")
        self.assertEqual(-32007, refused.exception.code)
        self.assertEqual([item], [i["item"] for i in self.control.ask("spool.list")["items"]], "nothing of the refused one")
        for leg in legs.values():
            self.control.await_event("leg.played", lambda e, leg=leg: (e["leg"], e["play"], e["completed"]) == (leg, "r1", True))
        self.control.ask("recording.pause", recording="r1")
        self.control.await_event("recording.paused")
        self.await_digit(legs["in"], "7", then="5")
        self.control.ask("recording.resume", recording="r1")
        self.control.await_event("recording.resumed")
        self.assertEqual("recording", self.control.snapshot()["recordings"][0]["state"])
        self.await_digit(legs["out"], "9", then="6")
        self.control.ask("recording.stop", recording="r1")
        self.assertTrue(self.ended()["complete"])
        told, path = self.contents(item)
        self.assertEqual(("recording", "complete", "r1", legs["in"], {"contact": "c-1", "queue": "q"}),
                         (told["kind"], told["state"], told["id"], told["leg"], told["tags"]))
        self.release()
        octets = read_wav(path)
        left, right = octets[0::2], octets[1::2]
        assert_contains(left, said["caller"], "the left side")
        assert_contains(right, said["called"], "the right side")
        self.assertEqual(-1, left.find(said["secret"][800:1600]))
        assert_contains(read_wav(self.dir / "caller-hears.wav"), said["notice"], "the caller")
        assert_contains(read_wav(self.dir / "called-hears.wav"), said["notice"], "the called")
        self.control.ask("spool.free", item=item)
        self.assertNotIn(item, [i["item"] for i in self.control.ask("spool.list")["items"]])


class Disk(Recording):
    def test_full(self):
        """No more room: an alarm, the recording ends as it is, and the call does not notice."""
        octets = noise(3, 9)
        write_wav(self.dir / "caller-says.wav", octets, ALAW)
        self.begin("expect digits 5 600; say caller-says.wav; send 7; wait released 600", "answer; record called-hears.wav; wait released 600")
        item = self.record(format="wav16")["item"]
        self.started()
        pid = self.node.process.process.pid
        soft_hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (20000, soft_hard[1]))
        self.await_digit(self.legs()["in"], "7", then="5")
        self.control.await_event("node.changed", lambda e: "record-disk" in e["node"]["alarms"])
        resource.prlimit(pid, resource.RLIMIT_FSIZE, soft_hard)
        self.control.ask("recording.stop", recording="r1")
        ended = self.ended()
        self.assertEqual((False, "File too large"), (ended["complete"], ended["error"]))
        self.assertEqual("partial", self.contents(item)[0]["state"])
        self.release()
        wait_until((self.dir / "called-hears.wav").exists, "the called party's recording")
        assert_contains(read_wav(self.dir / "called-hears.wav"), octets, "the called")

    def test_reserve(self):
        """Below the reserve a recording is refused, the call goes on."""
        self.settings = ("spool_reserve_mib = 16777216",)
        self.begin("wait released 600")
        wait_until(lambda: "spool-reserve" in self.control.snapshot()["node"].get("alarms", []), "an alarm")
        with self.assertRaises(Refused) as refused:
            self.record()
        self.assertEqual(-32009, refused.exception.code)
        self.assertEqual(2, len(self.control.snapshot()["legs"]))
        self.release()


class Death(Recording):
    speed = 2  # whatever a busy disk takes, the recorder's ring holds it

    def talk(self, form, octets):
        """A call that is recorded in @form, the caller's @octets heard; the recording's item, and when that was."""
        write_wav(self.dir / f"{form}-says.wav", octets, ALAW)
        before = {bridge["bridge"] for bridge in self.control.snapshot()["bridges"]}
        self.exchange.start_calls(f"dial 100 from 0301 on net; wait answered; expect digits 5 600; say {form}-says.wav; send 7; wait released 600")
        self.bridge, = wait_until(lambda: {bridge["bridge"] for bridge in self.control.snapshot()["bridges"]} - before, "the legs are bridged")
        item = self.control.ask("bridge.record", bridge=self.bridge, recording=form, format=form)["item"]
        self.control.await_event("recording.started", lambda e: e["recording"] == form)
        self.await_digit(self.legs()["in"], "7", then="5")
        return item, time.monotonic()

    def left_of(self, path, form):
        """The left side's octets of what can be played."""
        if form == "wav":
            return read_wav(path)[0::2]
        decoded = self.dir / "decoded.wav"
        subprocess.run(["opusdec", "--quiet", "--rate", "8000", "--force-wav", str(path), str(decoded)], check=True)
        return audioop.lin2alaw(audioop.tomono(read_wav(decoded), 2, 1, 0), 2)

    def has(self, path, form, octets):
        left = self.left_of(path, form)
        return octets in left if form == "wav" else share_of(left, 1000) > 0.9

    def test_kill(self):
        """What was heard is soon on the disk; after a kill -9 in mid-recording it is found, partial, and plays."""
        says = {"opus": tone(1.5, 1000), "wav": noise(1, 41)}
        self.plug({"called": "answer; wait released 600"}, {"": "called"})
        self.control = self.node.connect("conductor", epoch=1)
        items = {}
        for form, octets in says.items():
            items[form], heard = self.talk(form, octets)
            path = self.node.state / "spool" / items[form] / f"audio.{form}.part"
            wait_until(lambda path=path, form=form, octets=octets: self.has(path, form, octets), f"{form} on the disk")
            print(f"{form}: on the disk {time.monotonic() - heard:.2f} s after it was heard", file=sys.stderr)
        self.node.process.kill()
        for port in self.node_ports:
            self.lines.died(port)
        self.node.start()
        self.control = self.node.connect("conductor", epoch=2)
        wait_until(lambda: len(self.control.ask("spool.list")["items"]) == 2, "both items, settled")
        for said in self.control.ask("spool.list")["items"]:
            form = said["id"]
            self.assertEqual((said["item"], said["kind"], said["state"]), (items[form], "recording", "partial"))
            path = self.fetch(said)
            self.assertTrue(self.has(path, form, says[form]), f"{form} has what was said")
            if form == "wav":
                self.assertEqual(path.read_bytes()[4:8], (path.stat().st_size - 8).to_bytes(4, "little"))
            self.control.ask("spool.free", item=said["item"])


class Queue(Centre):
    """A queue whose calls are recorded, through the desk."""
    agents = {"anna": "alert; answer; record anna-hears.wav; play anna-says.wav forever; wait released 300"}
    in_step = True
    queue = ("record = wav", "record_notice = file:later.wav", "overflow_s = 300")

    def setUp(self):
        self.said = noise(1, 31)
        super().setUp()

    def start_phones(self, agents):
        write_wav(self.dir / "anna-says.wav", self.said, ALAW)
        super().start_phones(agents)

    def trunkctl(self, *words):
        token = self.dir / "operator.token"
        token.write_text("run-the-desk\n")
        return subprocess.run([program("trunkctl"), "--check", "--desk", f"unix:{self.desk.socket}", "--token-file", str(token), *words],
                              check=True, stdout=subprocess.PIPE, text=True).stdout

    def await_recording(self, state):
        return wait_until(lambda: self.calls().get("0301", {}).get("recording") == state, f"recording {state}")

    def recordings(self, n):
        def stored():
            found = json.loads(self.trunkctl("--json", "recording", "list"))["recordings"]
            return len(found) == n and found
        return wait_until(stored, f"{n} recordings in the store")

    def assert_mostly(self, heard, said, what):
        """Half of it in pieces of 50 ms: a telephone's clock is its own."""
        pieces = [said[at:at + 400] for at in range(0, len(said), 400)]
        self.assertGreater(2 * sum(piece in heard for piece in pieces), len(pieces), what)

    def test_recorded_and_kept(self):
        """The caller left, octet by octet, the agent right; both hear the notice; a desk that dies does not matter; what is
        said in a pause, and on hold, is not there; it lands in the store and leaves the node; it can be fetched."""
        caller = noise(1, 32)
        write_wav(self.dir / "caller-says.wav", caller, ALAW)
        node = self.node.connect("observer")
        call = self.network.start_calls(f"dial {NUMBER} from 0301 on net; wait answered; record hears.wav; "
                                        "play caller-says.wav forever; wait released 300")
        self.await_recording("on")
        bridge = node.snapshot()["recordings"][0]["bridge"]
        node.await_event("leg.played", lambda e: e["play"] == f"r{bridge[1:]}" and e["completed"])
        self.desk.kill()
        self.control = self.desk.start()
        self.await_recording("on")
        talk = self.calls()["0301"]["call"]
        self.trunkctl("recording", "pause", talk)
        self.await_recording("paused")
        self.control.ask("call.hold", call=talk, on=True)
        self.await_call("0301", "held")
        first, = self.recordings(1)
        self.control.ask("call.hold", call=talk, on=False)
        self.await_call("0301", "answered")
        self.await_recording("paused")
        self.assertEqual(node.snapshot()["recordings"], [], "an agent's pause outlives a hold")
        self.trunkctl("recording", "resume", talk)
        self.await_recording("on")
        node.await_event("recording.started", lambda e: e["bridge"] != bridge)
        self.control.ask("call.release", call=talk, cause=16)
        self.assertEqual(call.all_good()[0]["cause"], 16)
        for one in self.recordings(2):
            self.assertEqual((one["call"], one["agent"], one["queue"], one["calling"], one["partial"], one["name"]),
                             (talk, "anna", "sales", "0301", False, "audio.wav"))
        self.trunkctl("recording", "save", first["file"], str(self.dir / "first.wav"))
        octets = (self.dir / "first.wav").read_bytes()
        self.assertEqual((len(octets), hashlib.sha256(octets).hexdigest()), (first["size"], first["file"]))
        kept = read_wav(self.dir / "first.wav")
        assert_contains(3 * caller, kept[0::2][-4000:], "the left side")  # said over and over, heard for as long as it took
        self.assert_mostly(kept[1::2], self.said, "the right side")
        wait_until((self.dir / "anna-hears.wav").exists, "what anna heard")
        assert_contains(read_wav(self.dir / "hears.wav"), LATER, "the caller")
        self.assert_mostly(read_wav(self.dir / "anna-hears.wav"), LATER, "anna")
        wait_until(lambda: not node.ask("spool.list")["items"], "the node's spool is free again")
        self.assertIn("no recordings", self.trunkctl("recording", "list", "call=nobody"))


del Tandem, Recording, Centre
if __name__ == "__main__":
    main()
