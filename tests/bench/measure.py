# SPDX-License-Identifier: GPL-2.0-only
"""Processes under measurement: their CPU time, and runs that noise has not spoilt."""
import json
import os
import statistics
import subprocess
import time

ROUNDS = 5
TRIES = 3  # of a round, when the load could not keep its times


def host():
    """A loopback address of this run's own, so that two runs on one machine do not meet."""
    pid = os.getpid()
    return f"127.{32 + (pid >> 16) % 32}.{pid >> 8 & 0xff}.{pid & 0xff or 1}"


def host_load():
    return round(os.getloadavg()[0], 2)


def favour():
    """First-come real-time scheduling where permitted, for load, floor and subject alike: on a busy machine
    they keep their times, and CPU time is what is measured."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pass


def cpu_s(pid):
    """User and system time of all of the process's threads, to the ns (CPUCLOCK_SCHED of clock_getcpuclockid)."""
    return time.clock_gettime((~pid) << 3 | 2)


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise RuntimeError(f"process {pid} has no VmRSS")


class Program:
    """A child that says "ready" and goes on until told to stop; what it says then is JSON."""

    def __init__(self, *command, quiet=False):
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL if quiet else None, preexec_fn=favour)
        if self.process.stdout.readline().strip() != "ready":
            self.process.wait()
            raise RuntimeError(f"{command[0]}: did not start")

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        self.process.terminate()
        said = self.process.communicate(timeout=30)[0]
        return json.loads(said) if said.strip() else {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def window(pid, seconds):
    """CPU seconds a second over the next @seconds."""
    cpu, clock = cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_s(pid) - cpu) / (time.monotonic() - clock)


def median(values):
    return statistics.median(values)
