#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A node between an E1 and a telephone of other people's making, baresip: SIP by TLS, SRTP with keys by SDES."""
import signal
import ssl

from audio import noise, read_wav, write_wav
from baresip import Baresip, make_certificate
from centre import assert_heard
from far_end import Exchange, Span
from harness import Case, free_ports, main
from node import Node, near


class SipTls(Case):
    """Numbers that begin with 2 lead from the E1 to anna's telephone, all others to the E1. anna must encrypt."""

    def setUp(self):
        super().setUp()
        a, b, self.sip = free_ports(3)
        # Clocks run free: the telephone speaks by the clock, and would be too fast for a line that waits.
        self.node = Node(self, [near("e1", b, a, clock="adaptive", more=("group = carrier",))],
                         routes={"2": "user:anna", "": "group:carrier"}, sip=f"sips:127.0.0.1:{self.sip}",
                         more="[user anna]\npassword = secret-anna\nsrtp = require\n")
        self.certificate, self.renewed = self.dir / "node.pem", self.dir / "renewed.pem"
        for file in self.certificate, self.renewed:
            make_certificate(file)
            file.chmod(0o600)
        self.node.file.write_text(self.node.file.read_text().replace("[sip]\n", f"[sip]\ncertificate = {self.certificate}\n"))
        self.node.start()
        self.said, self.answer = noise(3, 1), noise(4, 2)
        write_wav(self.dir / "says.wav", self.said)
        self.network = Exchange(
            self, "network", [Span("net", a, b)],
            {"talk": f"proceed; alert; answer; record {self.dir}/heard.wav; pause 0.5; say {self.dir}/says.wav; pause 2; "
                     "hangup 16"}, {"": "talk"})
        self.network.await_idle("net", 30)

    def assert_shown(self):
        """Whoever comes now sees the certificate that is in the file now."""
        self.assertIn(ssl.get_server_certificate(("127.0.0.1", self.sip)), self.certificate.read_text())

    def phone(self, *dials, **more):
        return Baresip(self, "anna", self.sip, self.answer, **more).start(*dials)

    def assert_talked(self, phone, suite):
        """Both have heard the other; nobody knows the keys but they."""
        phone.process.await_line(f"SRTP is Enabled.*{suite}")
        self.network.await_idle("net", 30)
        phone.process.stop()
        assert_heard(read_wav(self.dir / "heard.wav"), self.answer[:16000], "the telephone at the E1")
        assert_heard(phone.heard(), self.said, "the E1 at the telephone")
        self.assertNotIn("inline:", "\n".join(self.node.process.lines))

    def test_from_the_trunk(self):
        """In mid-call the node is given a new certificate; nothing is heard of it."""
        phone = self.phone()
        phone.process.await_line("200 OK")
        self.assert_shown()
        call = self.network.start_calls("""dial 200 from 0301 on net; wait answered; record heard.wav; pause 0.5
                                           say says.wav; pause 2; hangup 16""")
        phone.process.await_line("SRTP is Enabled")
        self.renewed.replace(self.certificate)
        self.node.process.signal(signal.SIGHUP)
        self.node.process.await_line("are reloaded")
        self.assert_shown()
        call.all_good()
        self.assert_talked(phone, "AEAD_AES_128_GCM")

    def test_to_the_trunk(self):
        phone = self.phone("100")
        self.assert_talked(phone, "AES_CM_128_HMAC_SHA1_80")

    def test_without_keys(self):
        """Who must encrypt and does not offer to is refused, and nobody is called."""
        phone = self.phone("100", media="")
        phone.process.await_line("488")
        self.assertEqual(self.network.status()["calls_offered"], 0)


if __name__ == "__main__":
    main()
