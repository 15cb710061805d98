# SPDX-License-Identifier: GPL-2.0-only
"""Small parts alone, in ns; reported only."""
import json
import subprocess

from measure import ROUNDS, favour, median


def micro(bench):
    rounds = [json.loads(subprocess.run([bench.program("micro")], capture_output=True, text=True, check=True,
                                        preexec_fn=favour).stdout) for _ in range(ROUNDS)]
    for name in rounds[0]:
        bench.result(f"micro_{name}", median([seen[name] for seen in rounds]), "ns")
