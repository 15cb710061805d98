#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Each mistake of whoever sets it up: one line with file, key and what was expected, and a status that is not 0."""
import resource
import socket
import subprocess

from control import Control, Refused
from far_end import Exchange, Span
from harness import LIMIT_S, Case, free_ports, main, program, wait_until
from node import VARIANT, Node, near

GOOD_SPAN = "[span e1]\nkind = e1\nlocal = 127.0.0.1:{a}\nremote = 127.0.0.1:{b}\nsignalling = pri-cpe\n"


class Refusals(Case):
    def refused(self, daemon, text, *expected):
        """@daemon ends at once and says one line that begins with the file and holds all of @expected."""
        file = self.dir / f"{daemon}.conf"
        file.write_text(text)
        done = subprocess.run([program(daemon, VARIANT), "--config", str(file)], capture_output=True, text=True,
                              timeout=LIMIT_S, cwd=self.dir, stdin=subprocess.DEVNULL)
        said = [line for line in done.stderr.splitlines() if str(file) in line]
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(said), 1, done.stderr)
        for part in expected:
            self.assertIn(part, said[0])
        self.assertNotIn("Sanitizer", done.stderr)

    def node(self, text="", state=None):
        return f"[node]\nstate_dir = {state or self.dir / 'state'}\n" + text

    def desk(self, text="", state=None, port=None):
        free, = free_ports(1)
        return (f"[desk]\nstate_dir = {state or self.dir / 'state'}\n[web]\nlisten = 127.0.0.1:{port or free}\n"
                f"[node n]\naddress = unix:/nowhere\ntoken = conduct-me\n{text}")

    def test_unknown_key(self):
        self.refused("trunkd", self.node("colour = red\n"), ":3: [node] colour: unknown key; expected one of name,")
        self.refused("deskd", self.desk("colour = red\n"), "[node] colour: unknown key; expected one of address,")

    def test_span_without_d_channel(self):
        a, b = free_ports(2)
        self.refused("trunkd", self.node(GOOD_SPAN.format(a=a, b=b) + "d_channel = 0\n"),
                     "[span e1] d_channel", "expected a timeslot from 1 to 31")

    def test_port_in_use(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, \
                socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken_too:
            for one in taken, taken_too:
                one.bind(("127.0.0.1", 0))
            taken_too.listen()
            port, tcp = taken.getsockname()[1], taken_too.getsockname()[1]
            self.refused("trunkd", self.node(GOOD_SPAN.format(a=port, b=1)), "[span e1] local", str(port), "in use")
            self.refused("trunkd", self.node(f"[sip]\nlisten = sip:127.0.0.1:{port}\n"), "[sip] listen", str(port))
            self.refused("trunkd", self.node(f"[control]\ntcp = 127.0.0.1:{tcp}\n"), "[control] tcp", "in use")
            self.refused("deskd", self.desk(port=tcp), "[web] listen", "in use")

    def test_directory_that_cannot_be_written(self):
        file = self.dir / "a-file"
        file.write_text("")
        self.refused("trunkd", self.node(state=file / "state"), "[node] state_dir", "expected a directory that can be written")
        self.refused("deskd", self.desk(state=file / "state"), "[desk] state_dir", "expected a directory")

    def test_bad_number(self):
        self.refused("trunkd", self.node("[route a]\nprefix = 12a\nto = sip:a@127.0.0.1\n"),
                     "[route] prefix = 12a", "expected a telephone number")
        self.refused("deskd", self.desk("[service 12a]\notherwise = release:16\n"), "[service 12a]", "expected a telephone number")
        self.refused("trunkd", self.node("max_legs = 1e3\n"), "[node] max_legs = 1e3", "expected a whole number from 1 to")

    def test_fax_line(self):
        for to in "span:e1", "e1", "group:":
            self.refused("deskd", self.desk(f"[fax-line a]\nto = {to}\n"), "[fax-line a] to", "expected group:NAME, trunk:NAME or span:NAME/SLOT")

    def test_second_instance(self):
        node = Node(self).start()
        done = subprocess.run([program("trunkd", VARIANT), "--config", str(node.file)], capture_output=True, text=True,
                              timeout=LIMIT_S, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 1)
        self.assertIn("[node] state_dir", done.stderr)
        self.assertIn("another trunkd runs on it", done.stderr)

    def test_no_file(self):
        for daemon in "trunkd", "deskd":
            done = subprocess.run([program(daemon, VARIANT), "--config", "/nowhere/x.conf"], capture_output=True, text=True,
                                  timeout=LIMIT_S, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 1)
            self.assertIn("/nowhere/x.conf: cannot be read", done.stderr)

    def test_check_only(self):
        """--check says whether a file is good, and starts nothing."""
        node = Node(self)
        done = subprocess.run([program("trunkd", VARIANT), "--check", "--config", str(node.file)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(node.state.exists())


class FullDisk(Case):
    """No room for the journal at run time: an alarm, new calls refused with cause 42, calls in progress go on."""

    def test_journal(self):
        a, b, c, d = free_ports(4)
        node = Node(self, [near("in", b, a, clock="adaptive"), near("out", d, c, clock="adaptive", more=("group = g",))],
                    routes={"": "group:g"})
        node.start()
        exchange = Exchange(self, "exchange", [Span("net", a, b), Span("back", c, d)],
                            {"echo": "answer; echo on; wait released 600"}, {"": "echo"})
        control = node.connect("operator")
        for span in "in", "out":
            node.await_span(control, span, 30)
        exchange.await_idle("net", 30)
        call = exchange.start_calls("dial 100 on net; wait answered; wait released 600")
        wait_until(lambda: sum(leg["state"] == "answered" for leg in control.snapshot()["legs"]) == 2, "a call that talks")
        talking = next(leg["leg"] for leg in control.snapshot()["legs"] if leg["direction"] == "in")

        # From here on no file of the node may grow.
        pid = node.process.process.pid
        soft_hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, soft_hard[1]))
        mark = control.mark()
        exchange.start_calls("dial 200 on net; wait released 600").results()
        control.await_event("node.changed", lambda p: "journal-disk" in p["node"].get("alarms", []), mark)
        refused = exchange.call("dial 300 on net; wait released 600; expect cause 42")
        self.assertFalse(refused["answered"])
        self.assertEqual(sum(leg["state"] == "answered" for leg in control.snapshot()["legs"]), 2)

        resource.prlimit(pid, resource.RLIMIT_FSIZE, soft_hard)
        wait_until(lambda: not control.snapshot()["node"].get("alarms"), "no alarm any more")
        exchange.call("dial 400 on net; wait answered; hangup 16")
        control.ask("leg.release", leg=talking, cause=16)
        self.assertEqual(call.results()[0][0]["cause"], 16)


class Strangers(Case):
    def test_wrong_token_and_role(self):
        node = Node(self).start()
        with self.assertRaises(Refused) as wrong:
            Control(self, node.socket, "node", "not-a-token")
        self.assertEqual(wrong.exception.code, -32001)
        with self.assertRaises(Refused) as low:
            node.connect("observer").ask("node.drain")
        self.assertEqual(low.exception.code, -32001)


if __name__ == "__main__":
    main()
