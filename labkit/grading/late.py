"""What handing in late costs: a share of a lab's points, chosen in `nbgrader_config.py`.

```
c.LatePenalty.percent = 10  # of the lab's points, for each started day
c.LatePenalty.grace_minutes = 15
```
"""

from __future__ import annotations

import math
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties as StockAssignLatePenalties
from traitlets import Enum, Float, TraitError, validate
from traitlets.config import Configurable

_SECONDS = {"hour": 3600, "day": 86400}


class LatePenalty(Configurable):
    """The course's rule.

    A share of the points that can be had, and not of those that somebody has: so it is the same
    before and after answers are marked by hand. nbgrader takes it off the mark, never below 0.
    """

    percent = Float(
        0, min=0, max=100, help="Per cent of the points that each started day or hour costs."
    ).tag(config=True)
    per = Enum(("day", "hour"), "day", help="What percent is for: a day or an hour.").tag(
        config=True
    )
    grace_minutes = Float(
        0, min=0, help="So late costs nothing. After it, lateness counts from the due date."
    ).tag(config=True)
    at_most = Float(100, min=0, max=100, help="Per cent that lateness costs at most.").tag(
        config=True
    )
    zero_after_days = Float(
        None, allow_none=True, min=0, help="Later than this, the lab counts 0; None for never."
    ).tag(config=True)

    @validate("percent", "grace_minutes", "at_most", "zero_after_days")
    def _finite(self, proposal: Any) -> float | None:
        value = proposal["value"]
        if value is not None and not math.isfinite(value):
            raise TraitError(f"LatePenalty.{proposal['trait'].name} is {value}, expected a number")
        return value

    @property
    def active(self) -> bool:
        """Whether the course has a rule."""
        return self.percent > 0 or self.zero_after_days is not None

    def share(self, seconds: float) -> float:
        """What being late costs, from 0 to 1 of the points.

        Args:
            seconds: after the due date, an extension included.
        """
        if seconds <= self.grace_minutes * 60:
            return 0.0
        if self.zero_after_days is not None and seconds > self.zero_after_days * 86400:
            return 1.0
        started = math.ceil(seconds / _SECONDS[self.per])
        return min(started * self.percent, self.at_most) / 100


class AssignLatePenalties(StockAssignLatePenalties):
    """nbgrader's step with the course's rule; nbgrader's own where the course has none."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Write the penalty of a notebook into the gradebook."""
        rule = LatePenalty(parent=self)
        if not rule.active:
            return super().preprocess(nb, resources)
        about = resources["nbgrader"]
        where = (about["assignment"], about["student"])
        with Gradebook(about["db_url"]) as gradebook:
            submission = gradebook.find_submission(*where)
            notebook = gradebook.find_submission_notebook(about["notebook"], *where)
            share = rule.share(submission.total_seconds_late)
            # Not cut to the score, as nbgrader does: answers may still wait for their marks.
            points = max(notebook.max_score, notebook.score) if share == 1 else notebook.max_score
            notebook.late_submission_penalty = share * points or None
            gradebook.db.commit()
        return nb, resources


def problem(parent: Configurable) -> str | None:
    """Why the rule in a course's configuration cannot be used; None if it can, or there is none."""
    config = parent.config
    known = LatePenalty.class_trait_names(config=True)
    if unknown := sorted(set(config.LatePenalty) - set(known)):
        return f"c.LatePenalty has no {', '.join(unknown)}: it has {', '.join(sorted(known))}"
    try:
        rule = LatePenalty(parent=parent)
        own = LateSubmissionPlugin(parent=parent).penalty_method
        step = AssignLatePenalties(parent=parent)
    except TraitError as error:
        return f"the late penalty cannot be used: {error}"
    if rule.zero_after_days is not None and rule.grace_minutes > rule.zero_after_days * 1440:
        return (
            f"c.LatePenalty.grace_minutes is {rule.grace_minutes:g}, longer than "
            f"{rule.zero_after_days:g} days, after which the lab counts 0"
        )
    if rule.active and (own != "none" or step.plugin_class is not LateSubmissionPlugin):
        return (
            "there are two rules for late work: leave out c.LatePenalty, or nbgrader's "
            "c.LateSubmissionPlugin and c.AssignLatePenalties.plugin_class"
        )
    return None
