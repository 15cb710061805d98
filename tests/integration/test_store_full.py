#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""No room for the desk's store: it lives, says so, steps down; calls go on, and nothing is missing in the end."""
import resource

from centre import NUMBER, Centre
from harness import main, wait_until


class StoreFull(Centre):
    agents = {"anna": "alert; answer; echo on; wait released 3600"}
    lease_ms, patience = 4000, "offer_timeout_ms = 2000"  # both run out here

    def test_calls_go_on(self):
        talking = self.network.start_calls(f"dial {NUMBER} from 0301 on net; wait answered; wait released 600")
        self.await_call("0301", "answered")
        desk = self.desk.process
        pid, mark = desk.process.pid, desk.mark()
        soft_hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, soft_hard[1]))
        desk.await_line("no longer the conductor", mark)
        desk.await_line("store: alarm: ", mark)
        alone = self.network.call(f"dial {NUMBER} from 0302 on net; wait released 600")
        self.assertFalse(alone["answered"])
        wait_until(lambda: len(self.node.connect().snapshot()["legs"]) == 2, "the two who talk, and nobody else")

        mark = desk.mark()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, soft_hard)
        desk.await_line("is the conductor", mark)
        wait_until(lambda: self.desk.commands(self.control), "a desk that commands its node again")
        self.await_call("0301", "answered")
        self.control.ask("call.release", call=self.calls()["0301"]["call"], cause=16)
        self.assertEqual(talking.all_good()[0]["cause"], 16)
        self.all_quiet()
        self.assertEqual(self.cdrs(3), [("in", "e1/1", True, 16), ("in", "e1/2", False, alone["cause"]),
                                        ("out", "anna", True, 16)])


del Centre
if __name__ == "__main__":
    main()
