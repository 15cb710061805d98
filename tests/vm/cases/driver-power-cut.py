# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Beside driver-sleep.sh, on the host: while the guest sleeps, the card loses its power and gets it back; the second
time it is out already, and put back."""
import os
import pathlib
import socket
import time

OUT = pathlib.Path(os.environ["VM_OUT"])


def await_sleep(nth):
    while (OUT / "console").read_text(encoding="utf-8", errors="replace").count("Waiting for") < nth:
        time.sleep(0.05)


def tell_card(*commands):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as card:
        card.connect(str(OUT / "card.sock"))
        for command in commands:
            card.sendall(command.encode() + b"\n")
            print(command, card.recv(4096))


await_sleep(1)
tell_card("unplug", "plug")
await_sleep(2)
tell_card("plug")
