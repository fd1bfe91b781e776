"""nbgrader's configuration of this course."""

from labkit.grading.plugins import configure

c = get_config()  # noqa: F821 (given by nbgrader)
configure(c)
c.CourseDirectory.course_id = "labkit"
c.Execute.timeout = 120  # seconds a cell; the labs' own cells take under 5 at the `grade` preset
