#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Recording of bridges on a real node: who said what, byte for byte; a notice; pause; a full disk."""
import hashlib
import resource

import test_tandem
from audio import ALAW, assert_contains, noise, read_wav, write_wav
from control import Refused
from files import Http
from harness import main, wait_until

Tandem = test_tandem.E1.__bases__[0]


class Recording(Tandem):
    settings = ("spool_reserve_mib = 1",)

    def begin(self, caller, called="answer; wait released 120"):
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
        [part] = said["parts"]
        http = Http(self.node.socket)
        self.on_end(http.close)
        status, body, _ = http.ask("GET", f"/spool/{item}/{part['name']}", "conductor")
        self.assertEqual((200, part["size"], part["sha256"]), (status, len(body), hashlib.sha256(body).hexdigest()))
        path = self.dir / part["name"]
        path.write_bytes(body)
        return said, path

    def await_digit(self, leg, digit, then):
        """Sends @then to the caller, and hears @digit from @leg when what follows is done."""
        self.control.ask("leg.collect", leg=leg, collect=digit, max=1, first_ms=60000)
        self.control.ask("leg.dtmf", leg=self.legs()["in"], digits=then)
        heard = self.control.await_event("leg.collected", lambda e: e["collect"] == digit)
        self.assertEqual(digit, heard["digits"])

    def legs(self):
        return {leg["direction"]: leg["leg"] for leg in self.control.snapshot()["legs"]}

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
        self.begin("""record caller-hears.wav; expect digits 5; say secret-says.wav; send 7
                      expect digits 6; say caller-says.wav; send 8; wait released 120""".replace("\n", ";"),
                   "answer; record called-hears.wav; expect digits 78; say called-says.wav; send 9; wait released 120")
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
        self.begin("expect digits 5; say caller-says.wav; send 7; wait released 120", "answer; record called-hears.wav; wait released 120")
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
        self.begin("wait released 120")
        self.assertIn("spool-reserve", self.control.snapshot()["node"]["alarms"])
        with self.assertRaises(Refused) as refused:
            self.record()
        self.assertEqual(-32009, refused.exception.code)
        self.assertEqual(2, len(self.control.snapshot()["legs"]))
        self.release()


del Tandem, Recording
if __name__ == "__main__":
    main()
