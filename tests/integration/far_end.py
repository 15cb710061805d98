# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""The exchange: its configuration from Python, and calls through its own command line."""
import json
import subprocess
from dataclasses import dataclass

from harness import LIMIT_S, die_with_parent, program, rtp_range, wait_until

# Deep enough for a busy machine where a clock runs by itself; a follower (loop) is never late.
DEPTH_MS = {"local": 120, "adaptive": 80, "loop": 20}


@dataclass
class Span:
    """One end of a pseudowire."""
    name: str
    local: int
    remote: int
    kind: str = "e1"
    signalling: str = "pri-network"
    clock: str = "local"
    more: tuple = ()  # further lines

    def section(self):
        return "\n".join([
            f"[span {self.name}]", f"kind = {self.kind}", f"local = 127.0.0.1:{self.local}",
            f"remote = 127.0.0.1:{self.remote}", f"signalling = {self.signalling}", f"clock = {self.clock}",
            f"jitter_ms = {DEPTH_MS[self.clock]}", *self.more, ""])


class Calls:
    """An `exchange call` under way."""

    def __init__(self, command, folder):
        self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)

    def results(self, limit_s=LIMIT_S * 2):
        """Each call's result, in the order of their ends, and the summary."""
        out, said = self.process.communicate(timeout=limit_s)
        lines = [json.loads(line) for line in out.splitlines()]
        if not lines or not lines[-1].get("last"):
            raise AssertionError(f"exchange call: status {self.process.returncode}: {said}{out}")
        return lines[:-1], lines[-1]

    def drop(self):
        if not self.process.stdout.closed:
            self.process.kill()
            self.process.communicate()

    def all_good(self):
        results, summary = self.results()
        if not summary["ok"]:
            raise AssertionError(f"calls failed: {json.dumps(summary.get('failures', summary), indent=1)}")
        return results


class Exchange:
    """@scripts: name -> steps. @answers: prefix -> name of the script that answers it ('' for any)."""

    look_every_s = 0.1

    def __init__(self, case, name, spans, scripts=None, answers=None, tick="monotonic", more="", variant="release"):
        self.case, self.name, self.variant = case, name, variant
        self.socket = case.dir / f"{name}.sock"
        low, high = rtp_range()
        text = [f"[exchange]\nsocket = {self.socket}\nlog_level = info\n",
                f"[media]\ntick = {tick}\nrtp_port_min = {low}\nrtp_port_max = {high}\n"]
        text += [span.section() for span in spans]
        text += [f"[script {key}]\nsteps = {'; '.join(s.strip() for s in steps.strip().splitlines())}\n"
                 for key, steps in (scripts or {}).items()]
        text += [f"[answer {prefix}]\nscript = {key}\n".replace("[answer ]", "[answer]")
                 for prefix, key in (answers or {}).items()]
        self.file = case.dir / f"{name}.conf"
        self.file.write_text("\n".join(text) + more)
        self.process = case.start(name, [program("exchange", variant), "run", str(self.file)])
        self.process.await_line("ready: ")

    def await_d_channel(self, span, up=True, after=0):
        self.process.await_line(f"{span}: D-channel {'up' if up else 'down'}", after)

    def order(self, *words):
        done = subprocess.run([program("exchange"), *words, "--json", "--socket", str(self.socket)],
                              capture_output=True, text=True, timeout=LIMIT_S, cwd=self.case.dir)
        if done.returncode:
            raise AssertionError(f"exchange {' '.join(words)}: {done.stderr}{done.stdout}")
        return json.loads(done.stdout.splitlines()[-1])

    def status(self):
        return self.order("status")

    def span_status(self, name):
        return next(span for span in self.status()["spans"] if span["span"] == name)

    def fault(self, span, alarm):
        self.order("fault", span, alarm)

    def start_calls(self, script, count=1, rate=20):
        steps = "; ".join(s.strip() for s in script.strip().splitlines())
        calls = Calls([program("exchange"), "call", "--json", "--socket", str(self.socket), "--script", steps,
                       "--count", str(count), "--rate", str(rate)], self.case.dir)
        self.case.on_end(calls.drop)
        return calls

    def call(self, script):
        """One call; its result. A step that fails fails the test."""
        return self.start_calls(script).all_good()[0]

    def await_idle(self, span, idle):
        """Until the line is well, the D-channel up and @idle channels are free: none is stuck."""
        def looks_so():
            now = self.span_status(span)
            return now["d_channel_up"] and now["alarms"] == "OK" and now["idle"] == idle
        wait_until(looks_so, f"{span} up with {idle} idle channels", every_s=self.look_every_s)
