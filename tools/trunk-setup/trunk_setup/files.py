# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Files that are ours as long as nobody has changed them: a first line with a digest of the rest says so."""
import difflib
import hashlib
import os
import re
import tempfile
from pathlib import Path

from .plan import Refusal

HEAD = "# Written by trunk-setup, which asks before it overwrites changes to the lines below. digest "
BEGIN = "# trunk-setup: from here on its own lines; it asks before it overwrites changes to them. digest "
END = "# trunk-setup: to here"
BLOCK = re.compile(re.escape(BEGIN) + r"(\w+)\n(.*?)" + re.escape(END) + r"\n", re.DOTALL)
OPTIONS = "# options: "


def digest(body):
    return hashlib.sha256(body.encode()).hexdigest()[:32]


class File:
    """One file, whole or (@block) a part of it between two marks."""

    def __init__(self, root, name, body, block=False, example=None):
        self.name, self.block = "/" + name, block
        self.path = Path(root, name)
        self.old = self.path.read_text() if self.path.exists() else None
        basis = self.old
        if basis is None and example and Path(root, example).exists():
            basis = Path(root, example).read_text()
        self.basis = basis
        self.new = self.block_text(basis or "", body) if block else HEAD + digest(body) + "\n" + body

    @staticmethod
    def block_text(whole, body):
        part = BEGIN + digest(body) + "\n" + body + END + "\n"
        if BLOCK.search(whole):
            return BLOCK.sub(lambda _: part, whole, count=1)
        return whole + ("\n" if whole and not whole.endswith("\n\n") else "") + part

    @property
    def changes(self):
        return self.old != self.new

    @property
    def foreign(self):
        """Why overwriting needs a yes of its own, or "". """
        if self.old is None or not self.changes:
            return ""
        if self.block:
            found = BLOCK.search(self.old)
            if not found:
                return "was not written by trunk-setup; lines would be added at its end"
            return "" if digest(found[2]) == found[1] else "was changed by hand between trunk-setup's marks"
        first, _, rest = self.old.partition("\n")
        if not first.startswith(HEAD):
            return "was not written by trunk-setup"
        return "" if first[len(HEAD):].strip() == digest(rest) else "was changed by hand after trunk-setup wrote it"

    def diff(self):
        return "".join(difflib.unified_diff((self.old or "").splitlines(True), self.new.splitlines(True),
                                            self.name if self.old is not None else "/dev/null", self.name))

    def write(self):
        """Whole or not at all; what trunk-setup had not written is kept beside it."""
        if self.foreign:
            self.path.with_name(self.path.name + ".before-trunk-setup").write_text(self.old)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        status = self.path.stat() if self.old is not None else None
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        with os.fdopen(handle, "w") as file:
            file.write(self.new)
            os.fchmod(file.fileno(), status.st_mode & 0o7777 if status else 0o640 if self.block else 0o644)
            if status and os.geteuid() == 0:
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path)


def remembered(root):
    """The options with which system.conf was written, if trunk-setup wrote it."""
    path = Path(root, "etc/dahdi/system.conf")
    lines = path.read_text().splitlines() if path.exists() else []
    if not lines or not lines[0].startswith(HEAD):
        return []
    return next((line[len(OPTIONS):].split() for line in lines if line.startswith(OPTIONS)), [])


def refuse_double(file, names):
    """A span that stands in trunkd's configuration outside our lines would be there twice."""
    rest = BLOCK.sub("", file.basis or "")
    for name in names:
        if re.search(rf"^\s*\[span\s+{re.escape(name)}\s*\]", rest, re.MULTILINE):
            raise Refusal(f"{file.name} has a [span {name}] of its own: remove it, or use --span N:name=OTHER")
