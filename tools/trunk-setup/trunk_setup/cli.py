# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""The command line: show, set, start, check."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time

from . import diagnose, files, plan
from .machine import Machine, as_json, slot_map
from .plan import Refusal

ABOUT = """trunk-setup - from cards in a machine to trunks that work

  trunk-setup show     cards, spans and timeslots
  trunk-setup set      plan, show the changes, ask, write DAHDI's and trunkd's files, configure, check
  trunk-setup start    load the modules and configure the spans as written (at each start of the machine)
  trunk-setup check    what is wrong, in plain words
"""
END = """Options of set are remembered in system.conf: a second run without any changes nothing.
Status: 0 well, 1 faults were found, 2 refused, 3 not written because nobody said yes, 4 a command failed.

Examples:
  trunk-setup set --country de
  trunk-setup set --country us --span 2:signalling=pri-network,group=pbx
  trunk-setup set --country br --signalling r2 --dry-run
"""
FILES = ("etc/dahdi/system.conf", "etc/dahdi/modules", "etc/modprobe.d/trunkline-cards.conf")
TRUNKD = "etc/trunkline/trunkd.conf"
QUESTIONS = (
    ("country", "Which country's line is it (two letters)?"),
    ("signalling", "What does the line speak: " + ", ".join(plan.SIGNALLING) + "?"),
    ("clock", "Whose clock: line (the carrier's) or internal (ours)?"),
)


def arguments(words):
    parser = argparse.ArgumentParser(prog="trunk-setup", description=ABOUT, epilog=END,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("show", "set", "start", "check"))
    parser.add_argument("--country", help="two letters: line type, CRC4 and tones follow")
    for name in ("signalling", "kind", "framing", "crc4", "coding", "clock", "switch", "echo", "lbo"):
        parser.add_argument(f"--{name}", choices=plan.CHOICES[name], help="for all spans")
    parser.add_argument("--group", help="trunk group in trunkd's configuration (carrier)")
    parser.add_argument("--span", action="append", default=[], metavar="N:KEY=VALUE,...", help="otherwise for span N; also name=")
    parser.add_argument("--driver", help="of the drivers that are able, this one")
    parser.add_argument("--dry-run", action="store_true", help="show the changes, write nothing, run nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask; still refuses files it did not write")
    parser.add_argument("--overwrite", action="store_true", help="with --yes: those, too; the old one is kept beside it")
    parser.add_argument("--seconds", type=float, help="how long check watches the counters (3; with --root 0)")
    parser.add_argument("--root", default="/", help="of a recorded tree instead of this machine; runs nothing")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser.parse_args(words)


def overrides(words):
    found = {}
    for word in words:
        span, colon, rest = word.partition(":")
        if not colon or not span.isdigit():
            raise Refusal(f"--span {word}: expected N:KEY=VALUE,...")
        found[int(span)] = ",".join(filter(None, (found.get(int(span)), rest)))
    return found


def remembered_words(args):
    """The options of this run as they are remembered."""
    words = []
    for name in ("country", "signalling", "kind", "framing", "crc4", "coding", "clock", "switch", "echo", "lbo", "group", "driver"):
        if getattr(args, name):
            words += [f"--{name}", getattr(args, name)]
    return words + [word for span in args.span for word in ("--span", span)]


def said_nothing(args):
    return not remembered_words(args)


def recall(args):
    """Without options, those of the last time."""
    words = files.remembered(args.root) if said_nothing(args) else []
    if words:
        known = arguments([args.command, *words])
        for name in vars(known):
            if name not in ("command", "root", "json", "yes", "overwrite", "dry_run", "seconds"):
                setattr(args, name, getattr(known, name))
    return bool(words)


def ask(args):
    for name, question in QUESTIONS:
        fallback = {"country": "de", "signalling": "pri-cpe", "clock": "internal" if args.signalling == "pri-network" else "line"}[name]
        while True:
            answer = input(f"{question} [{fallback}] ").strip() or fallback
            try:
                plan.check(name, answer)
                break
            except Refusal as refusal:
                print(refusal)
        setattr(args, name, answer)


def wish_of(args):
    given = {name: getattr(args, name) for name in
             ("country", "signalling", "kind", "framing", "crc4", "coding", "clock", "switch", "echo", "lbo", "group")
             if getattr(args, name)}
    for name, value in given.items():
        plan.check(name, value)
    return plan.Wish(**given)


def planned(args, machine):
    wish = wish_of(args)
    return wish, plan.trunks_of(machine, wish, overrides(args.span))


def planned_files(args, machine, wish, trunks):
    options = files.OPTIONS + " ".join(remembered_words(args)) + "\n\n"
    bodies = (options + plan.system_conf(trunks, wish), plan.modules(machine, trunks, args.driver),
              plan.modprobe_conf(machine, trunks, args.driver))
    result = [files.File(args.root, name, body) for name, body in zip(FILES, bodies)]
    trunkd = files.File(args.root, TRUNKD, plan.trunkd_conf(trunks, wish.country), block=True, example=TRUNKD + ".example")
    files.refuse_double(trunkd, [trunk.name for trunk in trunks])
    return [*result, trunkd]


def run(command):
    """Runs; what it says goes to stderr, so that --json stays clean."""
    if not shutil.which(command[0]):
        raise OSError(f"{command[0]} is not installed (packages dahdi and kmod)")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stdout.strip() or 'failed'}")


def module_names(root):
    path = Machine(root).path(FILES[1])
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.split()[0] for line in lines if line.split() and not line.lstrip().startswith("#")]


