# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A certificate authority of this machine's own, and a certificate by it: browsers give the microphone to pages that
come by HTTPS only. Both are made by openssl on the first run and kept; the certificate anew for another address."""
import ipaddress
import os
import socket
import subprocess

CA_DAYS, DAYS = 3650, 397  # browsers refuse certificates that live longer
RENEW_BEFORE_S = 30 * 86400
# The authority can vouch for nothing outside, should its key ever be stolen.
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True, text=True)


def constraints(host):
    nets = [ipaddress.ip_network(net) for net in PRIVATE]
    if not any(ipaddress.ip_address(host) in net for net in nets):
        nets.append(ipaddress.ip_network(host))
    names = ["permitted;DNS:localhost", f"permitted;DNS:{socket.gethostname()}"]
    return ",".join(["critical"] + names + [f"permitted;IP:{net.network_address}/{net.netmask}" for net in nets])


def make_authority(folder, host):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(CA_DAYS),
            "-subj", f"/CN=Trunkline demonstration on {socket.gethostname()[:40]}", "-keyout", f"{folder}/ca.key",
            "-out", f"{folder}/ca.pem", "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0",
            "-addext", "keyUsage=critical,keyCertSign", "-addext", f"nameConstraints={constraints(host)}")


def make_certificate(folder, host):
    names = [f"IP:{host}", "IP:127.0.0.1", "DNS:localhost", f"DNS:{socket.gethostname()}"]
    openssl("req", "-x509", "-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(DAYS), "-subj", f"/CN={host}",
            "-keyout", f"{folder}/desk.key", "-out", f"{folder}/desk.pem", "-addext", "basicConstraints=critical,CA:FALSE",
            "-addext", "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=serverAuth",
            "-addext", "subjectAltName=" + ",".join(dict.fromkeys(names)))


def still_good(folder, host):
    def asks(*words):
        return subprocess.run(["openssl", "x509", "-in", f"{folder}/desk.pem", "-noout", *words], capture_output=True, text=True)
    lives, fits = asks("-checkend", str(RENEW_BEFORE_S)), asks("-checkip", host)
    known = subprocess.run(["openssl", "verify", "-CAfile", f"{folder}/ca.pem", f"{folder}/desk.pem"], capture_output=True)
    return lives.returncode == 0 and "does match" in fits.stdout and known.returncode == 0


def for_host(run, host):
    """The authority's certificate, the desk's, and the desk's key."""
    folder = os.path.join(run, "tls")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    old = os.umask(0o077)
    try:
        if not os.path.exists(f"{folder}/ca.pem"):
            make_authority(folder, host)
        if not still_good(folder, host):
            make_certificate(folder, host)
    finally:
        os.umask(old)
    return f"{folder}/ca.pem", f"{folder}/desk.pem", f"{folder}/desk.key"
