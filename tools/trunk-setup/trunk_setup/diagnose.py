# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""What is wrong, in plain words, from a look at the machine, two looks, and what trunkd says."""
from dataclasses import asdict, dataclass

FAULT, WARNING, NOTE = "fault", "warning", "note"
CRC4_STORM = 100  # errors a second; a line with a few bit errors makes fewer, a far end without CRC4 about 1,000


@dataclass(frozen=True)
class Finding:
    code: str
    severity: str
    where: str
    what: str
    do: str

    def as_json(self):
        return asdict(self)


def cards_findings(machine):
    if not machine.cards and not machine.spans:
        yield Finding("no-card", FAULT, "machine", "no T1/E1 card that trunk-setup knows is on the PCI bus",
                      "look with lspci -nn; seat the card anew; a card that lspci does not list is not powered or broken")
    for card in machine.cards:
        where = f"card {card.address} ({card.model.name})"
        able = " or ".join(card.model.drivers)
        if not card.driver:
            yield Finding("no-driver", FAULT, where, "no driver has taken the card",
                          f"modprobe {able}; if that says the module is not found, build it for this kernel (make install-dkms)")
        elif card.driver not in card.model.drivers:
            yield Finding("other-driver", FAULT, where, f"the driver {card.driver} holds the card and cannot carry a trunk",
                          f"rmmod {card.driver}, then trunk-setup start; its blacklist keeps it away at the next start")
        elif card.driver != card.model.drivers[0] and machine.has_module(card.model.drivers[0]):
            yield Finding("second-driver", WARNING, where,
                          f"{card.driver} holds the card though {card.model.drivers[0]} is installed and tells more of the line",
                          f"trunk-setup set, then rmmod {card.driver} and trunk-setup start")
        yield from interrupt_findings(card, where)


def interrupt_findings(card, where):
    if card.shares:
        yield Finding("irq-shared", WARNING, where, f"interrupt {card.irq} is shared with {', '.join(card.shares)}",
                      "move the card to another slot, or disable the other device in the firmware's settings; "
                      "a card asks 1,000 times a second and cannot wait")
    dead = int(card.report.get("status_dead", 0)) + int(card.report.get("stalls", 0))
    if dead:
        yield Finding("card-silent", WARNING, where, f"the card stopped answering {dead} times",
                      "seat it anew or try another slot; look at the power supply")


def dahdi_findings(machine):
    if machine.cards and not machine.has_dahdi:
        yield Finding("no-dahdi", FAULT, "machine", "DAHDI's module is not loaded",
                      "modprobe dahdi; if it is not found, install dahdi-dkms or dahdi-source for this kernel")
    if machine.unassigned:
        yield Finding("span-unassigned", FAULT, "machine",
                      f"{machine.unassigned} span(s) have no number: DAHDI waits for someone to assign one",
                      "dahdi_span_assignments auto now; trunk-setup set writes auto_assign_spans=1 for the next start")
    if machine.nodes_closed:
        yield Finding("nodes-closed", WARNING, "machine",
                      "/dev/dahdi is not the group dahdi's: trunkd, which is not root, is denied it",
                      "udevadm trigger -s dahdi -s dahdi_channels; if that changes nothing, the udev rule is missing: make install")


def growth(now, before, name):
    """What a counter has grown by, or its value when there was no look before."""
    return now.counters.get(name, 0) - (before.counters.get(name, 0) if before else 0)


