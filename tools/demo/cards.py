# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Spans of this machine's cards that the demonstration can take in: configured in DAHDI, and nobody's at the moment."""
import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "trunk-setup"))
from trunk_setup.machine import Machine  # noqa: E402

D_CHANNELS = {"HDLCFCS", "Hardware-assisted HDLC"}
SWITCH = {"e1": "euroisdn", "t1": "ni2"}
# A group of their own: nothing that the demonstration does calls out by it.
GROUP = "cards"


def written(root):
    """What trunk-setup wrote for trunkd of each span: its keys, by DAHDI's number."""
    path = Path(root, "etc/trunkline/trunkd.conf")
    text = path.read_text(encoding="utf-8") if os.access(path, os.R_OK) else ""
    found = {}
    for part in re.split(r"(?m)^(?=\[)", text):
        keys = dict(re.findall(r"(?m)^(\w+) *= *(.*)$", part)) if part.startswith("[span ") else {}
        if keys.get("dahdi_span", "").isdigit():
            found[int(keys["dahdi_span"])] = keys
    return found


def keys_of(span, known):
    """For trunkd; None: CAS bits, and nobody has said which signals they carry."""
    if known:
        return dict(known, group=GROUP)
    if not any(channel.signalling in D_CHANNELS for channel in span.channels):
        return None
    return {"kind": span.kind, "backend": "dahdi", "dahdi_span": span.number, "signalling": "pri-cpe",
            "switch": SWITCH[span.kind], "group": GROUP}


def free_spans(root="/"):
    """(span, its keys) of each."""
    known = written(root)
    for span in Machine(root).spans:
        configured = any(channel.signalling for channel in span.channels)
        if configured and span.kind and not any(channel.in_use for channel in span.channels):
            keys = keys_of(span, known.get(span.number))
            if keys:
                yield span, keys


def sections(spans):
    return "\n".join("\n".join([f"[span card{span.number}]", *(f"{key} = {value}" for key, value in keys.items()), ""])
                     for span, keys in spans)


def names(spans):
    return ", ".join(f"span {span.number} ({span.kind.upper()}, {span.description or span.name})" for span, _ in spans)


def may_open(root="/"):
    return os.access(Path(root, "dev/dahdi/ctl"), os.R_OK | os.W_OK)
