# SPDX-License-Identifier: GPL-2.0-only
"""Browsers: line, media and secure against a batched relay with the bare cipher; and what setting up a thousand costs a node."""
import hashlib
import pathlib
import re
import ssl
import sys
import tempfile
import time

from measure import ROUNDS, TRIES, Program, cpu_s, median, rss_kib, window
from node import TOKEN, Process, until

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import control  # noqa: E402

SETTLE_S = 1.5
WINDOW_S = 1.5
KEPT = 0.97
PORT = 23000


def one_round(bench, program, legs, flags, load_flags=(), seconds=WINDOW_S, settle=SETTLE_S):
    """Runs load and @program together. CPU ms a leg-second, and what the load saw."""
    bare = ["-b"] if program == "floor-browser" else []
    for _ in range(TRIES):
        with tempfile.TemporaryDirectory() as folder:
            where = ["-a", bench.host, "-l", legs, "-f", folder, *flags]
            with Program(bench.program(program), *where) as node, Program(bench.program("load-browser"), *where, *bare,
                                                                         *load_flags) as load:
                time.sleep(settle)
                used = window(node.pid, seconds) / legs * 1000
                seen = load.stop()
                seen["node"] = node.stop()
        if seen["pw_received"] >= KEPT * seen["pw_sent"] and seen["rtp_received"] >= KEPT * seen["rtp_sent"]:
            break
    return used, seen


def floor_and(bench, legs, flags):
    floors, ours = [], []
    for _ in range(ROUNDS):
        floors.append(one_round(bench, "floor-browser", legs, flags)[0])
        ours.append(one_round(bench, "subject-browser", legs, flags)[0])
    return median(floors), median(ours)


def compare(bench, name, legs, flags, aim):
    floor, ours = floor_and(bench, legs, flags)
    bench.result(f"browser_{name}_{legs}", ours, "CPU ms a leg-second", floor=floor, ratio=ours / floor,
                 note=f"{1000 / ours:.0f} {aim}; floor {1000 / floor:.0f}")


def span(bench, legs):
    compare(bench, "span", legs, [], "calls a core (aim 700)")


def echo(bench, legs):
    compare(bench, "echo", legs, ["-e"], "legs a core (aim 1500)")


def opus(bench, legs):
    compare(bench, "opus", legs, ["-o"], "calls a core, G.711 to Opus and back")


def threads(bench, legs):
    """What a second media thread costs, most calls being tied across: two against one."""
    one, two = [], []
    for _ in range(ROUNDS):
        one.append(one_round(bench, "subject-browser", legs, [])[0])
        used, seen = one_round(bench, "subject-browser", legs, ["-t", 2])
        two.append(used)
    value, floor = median(two), median(one)
    bench.result(f"browser_threads_{legs}", value, "CPU ms a leg-second", floor=floor, ratio=value / floor,
                 note=f"two media threads against one; {seen['node']['ties']} of {legs} calls tied, "
                 f"{seen['node']['ties_missed']} blocks missed")


def delay(bench, legs):
    """Timeslot to browser packet beyond packet time and jitter depth, at p99 of each round."""
    jitter_ms = 20
    rounds = [one_round(bench, "subject-browser", legs, ["-j", jitter_ms], ["-s"], 2.0, 2.5)[1]["delay_ms"]
              for _ in range(ROUNDS)]
    bench.result(f"browser_delay_{legs}", median([seen["p99"] for seen in rounds]) - jitter_ms, "ms at p99", budget=3.0,
                 gates=False, note=f"p50 {median([seen['p50'] for seen in rounds]) - jitter_ms:.2f} ms, "
                 "20 ms depth and 20 ms packet apart")


KINDS = ["noise", "stun", "forged", "dtls", "hello", "rtp"]


def flood_round(bench, legs, rate, kinds):
    """CPU us a hostile datagram of each kind, while @legs calls are up; what became of the calls; RSS growth in KiB."""
    cost = {}
    with tempfile.TemporaryDirectory() as folder:
        where = ["-a", bench.host, "-l", legs, "-f", folder]
        with Program(bench.program("subject-browser"), *where) as node, Program(bench.program("load-browser"), *where) as load:
            time.sleep(SETTLE_S)
            rss = rss_kib(node.pid)
            for kind in kinds:
                quiet = window(node.pid, WINDOW_S)
                with Program(bench.program("flood"), bench.host, PORT, kind, rate, f"{folder}/answers") as flood:
                    time.sleep(0.2)
                    cost[kind] = (window(node.pid, WINDOW_S) - quiet) / rate * 1e6
                    flood.stop()
            if not kinds:
                time.sleep(2 * WINDOW_S)
            rss = rss_kib(node.pid) - rss
            seen = load.stop()
            return cost, dict(node.stop(), sent=seen["rtp_sent"], delay=seen["delay_ms"]["p99"]), rss


