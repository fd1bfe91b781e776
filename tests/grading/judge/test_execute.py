"""The plug into nbgrader: time limits, dead kernels, courses that were not written for a judge."""
