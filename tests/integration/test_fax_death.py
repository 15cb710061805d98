#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""trunkd is killed at each stage of a reception: every page that the sender saw confirmed is in the spool afterwards."""
from fax import FaxLine, pixels, write_document
from harness import Case, main

# What has just been heard when it dies; and the least that is in the spool then.
STAGES = {"negotiated": (lambda name, p: name == "fax.negotiated", 0),
          "first page": (lambda name, p: name == "fax.page" and p["page"] == 1, 1),
          "second page": (lambda name, p: name == "fax.page" and p["page"] == 2, 2),
          "end": (lambda name, p: name == "fax.ended", 3)}


class KilledWhileReceiving(Case):
    def await_stage(self, control, reached, after):
        def find():
            return next((True for name, params in control.events[after:] if reached(name, params)), None)
        control.until(find, "the stage")

    def items(self, line):
        return {item["item"]: item for item in line.control.ask("spool.list")["items"]}

    def test_killed(self):
        line = FaxLine(self)
        line.node.file.write_text(line.node.file.read_text().replace("restart = no", "restart = yes"))
        document = write_document(self.dir / "document.tif", [1, 2, 3])
        wanted = pixels(document)
        seen = set()
        for epoch, (stage, (reached, least)) in enumerate(STAGES.items(), 2):
            with self.subTest(stage=stage):
                mark = line.control.mark()
                calls = line.far.start_calls(f"dial 100; wait answered; fax send {document} expect any")
                line.answer(mark)
                self.await_stage(line.control, reached, mark)
                line.kill_node()
                line.begin(epoch)
                sent = calls.results()[0][0]["faxes"][0]
                fresh = {name: item for name, item in self.items(line).items() if name not in seen}
                seen |= fresh.keys()
                self.assertEqual(1 if least else len(fresh), len(fresh))  # an item without a page may be gone
                kept = sum(len(item["parts"]) for item in fresh.values())
                self.assertGreaterEqual(kept, max(least, sent["pages_confirmed"]))
                for name, item in fresh.items():
                    self.assertIn(item["state"], ("partial", "complete") if stage == "end" else ("partial",))
                    for number in range(1, kept + 1):
                        self.assertEqual([wanted[number - 1]], pixels(line.part(name, number)), f"page {number}")


if __name__ == "__main__":
    main()
