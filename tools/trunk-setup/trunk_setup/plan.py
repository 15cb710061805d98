# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""From what is wished to the lines of system.conf, modules, modprobe.d and trunkd.conf."""
from dataclasses import dataclass, fields, replace

from . import cards

# Country: line, CRC4 on a PRI, DAHDI's name of its tones.
COUNTRIES = {
    "us": ("t1", False, "us"), "ca": ("t1", False, "us"), "tw": ("t1", False, "tw"),
    **{code: ("e1", True, code) for code in (
        "at", "be", "bg", "ch", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hu", "it", "lt", "nl", "no", "pl",
        "pt", "se", "il", "tr", "ru", "za", "au", "nz", "sg", "ae")},
    "gb": ("e1", True, "uk"), "ie": ("e1", True, "uk"),
    **{code: ("e1", False, code) for code in ("br", "mx", "ar", "cl", "ve", "cr", "pa", "cn", "in", "th", "my", "ph")},
}
TIMESLOTS = {"e1": 31, "t1": 24}
# Signalling: DAHDI's word for its channels, whether it uses CAS bits. trunkd speaks CAS on raw bits, not by DAHDI's own
# e&m, fxo and fxs.
SIGNALLING = {
    "pri-cpe": ("bchan", False), "pri-network": ("bchan", False), "none": ("bchan", False),
    "r2": ("cas", True),
    **{f"cas-{kind}": ("cas", True) for kind in ("em-immediate", "em-wink", "fgd", "fxs-loop", "fxs-kewl", "fxo-loop", "fxo-kewl")},
}
R2_VARIANTS = ("ar", "br", "cn", "cz", "co", "ec", "id", "mx", "ph", "ve")  # those of OpenR2; else ITU-T's
R2_IDLE = "1101"  # ITU-T Q.421: cf = 01 while idle, CD = 01
EM_IDLE = {"t1": "0000", "e1": "0001"}  # ANSI T1.403.02; on an E1 0000 is the multiframe's alignment
LOOP_IDLE = "0101"
CHOICES = {
    "signalling": tuple(SIGNALLING), "kind": ("e1", "t1"), "framing": ("ccs", "cas", "esf", "d4"), "crc4": ("yes", "no"),
    "coding": ("hdb3", "b8zs", "ami"), "clock": ("line", "internal"), "switch": ("euroisdn", "ni2"),
    "echo": ("mg2", "oslec", "kb1", "sec", "jpah", "none"), "lbo": tuple("01234567"),
}


class Refusal(Exception):
    """What was asked for cannot be."""


@dataclass(frozen=True)
class Wish:
    """What is said of a span; None: as the country and the signalling have it."""
    country: str = "de"
    signalling: str = "pri-cpe"
    kind: str = None
    framing: str = None
    crc4: str = None
    coding: str = None
    clock: str = None
    switch: str = None
    echo: str = "mg2"
    lbo: str = "0"
    group: str = "carrier"
    name: str = None

    def with_text(self, words):
        """"signalling=r2,crc4=no" upon this."""
        return replace(self, **dict(key_and_value(word) for word in words.split(",")))


def key_and_value(word):
    key, equals, value = word.partition("=")
    if not equals or key not in {field.name for field in fields(Wish)} - {"country"}:
        raise Refusal(f"{word}: expected KEY=VALUE with one of " + ", ".join(sorted({*CHOICES, "group", "name"})))
    check(key, value)
    return key, value


def check(key, value):
    if key in CHOICES and value not in CHOICES[key]:
        raise Refusal(f"{key}: {value}: expected one of " + ", ".join(CHOICES[key]))
    if key == "country" and value not in COUNTRIES:
        raise Refusal(f"country: {value}: expected one of " + ", ".join(sorted(COUNTRIES)))
    if key in ("name", "group") and not (value and all(c.isalnum() and c.isascii() or c in "._-" for c in value)):
        raise Refusal(f"{key}: {value}: expected letters, digits, . _ -")


