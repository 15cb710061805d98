# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Known speech, and whether it is what was heard: by the energy in six bands over time, which codecs, jitter buffers and a
browser's filters leave alone while they change every sample."""
import array
import math
import subprocess
import wave

RATE, FRAME, BANDS = 8000, 160, (300, 500, 800, 1200, 1800, 2600)
PIECE = 25  # frames compared at once; a jitter buffer may stretch or drop time between two pieces


def speak(path, text, seconds, rate=48000):
    """Writes @text over and over for @seconds, 16-bit mono; its features, once."""
    said, once = path.with_suffix(".once.wav"), path.with_suffix(".rate.wav")
    subprocess.run(["espeak-ng", "-v", "en", "-s", "150", "-w", str(said), text], check=True)
    subprocess.run(["sox", "-q", str(said), "-r", str(rate), "-b", "16", "-c", "1", str(once), "gain", "-n", "-6"], check=True)
    with wave.open(str(once)) as file:
        octets = file.readframes(file.getnframes())
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((octets * (1 + int(seconds * rate * 2 / len(octets))))[:int(seconds * rate) * 2])
    return features(rate, array.array("h", octets))


def alaw(octets):
    """ITU-T G.711 A-law as 16-bit samples."""
    def one(octet):
        octet ^= 0x55
        exponent, value = octet >> 4 & 7, (octet & 15) << 4
        value = (value + 8) if not exponent else (value + 0x108) << (exponent - 1)
        return value if octet & 0x80 else -value
    table = [one(octet) for octet in range(256)]
    return array.array("h", (table[octet] for octet in octets))


def energies(frame):
    """Of each band, by Goertzel's filter."""
    for hz in BANDS:
        c, s1, s2 = 2 * math.cos(2 * math.pi * hz / RATE), 0.0, 0.0
        for sample in frame:
            s1, s2 = sample + c * s1 - s2, s1
        yield s1 * s1 + s2 * s2 - c * s1 * s2


def features(rate, samples):
    """For each 20 ms the decibels in each band, cut off at 35 below the loudest."""
    step = rate // RATE
    slow = samples if step == 1 else [sum(samples[at:at + step]) / step for at in range(0, len(samples) - step + 1, step)]
    found = [list(energies(slow[at:at + FRAME])) for at in range(0, len(slow) - FRAME + 1, FRAME)]
    top = max((max(frame) for frame in found), default=0) or 1
    return [[max(-35.0, 10 * math.log10(e / top)) if e > 0 else -35.0 for e in frame] for frame in found]


def normal(piece):
    """As one vector of mean 0 and length 1; None when nothing is said in it."""
    values = [level for frame in piece for level in frame]
    mean = sum(values) / len(values)
    values = [value - mean for value in values]
    power = math.sqrt(sum(value * value for value in values))
    return [value / power for value in values] if power > 60 else None


def best_fits(heard, said):
    """For each piece of @heard in which something is said: its correlation with the best-fitting place of @said, spoken in
    a circle."""
    circle = said + said[:PIECE]
    places = [place for place in (normal(circle[at:at + PIECE]) for at in range(len(said))) if place]
    pieces = [piece for piece in (normal(heard[at:at + PIECE]) for at in range(0, len(heard) - PIECE, PIECE)) if piece]
    return [max(sum(x * y for x, y in zip(piece, place)) for place in places) for piece in pieces]


def assert_spoken(heard, said, other, what):
    """@heard is @said, and not @other: most pieces fit better, and a quarter of them well. A busy machine may tear some."""
    right, wrong = best_fits(heard, said), best_fits(heard, other)
    wins = sum(r > w for r, w in zip(right, wrong))
    well = sorted(right)[len(right) * 3 // 4] if right else 0.0
    if well < 0.7 or wins * 3 < len(right) * 2:
        raise AssertionError(f"{what}: {wins} of {len(right)} pieces are more like what was said than like something else; "
                             f"a quarter of them fits by {well:.2f}")
