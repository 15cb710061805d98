#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""trunk-setup on recorded machines: each symptom, what it writes, and what it leaves alone."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOL = HERE.parents[1] / "tools/trunk-setup"
TRUNKD = Path(os.environ.get("BUILD", HERE.parents[1] / "build"), "release/trunkd")
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(TOOL)]

import tree  # noqa: E402
from trunk_setup import diagnose, plan  # noqa: E402
from trunk_setup.machine import Machine  # noqa: E402

CARD = "sys/devices/pci0000:00/0000:00:05.0"
WRITTEN = ("etc/dahdi/system.conf", "etc/dahdi/modules", "etc/modprobe.d/trunkline-cards.conf", "etc/trunkline/trunkd.conf")


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def machine(self, name):
        tree.unpack((HERE / "recorded" / f"{name}.tree").read_text(), self.root)

    def change(self, path, old, new):
        file = self.root / path
        text = file.read_text()
        self.assertIn(old, text)
        file.write_text(text.replace(old, new))

    def run_tool(self, *words, status=0):
        done = subprocess.run([TOOL / "trunk-setup", *words, "--root", self.root], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def codes(self):
        return [finding.code for finding in diagnose.findings(Machine(self.root))]

    def written(self):
        return {name: (self.root / name).read_text() for name in WRITTEN}


class Symptoms(Case):
    """What was recorded of a card on which the fault was really there."""

    def expect(self, recorded, *codes):
        self.machine(recorded)
        self.assertEqual(sorted(self.codes()), sorted(codes))

    def test_well(self):
        self.expect("tl_t1e1-ok", "d-channel-closed")

    def test_no_cable(self):
        self.expect("tl_t1e1-los", "no-cable")

    def test_wrong_framing(self):
        self.expect("tl_t1e1-lfa", "wrong-framing")

    def test_ais(self):
        self.expect("tl_t1e1-ais", "ais")

    def test_far_end_deaf(self):
        self.expect("tl_t1e1-rai", "far-end-deaf", "d-channel-closed")

    def test_crc4_mismatch(self):
        self.expect("tl_t1e1-nmf", "crc4-mismatch", "d-channel-closed")

    def test_errors(self):
        self.expect("tl_t1e1-errors", "bit-errors", "clock-slips", "far-end-errors", "d-channel-closed")

    def test_interrupts_missed(self):
        self.expect("tl_t1e1-irq", "bit-errors", "clock-slips", "far-end-errors", "irq-missed", "d-channel-closed")

    def test_no_driver(self):
        self.expect("tl_t1e1-no-driver", "no-driver", "no-dahdi")

    def test_unassigned(self):
        self.expect("tl_t1e1-unassigned", "span-unassigned")

    def test_not_configured(self):
        self.expect("tl_t1e1-fresh", "not-configured")

    def test_not_configured_by_dahdis_driver(self):
        self.expect("wcte11xp-fresh", "not-configured")

    def test_half_configured(self):
        self.expect("tl_t1e1-stopped", "half-configured")

    def test_half_configured_by_dahdis_driver(self):
        self.expect("wcte11xp-stopped", "half-configured")

    def test_red_of_a_driver_that_says_no_more(self):
        for recorded in "los", "lfa", "ais":
            with self.subTest(recorded), tempfile.TemporaryDirectory() as folder:
                self.root = Path(folder)
                self.machine(f"wcte11xp-{recorded}")
                self.assertIn("red", self.codes())

    def test_missing_crc4_that_wcte11xp_calls_blue(self):
        self.machine("wcte11xp-nmf")
        blue, = (f for f in diagnose.findings(Machine(self.root)) if f.code == "ais")
        self.assertIn("crc4=no", blue.what)

    def test_interrupt_shared(self):
        self.machine("tl_t1e1-ok")
        self.change("proc/interrupts", "IO-APIC  10-fasteoi   tl_t1e1", "IO-APIC  10-fasteoi   ehci_hcd:usb1, tl_t1e1")
        shared, = (f for f in diagnose.findings(Machine(self.root)) if f.code == "irq-shared")
        self.assertIn("ehci_hcd:usb1", shared.what)

    def test_interrupt_not_shared_with_a_neighbours_number(self):
        self.machine("tl_t1e1-ok")
        self.change("proc/interrupts", "IO-APIC  12-edge      i8042", "IO-APIC  12-edge      i8042, ehci_hcd:usb1")
        self.assertNotIn("irq-shared", self.codes())

    def test_other_driver(self):
        self.machine("tl_t1e1-no-driver")
        (self.root / CARD / "driver").symlink_to("../../../bus/pci/drivers/netjet")
        other, = (f for f in diagnose.findings(Machine(self.root)) if f.code == "other-driver")
        self.assertIn("netjet", other.what)

    def test_nodes_that_trunkd_may_not_open(self):
        self.machine("tl_t1e1-ok")
        node = self.root / "dev/dahdi/ctl"
        node.parent.mkdir(parents=True)
        for mode, closed in (0o600, True), (0o644, True), (0o666, False):
            node.touch()
            node.chmod(mode)
            self.assertEqual("nodes-closed" in self.codes(), closed, oct(mode))

    def test_second_driver(self):
        self.machine("wcte11xp-ok")
        self.assertNotIn("second-driver", self.codes())
        modules = self.root / "lib/modules/6.1/modules.dep"
        modules.parent.mkdir(parents=True)
        modules.write_text("updates/dkms/tl_t1e1.ko: \n")
        self.assertIn("second-driver", self.codes())

    def test_no_card(self):
        self.assertEqual(self.codes(), ["no-card"])

    def test_multiframe_lost(self):
        self.machine("tl_t1e1-lfa")
        self.change(f"{CARD}/t1e1/defects", "lfa lmfa", "lmfa")
        self.assertIn("wrong-multiframe", self.codes())

    def test_config_differs(self):
        self.machine("tl_t1e1-ok")
        machine = Machine(self.root)
        trunks = plan.trunks_of(machine, plan.Wish(crc4="no"), {})
        self.assertIn("config-differs", [f.code for f in diagnose.findings(machine, trunks=trunks)])

    def test_d_channel_down(self):
        self.machine("tl_t1e1-ok")
        self.change("proc/dahdi/1", "HDLCFCS ", "HDLCFCS (In use) ")
        for up, code in ((False, ["d-channel-down"]), (True, [])):
            found = diagnose.findings(Machine(self.root), trunkd={"span1": {"span": "span1", "d_channel_up": up}})
            self.assertEqual([finding.code for finding in found], code)

    def test_growth_is_what_counts(self):
        self.machine("tl_t1e1-errors")
        now, before = Machine(self.root), Machine(self.root)
        self.assertEqual([f.code for f in diagnose.findings(now, before, 3)], ["d-channel-closed"])
        before.spans[0].counters["slips"] = 1
        slips = diagnose.findings(now, before, 3)[0]
        self.assertEqual((slips.code, slips.severity), ("clock-slips", "fault"))
        self.assertIn("2 clock slips in 3 s", slips.what)

    def test_crc4_storm_is_a_mismatch(self):
        self.machine("wcte11xp-ok")
        now, before = Machine(self.root), Machine(self.root)
        now.spans[0].counters["crc4"] = 2900
        self.assertIn("crc4-mismatch", [f.code for f in diagnose.findings(now, before, 3)])
        now.spans[0].counters["crc4"] = 20
        self.assertIn("bit-errors", [f.code for f in diagnose.findings(now, before, 3)])

    def test_status_and_json(self):
        self.machine("tl_t1e1-los")
        told = json.loads(self.run_tool("check", "--json", status=1).stdout)
        self.assertEqual([f["code"] for f in told["findings"]], ["no-cable"])
        self.assertEqual(told["cards"][0]["driver"], "tl_t1e1")
        self.assertEqual(told["spans"][0]["alarms"], ["RED"])
        self.assertEqual(told["spans"][0]["slots"], "B" * 15 + "D" + "B" * 15)


class Writing(Case):
    def test_pri(self):
        self.machine("tl_t1e1-fresh")
        self.run_tool("set", "--country", "de", "--yes", status=1)  # still to be started: that is a fault
        files = self.written()
        self.assertIn("span=1,1,0,ccs,hdb3,crc4\nbchan=1-15,17-31\ndchan=16\nechocanceller=mg2,1-15,17-31\n",
                      files["etc/dahdi/system.conf"])
        self.assertIn("loadzone=de\n", files["etc/dahdi/system.conf"])
        self.assertRegex(files["etc/dahdi/modules"], r"\ndahdi\ntl_t1e1\ndahdi_echocan_mg2\n")
        self.assertIn("options dahdi auto_assign_spans=1\noptions tl_t1e1 line=e1\n", files[WRITTEN[2]])
        self.assertIn("blacklist hisax\nblacklist netjet\nblacklist wcte11xp\n", files[WRITTEN[2]])
        self.assertIn("[span span1]\nkind = e1\nbackend = dahdi\ndahdi_span = 1\nsignalling = pri-cpe\nswitch = euroisdn\n",
                      files["etc/trunkline/trunkd.conf"])

    def test_twice(self):
        self.machine("tl_t1e1-ok")
        self.run_tool("set", "--country", "de", "--span", "1:group=west,name=main", "--yes")
        first = self.written()
        stamps = [(self.root / name).stat().st_mtime_ns for name in WRITTEN]
        for words in ([], ["--country", "de", "--span", "1:group=west,name=main"]):
            self.assertIn("nothing to change", self.run_tool("set", *words, "--yes").stdout)
        self.assertEqual(self.written(), first)
        self.assertEqual([(self.root / name).stat().st_mtime_ns for name in WRITTEN], stamps)
        self.assertIn("[span main]", first["etc/trunkline/trunkd.conf"])

    def test_own_files_change_without_asking(self):
        self.machine("tl_t1e1-ok")
        self.run_tool("set", "--country", "de", "--yes")
        told = self.run_tool("set", "--country", "de", "--crc4", "no", "--yes", status=1)  # the span still runs with it
        self.assertIn("-span=1,1,0,ccs,hdb3,crc4\n+span=1,1,0,ccs,hdb3\n", told.stdout)
        self.assertIn("system.conf says CCS/HDB3", told.stdout)

    def test_dry_run(self):
        self.machine("tl_t1e1-ok")
        self.assertIn("+span=1,1,0,ccs,hdb3,crc4", self.run_tool("set", "--dry-run").stdout)
        changes = json.loads(self.run_tool("set", "--dry-run", "--json").stdout)["changes"]
        self.assertEqual([change["file"] for change in changes], ["/" + name for name in WRITTEN])
        self.assertFalse(any((self.root / name).exists() for name in WRITTEN))

    def test_nobody_to_ask(self):
        self.machine("tl_t1e1-ok")
        self.run_tool("set", "--country", "de", status=3)
        self.assertFalse(any((self.root / name).exists() for name in WRITTEN))

    def test_strange_files(self):
        """One file that somebody else wrote: none is written, until that is allowed."""
        for name in WRITTEN:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                self.root = Path(folder)
                self.machine("tl_t1e1-ok")
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                (self.root / name).write_text("# mine\n")
                told = self.run_tool("set", "--country", "de", "--yes", status=3)
                self.assertIn(f"/{name} was not written by trunk-setup", told.stderr)
                self.assertEqual([n for n in WRITTEN if (self.root / n).exists()], [name])
                self.assertEqual((self.root / name).read_text(), "# mine\n")
                self.run_tool("set", "--country", "de", "--yes", "--overwrite")
                self.assertEqual((self.root / f"{name}.before-trunk-setup").read_text(), "# mine\n")

    def test_changed_by_hand(self):
        for name in WRITTEN:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                self.root = Path(folder)
                self.machine("tl_t1e1-ok")
                self.run_tool("set", "--country", "de", "--yes")
                line = {"etc/trunkline/trunkd.conf": "group = carrier\n"}.get(name) or self.written()[name].splitlines(True)[-1]
                self.change(name, line, line + "# by hand\n")
                told = self.run_tool("set", "--country", "us" if "dahdi" not in name else "gb", "--kind", "e1", "--yes", "--crc4", "no",
                                     "--switch", "ni2", "--echo", "kb1", "--driver", "wcte11xp", status=3)
                self.assertIn(f"/{name} was changed by hand", told.stderr)
                self.assertIn("# by hand", (self.root / name).read_text())

    def test_rest_of_trunkds_file_stays(self):
        self.machine("tl_t1e1-ok")
        file = self.root / "etc/trunkline/trunkd.conf"
        file.parent.mkdir(parents=True)
        file.write_text("[node]\nname = here\n")
        file.chmod(0o600)
        self.run_tool("set", "--yes", "--overwrite")
        file.write_text(file.read_text() + "\n[route all]\nto = group:carrier\n")
        self.run_tool("set", "--group", "other", "--yes")
        text = file.read_text()
        self.assertTrue(text.startswith("[node]\nname = here\n"))
        self.assertTrue(text.endswith("\n[route all]\nto = group:carrier\n"))
        self.assertEqual((text.count("[span span1]"), text.count("group = other")), (1, 1))
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)

    def test_example_is_where_trunkds_file_begins(self):
        self.machine("tl_t1e1-ok")
        example = self.root / "etc/trunkline/trunkd.conf.example"
        example.parent.mkdir(parents=True)
        example.write_text("[node]\nname = example\n")
        self.run_tool("set", "--yes")
        self.assertTrue((self.root / "etc/trunkline/trunkd.conf").read_text().startswith("[node]\nname = example\n"))

    def test_span_that_is_there_already(self):
        self.machine("tl_t1e1-ok")
        file = self.root / "etc/trunkline/trunkd.conf"
        file.parent.mkdir(parents=True)
        file.write_text("[span span1]\nkind = e1\n")
        self.assertIn("[span span1] of its own", self.run_tool("set", "--yes", "--overwrite", status=2).stderr)
        self.run_tool("set", "--span", "1:name=other", "--yes", "--overwrite")

    def test_trunkd_takes_it(self):
        if not TRUNKD.exists():
            self.skipTest(f"{TRUNKD} is not built")
        self.machine("tl_t1e1-ok")
        for words in ([], ["--signalling", "pri-network"], ["--signalling", "r2"], ["--signalling", "none"]):
            self.run_tool("set", *words, "--country", "de", "--yes", *(["--json"] if words else []),
                          status=1 if "r2" in words else 0)
            done = subprocess.run([TRUNKD, "--config", self.root / "etc/trunkline/trunkd.conf", "--check"],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)


