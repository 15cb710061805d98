# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""baresip, a telephone of other people's making: TLS, SDES, what it says from a file and what it heard into one."""
import subprocess
import wave

from harness import free_ports


def linear(octet):
    """A-law to 16 bits, ITU-T G.711."""
    octet ^= 0x55
    value = (octet & 15) * 16 + 8
    segment = octet >> 4 & 7
    if segment:
        value = (value + 256) << segment - 1
    return value if octet & 0x80 else -value


LINEAR = [linear(octet) for octet in range(256)]
ALAW = {value: octet for octet, value in enumerate(LINEAR)}


def make_certificate(path):
    """Key and certificate of a stranger, in one file."""
    key = path.with_suffix(".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                    "-subj", "/CN=phone", "-keyout", key, "-out", path], check=True, capture_output=True)
    path.write_bytes(key.read_bytes() + path.read_bytes())


class Baresip:
    """Registers as @user at the node's TLS port @sip and answers by itself. @says: A-law octets. @media: baresip's
    mediaenc ('' for none)."""

    def __init__(self, case, user, sip, says=b"", media="srtp-mand"):
        self.case, self.folder = case, case.dir / f"baresip-{user}"
        self.folder.mkdir()
        own, = free_ports(1)
        make_certificate(self.folder / "phone.pem")
        with wave.open(str(self.folder / "says.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(b"".join(LINEAR[octet].to_bytes(2, "little", signed=True) for octet in says))
        modules = ["g711", "srtp", "aufile", "aubridge", "sndfile", "menu", "account"]
        (self.folder / "config").write_text("\n".join([
            "poll_method epoll", f"sip_listen 127.0.0.1:{own}", f"sip_certificate {self.folder}/phone.pem",
            f"audio_source aufile,{self.folder}/says.wav", "audio_player aubridge,none", f"snd_path {self.folder}",
            "module_path /usr/lib/baresip/modules", *(f"module {name}.so" for name in modules)]) + "\n")
        encryption = f";mediaenc={media}" if media else ""
        (self.folder / "accounts").write_text(
            f"<sip:{user}@127.0.0.1:{sip};transport=tls>;auth_pass=secret-{user};regint=60;answermode=auto;"
            f"audio_codecs=PCMA/8000/1{encryption}\n")
        self.process = None

    def start(self, *dials):
        more = [word for number in dials for word in ("-e", f"/dial {number}")]
        self.process = self.case.start(self.folder.name, ["baresip", "-4", "-f", str(self.folder), *more])
        return self

    def heard(self):
        """A-law octets of all that it has heard; it must have been stopped."""
        octets = bytearray()
        for file in sorted(self.folder.glob("dump-*-dec.wav")):
            data = file.read_bytes()
            pcm = data[data.index(b"data") + 8:]
            octets += bytes(ALAW.get(int.from_bytes(pcm[at:at + 2], "little", signed=True), 0)
                            for at in range(0, len(pcm) - 1, 2))
        return bytes(octets)
