"""How work becomes marks: checks of the labs, the sample class, and plugs for nbgrader."""
