#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""make install into a folder: what arrives works, and make uninstall takes it all away."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", TOP / "build")).resolve()
UNITS = ("trunkd.service", "deskd.service", "trunkline-cards.service")
# systemd's own measure of what a service could do to a machine, 0 to 10. trunkd reaches the network, DAHDI and SCHED_FIFO.
# deskd may call sched_setattr (0.1 of it), which GLib does for the threads of its pools.
EXPOSURE_MOST = {"trunkd.service": 2.1, "deskd.service": 1.4, "trunkline-cards.service": 4.4}


def make(target, root):
    environment = {**os.environ, "MAKEFLAGS": "", "MAKELEVEL": ""}
    subprocess.run(["make", f"BUILD={BUILD}", f"DESTDIR={root}", "PREFIX=/usr", target], cwd=TOP, env=environment,
                   check=True, capture_output=True, text=True, timeout=600)


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = Path(cls.folder.name)
        make("install", cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def text(self, name):
        return (self.root / name).read_text()

    def test_programs_run(self):
        for name in "sbin/trunkd", "sbin/deskd", "bin/exchange", "bin/line-test", "bin/trunkctl", "sbin/trunk-setup":
            word = "--help" if name in ("sbin/trunk-setup", "bin/trunkctl") else "--version"
            done = subprocess.run([self.root / "usr" / name, word], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_nothing_is_left_to_fill_in(self):
        for file in self.root.rglob("*"):
            if file.is_file() and file.suffix in (".service", ".conf", ".example", ".rules"):
                self.assertNotRegex(file.read_text(), r"@\w+@", file)

    def test_daemons_take_the_examples(self):
        for daemon in "trunkd", "deskd":
            example = self.root / f"etc/trunkline/{daemon}.conf.example"
            done = subprocess.run([self.root / f"usr/sbin/{daemon}", "--config", example, "--check"], capture_output=True,
                                  text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_examples_belong_together(self):
        node, desk = (self.text(f"etc/trunkline/{daemon}.conf.example") for daemon in ("trunkd", "deskd"))
        self.assertEqual(set(re.findall(r"change-this-\w+-token", node)), set(re.findall(r"change-this-\w+-token", desk)))
        socket = re.search(r"^socket = (.*)$", node, re.MULTILINE)[1]
        self.assertIn(f"address = unix:{socket}\n", desk)
        self.assertTrue((self.root / re.search(r"^sounds_dir = /(.*)$", node, re.MULTILINE)[1] / "closed.wav").exists())

    def test_trunk_setup_fills_in_the_example(self):
        """Its marks in the example are its own: a first run on a card needs no --overwrite."""
        machine = self.root / "machine"
        (machine / "etc/trunkline").mkdir(parents=True)
        self.addCleanup(shutil.rmtree, machine)
        shutil.copy(self.root / "etc/trunkline/trunkd.conf.example", machine / "etc/trunkline/trunkd.conf")
        import tree
        tree.unpack((TOP / "tests/setup/recorded/tl_t1e1-ok.tree").read_text(), machine)
        done = subprocess.run([self.root / "usr/sbin/trunk-setup", "set", "--country", "de", "--span", "1:group=west", "--yes",
                               "--root", machine], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.text("machine/etc/trunkline/trunkd.conf").count("[span "), 1)
        self.assertIn("group = west", self.text("machine/etc/trunkline/trunkd.conf"))

    def analyze(self, *words):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        return subprocess.run(["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, timeout=60)

    def test_units_are_understood(self):
        """systemd-analyze complains of unknown keys and words, and of programs that are not there, as they are not."""
        done = self.analyze("verify", "--man=no", "--recursive-errors=no", *(self.root / "lib/systemd/system" / unit for unit in UNITS))
        said = [line for line in done.stderr.splitlines()
                if any(unit in line for unit in UNITS) and "is not executable" not in line]
        self.assertEqual(said, [])
        for unit in UNITS:
            for program in re.findall(r"^Exec\w+=(\S+)", self.text(f"lib/systemd/system/{unit}"), re.MULTILINE):
                self.assertTrue((self.root / program[1:]).exists() or Path(program).exists(), program)

    def test_units_are_tight(self):
        for unit in UNITS:
            done = self.analyze("security", "--offline=true", self.root / "lib/systemd/system" / unit)
            level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)[1])
            self.assertLessEqual(level, EXPOSURE_MOST[unit], unit)

    def test_users_and_directories(self):
        if not shutil.which("systemd-sysusers"):
            self.skipTest("systemd-sysusers is not installed")
        (self.root / "etc").mkdir(exist_ok=True)
        subprocess.run(["systemd-sysusers", f"--root={self.root}", "trunkline.conf"], check=True, capture_output=True, timeout=60)
        groups = dict(line.split(":")[0::3] for line in self.text("etc/group").splitlines())
        self.assertEqual(groups["dahdi"], "trunkline")
        self.assertEqual(groups["trunkline"], "trunkline-desk")
        wanted = {word for unit in UNITS for word in re.findall(r"^(?:User|Group|SupplementaryGroups)=(\S+)",
                                                               self.text(f"lib/systemd/system/{unit}"), re.MULTILINE)}
        users = {line.split(":")[0] for line in self.text("etc/passwd").splitlines()}
        self.assertLessEqual(wanted, users | set(groups))
        for name in "etc/passwd", "etc/group", "etc/shadow", "etc/gshadow":
            (self.root / name).unlink(missing_ok=True)

    def test_uninstall(self):
        with tempfile.TemporaryDirectory() as folder:
            make("install", folder)
            mine = Path(folder, "etc/trunkline/trunkd.conf")
            mine.write_text("[node]\n")
            make("uninstall", folder)
            self.assertEqual([file for file in Path(folder).rglob("*") if not file.is_dir()], [mine])


if __name__ == "__main__":
    unittest.main()
