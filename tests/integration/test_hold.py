#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""An agent's telephone holds the caller: the desk says so, also one that was away when it happened."""
from centre import NUMBER, Centre
from harness import main


class Hold(Centre):
    agents = {"anna": "alert; answer; expect digits 1 600; hold; pause 20; retrieve; wait released 3600"}
    in_step = True

    def test_held_and_retrieved(self):
        call = self.network.start_calls(f"dial {NUMBER} from 0301 on net; wait answered; pause 3; send 1; wait released 600")
        self.await_call("0301", "held")
        node = self.node.connect("operator")
        agent, = (leg["leg"] for leg in node.snapshot()["legs"] if leg["direction"] == "out")
        heard = node.mark()
        self.desk.kill()
        self.control = self.desk.start()
        self.await_call("0301", "held")
        node.await_event("leg.held", lambda params: params["leg"] == agent and not params["held"], heard)
        self.await_call("0301", "answered")
        self.control.ask("call.release", call=self.calls()["0301"]["call"], cause=16)
        self.assertEqual(call.all_good()[0]["cause"], 16)
        self.all_quiet()


del Centre
if __name__ == "__main__":
    main()
