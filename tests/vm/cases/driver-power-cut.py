# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Beside driver-sleep.sh, on the host: while the guest sleeps, the card loses its power and gets it back."""
import os
import pathlib
import socket
import time

OUT = pathlib.Path(os.environ["VM_OUT"])


def is_asleep():
    return "Waiting for" in (OUT / "console").read_text(encoding="utf-8", errors="replace")


while not is_asleep():
    time.sleep(0.05)
with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as card:
    card.connect(str(OUT / "card.sock"))
    for command in (b"unplug\n", b"plug\n"):
        card.sendall(command)
        print(command, card.recv(4096))
