#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Documents of an office suite become faxes by LibreOffice, and faxes PDFs that can be searched by OCRmyPDF, in the sandbox
that deskd gives them. What is on pages is read back by Tesseract. Soak's alone, as these programs are large packages."""
import os
import shutil
import signal
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
import mail_server  # noqa: E402
from centre import NUMBER  # noqa: E402
from fax_desk import MailDesk, mail, seed_fax  # noqa: E402
from harness import Case, main, program, wait_until  # noqa: E402
from node import Node  # noqa: E402

LONG_S = 600  # a busy machine takes half a minute for what is a second's work
WORDS = "The court sits on Monday"
MISSING = [name for name in ("soffice", "ocrmypdf", "tesseract", "pdftotext") if not shutil.which(name)]


def words_of(picture):
    done = subprocess.run(["tesseract", str(picture), "-", "--psm", "6"], capture_output=True, text=True, timeout=LONG_S, check=True)
    return " ".join(done.stdout.split())


def processes_of(folder, name=""):
    """Programs of that @name that work in @folder, or on what is in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            said = (process / "cmdline").read_text()
            if str(folder) in said and name in said:
                found.append(int(process.name))
        except OSError:
            pass
    return found


@unittest.skipIf(MISSING, f"not installed: {' '.join(MISSING)}")
@unittest.skipIf(mail_server.missing(), mail_server.missing() or "")
class Office(Case):
    def setUp(self):
        super().setUp()
        self.server = mail_server.MailServer(self)
        self.server.start()
        self.node = Node(self, routes={NUMBER: "announcement:tone:busy"}, settings=("spool_reserve_mib = 1",))

    def begin(self, *box):
        """No line leads anywhere: a fax is over when its pages are made."""
        self.node.start()
        self.desk = MailDesk(self, self.node, self.server, box=("deliver = mail:office@example.org", *box))
        self.control = self.desk.start()

    def make(self, form):
        text = self.dir / "letter.txt"
        text.write_text(f"{WORDS}\n")
        subprocess.run(["soffice", f"-env:UserInstallation=file://{self.dir}/own", "--headless", "--convert-to", form, "--outdir",
                        str(self.dir), str(text)], capture_output=True, timeout=LONG_S, check=True)
        return self.dir / f"letter.{form}"

    def page(self, fax):
        """What a fax's first page says."""
        picture = self.dir / "page.tif"
        with urllib.request.urlopen(f"http://127.0.0.1:{self.desk.port}/api/fax/{fax}/document", timeout=60) as answer:
            picture.write_bytes(answer.read())
        return words_of(picture)

    def fax_to(self, number):
        return next(fax for fax in self.control.ask("fax.list")["faxes"] if fax["called"] == number)

    def test_documents(self):
        """By mail and by trunkctl; one that is none is named to who sent it."""
        self.begin()
        for number, form in enumerate(("docx", "rtf", "odt")):
            document = self.make(form)
            self.server.send(mail(form, (document.name, document.read_bytes())), "anna@example.org", f"555{number}@fax.example")
        self.server.await_mails("anna", 3, LONG_S)
        self.desk.trunkctl("fax", "send", str(self.make("odt")), "5559", "tell=ben@example.org")
        self.server.await_mails("ben", 1, LONG_S)
        for number in "5550", "5551", "5552", "5559":
            fax = self.fax_to(number)
            self.assertEqual(1, fax["pages"], fax)
            self.assertIn(WORDS, self.page(fax["fax"]))
        (self.dir / "sheet.xlsx").write_bytes(b"PK\3\4" + os.urandom(5000))
        self.desk.trunkctl("fax", "send", str(self.dir / "sheet.xlsx"), "5558", "tell=ben@example.org")
        told = self.server.await_mails("ben", 2, LONG_S)
        self.assertIn("sheet.xlsx: LibreOffice cannot read it", "".join(one.get_body().get_content() for one in told))

    def test_searchable(self):
        """What Tesseract has read on a page that came is text of the PDF that is mailed."""
        folder = seed_fax(self.node, 1, "office", [1])
        (self.dir / "text").write_text(f"{WORDS}\n")
        subprocess.run([program("faxpages"), "fax", folder / "page-0001.tif", self.dir / "text"], stdout=subprocess.DEVNULL, check=True)
        self.begin("ocr = ocrmypdf {in} {out}")
        came, = self.server.await_mails("office", 1, LONG_S)
        pdf, = came.iter_attachments()
        (self.dir / "came.pdf").write_bytes(pdf.get_content())
        text = subprocess.run(["pdftotext", str(self.dir / "came.pdf"), "-"], capture_output=True, text=True, timeout=60, check=True).stdout
        self.assertIn(WORDS, " ".join(text.split()))

    def test_killed(self):
        """A desk dies while LibreOffice is at work: nothing of it stays behind, and the next desk's fax is one."""
        self.begin()
        document, papers = self.make("odt"), self.dir / "deskd" / "papers"
        self.server.send(mail("Letter", (document.name, document.read_bytes())), "anna@example.org", "5550@fax.example")
        at_work, = wait_until(lambda: processes_of(papers, "soffice.bin"), "LibreOffice at work", LONG_S)
        os.kill(at_work, signal.SIGSTOP)  # it cannot end by itself
        self.desk.kill()
        wait_until(lambda: not processes_of(papers), "all that the desk had started is gone")
        self.control = self.desk.start()
        self.server.await_mails("anna", 1, LONG_S)
        fax, = self.control.ask("fax.list")["faxes"]
        self.assertIn(WORDS, self.page(fax["fax"]))


if __name__ == "__main__":
    main()
