# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A UDP path between two ends with faults on purpose. Each direction has its own; all can be changed
while packets run. The sequence of faults is the same in every run."""
import heapq
import random
import selectors
import socket
import sys
import threading
import time
from dataclasses import dataclass, field

from harness import wait_until

sys.setswitchinterval(0.0005)  # a thread that computes, as on what was heard, does not keep a line waiting for 5 ms a step


@dataclass
class Faults:
    loss: float = 0  # part of the packets
    duplicate: float = 0
    reorder: float = 0  # part that is held back until the next packet has gone
    jitter_ms: float = 0  # each packet later by up to this
    silence: bool = False
    mangle: object = None  # function from octets to octets, or to None


@dataclass
class Counts:
    forwarded: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0


@dataclass
class Direction:
    out: socket.socket
    to: tuple
    faults: Faults = field(default_factory=Faults)
    counts: Counts = field(default_factory=Counts)
    held: bytes = None
    queue: list = field(default_factory=list)  # (due, number, octets)


class Wire:
    """Between the end that listens on port @a and the one on port @b. Tell a's owner that its peer is
    .port_for_a, and b's owner .port_for_b."""

    def __init__(self, case, a, b, seed=1):
        self.random, self.number = random.Random(seed), 0
        self.near_a, self.near_b = self.socket(), self.socket()
        self.port_for_a, self.port_for_b = (s.getsockname()[1] for s in (self.near_a, self.near_b))
        self.a_to_b = Direction(self.near_b, ("127.0.0.1", b))
        self.b_to_a = Direction(self.near_a, ("127.0.0.1", a))
        self.stopping = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        case.on_end(self.stop)

    @staticmethod
    def socket():
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("127.0.0.1", 0))
        one.setblocking(False)
        return one

    def both(self, **faults):
        for way in (self.a_to_b, self.b_to_a):
            way.faults = Faults(**faults)

    def send(self, way, octets):
        """Something that no end sent, as if from the peer."""
        self.put(way, octets)

    def run(self):
        selector = selectors.DefaultSelector()
        selector.register(self.near_a, selectors.EVENT_READ, self.a_to_b)
        selector.register(self.near_b, selectors.EVENT_READ, self.b_to_a)
        while not self.stopping:
            for key, _ in selector.select(self.patience()):
                self.take(key.fileobj, key.data)
            for way in (self.a_to_b, self.b_to_a):
                while way.queue and way.queue[0][0] <= time.monotonic():
                    self.put(way, heapq.heappop(way.queue)[2])

    def patience(self):
        due = [way.queue[0][0] for way in (self.a_to_b, self.b_to_a) if way.queue]
        return max(0, min(due) - time.monotonic()) if due else 0.2

    def take(self, source, way):
        for _ in range(64):
            try:
                octets = source.recv(4096)
            except (BlockingIOError, ConnectionError):
                return
            self.pass_on(way, octets)

    def pass_on(self, way, octets):
        faults, counts = way.faults, way.counts
        if faults.mangle:
            octets = faults.mangle(octets)
        if octets is None or faults.silence or self.random.random() < faults.loss:
            counts.lost += 1
            return
        if faults.reorder and way.held is None and self.random.random() < faults.reorder:
            way.held = octets
            counts.reordered += 1
            return
        self.later(way, octets)
        if self.random.random() < faults.duplicate:
            counts.duplicated += 1
            self.later(way, octets)
        if way.held is not None:
            held, way.held = way.held, None
            self.later(way, held)

    def later(self, way, octets):
        if not way.faults.jitter_ms:
            self.put(way, octets)
            return
        self.number += 1
        due = time.monotonic() + self.random.random() * way.faults.jitter_ms / 1000
        heapq.heappush(way.queue, (due, self.number, octets))

    @staticmethod
    def put(way, octets):
        try:
            way.out.sendto(octets, way.to)
            way.counts.forwarded += 1
        except (ConnectionError, BlockingIOError):
            way.counts.lost += 1  # nobody is there yet

    def stop(self):
        self.stopping = True
        self.thread.join(5)
        self.near_a.close()
        self.near_b.close()


class Translator(Wire):
    """In front of port @b: whoever sends to .port has a way of its own there and back, with the faults of .both()."""

    def __init__(self, case, b, seed=1):
        self.b, self.ways, self.selector = b, {}, selectors.DefaultSelector()
        super().__init__(case, 0, b, seed)
        self.port = self.port_for_a

    def both(self, **faults):
        self.wanted = faults
        for ways in list(self.ways.values()):
            for way in ways:
                way.faults = Faults(**faults)

    def run(self):
        self.selector.register(self.near_a, selectors.EVENT_READ, None)
        while not self.stopping:
            for key, _ in self.selector.select(self.patience()):
                if key.data:
                    self.take(key.fileobj, key.data)
                else:
                    self.take_new()
            for way in self.all_ways():
                while way.queue and way.queue[0][0] <= time.monotonic():
                    self.put(way, heapq.heappop(way.queue)[2])
        for there, _ in self.ways.values():
            there.out.close()

    def all_ways(self):
        return [way for ways in self.ways.values() for way in ways]

    def patience(self):
        due = [way.queue[0][0] for way in self.all_ways() if way.queue]
        return max(0, min(due) - time.monotonic()) if due else 0.2

    def take_new(self):
        for _ in range(64):
            try:
                octets, source = self.near_a.recvfrom(4096)
            except (BlockingIOError, ConnectionError):
                return
            if source not in self.ways:
                own = self.socket()
                faults = getattr(self, "wanted", {})
                self.ways[source] = (Direction(own, ("127.0.0.1", self.b), Faults(**faults)), Direction(self.near_a, source, Faults(**faults)))
                self.selector.register(own, selectors.EVENT_READ, self.ways[source][1])
            self.pass_on(self.ways[source][0], octets)

    @property
    def counts(self):
        """Of all ways together."""
        every = [way.counts for way in self.all_ways()]
        return Counts(*(sum(getattr(one, name) for one in every) for name in ("forwarded", "lost", "duplicated", "reordered")))


