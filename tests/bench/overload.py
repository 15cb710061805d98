# SPDX-License-Identifier: GPL-2.0-only
"""Refusal by real load: half of the calls set the limit, the other half pass it."""
import json
import pathlib
import signal
import subprocess
import tempfile
import time

from browser import Owner, control
from measure import favour
from node import LIMIT_S, TOKEN_LOOK, Node

ABOVE = 1.15     # of the load that half of the calls make: the limit
SETTLE_S = 3
UP_S, MORE_S = 24, 3


def calls(node, bench, count, rate, seconds):
    return subprocess.Popen([bench.programs / "exchange", "call", "--socket", node.order, "--script",
                             f"dial 5551000; wait answered 60; pause {seconds}; hangup", "--count", str(count), "--rate",
                             str(rate), "--json"], stdout=subprocess.PIPE, text=True, preexec_fn=favour)


def outcome(process):
    return json.loads(process.communicate(timeout=LIMIT_S)[0].splitlines()[-1])  # those before are of calls


def limit_load(node, limit_us):
    conf = node.folder / "trunkd.conf"
    conf.write_text(conf.read_text().replace("[media]\n", f"[media]\nload_limit_us = {limit_us}\n"))
    node.near.process.send_signal(signal.SIGHUP)


def overload(bench, legs=240):
    owner = Owner()
    with tempfile.TemporaryDirectory() as folder, Node(bench, legs // 30, pathlib.Path(folder)) as node:
        with node.conductor(10 ** 6) as conductor:
            look = control.Control(owner, node.socket, "node", TOKEN_LOOK)

            def counter(name):
                return look.ask("node.counters")["counters"][name]
            up = calls(node, bench, legs // 2, 60, UP_S)
            time.sleep(legs / 2 / 60 + SETTLE_S)
            load = counter("media_load_us")
            limit_load(node, max(1, int(load * ABOVE)))
            more = outcome(calls(node, bench, legs // 2, 20, MORE_S))
            up, refused, skipped = outcome(up), counter("refused_overload"), counter("media_skipped_ticks")
            owner.end()
            conductor.stop()
    others = {cause: n for cause, n in more["causes"].items() if cause not in ("normal-clearing", "switch-congestion")}
    bench.result("overload_refused", refused, f"of {legs // 2} calls", note=f"limit {load * ABOVE:.0f} us a tick; their causes "
                 f"{more['causes']}; of {legs // 2} that were up {up['good']} lived to their end, {skipped} ticks skipped")
    if not refused or up["good"] != legs // 2 or others or more["good"] + refused != legs // 2:
        bench.failed = True
