#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""trunkd and deskd as cases/stack-services.sh has installed and started them: units of systemd, on a card."""
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integration"))
from harness import Case, wait_until as wait_for  # noqa: E402
from outside import Card, Outside  # noqa: E402
import tap  # noqa: E402

UNITS = ("trunkd", "deskd")
BEARERS = 30
SYS_NICE = 1 << 23
CONF = Path("/etc/trunkline/trunkd.conf")


def wait_until(true, what):
    """Each look starts programs, which takes the machine's only core from what is waited for."""
    return wait_for(true, what, every_s=0.5)


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        log = subprocess.run(["journalctl", "-n", "40", "--no-pager", "-o", "cat"], capture_output=True, text=True)
        raise AssertionError(f"{' '.join(words)}: status {done.returncode}\n{done.stdout}{done.stderr}\n{log.stdout}")
    return done.stdout


def trunkctl(*words):
    return json.loads(run("trunkctl", "--json", *words))


def show(unit, name):
    return run("systemctl", "show", "--value", "-p", name, unit).strip()


def show_all(name):
    return run("systemctl", "show", "--value", "-p", name, *UNITS).split()


def status_of(unit):
    """What the kernel says of the unit's process."""
    return dict(re.findall(r"^(\w+):\s+(.*)$", Path("/proc", show(unit, "MainPID"), "status").read_text(), re.M))


