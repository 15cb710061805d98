# SPDX-License-Identifier: GPL-2.0-only
"""Line and media alone against the floor, and how long octets take through them."""
import tempfile
import time

from measure import ROUNDS, TRIES, Program, median, window

SETTLE_S = 1.0
WINDOW_S = 1.5
KEPT = 0.97  # of the packets due, or the round does not count


def one_round(bench, program, legs, flags, load_flags=(), seconds=WINDOW_S, settle=SETTLE_S):
    """Runs load and @program together. CPU ms a call-second, and what the load saw."""
    where = ["-a", bench.host, "-l", legs]
    for _ in range(TRIES):
        with Program(bench.program(program), *where, *flags) as node, Program(bench.program("load"), *where, *load_flags) as load:
            time.sleep(settle)
            used = window(node.pid, seconds) / legs * 1000
            seen = load.stop()
            node.stop()
        if seen["pw_received"] >= KEPT * seen["pw_sent"] and seen["rtp_received"] >= KEPT * seen["rtp_sent"]:
            break
    return used, seen


def floor_and(bench, legs):
    """Pairs of rounds, so that the machine's moods meet both: medians of the floor and of line and media."""
    floors, ours = [], []
    for _ in range(ROUNDS):
        floors.append(one_round(bench, "floor-relay", legs, ["-d"])[0])
        ours.append(one_round(bench, "subject-media", legs, ["-d"])[0])
    return median(floors), median(ours)


def rtp(bench, legs):
    floor, ours = floor_and(bench, legs)
    bench.result(f"media_rtp_{legs}", ours, "CPU ms a call-second", floor=floor, ratio=ours / floor, budget=2.0,
                 note=f"{1000 / ours:.0f} calls a core; floor {1000 / floor:.0f}")


def delay(bench, legs):
    """TDM to RTP beyond packet time and jitter depth, at p99 of each round; the sender sends a packet each ms."""
    jitter_ms = 20
    rounds = [one_round(bench, "subject-media", legs, ["-d", "-j", jitter_ms], ["-s"], 2.0, 2.5)[1]["delay_ms"]
              for _ in range(ROUNDS)]
    beyond = [seen["p99"] - jitter_ms for seen in rounds]
    bench.result(f"delay_media_{legs}", median(beyond), "ms at p99", budget=3.0, gates=False,
                 note=f"p50 {median([seen['p50'] for seen in rounds]) - jitter_ms:.2f} ms, 20 ms depth and 20 ms packet apart")


def recorded(bench, program, legs, *flags):
    """CPU ms a second of a call, with every call recorded on the disk of the build."""
    with tempfile.TemporaryDirectory(dir=bench.out) as folder:
        return one_round(bench, program, legs, ["-f", folder, *flags])[0]


def record(bench, legs):
    """A recorded call, all of it: relay, WAV of both sides; the floor writes as much, and syncs nothing."""
    floors, ours = [], []
    for _ in range(ROUNDS):
        floors.append(recorded(bench, "floor-relay", legs))
        ours.append(recorded(bench, "subject-media", legs))
    floor, value = median(floors), median(ours)
    bench.result(f"record_wav_{legs}", value, "CPU ms a call-second", floor=floor, ratio=value / floor,
                 note=f"{1000 / value:.0f} recorded calls a core (Asterisk 100)")


def record_opus(bench, legs):
    value = median([recorded(bench, "subject-media", legs, "-O") for _ in range(ROUNDS)])
    bench.result(f"record_opus_{legs}", value, "CPU ms a call-second", note=f"{1000 / value:.0f} recorded calls a core, Ogg Opus")
