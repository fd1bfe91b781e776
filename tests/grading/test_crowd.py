"""Who ran out of time beside others is run again alone."""

import threading
import time

from labkit.grading.crowd import DIFFERED, Crowd, compared
from labkit.grading.task import Result, Task


def task() -> Task:
    return Task({"cells": []}, ".", None, {0: "assert f()"}, {}, [], [], None, {}, {}, 60.0)


def result(*outputs: dict, **about) -> Result:
    return Result(notebook={"cells": [{"outputs": list(outputs)}]}, **about)


FAILED = {"output_type": "error", "ename": "TestTimeout", "evalue": "too late"}
PRINTED = {"output_type": "stream", "text": "3.4 s"}


def test_a_mark_that_differs_is_flagged_and_the_run_alone_counts():
    alone = result(PRINTED)
    assert compared(task(), result(FAILED, crowded=True), alone) is alone
    assert alone.run["flags"] == [DIFFERED]


def test_the_same_mark_is_not_flagged_whatever_was_printed():
    assert compared(task(), result(PRINTED), result()).run == {}
    assert compared(task(), result(FAILED), result({**FAILED, "evalue": "late"})).run == {}


def test_what_was_not_run_at_all_beside_others_is_flagged():
    assert compared(task(), Result(error="lost"), result()).run["flags"] == [DIFFERED]


def test_nobody_runs_beside_one_that_is_alone():
    crowd, running, seen = Crowd(), [], []

    def run(alone: bool) -> None:
        with crowd.alone() if alone else crowd.among_others():
            running.append(alone)
            time.sleep(0.005)
            seen.append((alone, len(running)))
            running.remove(alone)

    threads = [threading.Thread(target=run, args=(n % 5 == 0,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(seen) == 40
    assert {together for alone, together in seen if alone} == {1}
    assert max(together for alone, together in seen if not alone) > 1
