# SPDX-License-Identifier: GPL-2.0-only
"""The whole node: trunkd between an exchange's E1s and its SIP side, commanded by the bench's conductor."""
import multiprocessing
import os
import pathlib
import select
import socket
import subprocess
import tempfile
import time

from measure import ROUNDS, TRIES, Program, cpu_s, favour, median, rss_kib, window
from media import one_round

LIMIT_S = 90
WINDOW_S = 1.5
SKIPPED = 0.01  # of the ticks, or the windows do not count
TOKEN = "bench-conductor"
TOKEN_LOOK = "bench-observer"
JITTER_MS = 20


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        udp.bind(("127.0.0.1", 0))
        tcp.bind(("127.0.0.1", udp.getsockname()[1]))
        return udp.getsockname()[1]


def spans(host, number, node_side):
    """The sections of @number E1s; the node follows, the exchange leads."""
    text = []
    for i in range(number):
        here, there = 20000 + 2 * i, 20001 + 2 * i
        if not node_side:
            here, there = there, here
        side = "pri-cpe\ngroup = carrier\nclock_domain = carrier\nrestart = no" if node_side else "pri-network"
        text.append(f"[span e{i + 1}]\nkind = e1\nlocal = {host}:{here}\nremote = {host}:{there}\nframes = 8\n"
                    f"jitter_ms = {JITTER_MS}\nclock = local\nsignalling = {side}\n")
    return "\n".join(text)