def alarm_findings(span, card, where):
    report = card.report if card and card.driver == "tl_t1e1" else None
    defects = set(report.get("defects", "").split()) if report else None
    if "RED" in span.alarms:
        yield red(span, card, where, defects)
    elif "BLUE" in span.alarms:
        also = ""
        if card and card.driver == "wcte11xp" and "CRC4" in span.framing:
            also = "; this driver also says BLUE when the far end sends no CRC4 (then try crc4=no)"
        yield Finding("ais", FAULT, where, "the far end sends all ones (AIS, blue alarm): something behind it is down, "
                      "or the line is not in service" + also, "ask the carrier whether the line is switched on")
    elif "YELLOW" in span.alarms:
        yield Finding("far-end-deaf", FAULT, where, "the far end does not hear us or not our frames (RAI, yellow alarm)",
                      "look at the transmit pair of the cable; compare framing and CRC4 with the carrier's, "
                      "who may expect CRC4 where we send none")
    elif "RECOVERING" in span.alarms:
        yield Finding("recovering", NOTE, where, "the line has come back and is being watched", "wait some seconds")
    if "LOOP" in span.alarms:
        yield Finding("loopback", FAULT, where, "the span is looped back", "dahdi_maint -s N -l off; ask the carrier to end his test")
    if defects and "no-crc4" in defects and not span.alarms & {"RED", "BLUE"}:
        yield Finding("crc4-mismatch", FAULT, where, "we are set to CRC4 and the far end sends none",
                      f"trunk-setup set --span {span.number}:crc4=no, or ask the carrier to switch CRC4 on")


def red(span, card, where, defects):
    if defects is None:
        pulled = "this driver does not tell which: pull the plug, and if nothing changes there is no signal"
        if card and card.driver == "wcte11xp":
            pulled += "; it calls all ones (AIS) red, too"
        return Finding("red", FAULT, where, "no signal, or a signal without our frames (red alarm)",
                       f"look at the cable first, then at framing and line type; {pulled}")
    if "los" in defects:
        return Finding("no-cable", FAULT, where, "no signal at all: no cable, a broken one, or the far end is off",
                       "look at plug and cable; a T1/E1 wants 1-2 receive and 4-5 transmit, crossed between two equals; "
                       "try a loopback plug (1-4, 2-5): the alarm must go")
    if "lfa" in defects:
        other = {"e1": "an E1", "t1": "a T1, ESF or D4"}.get(span.kind, "")
        return Finding("wrong-framing", FAULT, where,
                       f"there is a signal, but no frames of {span.framing or 'our kind'} in it: the framing is another",
                       f"ask the carrier for framing and coding; is the line {other} at all?")
    if "lmfa" in defects:
        return Finding("wrong-multiframe", FAULT, where, "frames, but no multiframes: CAS or CRC4 is set otherwise at the far end",
                       f"compare framing (ccs or cas) and crc4 with the carrier's; trunk-setup set --span {span.number}:...")
    return Finding("red", FAULT, where, "red alarm", "look at cable, framing and line type")


def counter_findings(span, before, where, seconds):
    told = f"in {seconds:g} s" if before else "since the span was started"
    slips, crc, ebit = (growth(span, before, name) for name in ("slips", "crc4", "ebit"))
    if slips:
        yield Finding("clock-slips", FAULT if before else WARNING, where, f"{slips} clock slips {told}: two clocks that are not one",
                      "take the clock from the carrier's line (clock=line) on one span, and be the clock (clock=internal) "
                      "only towards equipment that follows us; faxes and modems fail on slips")
    if crc and before and crc / seconds > CRC4_STORM and not growth(span, before, "bpv"):
        yield Finding("crc4-mismatch", FAULT, where, f"{crc} CRC4 errors {told} on a clean line: the far end does not send CRC4",
                      f"trunk-setup set --span {span.number}:crc4=no, or ask the carrier to switch CRC4 on")
    elif crc or growth(span, before, "bpv") or growth(span, before, "fas"):
        counts = ", ".join(f"{growth(span, before, n)} {word}" for n, word in
                           (("bpv", "code violations"), ("crc4", "CRC4 errors"), ("fas", "framing errors")) if growth(span, before, n))
        yield Finding("bit-errors", WARNING, where, f"{counts} {told}: octets arrive damaged",
                      "look at cable, plugs and its distance from power; too long a cable wants another lbo")
    if ebit:
        yield Finding("far-end-errors", WARNING, where, f"{ebit} E-bit errors {told}: the far end receives our octets damaged",
                      "look at the transmit pair")
    if growth(span, before, "irq_misses"):
        yield Finding("irq-missed", WARNING, where, f"{growth(span, before, 'irq_misses')} interrupts were served late or never {told}",
                      "see whether its interrupt is shared; look for drivers that block interrupts (disk, graphics), and for a VM's host")


