# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""WAV files of G.711 octets, where one recording is found in another, and tones."""
import audioop
import math
import random
import struct

ALAW, ULAW = 6, 7
SILENCE = {ALAW: 0xD5, ULAW: 0xFF}


def noise(seconds, seed):
    """Octets that stand nowhere else: each of 10 ms differs from every other."""
    return random.Random(seed).randbytes(int(seconds * 8000))


def write_wav(path, octets, law=ALAW):
    head = struct.pack("<HHIIHHH", law, 1, 8000, 8000, 1, 8, 0)
    body = b"fmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(octets)) + octets
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)


def read_wav(path):
    data = path.read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise AssertionError(f"{path} is no WAV file")
    at = 12
    while at + 8 <= len(data):
        name, n = data[at:at + 4], struct.unpack_from("<I", data, at + 4)[0]
        if name == b"data":
            return data[at + 8:at + 8 + n]
        at += 8 + n + n % 2
    raise AssertionError(f"{path} has no data chunk")


def assert_contains(heard, said, what):
    """Every octet that was said, untouched and in one piece."""
    at = heard.find(said)
    if at >= 0:
        return at
    # Say how far it was right: that tells a slip from noise from silence.
    begin = heard.find(said[:80])
    run = 0
    while begin >= 0 and run < len(said) and begin + run < len(heard) and heard[begin + run] == said[run]:
        run += 1
    raise AssertionError(f"{what}: {len(said)} octets were said; of {len(heard)} heard, the first 80 begin at {begin}"
                         f" and {run} are right")


def tone(seconds, hz, amplitude=8000):
    """A-law octets of a sine."""
    samples = (int(amplitude * math.sin(2 * math.pi * hz * i / 8000)) for i in range(int(seconds * 8000)))
    return audioop.lin2alaw(b"".join(struct.pack("<h", sample) for sample in samples), 2)


def share_of(octets, hz, seconds=1):
    """How much of the best @seconds of A-law octets is a tone of @hz: its power of all power."""
    best = 0
    n = seconds * 8000
    samples = struct.unpack(f"<{len(octets)}h", audioop.alaw2lin(octets, 2))
    for at in range(0, len(samples) - n, n // 2):
        piece = samples[at:at + n]
        real = sum(s * math.cos(2 * math.pi * hz * i / 8000) for i, s in enumerate(piece))
        imaginary = sum(s * math.sin(2 * math.pi * hz * i / 8000) for i, s in enumerate(piece))
        power = sum(s * s for s in piece)
        if power > n * 100 ** 2:
            best = max(best, 2 * (real * real + imaginary * imaginary) / n / power)
    return best
