# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A desk that faxes and mails, with a fax box, a sender and a mail server; mails for it, and faxes that its node has."""
import email.message
import json
import subprocess

from centre import Desk
from fax import write_document
from harness import program

LETTERS = ("[mail]", "from = fax@example.org", "bounces = fax.example", "retry_first_s = 1", "retry_max_s = 2")


def mail(subject, *attachments, text="Please fax this."):
    made = email.message.EmailMessage()
    made["From"], made["To"], made["Subject"] = "Anna <anna@example.org>", "fax", subject
    made.set_content(text)
    for name, octets in attachments:
        made.add_attachment(octets, maintype="application", subtype="octet-stream", filename=name)
    return made


def seed_fax(node, number, box, pages):
    """Into the spool of @node, which does not run yet: a fax that came while nobody was there. Its folder."""
    folder = node.state / "spool" / f"17644824001234{number:02}"
    folder.mkdir(parents=True)
    for i, page in enumerate(pages, 1):
        write_document(folder / f"page-{i:04}.tif", [page], (204, 196), length=400)
    (folder / "meta.json").write_text(json.dumps({
        "item": folder.name, "kind": "fax", "state": "open", "id": f"f{number}", "begun_utc_us": 1764482400000000 + number,
        "tags": {"step": f"fax:{box}"}, "parts": []}))
    return folder


class MailDesk(Desk):
    """@smtp, @node_socket: where it finds them, if elsewhere than they are; @lmtp: where it is found, likewise."""

    def __init__(self, case, node, server, *more, smtp=None, node_socket=None, lmtp=None, mail_settings=(),
                 box=("deliver = mail:office@example.org",)):
        super().__init__(case, node, [])
        self.file.write_text(self.file.read_text().replace(f"unix:{node.socket}", f"unix:{node_socket or node.socket}"))
        with open(self.file, "a") as config:
            config.write("\n".join([
                *LETTERS, *(mail_settings or [f"server = smtp://127.0.0.1:{smtp or server.smtp}"]),
                "[lmtp]", f"socket = {lmtp or case.dir / 'lmtp.sock'}", *(["group = postfix"] if server else []), "domains = fax.example",
                "[fax office]", "ident = 030 1000", *box,
                "[fax-sender staff]", "addresses = *@example.org", "box = office", *more]) + "\n")

    def trunkctl(self, *words):
        token = self.case.dir / "operator.token"
        token.write_text("run-the-desk\n")
        done = subprocess.run([program("trunkctl"), "--json", "--desk", f"unix:{self.socket}", "--token-file", str(token), *words],
                              capture_output=True, text=True, timeout=60, check=False)
        self.case.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else {}
