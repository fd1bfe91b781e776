"""Finding a lab's cells in a submission, and putting right what was done to them.

The master says which cells there are, in which order. The student's answers and the cells that the
student added are never changed and never dropped; the cells that students are not meant to edit
(tests, instructions) come out as the master has them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader import utils

from labkit.grading.notebooks import grade_id
from labkit.grading.order import merged

_NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
_LOST_ANSWER = "(No cell with the answer to this question was found in this notebook.)"
_COMPARED = ("grade_id", "grade", "solution", "task", "points")


@dataclass
class Mended:
    """The cells as nbgrader should see them, and what was done, in sentences for the student."""

    cells: list[NotebookNode]
    repairs: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Claim:
    """A cell of the submission that may be a cell of the master."""

    position: int
    index: int  # in the master
    weight: int
    answer: bool


def mend(cells: list[NotebookNode], master: list[NotebookNode]) -> Mended:
    """Give the cells of a submission the metadata, and the fixed cells the place and text, that
    the master says.

    Args:
        cells: cells of the submission (nbformat 4.5, ids possibly missing); they are not changed.
        master: all cells of the lab in order. Those without nbgrader metadata only help to find
            places.
    """
    claims = _claims(cells, master)
    staying = _longest(claims)
    if {claim.index for claim in claims if claim.answer} - {claim.index for claim in staying}:
        # The lab had another order when it was released to this student, or answers were moved,
        # which stay where they are: the tests go with them.
        master = _as_handed_in(claims, master)
        claims = _claims(cells, master)
        staying = _longest(claims)
    place = {claim.index: claim.position for claim in staying}  # what stands where it should
    return _Rebuild(cells, master, claims, place, place | _chosen(claims, place)).run()


def _chosen(claims: Sequence[_Claim], known: Collection[int] = ()) -> dict[int, int]:
    """Where each cell of the master is that is not `known`: the position of its best claim."""
    found: dict[int, int] = {}
    for claim in sorted(claims, key=lambda claim: (-claim.weight, claim.position)):
        if claim.index not in known:
            found.setdefault(claim.index, claim.position)
    return found


def _as_handed_in(claims: Sequence[_Claim], master: list[NotebookNode]) -> list[NotebookNode]:
    """The master in the order of a submission.

    What is missing there stands behind what it follows in the master, and so does a test that
    would otherwise run before the answer that it follows.
    """
    found = _chosen(claims)
    cells = merged([master[i] for i in sorted(found, key=found.__getitem__)], master, id)
    place = {id(cell): number for number, cell in enumerate(cells)}
    early: dict[int, list[NotebookNode]] = defaultdict(list)  # by the answer before it
    answer = None
    for cell in master:
        if utils.is_solution(cell):
            answer = id(cell) if cell.cell_type == "code" else answer
        elif utils.is_grade(cell) and answer is not None and place[id(cell)] < place[answer]:
            early[answer].append(cell)
    moved = {id(cell) for tests in early.values() for cell in tests}
    return [
        each for cell in cells if id(cell) not in moved for each in (cell, *early.get(id(cell), ()))
    ]


def _fixed(cell: NotebookNode) -> bool:
    """A cell of the lab that students are not meant to edit."""
    return grade_id(cell) is not None and not utils.is_solution(cell)


def _claims(cells: list[NotebookNode], master: list[NotebookNode]) -> list[_Claim]:
    """Which cell of the master each cell may be: by its id, else its grade_id, else its text.

    An answer that claims to be a fixed cell by one name and an answer by the other counts as an
    answer: the text of a fixed cell is replaced, and an answer must not get lost that way.
    """
    by_id = {cell.id: i for i, cell in enumerate(master) if "id" in cell}
    by_name = {grade_id(cell): i for i, cell in enumerate(master) if grade_id(cell)}
    by_text = _unique_texts(master)
    found = []
    for position, cell in enumerate(cells):
        known_id, known_name = by_id.get(cell.get("id")), by_name.get(_claimed_name(cell))
        index = known_name if known_id is None else known_id
        if known_id is not None and known_name is not None and _fixed(master[known_id]):
            index = known_id if _fixed(master[known_name]) else known_name
        if index is None:
            index = by_text.get(cell.source.strip())
        if index is None:
            continue
        answer = bool(utils.is_solution(master[index]))
        exact = known_id == known_name == index
        # Answers outweigh all else together: they keep their places, and tests move around them.
        weight = 2 * len(cells) * answer + answer * exact + 1
        found.append(_Claim(position, index, weight, answer))
    return found


def _claimed_name(cell: NotebookNode) -> str | None:
    """The grade_id that a student's cell says it has."""
    nbgrader = cell.metadata.get("nbgrader")
    name = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return name if isinstance(name, str) else None