@dataclass
class End:
    """One of the two ends of a paced line."""
    socket: socket.socket
    to: tuple
    answers: list = field(default_factory=list)  # not yet handed to the other end
    flows: bool = False  # enough answers have been gathered: from now on there is always one
    heard: float = None  # when it answered last
    reads: bool = False  # it has answered since it was started
    unanswered: int = 0  # packets that it was sent
    probed: float = 0  # when it was sent the last of them
    died: bool = False  # its program, which the pacer has not taken notice of yet


class Pacer:
    """Lines between ends that all follow (clock mode loop): it alone says how fast line time runs. Step by
    step each end is sent what the other one answered. No step is taken while an end that lives owes
    an answer, so a slow machine slows the lines and loses nothing; who kills one says so by died(). @lines:
    pairs of ports. @cas: a packet is a multiframe and its CAS bits."""

    FRAMES, GATHERED, GONE_S = 40, 4, 60.0
    UNREAD, PROBE_S = 40, 0.05  # an end that does not read (yet) is not sent more, but for a probe now and then
    LOST = bytes([0x08, 4])  # control word with L: the far end is gone (RFC 5086 4.3)
    SETTINGS = (f"frames = {FRAMES}",)  # for the spans that are plugged in

    def __init__(self, case, lines, speed=1.0, kind="e1", cas=False):
        slots, octet, multiframe = (31, b"\xd5", 16) if kind == "e1" else (24, b"\xff", 24)
        self.frames = multiframe if cas else self.FRAMES
        self.idle = bytes(4) + octet * slots * self.frames + bytes((slots + 1) // 2 if cas else 0)
        self.lines = [tuple(End(Wire.socket(), ("127.0.0.1", port)) for port in pair) for pair in lines]
        self.ends = [end for line in self.lines for end in line]
        self.run_at(speed)
        self.steps, self.stopping = 0, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        case.on_end(self.stop)

    def run_at(self, speed):
        """Line time per wall clock, from now on."""
        self.step_s = self.frames / 8000 / speed

    def await_time(self, seconds):
        """So much time of the lines, however slow they are."""
        until = self.steps + seconds * 8000 / self.frames
        wait_until(lambda: self.steps >= until, f"{seconds} s of line time")

    def ports(self, line):
        """What the two ends of @line must have as their remote ports."""
        return tuple(end.socket.getsockname()[1] for end in self.lines[line])

    def run(self):
        selector = selectors.DefaultSelector()
        for end in self.ends:
            selector.register(end.socket, selectors.EVENT_READ, end)
        due = time.monotonic()
        while not self.stopping:
            waits = due - time.monotonic() if self.may_step() else 0.05
            for key, _ in selector.select(max(0, waits)):
                self.take(key.data)
            for end in self.ends:
                if end.died:
                    self.bury(end)
            if time.monotonic() >= due and self.may_step():
                self.step()
                due = max(due + self.step_s, time.monotonic() - 0.05)

    def may_step(self):
        return all(end.answers or not self.lives(end) or not end.flows and end.unanswered < self.UNREAD for end in self.ends)

    def lives(self, end):
        return end.heard is not None and time.monotonic() - end.heard < self.GONE_S

    def died(self, port):
        """Who listens there is dead: the line is lost at once, not after GONE_S."""
        for end in self.ends:
            if end.to[1] == port:
                end.died = True

    def bury(self, end):
        """What it said last may still be in the socket, and is no sign of life."""
        while self.take(end):
            pass
        end.died, end.heard, end.reads = False, -float("inf"), False

    def take(self, end):
        try:
            octets = end.socket.recv(4096)
        except (BlockingIOError, ConnectionError):
            return False
        end.answers.append(octets)
        end.unanswered = max(0, end.unanswered - 1) if self.lives(end) else 0
        end.heard, end.reads = time.monotonic(), True
        return True

    def step(self):
        for line in self.lines:
            for end, other in (line, line[::-1]):
                octets = self.next_of(other)
                if self.may_send(end):
                    self.send(end, octets)
        self.steps += 1

    def next_of(self, end):
        end.flows = len(end.answers) >= self.GATHERED or end.flows and bool(end.answers)
        # What had gathered in its socket when it began to read would let the two ends' times drift apart by as much.
        while len(end.answers) > 2 * self.GATHERED:
            end.answers.pop(0)
        if end.flows:
            return end.answers.pop(0)
        return self.idle if end.heard is None or self.lives(end) else self.LOST + bytes(2)

    def may_send(self, end):
        """The socket of one that does not read yet would fill up otherwise, and lose packets ever after. One that reads and says
        nothing, as in an alarm, has line time to hear."""
        return end.reads or end.unanswered < self.UNREAD or time.monotonic() - end.probed > self.PROBE_S

    def send(self, end, octets):
        end.unanswered += 1
        end.probed = time.monotonic()
        try:
            end.socket.sendto(octets[:2] + (self.steps % 65536).to_bytes(2, "big") + octets[4:], end.to)
        except (ConnectionError, BlockingIOError):
            pass  # nobody is there

    def stop(self):
        self.stopping = True
        self.thread.join(5)
        for end in self.ends:
            end.socket.close()
