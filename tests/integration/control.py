# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A client of the control protocol: JSON-RPC 2.0 in WebSocket text frames (RFC 6455) on a UNIX socket."""
import base64
import json
import os
import socket
import struct
import threading
import time

from harness import LIMIT_S

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Refused(Exception):
    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.data = error["code"], error.get("data", {})


class Control:
    """@schema: node or desk. Events are kept in .events, (name, params), and can be awaited."""

    def __init__(self, case, path, schema, token, **session):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LIMIT_S)
        self.socket.connect(str(path))
        self.buffer = b""
        self.handshake(f"trunkline.{schema}.1")
        self.events, self.answers, self.changed = [], {}, threading.Condition()
        self.last_id, self.closed = 0, False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        case.on_end(self.close)
        self.opened = self.ask("session.open", token=token, **session)

    def handshake(self, protocol):
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                             f"Sec-WebSocket-Protocol: {protocol}\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise AssertionError(f"no WebSocket: {head.decode()}")

    def fill(self):
        octets = self.socket.recv(65536)
        if not octets:
            raise ConnectionError("closed")
        self.buffer += octets

    def take(self, n):
        while len(self.buffer) < n:
            self.fill()
        octets, self.buffer = self.buffer[:n], self.buffer[n:]
        return octets

    def frame(self):
        """The next message: (opcode, octets). Continuations are joined."""
        whole, opcode = b"", None
        while True:
            first, second = self.take(2)
            n = second & 127
            if n >= 126:
                n = struct.unpack(">H" if n == 126 else ">Q", self.take(2 if n == 126 else 8))[0]
            whole += self.take(n)
            opcode = opcode or first & 15
            if first & 128:
                return opcode, whole

    def send(self, opcode, octets):
        mask = os.urandom(4)
        n = len(octets)
        size = bytes([128 | n]) if n < 126 else bytes([128 | 126]) + struct.pack(">H", n) if n < 65536 else \
            bytes([128 | 127]) + struct.pack(">Q", n)
        self.socket.sendall(bytes([128 | opcode]) + size + mask + bytes(o ^ mask[i % 4] for i, o in enumerate(octets)))

    def read(self):
        self.socket.settimeout(None)
        try:
            while True:
                opcode, octets = self.frame()
                if opcode == PING:
                    self.send(PONG, octets)
                elif opcode == CLOSE:
                    break
                elif opcode == TEXT:
                    self.hear(json.loads(octets))
        except OSError:
            pass
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def hear(self, message):
        with self.changed:
            if "method" in message:
                self.events.append((message["method"], message.get("params", {})))
            else:
                self.answers[message.get("id")] = message
            self.changed.notify_all()

    def ask(self, method, **params):
        self.last_id += 1
        self.send(TEXT, json.dumps({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}).encode())
        answer = self.until(lambda: self.answers.pop(self.last_id, None), method)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    def until(self, found, what, limit_s=LIMIT_S):
        deadline = time.monotonic() + limit_s
        with self.changed:
            while True:
                value = found()
                if value:
                    return value
                if self.closed:
                    raise ConnectionError(f"the connection was closed before {what}")
                if not self.changed.wait(deadline - time.monotonic()):
                    raise AssertionError(f"{what}: not within {limit_s} s; heard {self.events[-8:]}")

    def mark(self):
        with self.changed:
            return len(self.events)

    def await_event(self, name, true=lambda params: True, after=0, limit_s=LIMIT_S):
        def find():
            return next((params for heard, params in self.events[after:] if heard == name and true(params)), None)
        return self.until(find, f"event {name}", limit_s)

    def snapshot(self):
        return self.ask("node.snapshot")

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.reader.join(5)
        self.socket.close()
