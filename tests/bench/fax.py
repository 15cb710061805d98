# SPDX-License-Identifier: GPL-2.0-only
"""Faxes of two pages, received and sent by the pool over an E1, beside what SpanDSP alone takes for the same end."""
import json
import subprocess

from measure import favour

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