def _unique_texts(master: list[NotebookNode]) -> dict[str, int]:
    """The cells of the lab that can be told by their text alone."""
    found = defaultdict(list)
    for index, cell in enumerate(master):
        found[cell.source.strip()].append(index)
    return {
        text: indices[0]
        for text, indices in found.items()
        if text and len(indices) == 1 and grade_id(master[indices[0]])
    }


def _longest(claims: list[_Claim]) -> list[_Claim]:
    """The heaviest choice of claims, at most one a master cell, that stands in master's order."""
    # Of the chains so far, those that no other beats: a later end in the master, and more weight.
    ends: list[int] = []
    weights: list[int] = []
    last: list[int] = []  # the claim with which each ends
    before: list[int | None] = []
    for number, claim in enumerate(claims):
        at = bisect_left(ends, claim.index)
        before.append(last[at - 1] if at else None)
        weight = claim.weight + (weights[at - 1] if at else 0)
        if at < len(ends) and ends[at] == claim.index and weights[at] >= weight:
            continue
        beaten = at
        while beaten < len(ends) and weights[beaten] <= weight:
            beaten += 1
        ends[at:beaten], weights[at:beaten], last[at:beaten] = [claim.index], [weight], [number]
    chain = []
    current = last[-1] if last else None
    while current is not None:
        chain.append(claims[current])
        current = before[current]
    return chain[::-1]


class _Rebuild:
    """One pass over the student's cells that emits each cell of the lab exactly once."""

    def __init__(
        self,
        cells: list[NotebookNode],
        master: list[NotebookNode],
        claims: list[_Claim],
        place: dict[int, int],
        chosen: dict[int, int],
    ) -> None:
        self.cells, self.master, self.place, self.chosen = cells, master, place, chosen
        self.claimed = {claim.position: claim.index for claim in claims}
        self.out = Mended([])
        self.waiting = [
            i
            for i, cell in enumerate(master)
            if i not in place and (_fixed(cell) or (_written(cell) and i not in chosen))
        ]

    def run(self) -> Mended:
        for position, cell in enumerate(self.cells):
            index = self.claimed.get(position)
            in_place = index is not None and self.place.get(index) == position
            if index is not None and in_place:
                self._put_back(index)  # the fixed cells that belong in front of this one
            if index is None or grade_id(self.master[index]) is None:
                self._free(cell)
            elif self.chosen[index] != position:
                self._duplicate(cell, self.master[index])
            elif in_place or utils.is_solution(self.master[index]):
                self._known(cell, self.master[index])
            # else: a fixed cell that was moved; it is put back where it belongs
        self._put_back(len(self.master))
        self._check_answers()
        return self.out

    def _put_back(self, until: int) -> None:
        while self.waiting and self.waiting[0] < until:
            index = self.waiting.pop(0)
            cell, name = self.master[index], grade_id(self.master[index])
            if index in self.chosen:
                self.out.repairs.append(f"The cell '{name}' had been moved; it was put back.")
                self._known(self.cells[self.chosen[index]], cell)
                continue
            if not _written(cell):
                self.out.repairs.append(
                    f"The cell '{name}' was not in the notebook; it was put in."
                )
            new = _NEW[cell.cell_type](cell.source, metadata=_metadata(cell))
            if "id" in cell:
                new.id = cell.id
            if _written(cell):
                # Not the empty form: nbgrader would give it 0 without anybody having looked.
                new.source = _LOST_ANSWER
            self.out.cells.append(new)

    def _free(self, cell: NotebookNode) -> None:
        """A cell of the student's own; one that calls itself a part of the lab loses that."""
        if "nbgrader" in cell.metadata:
            cell = _copy(cell)
            named = _claimed_name(cell) is not None
            del cell.metadata["nbgrader"]
            if named:
                self.out.repairs.append(
                    "A cell was marked as graded that is no part of this lab; it counts as a cell "
                    "of your own."
                )
        self.out.cells.append(cell)

    def _duplicate(self, cell: NotebookNode, master: NotebookNode) -> None:
        name = grade_id(master)
        same = cell.source.strip() == master.source.strip() and not cell.get("attachments")
        if _fixed(master) and same:
            self.out.repairs.append(f"The cell '{name}' was there twice; the copy was dropped.")
            return
        copy = _copy(cell)
        copy.metadata.pop("nbgrader", None)
        copy.pop("id", None)
        self.out.cells.append(copy)
        self.out.repairs.append(
            f"The cell '{name}' was there twice; the other one counts as a cell of your own."
        )
        if utils.is_grade(master) and utils.is_solution(master):
            self.out.flags.append(f"There are two answers to '{name}': please look at both.")

    def _known(self, cell: NotebookNode, master: NotebookNode) -> None:
        """A cell of the lab: the metadata, and a fixed text, are master's."""
        name = grade_id(master)
        new = _copy(cell)
        edited = not _as_released(cell)
        if edited and _differs(cell, master):
            self.out.repairs.append(
                f"The grading metadata of the cell '{name}' had been changed; it was restored."
            )
        if cell.cell_type != master.cell_type:
            _retype(new, master.cell_type)
            if edited:
                self.out.repairs.append(f"The cell '{name}' is a {master.cell_type} cell again.")
        new.metadata["nbgrader"] = _metadata(master)["nbgrader"]
        if "id" in master:
            new.id = master.id
        self.out.cells.append(new)
        if not utils.is_locked(master) or cell.source == master.source:
            return
        new.source = master.source
        if edited and cell.source.strip() != master.source.strip():
            self._restored(cell, master)

    def _restored(self, cell: NotebookNode, master: NotebookNode) -> None:
        """Say that a text was restored. One in words may hold an answer, which is kept."""
        sentence = f"The cell '{grade_id(master)}' is not for editing; its own text was restored"
        if master.cell_type == "markdown" and cell.source.strip():
            own = _copy(cell)
            own.pop("id", None)
            own.metadata.pop("nbgrader", None)
            _retype(own, "markdown")
            self.out.cells.append(own)
            sentence += ", and yours stands below it"
        self.out.repairs.append(f"{sentence}.")

    def _check_answers(self) -> None:
        for index, cell in enumerate(self.master):
            if utils.is_solution(cell) and index not in self.chosen:
                self.out.flags.append(
                    f"The answer cell '{grade_id(cell)}' was not found: please do not delete or "
                    "replace the cells in which you answer."
                )


