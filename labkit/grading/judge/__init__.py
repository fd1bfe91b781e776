"""Marks without trust: tests run here, the student's code runs in its kernel, values cross over.

Read in this order: `values` (what may cross), `kernel_side` (the untrusted end), `link` (questions
and answers), `namespace` (what a test sees), `run` (a test becomes a verdict), `process` (the
process of its own that it runs in) and `execute` (the plug into nbgrader). docs/grading.md has the
protocol and the threat model.
"""
