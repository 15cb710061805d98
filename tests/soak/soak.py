# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""The steps of soak, round after round, for some hours in all. It can be stopped at any time and
goes on where it was: BUILD/soak/state.json remembers hours, place and results. Only the logs of
failures are kept; BUILD/soak/summary.txt is the one thing to read."""
import json
import os
import time

from runner.engine import Engine


class State:
    def __init__(self, folder):
        self.path = folder / "state.json"
        self.folder = folder
        self.known = {"seconds": 0.0, "round": 1, "done": [], "steps": {}}
        if self.path.exists():
            self.known.update(json.loads(self.path.read_text()))

    def note(self, result):
        row = self.known["steps"].setdefault(result.step.name, {"ok": 0, "FAIL": 0, "skip": 0, "failures": []})
        row[result.outcome] += 1
        kept = self.folder / "failures" / f"{self.known['round']}-{result.step.name.replace('/', '-')}.log"
        if result.outcome == "FAIL":
            kept.parent.mkdir(parents=True, exist_ok=True)
            os.replace(result.log, kept)
            row["failures"].append(f"round {self.known['round']}: {result.why}: {kept}")
        if not result.step.name.startswith("build/"):
            self.known["done"].append(result.step.name)
        self.save()

    def save(self):
        for path, text in (self.path, json.dumps(self.known, indent=1)), (self.folder / "summary.txt", self.summary()):
            fresh = path.with_suffix(".new")
            fresh.write_text(text)
            os.replace(fresh, path)

    def summary(self):
        known = self.known
        lines = [f"soak: {known['seconds'] / 3600:.2f} hours, round {known['round']}", ""]
        lines += [f"{'step':44}{'passed':>8}{'failed':>8}{'skipped':>8}"]
        for name, row in known["steps"].items():
            lines.append(f"{name:44}{row['ok']:8}{row['FAIL']:8}{row['skip']:8}")
            lines += [f"    {failure}" for failure in row["failures"]]
        return "\n".join(lines) + "\n"

    def failed(self):
        return any(row["FAIL"] for row in self.known["steps"].values())


def run(steps, folder, hours):
    folder.mkdir(parents=True, exist_ok=True)
    state = State(folder)
    limit_s = hours * 3600
    builds = [step for step in steps if step.name.startswith("build/")]
    rounds = [step for step in steps if step not in builds]
    Engine(folder / "logs", on_result=state.note).run(builds)
    try:
        while state.known["seconds"] < limit_s and rounds:
            # A pair at a time, so that a stop loses little.
            todo = [step for step in rounds if step.name not in state.known["done"]][:2]
            begin = time.monotonic()
            Engine(folder / "logs", on_result=state.note).run(todo)
            state.known["seconds"] += time.monotonic() - begin
            if not todo:
                state.known["round"] += 1
                state.known["done"] = []
            state.save()
    except KeyboardInterrupt:
        print("stopped; run again to go on")
    state.save()
    print(state.summary())
    return 1 if state.failed() else 0
