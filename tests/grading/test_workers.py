"""Processes that run notebooks: what is done about one that is stuck, lost or gone."""

import os
import signal
import time

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from labkit.grading import workers
from labkit.grading.task import Result, Task

NOTHING = Result(notebook={"cells": [], "metadata": {}}, run={"flags": []})


def task(*cells: str, work=".", seconds=60.0, **settings) -> Task:
    book = new_notebook(cells=[new_code_cell(source) for source in cells])
    book.metadata["kernelspec"] = {"name": "python3"}
    settings |= {"prefork": False}
    return Task(book, str(work), None, {}, {}, [], [], None, {}, settings, seconds)


@pytest.fixture
def worker():
    made = workers.Local()
    yield made
    made.close()


def say(worker, monkeypatch, *answers: str | None) -> None:
    """Let a worker answer, without a process."""
    lines = iter(answers)
    monkeypatch.setattr(worker, "_ask", lambda line, cell_done: next(lines))


@pytest.mark.sandbox
def test_one_that_is_stuck_is_ended_from_outside(worker, tmp_path, monkeypatch):
    """Its own clocks are set far away, as if they did not exist."""
    monkeypatch.setattr(workers, "_GRACE", 0.0)
    began = time.monotonic()
    sleep = task("import time\ntime.sleep(50)", work=tmp_path, seconds=3.0, timeout=100)
    result = worker.perform(sleep, lambda: None)
    assert time.monotonic() - began < 30
    assert "more than 3 seconds in all" in result.error
    monkeypatch.setattr(workers, "_GRACE", 60.0)
    assert worker.perform(task("1", work=tmp_path), lambda: None).error is None


def test_what_lost_a_process_is_tried_once_more(worker, monkeypatch):
    lost = Result(error="lost", lost=True)
    say(worker, monkeypatch, lost.to_json(), NOTHING.to_json())
    assert worker.perform(task(), lambda: None) == NOTHING
    say(worker, monkeypatch, lost.to_json(), lost.to_json())
    assert worker.perform(task(), lambda: None) == lost


def test_a_worker_that_ends_is_replaced_once(worker, monkeypatch):
    say(worker, monkeypatch, None, NOTHING.to_json())
    assert worker.perform(task(), lambda: None) == NOTHING
    say(worker, monkeypatch, None, None)
    assert "ended twice" in worker.perform(task(), lambda: None).error


def test_one_that_ended_while_idle_takes_nothing_with_it(worker):
    """What is left in the pipe to it cannot be written any more; that is no error of a task."""
    process = worker._started()
    process.stdin.write("half a task")  # not yet sent
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    worker._end()
    assert worker._started().poll() is None