class Planning(Case):
    """Lines for machines that were not at hand: spans of several kinds."""

    def spans(self, *kinds):
        self.machine("tl_t1e1-ok")
        machine = Machine(self.root)
        template, machine.spans = machine.spans[0], []
        base = 1
        for number, kind in enumerate(kinds, 1):
            machine.spans.append(type(template)(number, kind=kind, base=base, card=template.card))
            base += plan.TIMESLOTS[kind]
        return machine

    def lines(self, machine, wish, overrides=None):
        text = plan.system_conf(plan.trunks_of(machine, wish, overrides or {}), wish)
        return [line for line in text.splitlines() if line and not line.startswith("#")]

    def test_t1(self):
        lines = self.lines(self.spans("t1"), plan.Wish(country="us", echo="none"))
        self.assertEqual(lines, ["span=1,1,0,esf,b8zs", "bchan=1-23", "dchan=24", "loadzone=us", "defaultzone=us"])

    def test_mixed(self):
        lines = self.lines(self.spans("e1", "t1", "e1"), plan.Wish(country="br", echo="none"),
                           {1: "signalling=r2", 2: "signalling=cas-em-wink,framing=d4", 3: "signalling=pri-network,crc4=yes"})
        self.assertEqual(lines[:-2], ["span=1,1,0,cas,hdb3", "cas=1-15,17-31:1101", "span=2,2,0,d4,ami", "cas=32-55:0000",
                                      "span=3,0,0,ccs,hdb3,crc4", "bchan=56-70,72-86", "dchan=71"])

    def test_two_trunks_take_the_clock_in_turn(self):
        lines = self.lines(self.spans("e1", "e1"), plan.Wish(echo="none"))
        self.assertEqual([line for line in lines if line.startswith("span")],
                         ["span=1,1,0,ccs,hdb3,crc4", "span=2,2,0,ccs,hdb3,crc4"])

    def test_card_whose_driver_is_not_loaded(self):
        self.machine("tl_t1e1-no-driver")
        self.assertEqual(self.lines(Machine(self.root), plan.Wish(country="us", echo="none"))[:3],
                         ["span=1,1,0,esf,b8zs", "bchan=1-23", "dchan=24"])

    def test_refusals(self):
        machine = self.spans("e1", "t1")
        for words, expected in ((dict(framing="cas"), "needs framing ccs"), (dict(signalling="r2"), "r2 runs on an E1 only"),
                                (dict(coding="hdb3"), "coding hdb3 is none of an T1"), (dict(kind="e1"), "span 2 is an T1"),
                                (dict(crc4="yes"), "crc4 is an E1's"), (dict(name="same"), "given to two spans")):
            with self.assertRaisesRegex(plan.Refusal, re.escape(expected)):
                plan.trunks_of(machine, plan.Wish(**words), {})
        for word in "signalling=smoke", "colour=red", "group=a b", "crc4":
            with self.assertRaises(plan.Refusal):
                plan.trunks_of(machine, plan.Wish(), {1: word})
        with self.assertRaisesRegex(plan.Refusal, "there is none"):
            plan.trunks_of(machine, plan.Wish(), {7: "crc4=no"})

    def test_refused_on_the_command_line(self):
        self.machine("tl_t1e1-ok")
        self.assertIn("expected one of", self.run_tool("set", "--country", "xx", status=2).stderr)
        self.assertIn("expected N:KEY=VALUE", self.run_tool("set", "--span", "crc4=no", status=2).stderr)


if __name__ == "__main__":
    unittest.main()
