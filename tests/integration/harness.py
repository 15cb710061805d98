# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""What every integration test stands on: a folder of its own, free ports, and real programs that
are awaited by what they say and that end with the test, whatever happens to it."""
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
BUILD = (TREE / os.environ.get("BUILD", "build")).resolve()
LIMIT_S = int(os.environ.get("TL_LIMIT_S", "120"))  # a ceiling for every wait, far above what any of them takes
SANITIZER_SAYS = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|runtime error:|CRITICAL|Assertion failed|breaks the schema")
PR_SET_PDEATHSIG = 1


def program(name, variant="release"):
    return str(BUILD / variant / name)


def claim(what):
    """Whether @what is this test's until it ends: of all that run beside one another only one has it."""
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(f"\0trunkline-test {what}")
    except OSError:
        lock.close()
        return False
    claim.held.append(lock.detach())
    return True


claim.held = []


def is_free(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket(socket.AF_INET) as tcp:
        try:
            udp.bind(("127.0.0.1", port))
            tcp.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(n):
    """Ports of 127.0.0.1 that nobody had a moment ago, below those that the kernel gives to clients; no test that runs
    beside us is given them."""
    found = []
    while len(found) < n:
        free_ports.taken += 1
        port = 10000 + (os.getpid() * 101 + free_ports.taken) % 20000
        if is_free(port) and claim(port):
            found.append(port)
    return found


free_ports.taken = 0


def free_row(n):
    """The first of @n such ports, one after the other."""
    while True:
        found = free_ports(n)
        if found == list(range(found[0], found[0] + n)):
            return found[0]


def rtp_range():
    """A range of RTP ports for one program, and for no other program of a test."""
    while True:
        rtp_range.taken += 1
        first = 34000 + (os.getpid() * 7 + rtp_range.taken) % 140 * 200
        if claim(f"rtp {first}"):
            return first, first + 198


rtp_range.taken = 0


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(true, what, limit_s=LIMIT_S, every_s=0.1):
    """For what no program announces: looks again ten times a second, or less often where looking is dear."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        value = true()
        if value:
            return value
        time.sleep(every_s)
    raise AssertionError(f"{what}: not within {limit_s} s")


class Process:
    """One running program. Its output is kept in FOLDER/NAME.log and can be awaited line by line."""

    def __init__(self, folder, name, command, env=None):
        self.name, self.log = name, Path(folder) / f"{name}.log"
        self.lines, self.changed = [], threading.Condition()
        self.ended = False
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", preexec_fn=die_with_parent, env={**os.environ, **(env or {})})
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        with open(self.log, "a") as log:
            for line in self.process.stdout:
                log.write(f"{time.monotonic():.3f} {line}")
                log.flush()
                with self.changed:
                    self.lines.append(line.rstrip("\n"))
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def mark(self):
        """The place in the output from which await_line() may look."""
        with self.changed:
            return len(self.lines)

    def await_line(self, pattern, after=0, limit_s=LIMIT_S):
        wanted, deadline = re.compile(pattern), time.monotonic() + limit_s
        with self.changed:
            while True:
                for line in self.lines[after:]:
                    found = wanted.search(line)
                    if found:
                        return found
                after = len(self.lines)
                if self.ended:
                    raise AssertionError(f"{self.name} ended before it said {pattern!r}:\n{self.tail()}")
                if not self.changed.wait(deadline - time.monotonic()):
                    raise AssertionError(f"{self.name} did not say {pattern!r} within {limit_s} s:\n{self.tail()}")

    def tail(self, n=25):
        return "\n".join(f"    {self.name}: {line}" for line in self.lines[-n:])

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.wait()

    def stop(self):
        """Asks it to end and returns its status; one that will not is killed and fails the test."""
        if self.running():
            self.process.terminate()
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end when asked to:\n{self.tail()}") from None

    def wait(self, limit_s=LIMIT_S):
        status = self.process.wait(limit_s)
        self.reader.join(limit_s)
        self.process.stdout.close()
        return status

    def faults(self):
        """What a sanitizer, GLib or the schema complained of."""
        return [line for line in self.lines if SANITIZER_SAYS.search(line)]


class Case(unittest.TestCase):
    """A test with a folder, self.dir, and programs that are ended, and judged, at its end."""

    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="tl-"))
        self.programs = []
        self.closers = []  # called first, the latest first
        self.claimed = len(claim.held)
        self.addCleanup(self.clean_up)

    def start(self, name, command, variant="release", env=None):
        suppressions = TREE / "tests/asan.supp"
        process = Process(self.dir, name, command, env={
            "G_DEBUG": "fatal-warnings", "TL_CHECK_SCHEMA": "1", "G_SLICE": "always-malloc",
            "UBSAN_OPTIONS": "print_stacktrace=1", "ASAN_OPTIONS": "detect_stack_use_after_return=1",
            "LSAN_OPTIONS": f"suppressions={suppressions}:print_suppressions=0", **(env or {})})
        self.programs.append(process)
        return process

    def on_end(self, function):
        self.closers.append(function)

    def clean_up(self):
        complaints = []
        for close in reversed(self.closers):
            close()
        for process in reversed(self.programs):
            killed = not process.running() and process.process.returncode == -signal.SIGKILL
            try:
                status = process.stop()
            except AssertionError as late:
                status = f"{late}"
            if status != 0 and not killed:
                complaints.append(f"{process.name} ended with {status}\n{process.tail()}")
            complaints += [f"{process.name}: {line}" for line in process.faults()]
        if complaints or self.has_failed():
            self.keep_logs()
        shutil.rmtree(self.dir, ignore_errors=True)
        for lock in claim.held[self.claimed:]:
            os.close(lock)
        del claim.held[self.claimed:]
        if complaints:
            self.fail("\n".join(complaints))

    def has_failed(self):
        result = self._outcome.result
        return any(self in (test, getattr(test, "test_case", None)) for test, _ in result.failures + result.errors)

    def keep_logs(self):
        name = self.id().replace("__main__", Path(sys.argv[0]).stem)
        kept = Path(os.environ.get("TL_KEPT", BUILD / "check/integration/kept")) / name
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.dir, kept, ignore=lambda folder, names: [
            n for n in names if not (Path(folder, n).is_file() or Path(folder, n).is_dir())])
        print(f"# logs kept in {kept}", file=sys.stderr)


def main():
    unittest.main(verbosity=2)
