"""What `labkit similarity` finds and misses: work of one's own, copies, and copies of parts.

    python benchmarks/similarity.py

The labs solved by several hands, and the disguises, are those of the tests.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

from labkit.grading import mutants, notebooks
from labkit.grading.notebooks import grade_id
from labkit.grading.similarity import REFERENCE, compare, own_code

ROOT = Path(__file__).parents[1]
sys.path[0] = str(ROOT / "tests")  # in the place of this folder, which has a grading.py, too
from grading.own_solutions import BODIES  # noqa: E402
from grading.test_similarity import release, renamed, solved  # noqa: E402

Answers = dict[str, str]


def main() -> None:
    """Measure, and print a line for each figure."""
    named: Counter[str] = Counter()
    of: Counter[str] = Counter()

    def count(what: str, found: int, all_: int) -> None:
        named[what] += found
        of[what] += all_

    for lab in sorted(path.name for path in (ROOT / "source").iterdir() if path.is_dir()):
        cells = [cell for cell in release(lab).cells if cell.cell_type == "code"]
        stubs = {grade_id(cell): cell.source for cell in cells}
        given = "\n\n".join(cell.source for cell in cells)
        answers = notebooks.solutions(notebooks.read(ROOT / "source" / lab / f"{lab}.ipynb"))

        def text(filled: Answers, stubs: dict[str | None, str] = stubs) -> str:
            own = (own_code(code, stubs[name]) for name, code in filled.items() if name in stubs)
            return "\n\n\n".join(own)

        code = {name: source for name, source in answers.items() if name in stubs}
        known = mutants.load(ROOT, lab).alternatives
        others = {name: text(known[name].apply(answers)) for name in known}
        pairs = compare(others, {REFERENCE: text(answers)}, given)
        found = {pair.student for pair in pairs if pair.other == REFERENCE}
        count("other right solutions, made from the reference", len(found), len(others))

        hands = {who: solved(who, lab) for who in BODIES.get(lab, {})}
        if hands:
            alone = {who: text(filled) for who, filled in hands.items()}
            pairs = compare(alone, {REFERENCE: text(answers)}, given)
            n = len(hands)
            count("work of one's own", len(pairs), n * (n - 1) // 2 + n)
        for who, mine in {**hands, REFERENCE: code}.items():
            variants = {f"{name}": text(filled) for name, filled in disguised(mine).items()}
            for other, theirs in hands.items():
                if other != who != REFERENCE:
                    variants |= {
                        f"{k} answers of another, renamed {other} {start}": text(
                            {**theirs, **{name: renamed(mine[name]) for name in some}}
                        )
                        for k in (1, 2, 3, 4)
                        for start in range(len(code))
                        for some in [[list(code)[(start + i) % len(code)] for i in range(k)]]
                    }
            # The variants are held against the one work, and not among themselves.
            pairs = compare({who: text(mine)}, variants, given)
            found = {pair.other if pair.student == who else pair.student for pair in pairs}
            for name in variants:
                count(re.sub(r"(renamed) .*", r"\1", name), name in found, 1)
    for what in of:
        print(f"{what:<55}{named[what]:>4} of {of[what]} named")


def disguised(code: Answers) -> dict[str, Answers]:
    """A whole work, copied in several ways."""
    bare = {name: re.sub(r"(?m)\s+#.*$", "", text) for name, text in code.items()}
    other = {name: renamed(text) for name, text in code.items()}
    return {
        "copies": code,
        "copies with other comments": {name: f"# mine\n{text}" for name, text in bare.items()},
        "copies with other names": other,
        "copies in another order": dict(reversed(code.items())),
        "copies with all of that": dict(reversed(other.items())),
    }


if __name__ == "__main__":
    main()
