# SPDX-License-Identifier: GPL-2.0-only
"""Faxes of two pages, received and sent by the pool over an E1, beside what SpanDSP alone takes for the same end."""
import json
import os
import pathlib
import subprocess

from measure import favour, median

LINE_S = 27  # a fax's


def fax(bench):
    row = json.loads(subprocess.run([bench.program("fax")], capture_output=True, text=True, check=True,
                                    preexec_fn=favour, cwd=bench.out).stdout)
    for way in ("receive", "send"):
        cost = row[way]
        whole = cost["machine_ms"] + cost["media_ms"]
        bench.result(f"fax_{way}", whole, "CPU ms a fax", floor=cost["floor_ms"], ratio=whole / cost["floor_ms"],
                     note=f"{cost['machine_ms']:.1f} the machine's; {LINE_S * 1000 / whole:.0f} at once a core")
    bench.result("fax_page_kept", row["page_kept_ms"], "ms, median")


def mail(bench):
    program = pathlib.Path(__file__).with_name("subject-fax-mail")
    seen = json.loads(subprocess.run([program], capture_output=True, text=True, check=True,
                                     env=dict(os.environ, BUILD=str(bench.build))).stdout)
    ours, floor = (median(seen[name]) * 1000 for name in ("ours", "floors"))
    bench.result("fax_mail", ours, "ms, median", floor=floor, ratio=ours / floor,
                 note=f"last page to a mail server's yes; slowest of {len(seen['ours'])} {max(seen['ours']) * 1000:.0f}")