def flood(bench, legs, rate):
    """The same calls without a flood tell what the host itself spoils."""
    _, quiet, _ = flood_round(bench, legs, rate, [])
    cost, seen, rss = flood_round(bench, legs, rate, KINDS)
    for kind, us in cost.items():
        bench.result(f"browser_flood_{kind}", us, "CPU us a datagram", note=f"{rate} a second, {legs} calls up")
    lost, without = ((said["lost"] + said["too_late"]) / said["received"] * 100 for said in (seen, quiet))
    bench.result("browser_flood_calls", lost, "% of packets lost or late", floor=without,
                 note=f"floor: the same without a flood; delay to the browser p99 {seen['delay']:.1f} ms (without "
                 f"{quiet['delay']:.1f}); RSS grew by {rss} KiB")


# ---- a whole node ----

def offer(fingerprint, number):
    """What Chromium offers for audio, less what no answer depends on."""
    return "\r\n".join([
        "v=0", f"o=- {number + 1} 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "a=msid-semantic: WMS",
        "m=audio 9 UDP/TLS/RTP/SAVPF 8 126", "c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0", f"a=ice-ufrag:u{number:05}",
        "a=ice-pwd:0123456789abcdef01234567", "a=ice-options:trickle", f"a=fingerprint:{fingerprint}", "a=setup:actpass",
        "a=mid:0", "a=sendrecv", "a=rtcp-mux", "a=rtpmap:8 PCMA/8000", "a=rtpmap:126 telephone-event/8000", ""])


class Owner:
    """What control.Control needs of a test."""

    def __init__(self):
        self.ends = []

    def on_end(self, end):
        self.ends.append(end)

    def end(self):
        for end in reversed(self.ends):
            end()


def connect(desk, fingerprint, legs, path):
    lines = []
    for i in range(legs):
        answer = desk.ask("leg.connect", leg=f"b{i}", sdp=offer(fingerprint, i), name=f"agent {i}")["sdp"]
        found = [re.search(rf"^a={key}:(.*?)\r?$", answer, re.M).group(1) for key in ("ice-ufrag", "ice-pwd", "fingerprint")]
        host, port = re.search(r"^a=candidate:\S+ 1 udp \S+ (\S+) (\d+)", answer, re.M | re.I).groups()
        lines.append(" ".join([host, port, *found]))
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def fingerprint_of(bench, folder):
    """The certificate that all browsers of the load have, made by the subject's first line of work."""
    with Program(bench.program("subject-browser"), "-a", bench.host, "-l", 1, "-e", "-f", folder) as subject:
        subject.stop()
    der = ssl.PEM_cert_to_DER_cert(re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?",
                                                          (folder / "browsers.pem").read_text(), re.S).group(0))
    digest = hashlib.sha256(der).hexdigest().upper()
    return "sha-256 " + ":".join(digest[i:i + 2] for i in range(0, 64, 2))


def setup(bench, legs):
    """CPU ms and KiB of a whole node for each browser that comes: offer, ICE, handshake, keys, leg."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        fingerprint = fingerprint_of(bench, folder)
        (folder / "trunkd.conf").write_text(
            f"[node]\nname = bench\nstate_dir = {folder}/state\nlog_level = warning\nmax_legs = 2100\n"
            f"[control]\nsocket = {folder}/trunkd.sock\n[token bench]\ntoken = {TOKEN}\nrole = conductor\n"
            f"[media]\nrtp_host = {bench.host}\n[browser]\nport = {PORT}\naddresses = {bench.host}\nsessions_max = {legs}\n")
        near = Process(folder, "trunkd", bench.programs / "trunkd", "--config", folder / "trunkd.conf", ready="")
        owner = Owner()
        with near as process:
            until((folder / "trunkd.sock").exists, "trunkd is not up", near.log)
            desk = control.Control(owner, folder / "trunkd.sock", "node", TOKEN, epoch=1)
            idle = window(process.pid, WINDOW_S)
            before, cpu, began = rss_kib(process.pid), cpu_s(process.pid), time.monotonic()
            connect(desk, fingerprint, legs, folder / "answers")
            told, told_s = cpu_s(process.pid) - cpu, time.monotonic() - began
            with Program(bench.program("load-browser"), "-a", bench.host, "-l", legs, "-e", "-f", folder) as load:
                used, took = cpu_s(process.pid) - cpu, time.monotonic() - began
                time.sleep(1)
                after = rss_kib(process.pid)
                steady = window(process.pid, WINDOW_S)
                load.stop()
            owner.end()
        bench.result(f"browser_setup_{legs}", (used - idle * took) / legs * 1000, "CPU ms a leg",
                     note=f"{told / legs * 1000:.2f} ms of it the offer's, within {told_s:.1f} s; all up within {took:.1f} s, "
                     f"the packets to those that were up already counted in; {steady * 100:.0f} % of a core when all are up")
        bench.result("browser_memory", (after - before) / legs, "KiB a leg", budget=96.0,
                     note=f"{before / 1024:.0f} MiB before, {after / 1024:.0f} MiB with {legs} standing legs")
