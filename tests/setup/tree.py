# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Recorded trees: what /proc and /sys say of a machine's cards, as one text file.

    # a comment
    == PATH          a file; its lines follow, each behind a bar
    |...
    -> PATH TARGET   a symbolic link
"""
import os
from pathlib import Path

PCI = ("vendor", "device", "subsystem_vendor", "subsystem_device", "class", "irq")
FILES = ("proc/dahdi/*", "proc/interrupts", "proc/modules", "proc/cmdline", "sys/module/dahdi/version",
         "sys/module/dahdi/parameters/auto_assign_spans")
BUSES = ("dahdi_spans", "dahdi_devices")


def relative(path):
    return path.as_posix().lstrip("/")


def text_of(path):
    try:
        return path.read_text(errors="replace")
    except OSError:  # files that can only be written
        return None


def of_device(device):
    """The files of a device of DAHDI or of a card that tell something."""
    for path in sorted(device.iterdir()):
        if path.is_file() and not path.is_symlink() and path.name not in ("uevent", "config", "resource"):
            yield path


def paths():
    for pattern in FILES:
        yield from sorted(p for p in Path("/").glob(pattern) if p.is_file())
    for link in sorted(Path("/sys/bus/pci/devices").glob("*")):
        yield link
        real = link.resolve()
        yield from (real / name for name in PCI)
        if (real / "driver").is_symlink():
            yield real / "driver"
        if (real / "t1e1").is_dir():
            yield from sorted((real / "t1e1").iterdir())
    for bus in BUSES:
        for link in sorted(Path(f"/sys/bus/{bus}/devices").glob("*")):
            yield link
            yield from of_device(link.resolve())


def pack(comment):
    lines = [f"# {comment}"]
    for path in paths():
        if path.is_symlink():
            lines.append(f"-> {relative(path)} {os.readlink(path)}")
            continue
        text = text_of(path)
        if text is not None:
            lines += [f"== {relative(path)}", *(f"|{line}" for line in text.splitlines())]
    return "\n".join(lines) + "\n"


def unpack(text, root):
    """Makes the tree under @root."""
    file = None
    for line in text.splitlines():
        if line.startswith("|"):
            file.write_text(file.read_text() + line[1:] + "\n")
        elif line.startswith("== "):
            file = Path(root, line[3:])
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")
        elif line.startswith("-> "):
            name, target = line[3:].split(" ")
            link = Path(root, name)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
        elif not line.startswith("#"):
            raise ValueError(f"{line!r}: expected a line of a recorded tree")
