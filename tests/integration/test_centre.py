#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""From a trunk to an agent and back, through a real desk."""
from audio import noise, read_wav, write_wav
from centre import MUSIC, NUMBER, Centre, assert_heard
from harness import main, wait_until

DIGITS = "0123456789*#ABCD"


class Talk(Centre):
    agents = {"anna": "alert; answer; record agent-hears.wav; pause 1; play agent-says.wav; wait released 3600"}
    in_step = True

    def test_audio_both_ways_and_records(self):
        said = {"caller": noise(3, 1), "agent": noise(3, 2)}
        for who, octets in said.items():
            write_wav(self.dir / f"{who}-says.wav", octets)
        result = self.network.call(f"""dial {NUMBER} from 0301 on net; wait answered
                                       record caller-hears.wav; pause 3; say caller-says.wav; pause 2; hangup 16""")
        self.assertEqual((result["cause"], result["by_peer"]), (16, False))
        self.all_quiet()
        self.assertEqual(self.cdrs(2), [("in", "e1/1", True, 16), ("out", "anna", True, 16)])
        wait_until((self.dir / "agent-hears.wav").exists, "the agent's recording")
        assert_heard(read_wav(self.dir / "agent-hears.wav"), said["caller"], "the agent")
        assert_heard(read_wav(self.dir / "caller-hears.wav"), said["agent"], "the caller")


class Digits(Centre):
    agents = {"anna": f"alert; answer; expect digits {DIGITS} 600; send {DIGITS}; wait released 3600"}
    in_step = True

    def test_all_digits_both_ways(self):
        call = self.network.start_calls(f"""dial {NUMBER} from 0301 on net; wait answered; expect digits 1 600; send {DIGITS}
                                            expect digits {DIGITS} 600; hangup 16""")
        node = self.node.connect("operator")

        def bridged():
            legs = [leg for leg in node.snapshot()["legs"] if leg.get("bridge")]
            return len(legs) == 2 and legs
        caller, = (leg["leg"] for leg in wait_until(bridged, "both legs in a bridge") if leg["direction"] == "in")
        node.ask("leg.dtmf", leg=caller, digits="1")
        call.all_good()
        self.all_quiet()
        self.assertEqual(self.phones["anna"].status()["calls_failed"], 0)


class HangUp(Centre):
    agents = {"anna": "alert; pause 3; answer; wait released 3600"}
    in_step = True

    def hang_up_in(self, state):
        call = self.network.start_calls(f"dial {NUMBER} from 0301 on net; wait released 600")
        self.await_call("0301", state)
        return call

    def test_caller_in_the_queue(self):
        self.control.ask("agent.set", agent="anna", state="break", reason="lunch")
        mark = self.control.mark()
        call = self.network.start_calls(f"dial {NUMBER} from 0301 on net; wait answered; record heard.wav; pause 4; hangup 16")
        self.await_news("0301", "queued", mark)
        self.assertEqual(call.all_good()[0]["cause"], 16)
        self.all_quiet()
        self.assertEqual(self.cdrs(1), [("in", "e1/1", True, 16)])
        assert_heard(read_wav(self.dir / "heard.wav"), MUSIC, "the one who waits")

    def test_caller_while_it_rings(self):
        mark = self.control.mark()
        call = self.network.start_calls(f"dial {NUMBER} from 0301 on net; wait answered; pause 1.5; hangup 16")
        self.await_news("0301", "ringing", mark)
        self.assertEqual(call.all_good()[0]["cause"], 16)
        self.all_quiet()
        self.await_agent("anna", "ready")

    def test_desk_in_each_state(self):
        for state in "ringing", "answered":
            call = self.hang_up_in(state)
            self.control.ask("call.release", call=self.calls()["0301"]["call"], cause=16)
            result, = call.all_good()
            self.assertEqual((result["cause"], result["by_peer"]), (16, True))
            self.all_quiet()
            self.await_agent("anna", "ready")


class AgentHangsUp(Centre):
    agents = {"anna": "alert; answer; pause 1; hangup 16"}

    def test_the_caller_is_released(self):
        result = self.network.call(f"dial {NUMBER} from 0301 on net; wait released 600; expect cause 16")
        self.assertTrue(result["by_peer"])
        self.all_quiet()


class OtherAgents(Centre):
    """The first one cannot take the call; the caller keeps its place and gets the second."""

    agents = {"anna": "reject 17", "bert": "alert; answer; echo on; wait released 3600"}

    def setUp(self):
        super().setUp()
        self.control.ask("agent.set", agent="bert", state="break", reason="meeting")

    def take_over(self, calling):
        """@calling waits for nobody; bert comes back and gets it."""
        self.await_call(calling, "queued")
        self.assertNotEqual(self.agent("anna")["state"], "ready")
        self.control.ask("agent.set", agent="bert", state="ready")
        self.await_call(calling, "answered")
        self.assertEqual(self.calls()[calling]["agent"], "bert")

    def call(self):
        return self.network.start_calls(f"dial {NUMBER} from 0301 on net; wait answered; wait released 600")

    def end(self, call):
        self.control.ask("call.release", call=self.calls()["0301"]["call"], cause=16)
        self.assertEqual(call.all_good()[0]["cause"], 16)
        self.all_quiet()

    def test_busy(self):
        call = self.call()
        wait_until(lambda: self.agent("anna")["state"] not in ("ready", "ringing"), "anna is not rung again")
        self.take_over("0301")
        self.end(call)

    def test_unregistered(self):
        self.phones["anna"].process.stop()
        self.await_agent("anna", "offline")
        call = self.call()
        self.take_over("0301")
        self.end(call)


class Vanished(OtherAgents):
    agents = {"anna": "alert; wait released 3600", "bert": "alert; answer; echo on; wait released 3600"}
    queue = ("ring_s = 4", "overflow_s = 300")
    test_busy = test_unregistered = None

    def test_while_it_rings(self):
        mark = self.control.mark()
        call = self.call()
        self.await_news("0301", "ringing", mark)
        self.phones["anna"].process.kill()
        self.take_over("0301")
        self.end(call)


class PowerLost(Centre):
    agents = {"anna": "alert; answer; echo on; wait released 3600"}

    def test_while_talking(self):
        call = self.network.start_calls(f"dial {NUMBER} from 0301 on net; wait answered; wait released 600")
        self.await_agent("anna", "talking")
        self.phones["anna"].process.kill()
        result, = call.all_good()
        self.assertTrue(result["by_peer"], "the caller is not left with a dead line")
        counters = self.node.connect().ask("node.counters")["counters"]
        self.assertEqual(counters["rtp_timeouts"], 1)
        self.all_quiet()


del Centre
if __name__ == "__main__":
    main()
