# SPDX-License-Identifier: GPL-2.0-only
"""A fax of two pages, sent and received by the pool over a span, beside SpanDSP's two ends face to face."""
import json
import subprocess

from measure import favour


def fax(bench):
    row = json.loads(subprocess.run([bench.program("fax")], capture_output=True, text=True, check=True,
                                    preexec_fn=favour).stdout)
    bench.result("fax_pair", row["ms"], "CPU ms a fax, both ends", floor=row["floor_ms"], ratio=row["ms"] / row["floor_ms"])
