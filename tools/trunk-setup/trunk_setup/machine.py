# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""What /proc and /sys say of this machine's cards and spans. Looks, touches nothing."""
import grp
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from . import cards

ALARMS = ("BLUE", "YELLOW", "RED", "LOOP", "RECOVERING", "NOTOPEN")
COUNTERS = {"BPV count": "bpv", "CRC4 error count": "crc4", "E-bit error count": "ebit", "FAS error count": "fas",
            "IRQ misses": "irq_misses", "Timing slips": "slips"}
CHANNEL = re.compile(r"^\t\s*(\d+) (\S+/(\d+)) (.*)$")
SIGNALLING = re.compile(r"^(Clear|HDLCFCS|Hardware-assisted HDLC|CAS|E&M-E1|E&M|FX[SO][LKG]S|Reserved|\S+)\b")


@dataclass
class Channel:
    number: int
    slot: int
    signalling: str  # DAHDI's word, or "" when not configured
    in_use: bool
    canceller: bool


@dataclass
class Span:
    number: int
    name: str = ""
    description: str = ""
    kind: str = ""
    base: int = 0
    size: int = 0
    framing: str = ""  # CCS/HDB3/CRC4, or "" when never configured
    alarms: set = field(default_factory=set)
    master: bool = False
    clock_source: int = 0
    card: str = ""  # PCI address; "" for spans without a card
    counters: dict = field(default_factory=dict)
    channels: list = field(default_factory=list)


@dataclass
class Card:
    address: str
    model: cards.Model
    driver: str  # "" when nobody has it
    irq: int
    shares: list  # others on its interrupt
    report: dict  # what our own driver tells beyond DAHDI


def text(path):
    try:
        return path.read_text(errors="replace").rstrip("\n")
    except OSError:
        return ""


def number(path):
    value = text(path).strip()
    return int(value, 0) if re.fullmatch(r"0x[0-9a-fA-F]+|\d+", value) else 0


def others(listeners, driver):
    """@listeners of an interrupt without the card itself, which goes by its driver's name or one like it."""
    own = next((name for name in listeners if name == driver or name.startswith(driver[:4])), None)
    rest = list(listeners)
    if own:
        rest.remove(own)
    return rest


