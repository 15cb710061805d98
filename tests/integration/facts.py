# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""The journal's facts as records of calls: what a bill would be made from."""
from harness import wait_until


def read_facts(control):
    """Every fact that the node keeps, oldest first. @control: a conductor."""
    facts = []
    while True:
        page = control.ask("journal.read", after=facts[-1]["sequence"] if facts else 0, max=1000)
        facts += page["facts"]
        if not page["facts"] or facts[-1]["sequence"] >= page["last"]:
            return facts


def legs_of(facts):
    """leg -> its facts, in order; each leg begins once and ends once, each bridge is joined and left, or this fails."""
    legs, bridges = {}, {}
    for fact in facts:
        if "leg" in fact:
            legs.setdefault(fact["leg"], []).append(fact)
        if "bridge" in fact:
            bridges.setdefault(fact["bridge"], []).append(fact["fact"])
    for leg, own in legs.items():
        kinds = [fact["fact"] for fact in own]
        if kinds[0] != "offered" or kinds[-1] != "ended" or kinds.count("offered") + kinds.count("ended") != 2 \
                or kinds.count("answered") > 1:
            raise AssertionError(f"{leg} is no clean record: {kinds}")
    for bridge, kinds in bridges.items():
        if kinds.count("bridged") != kinds.count("unbridged"):
            raise AssertionError(f"bridge {bridge} is no clean record: {kinds}")
    return legs


def records(control):
    """One (direction, span or user, called, answered, cause) for each leg, in the order of their beginnings, once every
    leg has ended: the node may learn of that after its far ends, and what has just happened may not be on the disk yet.
    @control: a conductor."""
    def all_ended():
        facts = read_facts(control)
        kinds = [fact["fact"] for fact in facts]
        return kinds.count("offered") == kinds.count("ended") and facts
    wait_until(lambda: not control.snapshot()["legs"], "no leg left on the node")
    rows = []
    for own in legs_of(wait_until(all_ended, "an end of each leg")).values():
        last = own[-1]
        rows.append((last["direction"], last["party"]["name"], last["setup"]["called"],
                     any(fact["fact"] == "answered" for fact in own), last["cause"]))
    return rows
