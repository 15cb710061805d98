#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""What the demonstration offers on recorded machines, and that the daemons take the configuration that comes of it."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[1]
BUILD = Path(os.environ.get("BUILD", TREE / "build")).resolve()
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(TREE / "tools/demo")]

import cards  # noqa: E402
import tree  # noqa: E402

R2 = """# trunk-setup: from here on its own lines
[span carrier]
kind = e1
backend = dahdi
dahdi_span = 1
signalling = r2
r2_variant = br
group = carrier
"""


class Cards(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def machine(self, name, change=lambda text: text):
        tree.unpack(change((HERE / "recorded" / f"{name}.tree").read_text()), self.root)
        return list(cards.free_spans(self.root))

    def test_a_span_with_a_d_channel(self):
        (span, keys), = self.machine("tl_t1e1-ok")
        self.assertEqual((1, "pri-cpe", "cards"), (span.number, keys["signalling"], keys["group"]))
        self.assertEqual("span 1 (E1, TE110P T1/E1 Card 0)", cards.names([(span, keys)]))
        self.assertFalse(cards.may_open(self.root))

    def test_what_trunk_setup_wrote(self):
        conf = self.root / "etc/trunkline/trunkd.conf"
        conf.parent.mkdir(parents=True)
        conf.write_text(R2)
        (_, keys), = self.machine("tl_t1e1-ok")
        self.assertEqual(("r2", "br", "cards"), (keys["signalling"], keys["r2_variant"], keys["group"]))

    def test_not_configured(self):
        self.assertEqual([], self.machine("tl_t1e1-fresh"))
        self.assertEqual([], list(cards.free_spans("/nowhere")))

    def test_in_use(self):
        self.assertEqual([], self.machine("tl_t1e1-ok", lambda text: text.replace("HDLCFCS", "HDLCFCS (In use)")))

    def test_bits_of_nobody_knows_what(self):
        self.assertEqual([], self.machine("tl_t1e1-ok", lambda text: re.sub(r"(TLT1E1/0/\d+) (Clear|HDLCFCS)", r"\1 CAS", text)))

    def test_the_daemons_take_it(self):
        sections = cards.sections(self.machine("tl_t1e1-ok"))
        self.assertIn("[span card1]", sections)
        filling = {"card_spans": sections, "card_services": "[service 5550123]\notherwise = service:5551000\n", "run": str(self.root),
                   "sounds": str(self.root), "host": "127.0.0.1", "pw_near": "47010", "pw_far": "47011", "web_port": "8080", "web_tls": ""}
        for daemon in "trunkd", "deskd":
            text = (TREE / f"tools/demo/{daemon}.conf.in").read_text()
            path = self.root / f"{daemon}.conf"
            path.write_text(re.sub(r"@(\w+)@", lambda m: filling.get(m[1], "$argon2id$v=19$x" if m[1].endswith("_hash") else "x" * 12), text))
            done = subprocess.run([BUILD / "release" / daemon, "--config", path, "--check"], capture_output=True, text=True, timeout=60)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
