# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Runs steps in their order, a few at a time, each in a session of its own with a time
limit. It waits for the ends of processes by their pidfd; it never kills what it did not start."""
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

TAIL_LINES = 40
AT_ONCE = 1 + max(2, os.cpu_count() or 2)  # most steps wait for lines and clocks more than they work
FAILED_MAX, WHY_LINES = 20, 12  # tests of a TAP log that are shown, and lines of diagnosis before each
GRACE_S = 10  # between asking a group to end and killing it
SKIP_STATUS = 77


@dataclass
class Step:
    name: str
    command: list
    limit_s: int = 300
    alone: bool = False  # it uses both cores, or is hurt by a busy machine
    places: int = 1  # how many of those at once it counts for
    idle: bool = False  # it only computes: beside whatever is not alone, on what the others leave of the cores, one at a time
    env: dict = field(default_factory=dict)
    needs: tuple = ()  # names of steps that --only must take along, and that must have ended before


@dataclass
class Result:
    step: Step
    outcome: str  # "ok", "FAIL" or "skip"
    seconds: float
    core_s: float  # what its processes worked
    why: str
    log: Path


def session(leader):
    """The processes of @leader's session, zombies left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has gone
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(folder.name))
    return found


def failed_tests(lines):
    """What a TAP log says of the tests that failed: their "not ok" lines, each after the diagnosis that leads to it."""
    at = [n for n, line in enumerate(lines) if line.startswith("not ok")]
    for n in at[:FAILED_MAX]:
        first = n
        while first and n - first < WHY_LINES and lines[first - 1].startswith("#"):
            first -= 1
        yield from lines[first:n + 1]
    if len(at) > FAILED_MAX:
        yield f"... and {len(at) - FAILED_MAX} more"


class Running:
    def __init__(self, step, log):
        log.parent.mkdir(parents=True, exist_ok=True)
        self.step, self.log, self.why = step, log, ""
        self.begin = time.monotonic()
        self.deadline = self.begin + step.limit_s
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                [*(("chrt", "-i", "0") if step.idle else ()), *step.command], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                env={**os.environ, **step.env}, start_new_session=True)
        self.pidfd = os.pidfd_open(self.process.pid)

    def signal(self, number):
        """To the whole session: a child such as timeout(1) makes a process group of its own."""
        for pid in session(self.process.pid):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def overdue(self):
        """First asks, then kills."""
        asked = bool(self.why)
        self.why = f"took longer than {self.step.limit_s} s"
        self.signal(signal.SIGKILL if asked else signal.SIGTERM)
        self.deadline = time.monotonic() + GRACE_S

    def finish(self):
        # The session's number stays taken until its leader is reaped: sweep what it left behind first.
        self.signal(signal.SIGKILL)
        _, status, usage = os.wait4(self.process.pid, 0)
        status = self.process.returncode = os.waitstatus_to_exitcode(status)
        os.close(self.pidfd)
        if not self.why and status:
            self.why = f"killed by signal {-status}" if status < 0 else f"status {status}"
        outcome = "skip" if self.why == f"status {SKIP_STATUS}" else "FAIL" if self.why else "ok"
        return Result(self.step, outcome, time.monotonic() - self.begin, usage.ru_utime + usage.ru_stime, self.why, self.log)


class Engine:
    def __init__(self, logs, at_once=AT_ONCE, on_result=None):
        self.logs, self.at_once = Path(logs), at_once
        self.results = []
        self.on_result = on_result or self.report
        self.running = []
        self.selector = selectors.DefaultSelector()

    def run(self, steps):
        """Runs all of them; KeyboardInterrupt ends what runs and is passed on."""
        waiting = list(steps)
        try:
            while waiting or self.running:
                step = self.next(waiting)
                if step:
                    waiting.remove(step)
                    self.start(step)
                else:
                    self.wait()
        except KeyboardInterrupt:
            for one in self.running:
                one.why = "interrupted"
                self.add(one.finish())
            raise

    def next(self, waiting):
        """The first step that may start now: small ones overtake one that there is no room for, but none overtakes one
        that needs the machine for itself."""
        for n, step in enumerate(waiting):
            if self.has_room(step) and not any(one.name in step.needs for one in waiting[:n]):
                return step
            if step.alone:
                break
        return None

    def has_room(self, step):
        if step.alone:
            return not self.running
        if any(one.step.alone or one.step.name in step.needs for one in self.running):
            return False
        if step.idle:
            return not any(one.step.idle for one in self.running)
        places = sum(one.step.places for one in self.running if not one.step.idle)
        return places + min(step.places, self.at_once) <= self.at_once

    def start(self, step):
        log = self.logs / f"{step.name}.log"
        program = Path(step.command[0])
        if "/" in str(program) and not program.exists():
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(f"{program} is not there\n")
            self.add(Result(step, "skip", 0, 0, f"{program} is not built", log))
            return
        if step.alone:
            print(f"  ...  {step.name} (at most {step.limit_s} s)", flush=True)
        try:
            one = Running(step, log)
        except OSError as error:  # not executable, say: that step has failed, the others go on
            log.write_text(f"{error}\n")
            self.add(Result(step, "FAIL", 0, 0, str(error), log))
            return
        self.running.append(one)
        self.selector.register(one.pidfd, selectors.EVENT_READ, one)

    def wait(self):
        if not self.running:
            return
        nearest = min(one.deadline for one in self.running)
        for key, _ in self.selector.select(max(0, nearest - time.monotonic())):
            self.selector.unregister(key.fd)
            self.running.remove(key.data)
            self.add(key.data.finish())
        for one in self.running:
            if time.monotonic() >= one.deadline:
                one.overdue()

    def add(self, result):
        self.results.append(result)
        self.on_result(result)

    @staticmethod
    def report(result):
        why = f"  ({result.why})" if result.why else ""
        print(f"  {result.outcome:5}{result.step.name:44}{result.seconds:8.1f} s, {result.core_s:6.1f} of a core{why}", flush=True)
        if result.outcome == "FAIL":
            lines = result.log.read_text(errors="replace").splitlines()
            shown = [*failed_tests(lines[:-TAIL_LINES]), *lines[-TAIL_LINES:]]
            print("\n".join(f"      | {line}" for line in shown), flush=True)
            print(f"      whole log: {result.log}", flush=True)

    def conclude(self):
        """The last line, and the exit status that goes with it."""
        n = {kind: sum(r.outcome == kind for r in self.results) for kind in ("ok", "FAIL", "skip")}
        for result in self.results:
            if result.outcome == "FAIL":
                print(f"FAILED: {result.step.name} ({result.why}): {result.log}")
                # Once more, without what leads to it: of a long run, people and machines keep the end.
                lines = result.log.read_text(errors="replace").splitlines()
                names = [line for line in lines if line.startswith("not ok")]
                print("".join(f"        {name}\n" for name in names[:FAILED_MAX]), end="")
        sys.stdout.flush()
        print(f"{n['ok']} passed, {n['FAIL']} failed, {n['skip']} skipped", flush=True)
        return 1 if n["FAIL"] or not n["ok"] else 0
