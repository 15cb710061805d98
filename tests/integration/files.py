# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A node's spool and blobs, by HTTP on its control socket."""
import hashlib
import http.client
import socket

from node import TOKENS


class Http(http.client.HTTPConnection):
    """HTTP on a UNIX socket, a connection for each request."""

    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)

    def ask(self, method, path, role=None, body=None, token=None, **headers):
        token = token or TOKENS.get(role)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self.request(method, path, body, headers)
        answer = self.getresponse()
        body = answer.read()
        self.close()
        return answer.status, body, answer


def put_blob(node, octets):
    """Hands a document to the node; its digest."""
    digest = hashlib.sha256(octets).hexdigest()
    status, said, _ = Http(node.socket).ask("PUT", f"/blob/{digest}", "conductor", octets)
    if status not in (200, 201):
        raise AssertionError(f"PUT /blob: {status} {said}")
    return digest
