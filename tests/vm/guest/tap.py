# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""Python tests in the guest: results in its own form of TAP, which tests/vm/check numbers."""
import os
import time
import unittest


class Result(unittest.TextTestResult):
    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def addSuccess(self, test):
        print(f"# {time.monotonic() - self.began:.1f} s\nok - {test.id()[9:]}", flush=True)

    def bad(self, test, error):
        text = self._exc_info_to_string(error, test)
        print("".join(f"# {line}\n" for line in text.splitlines()), f"not ok - {test.id()[9:]}", sep="", flush=True)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.bad(test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self.bad(test, error)


def main():
    os.environ.setdefault("TL_VARIANT", "release")
    unittest.main(testRunner=unittest.TextTestRunner(resultclass=Result, stream=open(os.devnull, "w")))
