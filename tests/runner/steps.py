# SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
"""What make check, make fuzz and make soak consist of, in the order in which it runs."""
import fnmatch
import os
import re
from pathlib import Path

from runner.engine import Step

TESTS = Path("tests")
CHECK_FUZZ_S = 10
# GLib's own allocator hides from both what is freed, and from TSan who handed it over.
MALLOC = {"G_SLICE": "always-malloc"}
SANITIZERS = {
    "asan": {
        "ASAN_OPTIONS": "abort_on_error=0:detect_stack_use_after_return=1:strict_string_checks=1",
        "LSAN_OPTIONS": "suppressions=tests/asan.supp:print_suppressions=0",
        "UBSAN_OPTIONS": "print_stacktrace=1", **MALLOC,
    },
    "tsan": {"TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1:suppressions=tests/tsan.supp", **MALLOC},
}


def make(build, target, *settings, name=None, **step):
    command = ["make", "-k", f"-j{os.cpu_count() or 2}", f"BUILD={build}", *settings, *target.split()]
    # A make above us must not hand its own flags down: this one is a make of its own.
    return Step(name or target, command, env={"MAKEFLAGS": "", "MAKELEVEL": ""}, **step)


def builds(build):
    return [
        make(build, "all", name="build/release", alone=True, limit_s=600),
        make(build, "all unit-programs", "VARIANT=asan", name="build/asan", alone=True, limit_s=900),
        # Beside these two unit tests run.
        make(build, "tsan-programs", "VARIANT=tsan", name="build/tsan", places=2, limit_s=900),
        make(build, "fuzz-programs", "VARIANT=fuzz", name="build/fuzz", places=2, limit_s=900),
    ]


def guest(build):
    """What virtual machines start from: fetching and unpacking waits for disks more than it works."""
    if Path("tests/vm/vm.mk").exists():
        yield make(build, "vm-prepare vm-tools vm-modules driver", name="build/guest", limit_s=900, needs=("build/release",))


def sources(folder, prefix, suffix=".c"):
    return [path.stem for path in sorted((TESTS / folder).glob(f"{prefix}*{suffix}"))]


def unit(build):
    for name in sources("unit", "test-"):
        yield Step(f"unit/{name}", [str(build / "asan/tests/unit" / name), "--tap"],
                   env={"G_DEBUG": "fatal-warnings", **SANITIZERS["asan"]}, needs=("build/asan",))


def tsan(build):
    """tests.mk says, by $TSAN, which unit tests share memory between threads."""
    for name in os.environ.get("TSAN", "").split():
        yield Step(f"tsan/{name}", [str(build / "tsan/tests/unit" / name), "--tap"], limit_s=600,
                   env={"G_DEBUG": "fatal-warnings", **SANITIZERS["tsan"]}, needs=("build/tsan",))


def fuzz_targets(build, seconds):
    for name in sources("fuzz", "fuzz-"):
        yield Step(f"fuzz/{name}", [str(TESTS / "fuzz/run"), name, str(seconds)], limit_s=seconds + 120,
                   env=SANITIZERS["asan"], needs=("build/fuzz",))


def integration():
    """A file says ALONE = True, or how many PLACES it takes, where that is more than one. These come first: what is small
    fits beside them."""
    steps = []
    for path in sorted((TESTS / "integration").glob("test_*.py")):
        text = path.read_text()
        places = re.search(r"^PLACES = (\d+)", text, re.MULTILINE)
        steps.append(Step(f"integration/{path.stem[5:]}", [str(path)], limit_s=400, alone="\nALONE = True" in text,
                          places=int(places[1]) if places else 1, needs=("build/release", "build/asan")))
    return sorted(steps, key=lambda step: -step.places)


def others(build):
    """What other folders bring, where they are there."""
    if Path("driver/driver.mk").exists():
        yield make(build, "driver-unit", limit_s=300)
    if Path("tools/trunk-setup/trunk-setup.mk").exists():
        yield make(build, "setup-check", limit_s=300, needs=("build/release",))
    if Path("userspace/console/console.mk").exists():
        yield make(build, "console-types", limit_s=900, idle=True)
    if Path("tests/vm/vm.mk").exists():
        yield make(build, "driver-lint", limit_s=1800, idle=True, needs=("build/guest",))
        yield make(build, "driver-dkms", limit_s=1800, idle=True, needs=("build/guest",))
        yield make(build, "vm-check", alone=True, limit_s=7200, needs=("build/guest",))


def check(build):
    steps = [
        *builds(build), *guest(build),
        Step("runner", [str(TESTS / "runner/test")], limit_s=120),
        make(build, "layer-check", limit_s=120),
        make(build, "fsm-check", limit_s=300, needs=("build/release",)),
        *unit(build), *tsan(build), *fuzz_targets(build, CHECK_FUZZ_S), *integration(), *others(build),
    ]
    # Those that have the machine to themselves come last, so that it has to fall quiet for them only once.
    return sorted(steps, key=lambda step: step.alone and not step.name.startswith("build/"))


def fuzz(build):
    return [builds(build)[-1], *fuzz_targets(build, int(os.environ.get("FUZZ_S", "600")))]


def soak(build):
    return [*builds(build), make(build, "soak-programs", name="build/soak", alone=True, limit_s=120),
            *unit(build), *tsan(build), *integration(), *fuzz_targets(build, 300),
            Step("soak/fax-office", [str(TESTS / "soak/fax_office.py")], limit_s=3600, needs=("build/release", "build/asan")),
            Step("soak/fax-power", [str(TESTS / "soak/fax_power.py")], limit_s=1800, needs=("build/release", "build/soak")),
            Step("soak/fax-lines", [str(TESTS / "soak/fax_lines.py")], limit_s=7200, needs=("build/release", "build/soak"))]


def choose(steps, pattern):
    """The steps whose names match, and those that they need."""
    chosen = [step for step in steps if fnmatch.fnmatch(step.name, pattern)]
    needed = {name for step in chosen for name in step.needs}
    return [step for step in steps if step in chosen or step.name in needed]