def configured(span):
    return [channel for channel in span.channels if channel.signalling not in ("", "Reserved")]


def configuration_findings(span, card, where, wanted):
    done = configured(span)
    stopped = bool(card and card.report.get("running") == "0")
    if not done:
        yield Finding("not-configured", FAULT, where, "dahdi_cfg has not configured the span", "trunk-setup start")
    elif stopped or len(done) < span.size // 2:
        yield Finding("half-configured", FAULT, where, f"dahdi_cfg stopped half-way: {len(done)} of {span.size} channels are "
                      "configured and the span is not started",
                      "run dahdi_cfg -v and read its first error; most often an echo canceller's module is not loaded "
                      "(modprobe dahdi_echocan_mg2)")
    elif wanted and span.card and span.framing and wanted.lineconfig != span.framing:
        yield Finding("config-differs", FAULT, where, f"the span runs as {span.framing}, system.conf says {wanted.lineconfig}",
                      "stop trunkd and run trunk-setup start")


def d_channel_findings(span, where, trunkd, wanted):
    slots = [channel for channel in span.channels if channel.signalling in ("HDLCFCS", "Hardware-assisted HDLC")]
    if not slots or span.alarms & {"RED", "BLUE"}:
        return
    told = trunkd.get(wanted.name if wanted else f"span{span.number}") if trunkd else None
    if not any(channel.in_use for channel in slots):
        yield Finding("d-channel-closed", WARNING, where, "nobody has opened the D-channel: trunkd does not run, or not with this span",
                      "systemctl start trunkd; journalctl -u trunkd says why it did not")
    elif told and not told["d_channel_up"]:
        yield Finding("d-channel-down", FAULT, where, f"the line is well but its D-channel (timeslot {slots[0].slot}) is not up: "
                      "the far end does not answer our SABME",
                      "both ends may be set to the same side (pri-cpe towards a carrier, pri-network towards a PBX), the D-channel "
                      "may be in another timeslot, or the carrier has not switched the PRI on; trunkctl trace shows the frames")


def span_findings(machine, span, before, seconds, trunkd, wanted):
    where = f"span {span.number}"
    card = machine.span_card(span)
    broken = list(configuration_findings(span, card, where, wanted))
    yield from broken
    if any(f.code in ("not-configured", "half-configured") for f in broken):
        return
    yield from alarm_findings(span, card, where)
    if not span.alarms & {"RED", "BLUE"}:
        yield from counter_findings(span, before, where, seconds)
    yield from d_channel_findings(span, where, trunkd, wanted)


def findings(machine, before=None, seconds=0, trunkd=None, trunks=()):
    """@before: a look @seconds ago, or None. @trunkd: spans as trunkctl tells them, by name, or None. @trunks: as wished."""
    wanted = {trunk.number: trunk for trunk in trunks}
    earlier = {span.number: span for span in before.spans} if before else {}
    found = [*cards_findings(machine), *dahdi_findings(machine)]
    for span in machine.spans:
        found += span_findings(machine, span, earlier.get(span.number), seconds, trunkd, wanted.get(span.number))
    if machine.spans and not any(span.master for span in machine.spans):
        found.append(Finding("no-master", WARNING, "machine", "no span is DAHDI's clock", "trunk-setup start"))
    order = {FAULT: 0, WARNING: 1, NOTE: 2}
    return sorted(found, key=lambda finding: order[finding.severity])
