"""Exports of nbgrader's gradebook: a tidy table, Canvas, Moodle, Gradescope.

Each is an exporter of nbgrader's own:

    nbgrader export --exporter=labkit.grading.exports.CanvasExport --CanvasExport.roster=canvas.csv

`labkit export` runs the same in any course folder.
"""

from labkit.grading.exports.canvas import CanvasExport
from labkit.grading.exports.gradescope import GradescopeExport
from labkit.grading.exports.moodle import MoodleExport
from labkit.grading.exports.tidy import TidyExport

__all__ = ["CanvasExport", "GradescopeExport", "MoodleExport", "TidyExport"]
