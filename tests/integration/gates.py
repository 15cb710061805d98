# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Doors on a program's way to others that can be shut, so that it is killed exactly while it stands before one."""
import os
import signal
import socket
import sqlite3
import threading

from harness import LIMIT_S, program, wait_until


class Relay:
    """Carries what a program says to a socket and what comes back; shut, it stops at the octets that are meant."""

    def __init__(self, case, own, to):
        self.to, self.meant = to, None
        self.stopped, self.opened = threading.Event(), threading.Event()
        self.sockets = [self.socket_of(own)]
        self.sockets[0].bind(own)
        self.sockets[0].listen()
        case.on_end(self.close)
        threading.Thread(target=self.accept, daemon=True).start()

    @staticmethod
    def socket_of(address):
        return socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)

    def shut(self, meant):
        """@meant(way, octets): whether the door is before these; way is "there" or "back"."""
        self.stopped.clear()
        self.opened.clear()
        self.meant = meant

    def await_stopped(self):
        assert self.stopped.wait(LIMIT_S), "nobody came to the door"

    def open(self):
        self.meant = None
        self.opened.set()

    def accept(self):
        while True:
            try:
                client, _ = self.sockets[0].accept()
            except OSError:
                return
            server = self.socket_of(self.to)
            self.sockets += [client, server]
            try:
                server.connect(self.to)
            except OSError:  # nobody is there yet
                client.close()
                continue
            for way, source, sink in ("there", client, server), ("back", server, client):
                threading.Thread(target=self.carry, args=(way, source, sink), daemon=True).start()

    def carry(self, way, source, sink):
        try:
            while octets := source.recv(65536):
                if self.meant and self.meant(way, octets):
                    self.stopped.set()
                    self.opened.wait()
                    break
                sink.sendall(octets)
        except OSError:
            pass
        for end in source, sink:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.open()
        for one in self.sockets:
            one.close()


class Store:
    """The desk's store: while it is shut nothing is committed. A mail that is on disk by then stands before it."""

    def __init__(self, case):
        self.dir, self.meant, self.lock = case.dir / "deskd", None, None

    def shut(self, meant):
        """@meant: octets of the mail."""
        self.meant = meant
        self.lock = sqlite3.connect(self.dir / "desk.db", timeout=LIMIT_S, isolation_level=None)
        self.lock.execute("BEGIN IMMEDIATE")

    def is_kept(self):
        return any(len(blob.name) == 64 and self.meant in blob.read_bytes() for blob in (self.dir / "blobs").rglob("*") if blob.is_file())

    def await_stopped(self):
        wait_until(self.is_kept, "a mail on disk")

    def open(self):
        self.lock.close()


SCRIPT = """#!/bin/sh
for job; do case $job in fax | pdf | picture | part | run) break ;; esac; done
if [ -e {dir}/shut-$job ]; then
	echo $$ >{dir}/at.new && mv {dir}/at.new {dir}/at-$job
	exec sleep 1000 2>/dev/null
fi
exec {faxpages} "$@"
"""


class Converter:
    """faxpages, whose jobs of a kind can be made to stand still."""

    def __init__(self, case):
        self.dir, self.job = case.dir, None
        self.path = case.dir / "converter"
        self.path.write_text(SCRIPT.format(dir=case.dir, faxpages=program("faxpages")))
        self.path.chmod(0o755)

    def shut(self, job):
        self.job = job
        (self.dir / f"shut-{job}").touch()

    def await_stopped(self):
        wait_until((self.dir / f"at-{self.job}").exists, f"a job {self.job}")

    def open(self):
        """After its desk's death: what stood still goes, too, as faxpages does by itself."""
        (self.dir / f"shut-{self.job}").unlink()
        at = self.dir / f"at-{self.job}"
        os.kill(int(at.read_text()), signal.SIGKILL)
        at.unlink()
