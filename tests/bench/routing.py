# SPDX-License-Identifier: GPL-2.0-only
"""A routing decision among 10,000 agents, 2,000 queues and 10,000 waiting: agent ready to phone rings."""
import json
import subprocess
import tempfile

AGENTS, QUEUES, WAITING, DECISIONS = "10000", "2000", "10000", "500"


def routing(bench):
    """The budget is on what a decision takes beyond a commit of the same store, measured side by side."""
    with tempfile.TemporaryDirectory(dir=bench.build) as folder:
        run = subprocess.run([bench.program("routing"), AGENTS, QUEUES, WAITING, DECISIONS, folder],
                             check=True, capture_output=True, text=True)
    seen = json.loads(run.stdout)
    bench.result("routing_10000", seen["p99_ms"] - seen["floor_p99_ms"], "ms over a commit, p99",
                 floor=seen["floor_p99_ms"], budget=5.0, gates=False,
                 note=f"p50 {seen['p50_ms']:.1f} ms, commit p50 {seen['floor_p50_ms']:.1f} ms")
