"""One notebook in a worker: whatever its kernel says or takes, the run comes to an end."""

import resource

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from labkit.grading.judge import clock, runner
from labkit.grading.sandbox import cgroups, monitor, prefork
from labkit.grading.task import Result, Task

pytestmark = pytest.mark.sandbox
LOST = "the submission said more at once than can be read"


@pytest.fixture(autouse=True)
def _light(monkeypatch):
    """Fork kernels from a process that has imported what every kernel needs, and no more."""
    monkeypatch.setattr(prefork, "worth_importing", lambda _: [])


def perform(*cells: str, work, **settings) -> Result:
    book = new_notebook(cells=[new_code_cell(source) for source in cells])
    book.metadata["kernelspec"] = {"name": "python3"}
    settings = {"timeout": 10, **settings}
    return runner.perform(Task(book, str(work), None, {}, {}, [], [], None, {}, settings, 60.0))


def shown(result: Result) -> list[list[str]]:
    """What each cell printed, or the text of its error."""
    return [
        [str(output.get("text") or output.get("evalue")).strip() for output in cell["outputs"]]
        for cell in result.notebook["cells"]
    ]


@pytest.mark.parametrize(
    "cell", ["raise ValueError('x' * 40_000_000)", "assert False, 'x' * 40_000_000"]
)
def test_one_long_error_ends_its_own_kernel_only(tmp_path, cell):
    done = perform("print(1)", cell, "print(2)", work=tmp_path)
    assert shown(done) == [["1"], [LOST], []]
    assert done.run["flags"] == [f"The kernel was stopped early: {LOST}."]
    assert not done.lost
    assert shown(perform("print(3)", work=tmp_path)) == [["3"]]


def test_one_long_print_costs_nothing_but_itself(tmp_path):
    done = perform("print('x' * 40_000_000)", "print(2)", "print(3)", work=tmp_path)
    assert shown(done)[1:] == [["2"], ["3"]]
    assert not done.lost


def test_what_waits_unread_stays_small(tmp_path):
    """Messages on channels that nobody reads, as large as they may be."""
    flood = """
import os, zmq
from ipykernel.kernelapp import IPKernelApp
app = IPKernelApp.instance()
session, identity = app.session, app.kernel.get_parent()["header"]["session"].encode()
for socket in (app.stdin_socket, app.control_socket):
    for _ in range(60):
        try:
            session.send(socket, "input_request", {"x": "y" * 30_000_000}, ident=identity)
        except zmq.ZMQError:
            pass
"""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = perform(flood, "print(2)", work=tmp_path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert done.notebook is not None
    assert grown < 400_000, f"{grown} kB"


@pytest.mark.parametrize("groups", [True, False], ids=["with groups", "without groups"])
def test_memory_that_is_too_much_is_said(tmp_path, monkeypatch, groups):
    if not groups:
        monkeypatch.setattr(cgroups, "create", lambda limits: None)
    take = "keep = b'x' * 700_000_000\nimport time\ntime.sleep(5)"
    done = perform("print(1)", take, work=tmp_path, memory_limit=500_000_000)
    assert done.run["flags"] == [
        "The kernel was stopped early: the submission took more than 0.5 GB of memory."
    ]
    assert (done.lost, done.crowded) == (False, False)


def test_a_machine_that_runs_low_ends_it_and_it_is_worth_another_try_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(monitor, "_memory_is_low", lambda: True)
    done = perform("import time\ntime.sleep(20)", work=tmp_path)
    assert done.crowded and not done.lost
    assert "no more memory" in done.run["flags"][0]


def test_time_without_a_processor_is_not_held_against_it(tmp_path, monkeypatch):
    """Two seconds in a limit of one: it waited, as Linux says, and the time is not over."""
    waits = iter(range(1000))
    monkeypatch.setattr(clock, "waited", lambda pid: next(waits))
    done = perform("import time\ntime.sleep(2)\nprint('done')", work=tmp_path, timeout=1)
    assert shown(done) == [["done"]]
    assert not done.crowded


def test_time_is_over_all_the_same_and_then_it_is_worth_another_try_alone(tmp_path, monkeypatch):
    waits = iter(range(1000))
    monkeypatch.setattr(clock, "waited", lambda pid: next(waits))
    done = perform("import time\ntime.sleep(30)", "print(2)", work=tmp_path, timeout=1)
    assert "CellTimeoutError" in [o.get("ename") for o in done.notebook["cells"][0]["outputs"]]
    assert shown(done)[1] == ["2"]
    assert done.crowded


def test_a_loop_that_had_its_time_is_not_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(clock, "waited", lambda pid: 0.0)
    done = perform("while True:\n    pass", "print(2)", work=tmp_path, timeout=2)
    assert shown(done)[1] == ["2"]
    assert not done.crowded
