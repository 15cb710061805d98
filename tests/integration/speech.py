# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Known speech, and whether it is what was heard: by its loudness over time, which codecs, jitter buffers and a browser's
filters leave alone while they change every sample."""
import array
import math
import subprocess
import wave

FRAME_S = 0.01
PIECE = 80  # frames compared at once; a jitter buffer may stretch time between two of them


def speak(path, text, seconds, rate=48000):
    """@text over and over for @seconds; 16-bit mono."""
    said = path.with_suffix(".once.wav")
    subprocess.run(["espeak-ng", "-v", "en", "-s", "150", "-w", str(said), text], check=True)
    once = path.with_suffix(".rate.wav")
    subprocess.run(["sox", "-q", str(said), "-r", str(rate), "-b", "16", "-c", "1", str(once), "gain", "-n", "-6"], check=True)
    with wave.open(str(once)) as file:
        octets = file.readframes(file.getnframes())
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((octets * (1 + int(seconds * rate * 2 / len(octets))))[:int(seconds * rate) * 2])
    return loudness(rate, array.array("h", octets))


def alaw(octets):
    """ITU-T G.711 A-law as 16-bit samples."""
    def one(octet):
        octet ^= 0x55
        exponent, value = octet >> 4 & 7, (octet & 15) << 4
        value = (value + 8) if not exponent else (value + 0x108) << (exponent - 1)
        return value if octet & 0x80 else -value
    table = [one(octet) for octet in range(256)]
    return array.array("h", (table[octet] for octet in octets))


def loudness(rate, samples):
    """Decibels each 10 ms, quiet cut off at 30 below the loudest."""
    n = int(rate * FRAME_S)
    frames = [sum(s * s for s in samples[at:at + n:4]) for at in range(0, len(samples) - n, n)]
    top = max(frames, default=0) or 1
    return [max(-30.0, 10 * math.log10(frame / top)) if frame else -30.0 for frame in frames]


def correlation(a, b):
    ma, mb = sum(a) / len(a), sum(b) / len(b)
    da, db = [x - ma for x in a], [x - mb for x in b]
    power = math.sqrt(sum(x * x for x in da) * sum(x * x for x in db))
    return sum(x * y for x, y in zip(da, db)) / power if power > 1e-9 else 0.0


def likeness(heard, said):
    """How well the best-fitting places of @said, spoken in a circle, explain the pieces of @heard: the median of their
    correlations."""
    circle = said + said[:PIECE]
    found = sorted(max(correlation(heard[at:at + PIECE], circle[place:place + PIECE]) for place in range(0, len(said), 2))
                   for at in range(0, len(heard) - PIECE, PIECE))
    return found[len(found) // 2] if found else 0.0


def assert_spoken(heard, said, other, what):
    """@heard is @said, and not @other."""
    right, wrong = likeness(heard, said), likeness(heard, other)
    if right < 0.75 or right < wrong + 0.1:
        raise AssertionError(f"{what}: likeness {right:.2f} to what was said, {wrong:.2f} to something else "
                             f"({len(heard)} frames, {sum(level > -29 for level in heard)} not silent)")
