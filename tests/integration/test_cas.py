#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""CAS: a node between two lines of the exchange, calls both ways with numbers, callers and audio in the band."""
import os

from audio import ALAW, ULAW, assert_contains, noise, read_wav, write_wav
from far_end import Exchange, Span
from harness import Case, free_ports, main, wait_until
from node import PATIENCE, Node
from wire import Pacer

# The line card at the other end of a telephone, and back.
OTHER = {"fxs-loop": "fxo-loop", "fxo-loop": "fxs-loop", "fxs-kewl": "fxo-kewl", "fxo-kewl": "fxs-kewl"}
NUMBER = "5551000"


def end(name, local, remote, kind, signalling, more):
    keys = [f"frames = {16 if kind == 'e1' else 24}", *more]
    if signalling.startswith("fxs"):
        keys.append("cas_number = 100")
    else:
        keys.append(f"cas_digits_max = {len(NUMBER)}")
    return Span(name, local, remote, kind, f"cas-{signalling}", "loop", tuple(keys))


class Cas(Case):
    """Called numbers with a 2 go from span back to span net, all others the other way. Who is on span back hangs up: on
    a plain loop nobody else can be heard to."""

    def plug(self, kind, signalling, *more, node=()):
        self.law, self.bearers = (ALAW, 30) if kind == "e1" else (ULAW, 24)
        a, b, c, d = free_ports(4)
        lines = Pacer(self, [(a, b), (c, d)], 3, kind=kind, cas=True)
        (net, into), (back, out) = lines.ports(0), lines.ports(1)
        other = OTHER.get(signalling, signalling)
        self.said = {who: noise(1, seed) for seed, who in enumerate(("net", "back"))}
        for who, octets in self.said.items():
            write_wav(self.dir / f"{who}-says.wav", octets, self.law)
        self.node = Node(self, [end("in", b, into, kind, other, (*more, *node, "group = front")),
                                end("out", d, out, kind, signalling, (*more, *node, "group = back"))],
                         routes={"": "group:back", "2": "group:front"}, settings=(PATIENCE,)).start()
        self.exchange = Exchange(self, "exchange", [
            end("net", a, net, kind, signalling, more), end("back", c, back, kind, other, more)],
            {"back-talk": f"expect from {self.caller_at_back}; alert; pause 0.5; answer; record back-hears.wav; expect digits 1 600;"
                          "send 2; say back-says.wav; expect digits 3 600; pause 0.2; hangup",
             "net-talk": f"expect from {self.caller_at_net}; alert; pause 0.5; answer; record net-hears.wav; pause 0.5; send 1;"
                         "expect digits 2 600; say net-says.wav; wait released 600"},
            {"": "back-talk", "2": "net-talk"}, tick="span", variant=os.environ.get("TL_VARIANT", "asan"))
        self.control = self.node.connect("operator")
        self.settle()

    caller_at_back = caller_at_net = "''"

    def settle(self):
        for span in "net", "back":
            self.exchange.await_idle(span, self.bearers)
        for span in "in", "out":
            self.node.await_span(self.control, span, self.bearers)

    def check(self, *hearers):
        self.settle()
        self.assertEqual(self.exchange.status()["calls_failed"], 0, self.exchange.process.tail())
        wait_until(lambda: not self.control.snapshot()["legs"], "no leg left on the node")
        for hears, says in hearers:
            assert_contains(read_wav(self.dir / f"{hears}-hears.wav"), self.said[says], f"{hears} hears {says}")

    def call_both_ways(self, flash=""):
        self.exchange.call(f"""dial {NUMBER} from 3015550 name Anna on net; wait answered 300; record net-hears.wav
                               send 1; expect digits 2 600; say net-says.wav; send 3; wait released 600""")
        self.check(("net", "back"), ("back", "net"))
        self.exchange.call(f"""dial 2551000 from 3016660 on back; wait answered 300; record back-hears.wav
                               expect digits 1 600; {flash}; send 2; say back-says.wav; pause 0.5; hangup""")
        self.check(("net", "back"))

    def test_em_immediate_dtmf_on_t1(self):
        self.plug("t1", "em-immediate")
        self.call_both_ways()

    def test_em_wink_mf_on_e1(self):
        self.plug("e1", "em-wink", "cas_digits = mf")
        self.call_both_ways()

    def test_feature_group_d_mf_on_t1(self):
        self.caller_at_back, self.caller_at_net = "3015550", "3016660"
        self.plug("t1", "fgd", "cas_digits = mf")
        self.call_both_ways()

    def test_feature_group_d_dtmf_on_e1(self):
        self.caller_at_back, self.caller_at_net = "3015550", "3016660"
        self.plug("e1", "fgd")
        self.call_both_ways()

    def test_kewl_start_with_bell_caller_id_and_flash_on_t1(self):
        self.caller_at_back = "3015550"
        self.plug("t1", "fxo-kewl", "caller_id = bell")
        mark = self.control.mark()
        self.call_both_ways("flash; pause 1.5")
        self.control.await_event("leg.flash", after=mark)

    def test_loop_start_with_v23_caller_id_on_e1(self):
        self.caller_at_back = "3015550"
        self.plug("e1", "fxo-loop", "caller_id = v23")
        self.call_both_ways()

    def test_loop_start_with_dtmf_caller_id_on_t1(self):
        self.caller_at_back = "3015550"
        self.plug("t1", "fxo-loop", "caller_id = dtmf")
        self.exchange.call(f"""dial {NUMBER} from 3015550 on net; wait answered 300; record net-hears.wav
                               send 1; expect digits 2 600; say net-says.wav; send 3; wait released 600""")
        self.check(("net", "back"), ("back", "net"))

    def test_a_clear_bridge_is_refused_where_bits_are_robbed(self):
        self.plug("t1", "em-wink", node=("clock_domain = one",))
        desk = self.node.connect("conductor", epoch=1)
        call = self.exchange.start_calls("dial 5551000 on net; wait answered 300; wait released 600")
        leg = desk.await_event("leg.offered")["leg"]["leg"]
        desk.ask("leg.answer", leg=leg)
        desk.ask("leg.originate", leg="other", to="group:back", setup={"called": NUMBER})
        desk.await_event("leg.state", lambda params: params["leg"] == "other" and params["state"] == "proceeding")
        desk.ask("bridge.create", bridge="b", kind="clear", members=[{"leg": leg}])
        with self.assertRaisesRegex(Exception, "robs bits"):
            desk.ask("bridge.add", bridge="b", member={"leg": "other"})
        for each in leg, "other":
            desk.ask("leg.release", leg=each, cause=16)
        call.all_good()


if __name__ == "__main__":
    main()
