#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""The desk dies, and no caller notices more than a while with music."""
from audio import read_wav
from centre import CLOSED, LATER, MUSIC, NUMBER, Centre, assert_heard
from harness import main, wait_until

TALK = f"dial {NUMBER} from %s on net; wait answered; record %s.wav; wait released 600"


class KilledAndRestarted(Centre):
    agents = {"anna": "alert; answer; echo on; wait released 3600"}

    def test_nothing_drops_and_order_is_kept(self):
        talking = self.network.start_calls(TALK % ("0301", "talking"))
        self.await_call("0301", "answered")
        queued, callers = [], ["0305", "0303", "0304"]
        for caller in callers:
            queued.append(self.network.start_calls(TALK % (caller, caller)))
            self.await_call(caller, "queued")
        before = {leg["leg"] for leg in self.node.connect().snapshot()["legs"]}

        self.desk.kill()
        self.control = self.desk.start()
        wait_until(lambda: len(self.calls()) == 4, "all calls known again")
        self.assertEqual({leg["leg"] for leg in self.node.connect().snapshot()["legs"]}, before)
        self.await_call("0301", "answered")
        self.await_agent("anna", "talking")
        wait_until(lambda: len(self.waiting()) == len(callers), "three who wait")
        self.assertEqual(self.waiting(), callers)

        served = []
        for caller, call in [("0301", talking), *zip(callers, queued)]:
            self.await_call(caller, "answered")
            served.append(caller)
            self.control.ask("call.release", call=self.calls()[caller]["call"], cause=16)
            self.assertEqual(call.all_good()[0]["cause"], 16)
        self.assertEqual(served, ["0301", *callers])
        self.all_quiet()
        rows = self.cdrs(8)
        self.assertEqual(len(rows), 8)
        self.assertEqual({row[2:] for row in rows}, {(True, 16)})


class DeadForAWhile(Centre):
    agents = {"anna": "alert; answer; echo on; wait released 3600"}
    queue = ("overflow_s = 8", "overflow = announcement:file:later.wav")

    def test_overflow_hang_up_and_one_exact_record(self):
        talking = self.network.start_calls(TALK.replace("wait released 600", "pause 12; hangup 16") % ("0301", "talking"))
        self.await_call("0301", "answered")
        waiting = self.network.start_calls(TALK % ("0302", "waiting"))
        self.await_call("0302", "queued")
        self.desk.kill()

        # A call that begins and ends with no desk: the node's own route takes it.
        alone = self.network.call(f"dial {NUMBER} from 0303 on net; record alone.wav; wait released 600")
        assert_heard(read_wav(self.dir / "alone.wav"), CLOSED, "the one who calls a node alone")
        self.assertTrue(alone["by_peer"])

        result, = waiting.all_good()
        self.assertTrue(result["by_peer"])
        heard = read_wav(self.dir / "waiting.wav")
        assert_heard(heard, MUSIC, "the one who waits")
        assert_heard(heard, LATER, "the one who waited too long")
        result, = talking.all_good()
        self.assertEqual((result["cause"], result["by_peer"]), (16, False))
        node = self.node.connect()
        wait_until(lambda: not node.snapshot()["legs"], "both sides of every call ended")
        self.network.await_idle("net", 30)

        self.control = self.desk.start()
        wait_until(lambda: not self.calls(), "the desk knows that they ended")
        self.assertEqual([row[:3] for row in self.cdrs(4)], [
            ("in", "e1/1", True), ("in", "e1/2", True), ("in", "e1/3", alone["answered"]), ("out", "anna", True)])
        self.await_agent("anna", "ready")


del Centre
if __name__ == "__main__":
    main()
