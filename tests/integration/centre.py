# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A whole centre: the network on a paced E1, a node, a desk, and agents' telephones."""

from audio import noise
from control import Control
from far_end import Exchange, Span
from harness import Case, free_ports, program, wait_until
from node import PATIENCE, TOKENS, VARIANT, Node, near
from wire import Pacer

NUMBER = "5551000"
MUSIC, LATER, CLOSED = noise(1, 101), noise(1, 102), noise(1, 103)
LEASE_MS = 20000  # no busy machine costs a desk its reign


class Desk:
    """deskd: one queue, one service that leads to it. @agents serve it by the telephones of the same names."""

    def __init__(self, case, node, agents, queue=(), service=(), more=(), web=(), lease_ms=LEASE_MS):
        self.case, self.socket = case, case.dir / "deskd.sock"
        self.port, = free_ports(1)
        text = ["[desk]", f"state_dir = {case.dir / 'deskd'}", f"lease_ms = {lease_ms}",
                "[control]", f"socket = {self.socket}", "[token operator]", "token = run-the-desk", "role = operator",
                "[node under-test]", f"address = unix:{node.socket}", f"token = {TOKENS['conductor']}",
                "[web]", f"listen = 127.0.0.1:{self.port}", *web,
                "[queue sales]", "wrap_up_s = 0", "music = file:music.wav", *queue,
                f"[service {NUMBER}]", *service, "otherwise = queue:sales"]
        for name in agents:
            text += [f"[agent {name}]", f"phone = user:{name}", "queues = sales", "auto_ready = yes"]
        self.file = case.dir / "deskd.conf"
        self.file.write_text("\n".join([*text, *more]) + "\n")
        self.process = None

    def launch(self):
        self.process = self.case.start("deskd", [program("deskd", VARIANT), "--config", str(self.file)])

    def start(self):
        self.launch()
        wait_until(self.socket.exists, "the desk's socket")
        control = wait_until(self.try_connect, "a desk that answers")
        wait_until(lambda: self.commands(control), "a desk that commands its node")
        return control

    @staticmethod
    def commands(control):
        desk = control.ask("desk.snapshot")["desk"]
        return desk["conductor"] and all(node["connected"] for node in desk.get("nodes", []))

    def try_connect(self):
        try:
            return Control(self.case, self.socket, "desk", "run-the-desk")
        except OSError:
            return None

    def kill(self):
        self.process.kill()

    def configure_web(self, *lines):
        """From the next start on."""
        self.file.write_text(self.file.read_text().replace("[web]\n", "\n".join(["[web]", *lines]) + "\n", 1))


class Centre(Case):
    """@agents: name -> the script by which its telephone takes calls."""

    agents = {"anna": "alert; answer; echo on; wait released 3600"}
    queue = ("overflow_s = 300",)
    web = ()  # further lines of that section
    node_more, desk_more = "", ()  # further lines of their configurations
    media = ()  # further lines of the node's section
    lease_ms, patience = LEASE_MS, PATIENCE
    in_step = False  # the telephones are the network's: their clocks are the line's, and what they hear is never torn

    def setUp(self):
        super().setUp()
        a, b, self.sip = free_ports(3)
        self.lines, self.node_port = Pacer(self, [(a, b)]), b
        far, into = self.lines.ports(0)
        passwords = {name: f"secret-{name}" for name in self.agents}
        self.node = Node(self, [near("e1", b, into, more=(*Pacer.SETTINGS, "group = carrier"))], passwords,
                         {NUMBER: "announcement:file:closed.wav"}, sip=f"sip:127.0.0.1:{self.sip}",
                         more=self.node_more, settings=(self.patience,), media=self.media)
        for name, octets in ("music", MUSIC), ("later", LATER), ("closed", CLOSED):
            self.node.add_sound(f"{name}.wav", octets)
        for digit in range(10):
            self.node.add_sound(f"digits/{digit}.wav", noise(0.2, 200 + digit))
        self.node.start()
        self.network = Exchange(self, "network", [Span("net", a, far, clock="loop", more=Pacer.SETTINGS)],
                                self.agents if self.in_step else {}, tick="span",
                                more=self.telephones(self.agents) if self.in_step else "")
        self.desk = Desk(self, self.node, self.agents, self.queue, more=self.desk_more, web=self.web, lease_ms=self.lease_ms)
        self.control = self.desk.start()
        self.phones = {}
        self.start_phones(self.agents)
        self.network.await_idle("net", 30)

    def telephones(self, names):
        """Their sections; each is answered by the script of its name."""
        own, = free_ports(1)
        return "".join([f"[sip]\nlisten = sip:127.0.0.1:{own}\n", *(
            f"[agent {name}]\nregistrar = sip:127.0.0.1:{self.sip}\nuser = {name}\npassword = secret-{name}\n"
            f"script = {name}\n" for name in names)])

    def start_phones(self, agents):
        """One telephone exchange a telephone, so that one can vanish alone; unless they are the network's."""
        for name, script in agents.items():
            self.phones[name] = self.network if self.in_step else Exchange(
                self, f"phone-{name}", [], {name: script}, more=self.telephones([name]))
            self.await_agent(name, "ready")

    def agent(self, name):
        return next(agent for agent in self.control.ask("desk.snapshot")["agents"] if agent["agent"] == name)

    def await_agent(self, name, state):
        return wait_until(lambda: self.agent(name)["state"] == state, f"agent {name} {state}")

    def calls(self):
        """The calls that live, by the caller's number; those between agents are not among them."""
        calls = self.control.ask("desk.snapshot")["calls"]
        return {call["calling"].lstrip("+"): call for call in calls if call["state"] != "ended" and "about" not in call}

    def await_call(self, calling, state):
        return wait_until(lambda: self.calls().get(calling, {}).get("state") == state, f"{calling} {state}")

    def await_news(self, calling, state, mark):
        """That the desk has told of it since @mark, had it lasted ever so short."""
        self.control.await_event("call.changed", lambda p: (p["call"]["calling"].lstrip("+"), p["call"]["state"]) == (calling, state), mark)

    def waiting(self):
        """Who waits in the queue, the first first."""
        queued = [call for call in self.calls().values() if call["state"] == "queued"]
        return [call["calling"].lstrip("+") for call in sorted(queued, key=lambda call: call["position"])]

    def cdrs(self, n):
        """The records of calls, once there are @n: (direction, party, answered, cause), sorted."""
        def rows():
            return self.control.ask("desk.cdrs", max=1000)["cdrs"]
        wait_until(lambda: len(rows()) >= n, f"{n} records")
        found = rows()
        self.assertEqual(len({(row["node"], row["leg"]) for row in found}), len(found), "a leg has two records")
        return sorted((row["direction"], row["party"], row["billable_ms"] > 0, row["cause"]) for row in found)

    def all_quiet(self):
        self.network.await_idle("net", 30)
        wait_until(lambda: not self.calls(), "no call left at the desk")
        wait_until(lambda: not self.node.connect().snapshot()["legs"], "no leg left on the node")


def assert_heard(heard, said, what):
    """Most of it, octet for octet and in order. Between a line and RTP two clocks meet, and a busy machine may
    cost a block here and there."""
    pieces = [said[at:at + 400] for at in range(0, len(said) - 400, 400)]
    at, found = 0, 0
    for piece in pieces:
        place = heard.find(piece, at)
        if place >= 0:
            at, found = place + 400, found + 1
    if found < len(pieces) * 0.7:
        raise AssertionError(f"{what}: of {len(pieces)} pieces of 50 ms only {found} were heard")
