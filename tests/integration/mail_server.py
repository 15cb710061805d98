# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""A private mail server of real parts: postfix takes mails on a free port and sends those for fax.example to the desk's
LMTP socket, those for example.org to dovecot, whose mailboxes are read by IMAP. It offers TLS (by STARTTLS, and at another
port from the start; at a third it does not) with a certificate of its own authority, and logins by TLS. All of it lives below the test's folder."""
import email
import email.policy
import grp
import imaplib
import os
import pwd
import shutil
import smtplib
import subprocess

from harness import free_ports, wait_until

PASSWORD = "read-me"
USERS = "anna", "ben", "court", "office", "second", "desk"  # postfix takes mail for any other as well, and has to send it back
POSTFIX_DIR = "/usr/lib/postfix/sbin"
# Of its queue: folder -> (owner, group, mode). With them in place it need not look the whole installation over, which takes seconds.
QUEUE = {name: ("postfix", "root", 0o700) for name in (
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace")} | \
    {"maildrop": ("postfix", "postdrop", 0o730), "public": ("postfix", "postdrop", 0o710), "pid": ("root", "root", 0o755)}

MAIN_CF = """compatibility_level = 3.6
queue_directory = {dir}/postfix/queue
data_directory = {dir}/postfix/data
command_directory = /usr/sbin
daemon_directory = {sbin}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
relay_domains = fax.example
transport_maps = inline:{{ {{ fax.example = lmtp:unix:{dir}/lmtp.sock }} }}
virtual_mailbox_domains = example.org
virtual_mailbox_maps = static:any
virtual_transport = lmtp:unix:{dir}/dovecot-lmtp
smtpd_relay_restrictions = permit_mynetworks, reject
maillog_file = {dir}/postfix/log
maillog_file_prefixes = {dir}
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{ nobody@example.org = 550 5.1.1 nobody lives here }} }}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {dir}/mail.pem
smtpd_tls_key_file = {dir}/mail.key
smtpd_tls_received_header = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {dir}/dovecot-auth
smtpd_sasl_authenticated_header = yes
smtpd_tls_auth_only = yes
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 4s
"""

MASTER_CF = """127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{plain_port} inet n - n - - smtpd -o smtpd_tls_security_level=none -o smtpd_sasl_auth_enable=no
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

DOVECOT_CONF = """protocols = imap lmtp
base_dir = {dir}/dovecot
log_path = /dev/stderr
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{dir}/mail/%n
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = passwd-file
  args = username_format=%n {dir}/users
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {dir}/dovecot-auth {{
    mode = 0666
  }}
}}
service lmtp {{
  unix_listener {dir}/dovecot-lmtp {{
    mode = 0666
  }}
}}
"""


def missing():
    """Why it cannot be had here, or None."""
    if os.geteuid() != 0:
        return "postfix and dovecot start as root only"
    for program in "/usr/sbin/postfix", "/usr/sbin/dovecot":
        if not os.path.exists(program):
            return f"{program} is not installed"
    return None


class MailServer:
    def __init__(self, case):
        self.case, self.dir = case, case.dir
        self.smtp, self.smtps, self.plain, self.imap = free_ports(4)
        os.chmod(case.dir, 0o755)
        self.authority = self.make_certificate("ca", "-addext", "basicConstraints=critical,CA:TRUE")
        self.make_certificate("mail", "-CA", self.authority, "-CAkey", str(self.dir / "ca.key"), "-addext", "subjectAltName=IP:127.0.0.1")
        self.write_postfix()
        self.write_dovecot()
        case.start("dovecot", ["/usr/sbin/dovecot", "-F", "-c", str(self.dir / "dovecot.conf")])
        wait_until((self.dir / "dovecot-lmtp").exists, "dovecot's LMTP socket")
        self.running = False
        case.on_end(self.stop)

    def make_certificate(self, name, *more):
        own = str(self.dir / f"{name}.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", f"/CN={name}", "-keyout", str(self.dir / f"{name}.key"), "-out", own, *more],
                       check=True, capture_output=True)
        return own

    def write_postfix(self):
        folder = self.dir / "postfix"
        for name in "queue", "data":
            (folder / name).mkdir(parents=True)
        shutil.chown(folder / "data", "postfix")
        for name, (owner, group, mode) in QUEUE.items():
            (folder / "queue" / name).mkdir()
            shutil.chown(folder / "queue" / name, owner, group)
            (folder / "queue" / name).chmod(mode)
        values = {"dir": self.dir, "sbin": POSTFIX_DIR, "port": self.smtp, "tls_port": self.smtps, "plain_port": self.plain}
        (folder / "main.cf").write_text(MAIN_CF.format(**values))
        (folder / "master.cf").write_text(MASTER_CF.format(**values))

    def write_dovecot(self):
        mail = self.dir / "mail"
        mail.mkdir()
        uid, gid = pwd.getpwnam("nobody").pw_uid, grp.getgrnam("nogroup").gr_gid
        os.chown(mail, uid, gid)
        (self.dir / "users").write_text("".join(f"{user}::{uid}:{gid}::{mail / user}::\n" for user in USERS))
        (self.dir / "dovecot.conf").write_text(DOVECOT_CONF.format(dir=self.dir, port=self.imap, password=PASSWORD))

    def postfix(self, verb):
        # Into a file: its daemons keep what they were given, and a pipe would never end.
        said = self.dir / "postfix" / f"{verb}.log"
        with open(said, "w") as log:
            done = subprocess.run(["/usr/sbin/postfix", "-c", str(self.dir / "postfix"), verb], stdout=log, stderr=log, timeout=300, check=False)
        return done.returncode, said.read_text()

    def start(self):
        (self.dir / "postfix/queue/quick-start").touch()
        status, said = self.postfix("start")
        assert status == 0, said
        self.running = True
        wait_until(self.greets, "postfix answers")

    def greets(self):
        try:
            smtplib.SMTP("127.0.0.1", self.smtp, timeout=10).quit()
            return True
        except OSError:
            return False

    def stop(self):
        if self.running:
            self.postfix("stop")
        self.running = False

    def send(self, message, sender, *recipients):
        """By SMTP, as anybody's mail program would."""
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=60) as server:
            server.send_message(message, sender, recipients)

    def await_handed_over(self):
        """What it took from others it has handed over, or sent back."""
        queue = self.dir / "postfix" / "queue"
        def is_empty():
            return not any(one.is_file() for name in ("maildrop", "incoming", "active", "deferred") for one in (queue / name).rglob("*"))
        wait_until(is_empty, "an empty queue of the mail server")

    def read(self, user):
        """All mails of @user@example.org, by IMAP."""
        with imaplib.IMAP4("127.0.0.1", self.imap, timeout=60) as box:
            box.login(user, PASSWORD)
            box.select(readonly=True)
            _, found = box.search(None, "ALL")
            mails = [box.fetch(number, "(RFC822)")[1][0][1] for number in found[0].split()]
        return [email.message_from_bytes(mail, policy=email.policy.default) for mail in mails]

    def await_mails(self, user, n, limit_s=120):
        folder = self.dir / "mail" / user
        def enough():
            return sum(1 for one in ("new", "cur") for _ in (folder / one).glob("*")) >= n
        wait_until(enough, f"{n} mails for {user}", limit_s)
        return self.read(user)
