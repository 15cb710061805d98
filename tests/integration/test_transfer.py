#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""What an agent does with its call, asked for at the desk: hold, digits, transfer, consult; and a desk that dies in it."""
from audio import read_wav
from centre import MUSIC, NUMBER, Centre, assert_heard
from harness import main, wait_until

STAYS = "alert; answer; echo on; wait released 3600"
CALLER = f"dial {NUMBER} from 0301 on net; wait answered; record heard.wav"


class Acts(Centre):
    agents = {"anna": STAYS, "bert": STAYS}

    def setUp(self):
        super().setUp()
        self.control.ask("agent.set", agent="bert", state="break", reason="later")

    def call(self, more="wait released 600"):
        """A caller who talks to anna; bert is ready, too."""
        call = self.network.start_calls(f"{CALLER}; {more}")
        self.await_call("0301", "answered")
        self.await_agent("anna", "talking")
        self.control.ask("agent.set", agent="bert", state="ready")
        return call

    def act(self, what, **params):
        self.control.ask(f"call.{what}", call=self.calls()["0301"]["call"], **params)

    def await_with(self, agent):
        wait_until(lambda: self.calls()["0301"].get("agent") == agent and self.calls()["0301"]["state"] == "answered",
                   f"the caller with {agent}")

    def end(self, call):
        self.act("hangup")
        self.assertEqual(call.all_good()[0]["cause"], 16)
        self.all_quiet()
        for agent in "anna", "bert":
            self.await_agent(agent, "ready")

    def await_packets(self, n):
        """So many packets of 20 ms go to anna's telephone: time as the node has it."""
        node = self.node.connect()
        leg = next(leg["leg"] for leg in node.snapshot()["legs"] if leg["party"]["name"] == "anna")
        def sent():
            return node.ask("leg.counters", leg=leg)["counters"]["packets_sent"]
        before = sent()
        wait_until(lambda: sent() >= before + n, f"{n} packets to anna")

    def restart(self):
        self.desk.kill()
        self.control = self.desk.start()


class Talk(Acts):
    def test_hold_and_digits(self):
        call = self.call("expect digits 12# 600; hangup 16")
        self.act("hold", on=True)
        self.await_call("0301", "held")
        self.restart()
        self.await_call("0301", "held")
        self.await_packets(75)
        self.act("hold", on=False)
        self.await_with("anna")
        self.act("mute", on=True)
        wait_until(lambda: any(leg.get("muted") for leg in self.node.connect().snapshot()["legs"]), "a leg that is muted")
        self.act("dtmf", digits="12#")
        self.assertEqual(call.all_good()[0]["cause"], 16)
        self.all_quiet()
        assert_heard(read_wav(self.dir / "heard.wav"), MUSIC, "who was held")


class Transfer(Acts):
    def test_to_an_agent_and_to_the_queue(self):
        call = self.call()
        self.act("transfer", to="agent:bert")
        self.await_with("bert")
        self.await_agent("anna", "ready")
        self.control.ask("agent.set", agent="anna", state="break", reason="lunch")
        self.act("transfer", to="queue:sales")
        self.await_with("bert")  # the only one who is ready, a moment later
        self.control.ask("agent.set", agent="anna", state="ready")
        self.end(call)


class Refused(Acts):
    """The other one does not take it: the caller waits in its queue, and gets the next one."""

    agents = {"anna": STAYS, "bert": "reject 17"}

    def test_transfer(self):
        call = self.call()
        self.act("transfer", to="agent:bert")
        self.await_agent("bert", "break")
        self.await_with("anna")
        self.control.ask("agent.set", agent="bert", state="ready")
        self.end(call)

    def test_consult(self):
        call = self.call()
        self.act("consult", agent="bert")
        self.await_agent("bert", "break")
        wait_until(lambda: not self.calls()["0301"].get("consult"), "the consult is over")
        self.await_call("0301", "held")
        self.act("hold", on=False)
        self.await_with("anna")
        self.control.ask("agent.set", agent="bert", state="ready")
        self.end(call)


class Consult(Acts):
    def consult(self):
        self.act("consult", agent="bert")
        self.await_agent("bert", "talking")
        self.await_call("0301", "held")
        return self.calls()["0301"]["consult"]

    def test_complete_after_a_cancelled_one(self):
        call = self.call()
        self.consult()
        self.act("cancel")
        self.await_with("anna")
        self.await_agent("bert", "ready")
        self.consult()
        self.await_packets(75)
        self.restart()
        self.await_agent("bert", "talking")
        self.await_call("0301", "held")
        self.act("complete")
        self.await_with("bert")
        self.await_agent("anna", "ready")
        wait_until(lambda: len(self.node.connect().snapshot()["legs"]) == 2, "the caller and bert, and nobody else")
        self.end(call)
        assert_heard(read_wav(self.dir / "heard.wav"), MUSIC, "who was held")


class HangsUp(Acts):
    """A telephone has no button for it: who hangs up gives the caller to the one it spoke with."""

    agents = {"anna": "alert; answer; expect digits 1 600; hangup 16", "bert": STAYS}

    def test_completes(self):
        call = self.call()
        self.act("consult", agent="bert")
        self.await_agent("bert", "talking")
        anna = next(leg["leg"] for leg in self.node.connect().snapshot()["legs"] if leg["party"]["name"] == "anna")
        self.node.connect("operator").ask("leg.dtmf", leg=anna, digits="1")
        self.await_with("bert")
        self.end(call)


del Centre, Acts
if __name__ == "__main__":
    main()
