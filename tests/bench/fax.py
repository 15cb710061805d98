# SPDX-License-Identifier: GPL-2.0-only
"""Faxes of two pages, received and sent by the pool over E1s, beside what SpanDSP alone takes for the same ends. What the lines
cost the media thread without a fax is no part of a fax's cost, and told beside it."""
import json
import os
import pathlib
import subprocess

from measure import ROUNDS, median

LINE_S = 27  # a fax's
SPANS = 16
BUDGET = 1.15
VM = pathlib.Path(__file__).resolve().parents[1] / "vm"


def whole(cost):
    return cost["machine_ms"] + cost["media_ms"]


def own(cost):
    return whole(cost) - cost["line_ms"]


def ratio(cost):
    return own(cost) / cost["floor_ms"]


def fax(bench):
    """Not favoured: the media thread is real-time by itself, the pool's threads are not, as in trunkd. Where they are, each time one
    of them wakes another core may be found for it, and its memory is left behind."""
    row = json.loads(subprocess.run([bench.program("fax"), str(SPANS), str(ROUNDS)], capture_output=True, text=True, check=True,
                                    cwd=bench.out).stdout)
    for way in ("receive", "send"):
        cost = sorted(row[way], key=ratio)[ROUNDS // 2]
        bench.result(f"fax_{way}", own(cost), "CPU ms a fax", floor=cost["floor_ms"], ratio=ratio(cost), budget=BUDGET,
                     note=f"{cost['media_ms'] - cost['line_ms']:.1f} the media thread's; with {cost['line_ms']:.1f} of its lines "
                          f"{whole(cost) / cost['floor_ms']:.2f}, {LINE_S * 1000 / whole(cost):.0f} at once a core")
    bench.result("fax_page_kept", row["page_kept_ms"], "ms, median")


def work(bench):
    kept = bench.build / "vm-logs" / "bench-fax"
    subprocess.run([VM / "run", "--icount", "--timeout", "900", "--keep", kept, VM / "guest/bench-fax.sh"], check=True,
                   env=dict(os.environ, BUILD=str(bench.build)))
    row = json.loads((kept / "fax.json").read_text(encoding="ascii"))
    for way in ("receive", "send"):
        cost = row[way][0]
        bench.result(f"fax_{way}_work", whole(cost), "million instructions", floor=cost["floor_ms"],
                     ratio=whole(cost) / cost["floor_ms"], budget=BUDGET)


def mail(bench):
    program = pathlib.Path(__file__).with_name("subject-fax-mail")
    seen = json.loads(subprocess.run([program], capture_output=True, text=True, check=True,
                                     env=dict(os.environ, BUILD=str(bench.build))).stdout)
    ours, floor = (median(seen[name]) * 1000 for name in ("ours", "floors"))
    bench.result("fax_mail", ours, "ms, median", floor=floor, ratio=ours / floor,
                 note=f"last page to a mail server's yes; slowest of {len(seen['ours'])} {max(seen['ours']) * 1000:.0f}")