class Services(Case):
    def setUp(self):
        super().setUp()
        self.exchange = Outside(self)
        Card(self).ask("period 4000 2000")
        self.await_up()

    def await_up(self):
        wait_until(lambda: show_all("ActiveState") == ["active"] * len(UNITS), "both units active")
        self.exchange.await_idle("card", BEARERS)
        self.await_active_desk()

    def await_active_desk(self):
        def commands():
            """A trunkd that has just been started refuses for a moment, calls too where a host is busy: a guest's time then
            passes while it does not run, as work in a tick."""
            done = subprocess.run(["trunkctl", "--json", "node"], capture_output=True, text=True)
            node = json.loads(done.stdout) if done.returncode == 0 else {}
            return node.get("conductor") and "media-load" not in node["alarms"]
        wait_until(commands, "the desk commands the node, which takes calls")

    def talk(self):
        """A caller of the service: answered, and in the queue until it is told to go on."""
        before = self.exchange.status()["calls_answered"]
        call = self.exchange.start_calls("dial 5551000 from 0301; wait answered; wait released 600")
        wait_until(lambda: self.exchange.status()["calls_answered"] > before, "the call answered")
        wait_until(lambda: [leg["state"] for leg in self.legs()] == ["answered"], "the node's side of it")
        return call

    def legs(self):
        return trunkctl("legs")["legs"]

    def hang_up(self, call):
        """The call has lived until here."""
        leg, = self.legs()
        run("trunkctl", "hangup", "leg", leg["leg"])
        result, = call.all_good()
        self.assertEqual((result["answered"], result["cause"]), (True, 16))
        self.exchange.await_idle("card", BEARERS)

    def test_they_are_not_root_and_may_little(self):
        for unit, capabilities in ("trunkd", SYS_NICE), ("deskd", 0):
            status = status_of(unit)
            self.assertNotIn("0", status["Uid"].split(), unit)
            self.assertEqual(int(status["CapEff"], 16), capabilities, unit)
            self.assertEqual(int(status["CapBnd"], 16), capabilities, unit)
            self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), unit)
        self.assertEqual(Path("/dev/dahdi/ctl").group(), "dahdi")

    def test_the_media_thread_is_real_time(self):
        tasks = Path("/proc", show("trunkd", "MainPID"), "task").iterdir()
        media = next(task for task in tasks if (task / "comm").read_text().strip() == "media")
        self.assertEqual(os.sched_getscheduler(int(media.name)), os.SCHED_FIFO)

    def test_reload_takes_a_route_and_leaves_a_call(self):
        call, before = self.talk(), show("trunkd", "MainPID")
        CONF.write_text(CONF.read_text() + "\n[route new]\nprefix = 700\nto = announcement:file:closed\n")
        since = time.time()
        run("systemctl", "reload", "trunkd")
        self.await_log("are reloaded", since)
        # The desk has no service 700 and leaves it to the node's routes.
        self.exchange.call("dial 700 from 0301; expect audio; hangup 16")
        self.assertEqual(show("trunkd", "MainPID"), before)
        self.hang_up(call)

    def test_reload_of_a_mistake_is_refused_and_changes_nothing(self):
        text = CONF.read_text()
        self.addCleanup(CONF.write_text, text)
        CONF.write_text(text.replace("[sip]", "[sip]\nlisten_to = nobody"))
        self.assertNotEqual(subprocess.run(["systemctl", "reload", "trunkd"], capture_output=True).returncode, 0)
        self.hang_up(self.talk())

    def test_desk_restarted_in_a_call(self):
        call = self.talk()
        run("systemctl", "restart", "deskd")
        self.await_active_desk()
        self.hang_up(call)

    def test_drained(self):
        call = self.talk()
        self.addCleanup(run, "trunkctl", "drain", "span1", "off")
        self.assertEqual(trunkctl("drain", "span1")["legs"], 1)
        refused, _ = self.exchange.start_calls("dial 5551000 from 0301; wait answered 30; hangup 16").results()
        self.assertFalse(refused[0]["answered"])
        leg, = self.legs()
        run("trunkctl", "hangup", "leg", leg["leg"])
        self.assertEqual(call.all_good()[0]["cause"], 16)
        run("trunkctl", "drain", "span1", "off")
        self.exchange.await_idle("card", BEARERS)
        self.hang_up(self.talk())

    def test_both_ends_on_one_side(self):
        """trunk-setup says what the matter is."""
        text = CONF.read_text()
        CONF.write_text(text.replace("signalling = pri-cpe", "signalling = pri-network"))
        run("systemctl", "restart", "trunkd")
        wait_until(lambda: "the far end does not answer our SABME" in self.diagnosis(), "a word on the D-channel")
        CONF.write_text(text)
        run("systemctl", "restart", "trunkd")
        self.await_up()
        self.assertNotIn("D-channel", self.diagnosis())

    @staticmethod
    def diagnosis():
        return subprocess.run(["trunk-setup", "check", "--seconds", "1"], capture_output=True, text=True).stdout

    @staticmethod
    def await_log(text, since):
        wait_until(lambda: text in run("journalctl", "-u", "trunkd", f"--since=@{since}", "-o", "cat", "--no-pager"),
                   f"trunkd says: {text}")

    def test_device_nodes_that_trunkd_may_not_open(self):
        run("systemctl", "stop", "trunkd")
        for node in Path("/dev/dahdi").rglob("*"):
            if node.is_char_device():
                os.chown(node, 0, 0)
        since = time.time()
        self.assertNotEqual(subprocess.run(["systemctl", "start", "trunkd"], capture_output=True).returncode, 0)
        self.await_log("Permission denied", since)
        self.assertIn("trunkd, which is not root, is denied it", self.diagnosis())
        run("udevadm", "trigger", "-s", "dahdi", "-s", "dahdi_channels")
        run("udevadm", "settle")
        self.assertNotIn("denied", self.diagnosis())
        run("systemctl", "reset-failed", "trunkd")
        run("systemctl", "start", "trunkd")
        self.await_up()

    def test_a_number_that_is_nobodys(self):
        """The caller is released at once; trunkctl shows the number that came."""
        told = self.dir / "told"
        with open(told, "w") as out:
            follower = subprocess.Popen(["trunkctl", "follow", "node"], stdout=out)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)

        def told_of_a_call():
            result = self.exchange.call("dial 7654321 from 0301; wait released")
            self.assertFalse(result["answered"])
            return "7654321" in told.read_text()
        wait_until(told_of_a_call, "the number")

    def test_stopped_and_started(self):
        run("systemctl", "stop", *UNITS)
        self.assertIn("nobody has opened the D-channel", self.diagnosis())
        for unit in UNITS:
            self.assertEqual((show(unit, "Result"), show(unit, "ExecMainStatus")), ("success", "0"), unit)
        run("systemctl", "start", *UNITS)
        self.await_up()
        self.hang_up(self.talk())

    def test_trunkd_comes_back_when_killed(self):
        before = show("trunkd", "MainPID")
        run("systemctl", "kill", "-s", "KILL", "trunkd")
        wait_until(lambda: show("trunkd", "MainPID") not in (before, "0"), "another trunkd")
        self.await_up()
        self.hang_up(self.talk())


if __name__ == "__main__":
    tap.main()
