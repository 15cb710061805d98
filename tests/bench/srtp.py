# SPDX-License-Identifier: GPL-2.0-only
"""What SRTP adds to a packet: each backend and profile beside the bare cipher, in ns."""
import json
import subprocess

from measure import favour


def srtp(bench):
    rows = json.loads(subprocess.run([bench.program("srtp")], capture_output=True, text=True, check=True,
                                     preexec_fn=favour).stdout)["srtp"]
    both = {(row["name"], row["contexts"]): row["protect_ns"] + row["unprotect_ns"] for row in rows}
    for (name, contexts), ns in both.items():
        floor = both[("floor-evp-gcm", contexts)]
        if name != "floor-evp-gcm":
            bench.result(f"srtp_{name.replace('-', '_')}_{contexts}", ns, "ns, protect + read", floor=floor, ratio=ns / floor)