@dataclass(frozen=True)
class Trunk:
    """A span as it is to be."""
    number: int
    base: int
    kind: str
    wish: Wish
    framing: str
    coding: str
    crc4: bool
    timing: int  # 0: our clock; 1: the first whose line gives it, and so on

    @property
    def name(self):
        return self.wish.name or f"span{self.number}"

    @property
    def d_slot(self):
        return (16 if self.kind == "e1" else 24) if self.wish.signalling.startswith("pri") else 0

    @property
    def bearers(self):
        reserved = {self.d_slot} | ({16} if self.framing == "cas" and self.kind == "e1" else set())
        return [slot for slot in range(1, TIMESLOTS[self.kind] + 1) if slot not in reserved]

    @property
    def lineconfig(self):
        """As DAHDI writes it."""
        return "/".join([self.framing.upper(), self.coding.upper()] + ["CRC4"] * self.crc4)


def trunk_of(number, base, wish, kind, timing):
    """@kind: what the span is, or None before its driver is there."""
    country_kind, country_crc4, _ = COUNTRIES[wish.country]
    if wish.kind and kind and wish.kind != kind:
        raise Refusal(f"span {number} is an {kind.upper()}: kind={wish.kind} needs a jumper or the driver loaded anew")
    kind = kind or wish.kind or country_kind
    cas = SIGNALLING[wish.signalling][1]
    framing = wish.framing or {"e1": "cas" if cas else "ccs", "t1": "esf"}[kind]
    if framing not in {"e1": ("ccs", "cas"), "t1": ("esf", "d4")}[kind]:
        raise Refusal(f"span {number}: framing {framing} is none of an {kind.upper()}")
    if kind == "e1" and (framing == "cas") != cas:
        raise Refusal(f"span {number}: {wish.signalling} needs framing {'cas' if cas else 'ccs'}")
    if kind == "t1" and wish.signalling == "r2":
        raise Refusal(f"span {number}: r2 runs on an E1 only")
    if kind == "t1" and wish.crc4 == "yes":
        raise Refusal(f"span {number}: crc4 is an E1's; an ESF T1 has its own CRC")
    coding = wish.coding or {"e1": "hdb3", "t1": "b8zs" if framing == "esf" else "ami"}[kind]
    if coding == {"e1": "b8zs", "t1": "hdb3"}[kind]:
        raise Refusal(f"span {number}: coding {coding} is none of an {kind.upper()}")
    crc4 = kind == "e1" and (wish.crc4 == "yes" if wish.crc4 else country_crc4 and not cas)
    return Trunk(number, base, kind, wish, framing, coding, crc4, timing)


def expected_spans(machine):
    """(number, first channel, kind or None) of each span: as DAHDI has them, else as the cards will bring them."""
    if machine.spans:
        return [(span.number, span.base, span.kind or None) for span in machine.spans if span.card or span.kind]
    return [(None, None, None) for card in machine.cards for _ in range(card.model.ports)]


def trunks_of(machine, wish, overrides):
    """@overrides: by span, words like signalling=r2,crc4=no."""
    trunks, base, timing = [], 1, 0
    spans = expected_spans(machine)
    for index, (number, first, kind) in enumerate(spans):
        number = number or index + 1
        own = wish.with_text(overrides[number]) if overrides.get(number) else wish
        clock = own.clock or ("internal" if own.signalling == "pri-network" else "line")
        timing += clock == "line"
        trunk = trunk_of(number, first or base, own, kind, timing if clock == "line" else 0)
        base = trunk.base + TIMESLOTS[trunk.kind]
        trunks.append(trunk)
    strangers = set(overrides) - {trunk.number for trunk in trunks}
    if strangers:
        raise Refusal(f"span {min(strangers)}: there is none; this machine has {len(trunks)}")
    names = [trunk.name for trunk in trunks]
    for name in names:
        if names.count(name) > 1:
            raise Refusal(f"name {name}: given to two spans")
    return trunks


