"""Hostile submissions: what ours makes of them in a class, and what stock nbgrader does alone."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from hostile import harness
from hostile.harness import FULL, NEIGHBOURS, Graded, Submission

HOSTILE = harness.load("submissions", "outsider")
HONEST = harness.load("honest")
# One of each kind: shown, run, patched, posing, spying, leaving, not stopping, files, cells, lying.
QUICK = [
    "publishes_a_result",
    "input_transformer",
    "patched_numpy",
    "float_subclass",
    "reads_the_notebook",
    "gradebook_edit",
    "kills_itself",
    "twin_link",
    "strips_metadata",
    "forged_verdict",
    "attacks_what_it_was_forked_from",
    "patches_for_the_next",
]

needs_bare_runs = pytest.mark.skipif(
    harness.why_no_bare_runs() is not None, reason=str(harness.why_no_bare_runs())
)


def selected(request, test: str) -> dict[str, Submission]:
    """The files that this run of pytest asks a test about, so that `-k` grades no others."""
    everything = HOSTILE | HONEST
    return {
        item.callspec.params["name"]: everything[item.callspec.params["name"]]
        for item in request.session.items
        if getattr(item, "originalname", None) in test.split()
    }


@pytest.fixture(scope="module")
def secret_environment():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LMS_TOKEN", harness.TOKEN)
        yield


@pytest.fixture(scope="module", params=["serial", "parallel"])
def klass(request, tmp_path_factory, secret_environment) -> Iterator[Graded]:
    """All of them in one class, honest neighbours among them, graded in one run.

    One after another as whoever runs this; four at a time as a user without rights, whose
    submissions no control groups hold.
    """
    members = selected(request, "test_in_a_class test_honest_work_keeps_its_marks").values()
    folder = tmp_path_factory.mktemp("class")
    if request.param == "serial":
        graded = harness.grade_class(folder, members)
    else:
        graded = harness.grade_class(folder, members, 4, user=True)
    yield graded
    harness.remove(graded.course.folder / "submitted")


def check(one: Submission, klass: Graded) -> None:
    """What the file says must come out."""
    entry = klass.entries[one.student]
    if one.get("MARKS") is not None:
        assert klass.marks(one.student) == dict.fromkeys(FULL, 0.0) | one.get("MARKS"), entry
    assert entry["status"] == one.get("STATUS", "graded"), entry
    if one.get("GROUPS") and not klass.groups:
        return
    assert not one.harmed(klass.course)
    for wanted, said in (("FLAG", "flags"), ("REPAIR", "repairs")):
        if one.get(wanted):
            assert any(one.get(wanted) in sentence for sentence in entry[said]), entry

    if entry["status"] == "graded":
        check_outputs(klass, one.student)


def check_outputs(klass: Graded, student: str) -> None:
    """A test has the judge's outputs and no others; its hidden text is in none, nor a path."""
    cells = klass.course.graded(student)
    for name in FULL:
        assert not klass.course.needs_hand(student, name)
        outputs = cells[name].outputs
        kinds = [output.get("name", output.output_type) for output in outputs]
        assert kinds[-1:] in ([], ["error"], ["execute_result"])
        assert kinds[:-1] in ([], ["stdout"])
        assert "the-hidden-test-of-double" not in str(outputs)
        assert not any("/" in output.get("evalue", "") for output in outputs)


def check_the_rest(klass: Graded) -> None:
    for neighbour in NEIGHBOURS:
        assert klass.marks(neighbour) == FULL, neighbour
        entry = klass.entries[neighbour]
        assert (entry["status"], entry["repairs"], entry["flags"]) == ("graded", [], []), entry
    assert klass.left == []


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_in_a_class(klass, name):
    check(HOSTILE[name], klass)


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.parametrize("name", HONEST)
def test_honest_work_keeps_its_marks(klass, name):
    check(HONEST[name], klass)
    assert klass.entries[HONEST[name].student]["flags"] == []


@pytest.mark.sandbox
@pytest.mark.slow
def test_the_rest_of_the_class(klass):
    check_the_rest(klass)


@pytest.mark.sandbox
@pytest.mark.slow
def test_one_of_each_kind_in_kernels_that_are_not_forked(tmp_path, secret_environment):
    members = [HOSTILE[name] for name in QUICK] + [HONEST["half"]]
    klass = harness.grade_class(tmp_path / "class", members, 2, "c.Execute.prefork = False")
    for one in members:
        check(one, klass)
    check_the_rest(klass)


@pytest.mark.sandbox
def test_one_of_each_kind(tmp_path, secret_environment):
    members = [HOSTILE[name] for name in QUICK] + [HONEST["half"]]
    klass = harness.grade_class(tmp_path / "class", members, jobs=2)
    for one in members:
        check(one, klass)
    check_the_rest(klass)
    (error,) = klass.course.graded("publishes-a-result")["test-double"].outputs
    assert (error.ename, error.evalue) == ("AssertionError", "double(3) is wrong")
    printed, result = klass.course.graded("half")["test-mean"].outputs
    assert printed.text == "a table (0 of 1.5): the mean of a table is 7.5, expected 2.5\n"
    assert result.data["text/plain"] == "0.5"


@pytest.fixture(scope="module")
def bare(request, tmp_path_factory, secret_environment) -> dict[str, Future[Graded]]:
    """Each file that was not seen before graded alone by stock nbgrader, two at a time."""
    folder, proven = tmp_path_factory.mktemp("alone"), harness.Proven()
    chosen = selected(request, "test_under_stock_nbgrader")
    wanted = {name: one for name, one in chosen.items() if one not in proven}
    if not wanted:
        yield {}
        return
    template = harness.make_bare_course(tmp_path_factory.mktemp("bare"))
    with ThreadPoolExecutor(2) as pool:
        yield {
            name: pool.submit(alone, template, folder / name, one) for name, one in wanted.items()
        }


def alone(template, folder, one: Submission) -> Graded:
    graded = harness.grade_bare(template, folder, one)
    graded.harm = one.harmed(graded.course)
    graded.total = sum(graded.marks(one.student).values())
    graded.stopped = not graded.ended or (
        one.get("STOCK") == "stops" and graded.marks(NEIGHBOURS[-1]) != FULL
    )
    harness.remove(folder)
    return graded


@needs_bare_runs
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [n for n, one in HOSTILE.items() if one.get("STOCK") != "ours only"]
)
def test_under_stock_nbgrader(bare, name):
    one = HOSTILE[name]
    if name not in bare:
        assert one in harness.Proven()
        return
    found = bare[name].result()
    gained = found.total > sum(one.get("MARKS").values())
    assert {
        "gains": gained,
        "stops": found.stopped,
        "harm": found.harm,
        "nothing": not (gained or found.stopped or found.harm),
    }[one.get("STOCK")], found
    harness.Proven().add(one)


def test_there_are_enough_and_they_say_what_they_do():
    assert len(HOSTILE) >= 56
    assert len(HONEST) >= 6
    for one in HOSTILE.values():
        assert one.module.__doc__ and one.get("STOCK") in (
            *("gains", "stops", "harm", "nothing", "ours only"),
        ), one.name
        if one.get("STOCK") == "harm":
            assert one.get("harmed"), one.name
    attempts = sum(one.get("STOCK") in ("gains", "stops", "harm") for one in HOSTILE.values())
    assert attempts >= 56
