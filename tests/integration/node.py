# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""trunkd: its configuration from Python, and a connection to it in each role."""
import os
from pathlib import Path

from audio import write_wav
from control import Control
from far_end import Span
from harness import program, rtp_range, wait_until

TOKENS = {"conductor": "conduct-me", "operator": "operate-me", "observer": "observe-me", "application": "apply-me"}
PATIENCE = "offer_timeout_ms = 20000"  # for who takes calls on a busy machine, maybe after a commit to a slow disk
VARIANT = os.environ.get("TL_VARIANT", "asan")  # of the daemons under test


class Node:
    """@spans: Span of far_end.py, the node's ends. @users: name -> password. @routes: prefix -> target."""

    def __init__(self, case, spans=(), users=None, routes=None, sip=None, more="", settings=(), media=(), variant=VARIANT):
        self.case, self.variant = case, variant
        self.state, self.sounds = case.dir / "trunkd", case.dir / "sounds"
        self.sounds.mkdir(exist_ok=True)
        self.socket = case.dir / "trunkd.sock"
        low, high = rtp_range()
        tick = "span" if any(span.clock == "loop" for span in spans) else "monotonic"
        text = ["[node]", "name = under-test", f"state_dir = {self.state}", f"sounds_dir = {self.sounds}", *settings,
                "[control]", f"socket = {self.socket}",
                "[media]", f"tick = {tick}", f"rtp_port_min = {low}", f"rtp_port_max = {high}", *media]
        for role, token in TOKENS.items():
            text += [f"[token {role}]", f"token = {token}", f"role = {role}"]
        text += [span.section() for span in spans]
        if sip:
            text += ["[sip]", f"listen = {sip}", "realm = trunkline", "register_min_s = 10", "register_max_s = 20",
                     "rtp_timeout_s = 10"]
        for name, password in (users or {}).items():
            text += [f"[user {name}]", f"password = {password}"]
        for i, (prefix, to) in enumerate((routes or {}).items()):
            text += [f"[route r{i}]", *([f"prefix = {prefix}"] if prefix else []), f"to = {to}"]
        self.file = case.dir / "trunkd.conf"
        self.file.write_text("\n".join(text) + "\n" + more)
        self.process = None

    def start(self, **env):
        self.process = self.case.start("trunkd", [program("trunkd", self.variant), "--config", str(self.file)], env=env)
        self.process.await_line("node under-test is up")
        return self

    def add_sound(self, name, octets):
        path = Path(self.sounds, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, octets)

    def connect(self, role="observer", **session):
        return Control(self.case, self.socket, "node", TOKENS[role], **session)

    def await_span(self, control, name, idle):
        """Until @name is up with @idle free timeslots."""
        def ready(spans):
            span = next((s for s in spans if s["span"] == name), None)
            return span and span["d_channel_up"] and span["alarms"] == "OK" and \
                sum(s["state"] == "idle" for s in span["slots"]) == idle
        mark = control.mark()
        if not ready(control.snapshot()["spans"]):
            control.await_event("span.changed", lambda params: ready([params["span"]]), mark)

    def await_no_leg(self, control):
        """Timeslots and telephones may know of an end before the last of a leg is gone."""
        wait_until(lambda: not control.snapshot()["legs"], "no leg left on the node")


def near(name, local, remote, kind="e1", signalling="pri-cpe", clock="loop", more=()):
    """The node's end of a pseudowire whose other end leads."""
    return Span(name, local, remote, kind, signalling, clock, ("restart = no", *more))
