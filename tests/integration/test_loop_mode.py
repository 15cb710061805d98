#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Line time at half and at twice the wall's speed: not one octet lost, slipped or out of place."""
from audio import assert_contains, noise, read_wav
from far_end import Exchange, Span
from harness import Case, free_ports, main, wait_until
from node import Node, near
from wire import Pacer


class LoopMode(Case):
    def play_at(self, speed):
        announced = noise(2, 8)
        a, b = free_ports(2)
        line = Pacer(self, [(a, b)], speed)
        to_far, to_node = line.ports(0)
        far = Exchange(self, "far", [Span("net", a, to_far, clock="loop", more=Pacer.SETTINGS)], tick="span")
        node = Node(self, [near("e1", b, to_node, more=Pacer.SETTINGS)], routes={"": "announcement:file:hello.wav"})
        node.add_sound("hello.wav", announced)
        node.start()
        control = node.connect()
        far.await_idle("net", 30)
        node.await_span(control, "e1", 30)
        before = control.snapshot()["spans"][0]["counters"], far.span_status("net")
        line.run_at(0.2)  # slowly at first: the far end's main thread has to notice that there is audio
        call = far.start_calls("dial 100; record heard.wav; wait released 600")
        wait_until(lambda: control.snapshot()["legs"], "a call on the node")
        line.await_time(0.3)
        line.run_at(speed)
        call.all_good()
        after = control.snapshot()["spans"][0]["counters"], far.span_status("net")
        # From half a second on: the far end's audio begins when it has read that there is some.
        assert_contains(read_wav(self.dir / "heard.wav"), announced[4000:], "the announcement")
        for name in "lost", "late", "underruns", "overruns", "slips_dropped", "slips_repeated", "idle_frames", "jumps":
            self.assertEqual(after[0][name], before[0][name], name)
        for name in "lost", "slips":
            self.assertEqual(after[1][name], before[1][name], name)

    def test_half_speed(self):
        self.play_at(0.5)

    def test_twice_the_speed(self):
        self.play_at(2)


if __name__ == "__main__":
    main()