DRIVERS_PROBE = "/sys/bus/pci/drivers_probe"
UDEV = "/run/udev/control"


def start(args):
    for module in module_names(args.root):
        run(["modprobe", module])
    machine = Machine(args.root)
    free = [card.address for card in machine.cards if not card.driver]
    for address in free:  # a driver that was loaded while another held the card does not come back to it by itself
        with open(DRIVERS_PROBE, "w", encoding="ascii") as probe:
            probe.write(address)
    if free:
        machine = Machine(args.root)
    if machine.unassigned:
        run(["dahdi_span_assignments", "auto"])
        machine = Machine(args.root)
    busy = sorted({span.number for span in machine.spans for channel in span.channels if channel.in_use})
    if busy:
        raise OSError(f"span {', '.join(map(str, busy))} is in use: stop trunkd, then trunk-setup start")
    run(["dahdi_cfg"])
    if os.path.exists(UDEV):  # its rules give the device nodes to the group dahdi: trunkd, which comes next, must find it done
        run(["udevadm", "settle"])


def trunkd_spans():
    """Spans by name as a running trunkd tells them, or None."""
    trunkctl = shutil.which("trunkctl")
    if not trunkctl:
        return None
    try:
        done = subprocess.run([trunkctl, "--json", "spans"], capture_output=True, text=True, timeout=10, check=True)
        return {span["span"]: span for span in json.loads(done.stdout)["spans"]}
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None


def examine(args):
    live = args.root == "/"
    seconds = args.seconds if args.seconds is not None else 3 if live else 0
    before = Machine(args.root) if seconds else None
    if seconds:
        time.sleep(seconds)
    machine = Machine(args.root)
    try:
        trunks = planned(args, machine)[1] if not said_nothing(args) else ()
    except Refusal:
        trunks = ()
    return machine, diagnose.findings(machine, before, seconds, trunkd_spans() if live else None, trunks)


def print_machine(machine):
    for card in machine.cards:
        print(f"card {card.address}  {card.model.name}  driver {card.driver or 'none'}  interrupt {card.irq}")
    for span in machine.spans:
        alarms = " ".join(sorted(span.alarms)) or "OK"
        print(f"span {span.number}  {span.kind.upper()}  {span.framing or 'not configured'}  {alarms}  {span.name} \"{span.description}\"")
        letters = slot_map(span)
        print("  " + " ".join(letters[i:i + 8] for i in range(0, len(letters), 8)))
    if machine.spans:
        print("timeslots from 1: B bearer  D D-channel  C CAS  . not configured; small letters: in use")


def print_findings(found):
    for finding in found:
        print(f"{finding.severity}: {finding.where}: {finding.what}\n    {finding.do}")
    if not found:
        print("all is well")


def report(args, machine, found, **more):
    if args.json:
        print(json.dumps({**as_json(machine), "findings": [finding.as_json() for finding in found], **more}, indent=1))
    else:
        print_findings(found)
    return int(any(finding.severity == diagnose.FAULT for finding in found))


def may_write(args, changed):
    """Whether somebody said yes to each change; complains of what stands in the way."""
    strange = [(file, file.foreign) for file in changed if file.foreign]
    if args.yes:
        if strange and not args.overwrite:
            for file, why in strange:
                print(f"trunk-setup: {file.name} {why}; --overwrite allows it", file=sys.stderr)
            return False
        return True
    if not sys.stdin.isatty():
        print("trunk-setup: nothing written: nobody to ask, and no --yes", file=sys.stderr)
        return False
    for file, why in strange:
        if input(f"{file.name} {why}. Overwrite it? The old one is kept beside it. [no] ").strip().lower() not in ("y", "yes"):
            return False
    return input("Write these files? [no] ").strip().lower() in ("y", "yes")


def set_up(args):
    machine = Machine(args.root)
    known = recall(args)
    if said_nothing(args) and not known and sys.stdin.isatty():
        ask(args)
    if not machine.cards and not machine.spans:
        return report(args, machine, diagnose.findings(machine))
    wish, trunks = planned(args, machine)
    changed = [file for file in planned_files(args, machine, wish, trunks) if file.changes]
    told = [{"file": file.name, "foreign": file.foreign or None, "diff": file.diff()} for file in changed]
    if not args.json:
        for file in changed:
            print(file.diff())
        if not changed:
            print("nothing to change")
    if args.dry_run:
        if args.json:
            print(json.dumps({**as_json(machine), "changes": told}, indent=1))
        return 0
    if changed and not may_write(args, changed):
        return 3
    for file in changed:
        file.write()
    if args.root == "/" and (changed or any(f.code == "not-configured" for f in diagnose.findings(machine))):
        start(args)
    machine, found = examine(args)
    return report(args, machine, found, changes=told)


def show(args):
    machine = Machine(args.root)
    if args.json:
        print(json.dumps(as_json(machine), indent=1))
    else:
        print_machine(machine)
    return 0


def check(args):
    recall(args)
    return report(args, *examine(args))


def main(words=None):
    args = arguments(sys.argv[1:] if words is None else words)
    try:
        if args.command == "start":
            if args.root != "/":
                raise Refusal("start: not on a recorded tree")
            start(args)
            return 0
        return {"show": show, "set": set_up, "check": check}[args.command](args)
    except Refusal as refusal:
        print(f"trunk-setup: {refusal}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"trunk-setup: {error}", file=sys.stderr)
        return 4
    except (EOFError, KeyboardInterrupt):
        return 3