def _written(cell: NotebookNode) -> bool:
    """An answer in words, marked by a person. Unlike code, a stand-in for it cannot do harm."""
    return cell.cell_type == "markdown" and utils.is_grade(cell) and utils.is_solution(cell)


def _retype(cell: NotebookNode, kind: str) -> None:
    """Make it a cell of another type, with all that such a cell can have."""
    cell.cell_type = kind
    for key in ("outputs", "execution_count"):
        cell.pop(key, None)
    if kind == "code":
        cell.outputs, cell.execution_count = [], None


def _copy(cell: NotebookNode) -> NotebookNode:
    copied = NotebookNode(cell)
    copied.metadata = NotebookNode(cell.metadata)
    return copied


def _metadata(cell: NotebookNode) -> NotebookNode:
    return NotebookNode(nbgrader=NotebookNode(cell.metadata["nbgrader"]))


def _as_released(cell: NotebookNode) -> bool:
    """Whether a cell is as it was given to the student, whatever has become of the lab since.

    nbgrader's checksum is over its text, type, points and flags.
    """
    try:
        given = cell.metadata["nbgrader"].get("checksum")
        return given is not None and given == utils.compute_checksum(cell)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return False  # metadata that nbgrader does not write


def _differs(cell: NotebookNode, master: NotebookNode) -> bool:
    """Whether grading metadata were changed by hand."""
    own = cell.metadata.get("nbgrader")
    if not isinstance(own, dict):
        return True
    wanted = master.metadata["nbgrader"]
    schema = own.get("schema_version", 1)
    # What nbgrader itself leaves out or derives ("locked" of a test cell) is no change, nor is a
    # release that an older nbgrader has made.
    return (
        any(own.get(key, wanted[key]) != wanted[key] for key in _COMPARED if key in wanted)
        or own.get("grade_id") is None
        or type(schema) is not int
        or not 1 <= schema <= wanted["schema_version"]
        or utils.is_locked(cell) != utils.is_locked(master)
    )
