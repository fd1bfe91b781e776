"""What holds for all tests: few threads, and what happens on a machine without the sandbox."""

import os

import pytest

# Tests compute little: with one thread each they are not slowed down by what else runs.
os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported, hence before it

NO_SANDBOX = "no sandbox: "


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs the sandbox where there is none; LABKIT_NEEDS_SANDBOX=1 makes it fail."""
    if item.get_closest_marker("sandbox") is None:
        return
    from labkit.grading.sandbox.bubblewrap import why_not

    if reason := why_not():
        if os.environ.get("LABKIT_NEEDS_SANDBOX"):
            pytest.fail(reason)
        pytest.skip(NO_SANDBOX + reason)


def pytest_terminal_summary(terminalreporter) -> None:
    """One line about what was skipped, and what to install."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    reasons = [text for text in skipped if NO_SANDBOX in text]
    if reasons:
        reason = reasons[0].partition(NO_SANDBOX)[2].rstrip("')")
        terminalreporter.section("without a sandbox")
        terminalreporter.line(f"{len(reasons)} tests need the sandbox and were skipped: {reason}")