class Machine:
    def __init__(self, root="/"):
        self.root = Path(root)
        self.modules = {line.split()[0] for line in text(self.path("proc/modules")).splitlines() if line.strip()}
        self.has_dahdi = self.path("sys/module/dahdi").is_dir() or "dahdi" in self.modules
        self.auto_assign = text(self.path("sys/module/dahdi/parameters/auto_assign_spans")) == "1"
        self.interrupts = self.read_interrupts()
        self.cards = list(self.read_cards())
        self.spans = sorted(self.read_spans(), key=lambda span: span.number)
        self.unassigned = self.count_unassigned()
        self.nodes_closed = self.are_nodes_closed()

    def path(self, name):
        return self.root / name

    def entries(self, name):
        folder = self.path(name)
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def read_interrupts(self):
        """Names of who listens, by interrupt."""
        found = {}
        for line in text(self.path("proc/interrupts")).splitlines():
            row = re.match(r"\s*(\d+):(?:\s+\d+)+\s+\S+\s+(?:\S*-(?:edge|fasteoi|level)\s+)?(.*)$", line)
            if row:
                found[int(row[1])] = [name.strip() for name in row[2].split(",") if name.strip()]
        return found

    def read_cards(self):
        for device in self.entries("sys/bus/pci/devices"):
            ids = [text(device / name)[2:] for name in ("vendor", "device", "subsystem_vendor")]
            model = cards.model_of(*ids)
            if not model:
                continue
            link = device / "driver"
            driver = link.readlink().name if link.is_symlink() else ""
            irq = number(device / "irq")
            shares = others(self.interrupts.get(irq, []), driver) if driver else []
            report = {file.name: text(file) for file in self.entries((device / "t1e1").relative_to(self.root))}
            yield Card(device.name, model, driver, irq, shares, report)

    def read_spans(self):
        for device in self.entries("sys/bus/dahdi_spans/devices"):
            span = Span(int(device.name.rpartition("-")[2]))
            span.name, span.description = text(device / "name"), text(device / "desc")
            kind = text(device / "spantype")
            span.base, span.size = number(device / "basechan"), number(device / "channels")
            # A span of dahdi_dynamic says neither: its size tells.
            span.kind = kind.lower() if kind in ("E1", "T1") else {31: "e1", 24: "t1"}.get(span.size, "")
            span.clock_source = number(device / "syncsrc")
            span.card = self.card_above(device)
            self.read_proc(span)
            yield span

    def card_above(self, device):
        """The card whose span @device is: one of the folders above it bears its address."""
        known = {card.address for card in self.cards}
        return next((part for part in reversed(device.resolve().parts) if part in known), "")

    def read_proc(self, span):
        lines = text(self.path(f"proc/dahdi/{span.number}")).splitlines() or [""]
        behind = lines[0].rpartition('"')[2].split()
        span.master = "(MASTER)" in behind
        span.alarms = {word for word in behind if word in ALARMS}
        span.framing = next((word for word in behind if "/" in word), "")
        for line in lines[1:]:
            name, colon, count = line.strip().partition(":")
            if colon and name in COUNTERS:
                span.counters[COUNTERS[name]] = int(count)
            row = CHANNEL.match(line)
            if row:
                span.channels.append(self.channel(row))

    @staticmethod
    def channel(row):
        rest = row[4]
        word = SIGNALLING.match(rest)
        signalling = word[1] if word and not rest.startswith("(") and word[1] not in ALARMS else ""
        return Channel(int(row[1]), int(row[3]), signalling, "(In use)" in rest, "(EC:" in rest)

    def count_unassigned(self):
        """Spans of DAHDI's devices that have no number yet."""
        told = sum(number(device / "span_count") for device in self.entries("sys/bus/dahdi_devices/devices"))
        return max(0, told - sum(1 for span in self.spans if span.card))

    def are_nodes_closed(self):
        """Whether DAHDI's nodes are there, and the group dahdi may not open them."""
        try:
            node = self.path("dev/dahdi/ctl").stat()
        except OSError:
            return False
        try:
            ours = node.st_gid == grp.getgrnam("dahdi").gr_gid
        except KeyError:
            ours = False
        return not (node.st_mode & 0o006 == 0o006 or ours and node.st_mode & 0o060 == 0o060)

    def span_card(self, span):
        return next((card for card in self.cards if card.address == span.card), None)

    def has_module(self, name):
        """Whether the module is loaded or could be."""
        if name in self.modules:
            return True
        release = os.uname().release if self.root == Path("/") else "*"
        return any(f"/{name}.ko" in text(index) for index in self.path("lib/modules").glob(f"{release}/modules.dep"))


def as_json(machine):
    return {
        "cards": [{"address": c.address, "model": c.model.name, "ports": c.model.ports, "driver": c.driver or None,
                   "irq": c.irq, "shares_irq_with": c.shares} for c in machine.cards],
        "spans": [{"span": s.number, "name": s.name, "description": s.description, "kind": s.kind, "card": s.card or None,
                   "framing": s.framing or None, "alarms": sorted(s.alarms), "clock_source": s.clock_source,
                   "first_channel": s.base, "channels": s.size, "counters": s.counters,
                   "slots": slot_map(s)} for s in machine.spans],
    }


def slot_map(span):
    """A letter a timeslot: B bearer, D D-channel, C CAS, in lower case while in use, . not configured."""
    letters = {"Clear": "B", "HDLCFCS": "D", "Hardware-assisted HDLC": "D", "": ".", "Reserved": "."}
    return "".join(letters.get(c.signalling, "C").lower() if c.in_use else letters.get(c.signalling, "C")
                   for c in span.channels)
