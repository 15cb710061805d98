# SPDX-License-Identifier: GPL-2.0-only
"""The driver's work for each 1 ms interrupt, counted in the guest by tests/vm/bench; the floor is DAHDI's own driver."""
import json
import os
import pathlib
import subprocess

VM_BENCH = pathlib.Path(__file__).resolve().parent.parent / "vm" / "bench"
NAMES = ("driver_quiet", "driver_busy", "driver_accesses")


def driver(bench):
    cache = os.environ.get("VM_CACHE", str(bench.build / "vm"))
    for name in NAMES:
        (bench.out / f"{name}.json").unlink(missing_ok=True)
    run = subprocess.run([VM_BENCH], env={**os.environ, "BUILD": str(bench.build), "VM_CACHE": cache},
                         stdout=subprocess.DEVNULL, check=False)
    for name in NAMES:
        path = bench.out / f"{name}.json"
        if not path.exists():
            raise RuntimeError(f"{VM_BENCH}: status {run.returncode}, no {path}")
        seen = json.loads(path.read_text(encoding="ascii"))
        bench.result(name, seen["value"], seen["unit"], floor=seen["floor"], ratio=seen["ratio"], budget=1.0)