def ranges(numbers):
    """1-15,17-31"""
    found = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def idle_bits(trunk):
    """ABCD while no program has the channels open."""
    if trunk.wish.signalling == "r2":
        return R2_IDLE
    return LOOP_IDLE if trunk.wish.signalling.startswith("cas-fx") else EM_IDLE[trunk.kind]


def system_conf(trunks, wish):
    lines = []
    for trunk in trunks:
        channels = ranges(trunk.base - 1 + slot for slot in trunk.bearers)
        word = SIGNALLING[trunk.wish.signalling][0]
        lines += ["", f"# {trunk.name}: {trunk.kind.upper()}, {trunk.wish.signalling}",
                  ",".join([f"span={trunk.number}", str(trunk.timing), trunk.wish.lbo, trunk.framing, trunk.coding]
                           + ["crc4"] * trunk.crc4),
                  f"{word}={channels}" + (f":{idle_bits(trunk)}" if word == "cas" else "")]
        if trunk.d_slot:
            lines.append(f"dchan={trunk.base - 1 + trunk.d_slot}")
        if trunk.wish.echo != "none" and trunk.wish.signalling != "none":
            lines.append(f"echocanceller={trunk.wish.echo},{channels}")
    zone = COUNTRIES[wish.country][2]
    return "\n".join([*lines[1:], "", f"loadzone={zone}", f"defaultzone={zone}", ""])


def driver_of(machine, card, wanted):
    if wanted in card.model.drivers:
        return wanted
    able = [driver for driver in card.model.drivers if machine.has_module(driver)]
    return card.driver if card.driver in card.model.drivers and card.driver not in able else (able or card.model.drivers)[0]


def drivers_of(machine, wanted):
    return sorted({driver_of(machine, card, wanted) for card in machine.cards})


def modules(machine, trunks, wanted):
    cancellers = {f"dahdi_echocan_{t.wish.echo}" for t in trunks if t.wish.echo != "none" and t.wish.signalling != "none"}
    return "\n".join(["# Loaded in this order before dahdi_cfg, which stops at an echo canceller that is not there.",
                      "dahdi", *drivers_of(machine, wanted), *sorted(cancellers), ""])


def modprobe_conf(machine, trunks, wanted):
    drivers = drivers_of(machine, wanted)
    rivals = {name for card in machine.cards for name in card.model.drivers + card.model.rivals} - set(drivers)
    kinds = {trunk.kind for trunk in trunks}
    lines = ["# Without it DAHDI's spans wait for numbers that nobody gives them.", "options dahdi auto_assign_spans=1"]
    if len(kinds) == 1:
        kind = kinds.pop()
        lines += [f"options {driver} {cards.LINE_OPTION[driver][kind]}" for driver in drivers if driver in cards.LINE_OPTION]
    if rivals:
        lines += ["# Drivers that would take the same cards.", *(f"blacklist {name}" for name in sorted(rivals))]
    return "\n".join([*lines, ""])


def trunkd_conf(trunks, country):
    lines = []
    for trunk in trunks:
        lines += ["", f"[span {trunk.name}]", f"kind = {trunk.kind}", "backend = dahdi", f"dahdi_span = {trunk.number}"]
        lines.append(f"signalling = {trunk.wish.signalling}")
        if trunk.wish.signalling == "r2":
            lines.append(f"r2_variant = {country if country in R2_VARIANTS else 'itu'}")
        if trunk.d_slot:
            lines.append(f"switch = {trunk.wish.switch or {'e1': 'euroisdn', 't1': 'ni2'}[trunk.kind]}")
        if trunk.wish.signalling.startswith("cas-fxs"):
            lines += ["# the line's own number", "cas_number = 0"]
        lines.append(f"group = {trunk.wish.group}")
    return "\n".join([*lines[1:], ""])
