# SPDX-License-Identifier: GPL-2.0-only
"""trunkd on DAHDI, in a guest whose clock counts instructions (tests/vm/guest/bench-stack.py)."""
import json
import os
import pathlib
import subprocess

VM = pathlib.Path(__file__).resolve().parents[1] / "vm"
DELAY_BUDGET_MS = 3.0
BUDGET = 400_000  # the same system's best rival takes 1,910,000


def channel(bench):
    kept = bench.build / "vm-logs" / "bench-stack"
    subprocess.run([VM / "run", "--icount", "--timeout", "600", "--keep", kept, VM / "guest/bench-stack.sh"], check=True,
                   env=dict(os.environ, BUILD=str(bench.build)))
    found = json.loads((kept / "channel.json").read_text(encoding="ascii"))
    bench.result("dahdi_channel", round(found["through"]), "instructions/channel-s", budget=BUDGET, note="through and echoed")
    bench.result("dahdi_answered", round(found["answered"]), "instructions/channel-s", budget=BUDGET,
                 note="answered by a desk and joined")
    bench.result("dahdi_digits", round(found["digits"]), "instructions/channel-s", note="the same, every digit asked for")
    delay = json.loads((kept / "delay.json").read_text(encoding="ascii"))
    bench.result("delay_dahdi", round(delay["p99"], 3), "ms at p99", budget=DELAY_BUDGET_MS,
                 note=f"line to RTP, 30 calls, a ns an instruction; p50 {delay['p50']:.3f} ms")
