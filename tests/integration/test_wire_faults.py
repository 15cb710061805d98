#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A pseudowire over a bad path: everything is counted as it should be, nothing crashes, calls recover."""
import socket

from audio import noise, read_wav, write_wav
from far_end import Exchange, Span
from harness import Case, free_ports, main, wait_until
from node import Node, near
from wire import Wire

# Clocks run free here. No time is asserted, and audio is compared in pieces, so that a busy machine spoils nothing.
CALL = "dial 100 from 0301 on net; wait answered; pause 1; hangup 16"
SAID = noise(1.5, 1)


class Faults(Case):
    """An exchange calls itself through a node: there over a path with faults, back over a good one."""

    def setUp(self):
        super().setUp()
        a, b, c, d = free_ports(4)
        self.wire = Wire(self, a, b)
        self.node_port = b
        write_wav(self.dir / "says.wav", SAID)
        self.node = Node(self, [near("e1", b, self.wire.port_for_b, clock="adaptive"),
                                near("e2", d, c, clock="adaptive", more=("group = back",))], routes={"": "group:back"})
        self.node.start()
        self.exchange = Exchange(self, "exchange", [Span("net", a, self.wire.port_for_a), Span("back", c, d)],
                                 {"echo": "answer; echo on; wait released 600"}, {"": "echo"})
        self.control = self.node.connect("operator")
        self.settle()

    def settle(self):
        for span in "net", "back":
            self.exchange.await_idle(span, 30)
        for span in "e1", "e2":
            self.node.await_span(self.control, span, 30)

    def counters(self):
        return self.control.snapshot()["spans"][0]["counters"]

    def grew(self, before, name, at_least=1):
        return self.counters()[name] - before[name] >= at_least

    def await_growth(self, before, *names, at_least=1):
        for name in names:
            wait_until(lambda name=name: self.grew(before, name, at_least), f"{name} counted")

    def heals(self):
        """With the faults gone a call comes through, octet for octet. Clocks are free here, and a busy machine
        may cost a block: a quarter of a second in one piece is asked for, of one call in three."""
        self.wire.both()
        self.settle()
        self.assertTrue(any(self.comes_through() for _ in range(3)), "audio in one piece")
        self.settle()

    def comes_through(self):
        self.exchange.call("dial 100 on net; wait answered; record heard.wav; pause 0.5; say says.wav; pause 1; hangup 16")
        heard = read_wav(self.dir / "heard.wav")
        return any(SAID[at:at + 2000] in heard for at in range(0, len(SAID), 2000))

    def test_one_percent_loss(self):
        before = self.counters()
        self.wire.both(loss=0.01)
        for _ in range(3):
            self.assertEqual(self.exchange.call(CALL)["cause"], 16)
        self.await_growth(before, "lost", "idle_frames")
        self.heals()

    def test_reordering(self):
        before = self.counters()
        self.wire.both(reorder=0.05)
        self.await_growth(before, "reordered", at_least=20)
        self.assertEqual(self.exchange.call(CALL)["cause"], 16)
        self.heals()

    def test_duplicates(self):
        before = self.counters()
        self.wire.both(duplicate=0.2)
        self.await_growth(before, "duplicate", at_least=50)
        self.assertEqual(self.exchange.call(CALL)["cause"], 16)
        self.heals()

    def test_jitter(self):
        before = self.counters()
        self.wire.both(jitter_ms=8)
        self.await_growth(before, "reordered", at_least=20)
        self.assertEqual(self.exchange.call(CALL)["cause"], 16)
        self.heals()

    def test_garbage_wrong_size_and_wrong_peer(self):
        before = self.counters()
        way = self.wire.a_to_b
        for octets in b"", b"\x00", b"\xff" * 4, bytes(1400), b"\x00\x00\x00\x01" + bytes(247), b"GET / HTTP/1.1\r\n\r\n":
            for _ in range(20):
                self.wire.send(way, octets)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(30):
                stranger.sendto(bytes(252), ("127.0.0.1", self.node_port))
        self.await_growth(before, "refused_malformed", at_least=80)
        self.await_growth(before, "refused_peer", at_least=30)
        self.assertEqual(self.exchange.call(CALL)["cause"], 16)
        self.heals()

    def test_wrong_sequence(self):
        """Single packets out of any window are not believed; the stream does not jump for them."""
        before = self.counters()
        n = 0

        def stray(octets):
            nonlocal n
            n += 1
            # Not a divisor of T200's 1000 packets: it would hit every repetition of one frame alike.
            return octets[:2] + bytes([octets[2] ^ 0x40, octets[3]]) + octets[4:] if n % 53 == 0 else octets
        call = self.exchange.start_calls("dial 100 on net; wait answered; pause 2; hangup 16")
        self.wire.both(mangle=stray)
        self.await_growth(before, "jumps", at_least=5)
        self.assertEqual(call.all_good()[0]["cause"], 16)
        self.heals()

    def test_sequence_begins_anew(self):
        """An end that restarts counts from elsewhere: believed after its second packet, and the call lives."""
        def shifted(octets):
            sequence = (int.from_bytes(octets[2:4], "big") + 20000) % 65536
            return octets[:2] + sequence.to_bytes(2, "big") + octets[4:]
        before = self.counters()
        self.wire.a_to_b.faults.mangle = shifted
        self.await_growth(before, "jumps")
        self.assertEqual(self.exchange.call(CALL)["cause"], 16)

    def test_silence_of_ten_seconds(self):
        """Red alarm, D-channel down, the call kept within T309, and all of it back."""
        call = self.exchange.start_calls("dial 100 on net; wait answered; record 1.wav; pause 3; record 2.wav; pause 16; hangup")
        # Both ends are in state Active when the first recording is there, even had CONNECT ACKNOWLEDGE to be sent
        # again: only such calls outlive a link (Q.931 5.8.9).
        wait_until((self.dir / "1.wav").exists, "a call that talks")
        mark = self.control.mark()
        self.wire.both(silence=True)
        self.control.await_event("span.changed", lambda p: "RED" in p["span"]["alarms"], mark)
        # The silence itself is what is tested, so this one wait is a time: no event tells of its length.
        begin = self.counters()["seconds_unavailable"]
        wait_until(lambda: self.counters()["seconds_unavailable"] - begin >= 10 or self.counters()["idle_frames"] >= 80000,
                   "ten seconds of silence counted")
        mark = self.control.mark()
        self.wire.both()
        self.control.await_event("span.changed", lambda p: p["span"]["alarms"] == "OK" and p["span"]["d_channel_up"], mark)
        result = call.all_good()[0]
        self.assertEqual((result["cause"], result["by_peer"]), (16, False))
        self.heals()


if __name__ == "__main__":
    main()