class Process:
    """A daemon whose log is kept until it has said that it is up."""

    def __init__(self, folder, name, *command, ready):
        self.log = folder / f"{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, preexec_fn=favour)
        until(lambda: ready in self.said(), f"{name} is not up", self.log)

    def said(self):
        return self.log.read_text(errors="replace")

    def __enter__(self):
        return self.process

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def until(condition, what, log):
    ceiling = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > ceiling:
            raise RuntimeError(f"{what}: not within {LIMIT_S} s\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def await_word(program, word):
    """The next line of @program must be @word."""
    ready, _, _ = select.select([program.process.stdout], [], [], LIMIT_S)
    said = program.process.stdout.readline().strip() if ready else f"nothing in {LIMIT_S} s"
    if said != word:
        raise RuntimeError(f"expected {word!r}, heard {said!r}")


class Node:
    """trunkd and exchange with @number E1s, up to the D-channels."""

    def __init__(self, bench, number, folder):
        self.bench, self.folder, self.number = bench, folder, number
        self.socket, self.order = folder / "trunkd.sock", folder / "exchange.sock"
        node_sip, far_sip = free_port(), free_port()
        (folder / "trunkd.conf").write_text(
            f"[node]\nname = bench\nstate_dir = {folder}/state\nlog_level = warning\nmax_legs = 2100\n"
            f"[control]\nsocket = {self.socket}\n[token bench]\ntoken = {TOKEN}\nrole = conductor\n"
            f"[token look]\ntoken = {TOKEN_LOOK}\nrole = observer\n"
            f"[media]\nrtp_host = {bench.host}\nrtp_port_min = 24000\nrtp_port_max = 29998\n"
            f"[sip]\nlisten = sip:127.0.0.1:{node_sip}\n"
            f"[trunk far]\ntarget = sip:127.0.0.1:{far_sip}\npeers = 127.0.0.1\n" + spans(bench.host, number, True))
        (folder / "exchange.conf").write_text(
            f"[exchange]\nsocket = {self.order}\nlog_level = notice\n"
            f"[media]\nrtp_host = {bench.host}\nrtp_port_min = 30000\nrtp_port_max = 33998\n"
            f"[sip]\nlisten = sip:127.0.0.1:{far_sip}\n"
            f"[answer]\nscript = agent\n[script agent]\nsteps = answer; wait released 3600\n" + spans(bench.host, number, False))

    def __enter__(self):
        self.far = Process(self.folder, "exchange", self.bench.programs / "exchange", "run", self.folder / "exchange.conf",
                           ready="ready:")
        self.near = Process(self.folder, "trunkd", self.bench.programs / "trunkd", "--config", self.folder / "trunkd.conf",
                            ready="")
        until(self.socket.exists, "trunkd is not up", self.near.log)
        until(lambda: self.far.said().count("D-channel up") >= self.number, "D-channels are not up", self.far.log)
        return self

    def __exit__(self, *what):
        self.near.__exit__(*what)
        self.far.__exit__(*what)

    @property
    def pid(self):
        return self.near.process.pid

    def conductor(self, wanted, *more):
        return Program(self.bench.program("conductor"), "-s", f"unix:{self.socket}", "-k", TOKEN, "-n", wanted, *more)

    def calls(self, count, rate, script):
        return subprocess.Popen([self.bench.programs / "exchange", "call", "--socket", self.order, "--script", script,
                                 "--count", str(count), "--rate", str(rate), "--json"], stdout=subprocess.DEVNULL,
                                preexec_fn=favour)


def bridged(bench, legs, look):
    """What @look says of the node's pid before any call and once @legs calls are bridged; the conductor's report."""
    with tempfile.TemporaryDirectory() as folder, Node(bench, -(-legs // 30), pathlib.Path(folder)) as node:
        with node.conductor(legs, "-t", "trunk:far") as conductor:
            before = look(node.pid)
            calls = node.calls(legs, 60, "dial 5551000; wait answered 60; pause 1; send 7; wait released 3600")
            await_word(conductor, "bridged")
            await_word(conductor, "heard")  # the proof that every call is searched for DTMF
            time.sleep(1)
            after = look(node.pid)
            calls.kill()
            calls.wait()
            return before, after, conductor.stop()


def windows(bench, legs):
    """CPU ms a call-second of the node in each of some windows; again when the machine left it no time."""
    for _ in range(TRIES):
        _, used, said = bridged(bench, legs, lambda pid: [window(pid, WINDOW_S) / legs * 1000 for _ in range(ROUNDS)])
        if said["skipped"] <= SKIPPED * said["ticks"]:
            break
    return used, said


def span_rtp(bench, legs):
    floors = [one_round(bench, "floor-relay", legs, ["-d"])[0] for _ in range(3)]
    used, said = windows(bench, legs)
    floors += [one_round(bench, "floor-relay", legs, ["-d"])[0] for _ in range(2)]
    value, floor = median(used), median(floors)
    skipped = f"; {said['skipped']} of {said['ticks']} ticks skipped: the host is too busy" if said["skipped"] else ""
    bench.result(f"span_rtp_{legs}", value, "CPU ms a call-second", floor=floor, ratio=value / floor, budget=2.0,
                 note=f"{1000 / value:.0f} calls a core (aim 1000; Asterisk 145 with detection, 240-285 without){skipped}")


def memory(bench, legs=500):
    before, after, _ = bridged(bench, legs, rss_kib)
    bench.result("memory_call", (after - before) / legs, "KiB a call", budget=64.0,
                 note=f"{before / 1024:.0f} MiB before, {after / 1024:.0f} MiB with {legs} bridged")


def commit_probe(path, rate, stopping, answer):
    """Commits a record @rate times a second, each counted from when it was due, as a call's would be."""
    favour()
    took = []
    with open(path, "wb", buffering=0) as file:
        due = time.perf_counter()
        while not stopping.is_set():
            file.write(b"x" * 400)
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - due) * 1000)
            due += 1 / rate
            time.sleep(max(0, due - time.perf_counter()))
    answer.put(sorted(took)[len(took) * 99 // 100])


class CommitFloor:
    """p99 of a commit on @folder's disk, in ms, measured beside the calls: the disk has its moods."""

    def __init__(self, folder, rate):
        self.answer, self.stopping = multiprocessing.Queue(), multiprocessing.Event()
        self.process = multiprocessing.Process(target=commit_probe, daemon=True,
                                               args=(folder / "floor", rate, self.stopping, self.answer))
        self.process.start()

    def stop(self):
        self.stopping.set()
        floor = self.answer.get(timeout=LIMIT_S)
        self.process.join()
        return floor


def setup_round(bench, rate, spans_used, count):
    """p99 and p50 of SETUP to CONNECT, the commit floor, CPU ms a call."""
    with tempfile.TemporaryDirectory(dir=bench.out) as name:
        folder = pathlib.Path(name)
        with Node(bench, spans_used, folder) as node, node.conductor(count) as conductor:
            floor, cpu = CommitFloor(folder, rate), cpu_s(node.pid)
            calls = node.calls(count, rate, "dial 5551000; wait answered 60; pause 1; hangup")
            await_word(conductor, "bridged")
            calls.wait(LIMIT_S)
            cpu = cpu_s(node.pid) - cpu
            seen = conductor.stop()
            return seen["p99_ms"], seen["p50_ms"], floor.stop(), cpu / count * 1000


def setup(bench, rate=100, spans_used=8, count=400):
    rounds = [setup_round(bench, rate, spans_used, count) for _ in range(ROUNDS)]
    beyond = median([p99 - floor for p99, _, floor, _ in rounds])
    p99, p50, floor, cpu = (median(column) for column in zip(*rounds))
    bench.result(f"setup_{rate}", p99, "ms at p99", floor=floor, budget=floor + 5.0, gates=False,
                 note=f"p50 {p50:.2f} ms; {beyond:.2f} ms beyond the commit; {cpu:.2f} CPU ms a call (Asterisk 2.1)")
