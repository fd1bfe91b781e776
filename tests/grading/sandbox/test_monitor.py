"""What a tree of processes takes together, and its end when that is too much."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from labkit.grading.sandbox.monitor import Monitor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
MEGABYTES = 1 << 20
FORK = """
import os, time
for _ in range({n}):
    if os.fork() == 0:
        {child}
        break
"""


def watch(code: str, seconds: float = 10.0, **limits) -> tuple[Monitor, float]:
    """Run Python code until it ends; how long that took."""
    began = time.monotonic()
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, start_new_session=True) as process:
        seen = Monitor(process, **limits)
        try:
            process.wait(seconds)
        finally:
            seen.stop()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # outside a sandbox, its children go on
    return seen, time.monotonic() - began


def test_peak_is_that_of_the_largest_moment():
    seen, _ = watch(
        f"import time\nkeep = bytearray(b'x') * {200 * MEGABYTES}\ndel keep\ntime.sleep(0.5)"
    )
    assert seen.ended is None
    assert seen.peak is not None
    assert 200 * MEGABYTES < seen.peak < 260 * MEGABYTES


def test_one_process_that_takes_too_much_is_ended():
    code = f"import time\nkeep = bytearray(b'x') * {200 * MEGABYTES}\ntime.sleep(30)"
    seen, seconds = watch(code, memory=100 * MEGABYTES)
    assert seen.ended == "the submission took more than 0.1 GB of memory"
    assert seconds < 5


def test_what_children_take_counts():
    child = f"keep = bytearray(b'x') * {60 * MEGABYTES}; time.sleep(30)"
    seen, seconds = watch(FORK.format(n=3, child=child) + "time.sleep(30)", memory=150 * MEGABYTES)
    assert seen.ended is not None
    assert seconds < 5


def test_what_children_share_counts_once():
    code = f"keep = bytearray(b'x') * {60 * MEGABYTES}\n"
    code += FORK.format(n=4, child="pass") + "time.sleep(1)"
    seen, _ = watch(code, memory=150 * MEGABYTES)
    assert seen.ended is None
    assert seen.peak > 150 * MEGABYTES  # counted for each, as the report says


def test_too_many_processes_are_ended():
    code = FORK.format(n=40, child="time.sleep(30)") + "time.sleep(30)"
    seen, seconds = watch(code, processes=20)
    assert seen.ended == "the submission started more than 20 processes and threads"
    assert seconds < 5


def test_files_in_memory_count():
    code = f"""
import os, time
file = os.memfd_create("nameless")
for _ in range(20):
    os.write(file, bytes({10 * MEGABYTES}))
time.sleep(30)
"""
    seen, seconds = watch(code, memory=150 * MEGABYTES)
    assert seen.ended is not None
    assert seconds < 5


def test_nothing_to_watch_is_no_error():
    seen = Monitor(None)
    seen.end("for no reason")
    seen.stop()
    assert seen.peak is None
