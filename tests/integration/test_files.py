#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Spool and blobs by HTTP on a real node's control socket: ranges, tokens, digests, sizes, paths, a full disk."""
import hashlib
import json
import os
import resource

from control import Refused
from files import Http
from harness import Case, main
from node import TOKENS, Node

ITEM = "1764482400123456"


class Files(Case):
    def setUp(self):
        super().setUp()
        self.node = Node(self, settings=("spool_reserve_mib = 1", "blob_max_mib = 2"))
        self.page = os.urandom(700_000)
        folder = self.node.state / "spool" / ITEM
        folder.mkdir(parents=True)
        (folder / "page-0001.tif").write_bytes(self.page)
        (folder / "page-0002.tif.part").write_bytes(b"never confirmed")
        (folder / "meta.json").write_text(json.dumps({"item": ITEM, "kind": "fax", "state": "open", "id": "f1", "begun_utc_us": 1, "parts": []}))

    def begin(self, **env):
        self.node.start(**env)
        self.control = self.node.connect("conductor", epoch=1)
        self.http = Http(self.node.socket)
        self.on_end(self.http.close)

    def test_spool(self):
        """What a death left is partial, can be read by ranges, and is gone once freed."""
        self.begin()
        def settled():
            return self.control.ask("spool.list")["items"]
        items = self.control.until(settled, "the item is settled") if not settled() else settled()
        self.assertEqual(["partial", "f1"], [items[0]["state"], items[0]["id"]])
        [part] = items[0]["parts"]
        self.assertEqual((len(self.page), hashlib.sha256(self.page).hexdigest()), (part["size"], part["sha256"]))
        path = f"/spool/{ITEM}/page-0001.tif"
        self.assertEqual((200, self.page), self.http.ask("GET", path, "conductor")[:2])
        for asked, first, last in (("bytes=0-0", 0, 0), ("bytes=300000-", 300000, 699999), ("bytes=-5", 699995, 699999),
                                   ("bytes=699000-9999999", 699000, 699999), ("bytes=10-600000", 10, 600000)):
            status, body, answer = self.http.ask("GET", path, "conductor", Range=asked)
            self.assertEqual((206, f"bytes {first}-{last}/700000"), (status, answer.headers["Content-Range"]), asked)
            self.assertEqual(self.page[first:last + 1], body, asked)
        self.assertEqual(416, self.http.ask("GET", path, "conductor", Range="bytes=700000-")[0])
        status, body, answer = self.http.ask("HEAD", path, "conductor")
        self.assertEqual((200, b"", "700000"), (status, body, answer.headers["Content-Length"]))

        for bad in ("", "x", f"{ITEM}", f"{ITEM}/", f"{ITEM}/meta.json", f"{ITEM}/page-0002.tif", f"{ITEM}/page-0002.tif.part",
                    f"{ITEM}/page-0001.tif/", f"{ITEM}/../../epoch", f"{ITEM}/..%2f..%2fepoch",
                    "..%2f..%2f..%2fetc/passwd", "%2e%2e/lock", f"{ITEM}%00/page-0001.tif"):
            self.assertIn(self.http.ask("GET", f"/spool/{bad}", "conductor")[0], (400, 404), bad)
        for role, status in ((None, 401), ("observer", 403), ("operator", 403), ("application", 403)):
            self.assertEqual(status, self.http.ask("GET", path, role)[0], role)
        self.assertEqual(401, self.http.ask("GET", path, token="conduct-mf")[0])
        self.assertEqual(405, self.http.ask("DELETE", path, "conductor")[0])

        self.control.ask("spool.free", item=ITEM)
        self.assertEqual(404, self.http.ask("GET", path, "conductor")[0])
        with self.assertRaises(Refused) as refused:
            self.control.ask("spool.free", item=ITEM)
        self.assertEqual(-32003, refused.exception.code)
        self.assertEqual([], self.control.ask("spool.list")["items"])

    def test_blobs(self):
        """A blob is kept under its digest and under no other, by who may, up to the size that is allowed."""
        self.begin()
        blob = os.urandom(1_500_000)
        digest, blobs = hashlib.sha256(blob).hexdigest(), self.node.state / "blobs"
        self.assertEqual(201, self.http.ask("PUT", f"/blob/{digest}", "application", blob)[0])
        self.assertEqual(blob, (blobs / digest).read_bytes())
        self.assertEqual(200, self.http.ask("PUT", f"/blob/{digest}", "conductor", blob)[0])

        def chunks(n):
            yield from (bytes([i % 251]) * 100_000 for i in range(n))
        whole = b"".join(chunks(12))
        self.assertEqual(201, self.http.ask("PUT", f"/blob/{hashlib.sha256(whole).hexdigest()}", "application", chunks(12))[0])
        self.assertEqual(201, self.http.ask("PUT", f"/blob/{hashlib.sha256(b'').hexdigest()}", "application", b"")[0])
        kept = sorted(os.listdir(blobs))

        wrong = "0" * 64
        for path, role, body, status in (
                (wrong, "application", blob, 422), (wrong, None, blob, 401), (wrong, "observer", blob, 403),
                (wrong, "operator", blob, 403), (wrong, "application", bytes(2_097_153), 413), (wrong, "application", chunks(40), 413),
                ("../epoch", "application", b"9", 400), ("..%2fepoch", "application", b"9", 400), (digest.upper(), "application", blob, 400),
                (digest[:-1], "application", blob, 400), (f"{digest}/x", "application", blob, 400), ("", "application", blob, 400)):
            self.assertEqual(status, self.http.ask("PUT", f"/blob/{path}", role, body)[0], (path, role))
        self.assertEqual(405, self.http.ask("GET", f"/blob/{digest}", "conductor")[0])
        self.assertEqual(kept, sorted(os.listdir(blobs)))

        half = Http(self.node.socket)  # one that goes away in the middle leaves nothing
        half.connect()
        half.sock.sendall(f"PUT /blob/{wrong} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKENS['application']}\r\n"
                          f"Content-Length: 1000000\r\n\r\n".encode() + bytes(600_000))
        half.close()
        self.assertEqual(201, self.http.ask("PUT", f"/blob/{hashlib.sha256(b'x').hexdigest()}", "application", b"x")[0])
        self.node.process.stop()
        self.assertEqual(len(kept) + 1, len([name for name in os.listdir(blobs) if not name.startswith(".put-")]))

    def test_full(self):
        """A disk with no more room: 507, nothing half kept; the node goes on."""
        self.begin()
        pid = self.node.process.process.pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (300_000, resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]))
        blob = os.urandom(600_000)
        status, body, _ = self.http.ask("PUT", f"/blob/{hashlib.sha256(blob).hexdigest()}", "application", blob)
        self.assertEqual((507, b"File too large\n"), (status, body))
        small = b"small enough"
        self.assertEqual(201, self.http.ask("PUT", f"/blob/{hashlib.sha256(small).hexdigest()}", "application", small)[0])
        self.assertEqual([hashlib.sha256(small).hexdigest()], os.listdir(self.node.state / "blobs"))


if __name__ == "__main__":
    main()
