"""What becomes of one graded cell, and how nbgrader is told."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from nbformat import NotebookNode
from nbformat.v4 import new_output

TEST_STOPPED = "TestStopped"  # the error of a test whose process ended before it


@dataclass(frozen=True)
class Verdict:
    """The judge's word on one graded cell.

    Args:
        points: partial credit as the test gave it; None for all points, or for none on an error.
        error: the name of the error and its sentence; None if the test ran to its end.
        printed: what the test printed.
        broken: the kernel did not answer: it is dead, or still busy.
        starved: seconds that it waited for a processor meanwhile.
    """

    points: float | None = None
    error: tuple[str, str] | None = None
    printed: str = ""
    broken: bool = False
    starved: float = 0.0

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Verdict:
        """What `to_json` wrote."""
        fields = json.loads(line)
        return cls(**fields | {"error": fields["error"] and tuple(fields["error"])})

    def outputs(self, maximum: float) -> list[NotebookNode]:
        """Outputs of the cell from which nbgrader reads exactly this verdict.

        nbgrader takes the first error for 0, the first result for partial credit, and anything on
        stderr for 0; so there is one of these at most, and what the test printed is on stdout.

        Args:
            maximum: points of the cell; more than that is cut to it.
        """
        outputs = []
        if self.printed:
            outputs.append(new_output("stream", name="stdout", text=self.printed))
        if self.error:
            name, sentence = self.error
            outputs.append(
                new_output("error", ename=name, evalue=sentence, traceback=[f"{name}: {sentence}"])
            )
        elif self.points is not None:
            points = repr(min(max(self.points, 0.0), maximum))
            outputs.append(
                new_output("execute_result", {"text/plain": points}, execution_count=None)
            )
        return outputs
