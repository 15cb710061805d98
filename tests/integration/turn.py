# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Debian's coturn as the README sets it up: by TCP alone, for who has credentials made with its secret, to 127.0.0.1 alone."""
from harness import free_ports

CONF = """listening-ip=127.0.0.1
relay-ip=127.0.0.1
listening-port={port}
min-port={low}
max-port={high}
no-udp
no-tls
no-dtls
realm=example.org
fingerprint
use-auth-secret
static-auth-secret={secret}
no-multicast-peers
allow-loopback-peers
allowed-peer-ip=127.0.0.1
denied-peer-ip=0.0.0.0-255.255.255.255
denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
no-cli
no-rfc5780
no-stun-backward-compatibility
verbose
log-file=stdout
pidfile={dir}/turnserver.pid
userdb={dir}/turndb
"""


class Turn:
    def __init__(self, case, secret):
        self.port, low = free_ports(2)
        self.url = f"turn:127.0.0.1:{self.port}?transport=tcp"
        file = case.dir / "turnserver.conf"
        file.write_text(CONF.format(port=self.port, low=low, high=low + 19, secret=secret, dir=case.dir))
        self.process = case.start("turnserver", ["turnserver", "-c", str(file)])
        case.on_end(self.process.kill)  # it knows no other end
        self.process.await_line(f"TCP listener opened on.*127.0.0.1:{self.port}")
