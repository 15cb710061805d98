#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""The node dies with calls up: it comes back, its far end sees RESTART, nothing is stuck, every record is closed."""
from centre import NUMBER, Centre
from harness import main, wait_until


class NodeKilled(Centre):
    agents = {"anna": "alert; answer; echo on; wait released 3600"}

    def test_restart(self):
        self.node.file.write_text(self.node.file.read_text().replace("restart = no", "restart = yes"))
        calls = [self.network.start_calls(f"dial {NUMBER} from 030{n} on net; wait released 600")
                 for n in (1, 2, 3)]
        for n, state in (1, "answered"), (2, "queued"), (3, "queued"):
            wait_until(lambda n=n: f"030{n}" in self.calls(), "a call at the desk")
        wait_until(lambda: sorted(call["state"] for call in self.calls().values()) == ["answered", "queued", "queued"],
                   "one talks and two wait")
        self.node.process.kill()
        self.lines.died(self.node_port)
        self.node.start()
        for call in calls:
            result, = call.all_good()
            self.assertTrue(result["by_peer"])
            self.assertIn(result["cause"], (27, 41, 81, 101))  # by RESTART, or as a call that is not known any more (Q.931 5.8.10)
        self.network.await_idle("net", 30)
        control = self.node.connect()
        wait_until(lambda: not control.snapshot()["legs"], "no leg left on the node")
        wait_until(lambda: control.snapshot()["spans"][0]["counters"]["restarts_sent"] >= 30, "a RESTART for each channel")
        wait_until(lambda: not self.calls(), "the desk knows that they ended")
        rows = self.cdrs(4)
        self.assertEqual([row[0] for row in rows], ["in", "in", "in", "out"])
        self.assertEqual({row[3] for row in rows}, {41})
        self.await_agent("anna", "ready")
        mark = self.control.mark()
        call = self.network.start_calls(f"dial {NUMBER} from 0309 on net; wait answered; pause 4; hangup 16")
        self.await_news("0309", "answered", mark)
        self.assertEqual(call.all_good()[0]["cause"], 16)
        self.all_quiet()


del Centre
if __name__ == "__main__":
    main()
