"""Grading by the workers of a dask cluster: the same gradebook as without one."""

import pytest
from grading.test_resume import assert_all_right, grade, make_class
from rich.console import Console

from labkit.errors import InputError
from labkit.grading import run, workers

distributed = pytest.importorskip("distributed", reason="dask is in the extra `cluster`")
SIZE = 4


def test_an_address_at_which_nobody_answers_is_an_error():
    with pytest.raises(InputError, match=r"no dask scheduler answers at tcp://127.0.0.1:9"):
        workers.Cluster("tcp://127.0.0.1:9", seconds=1)


@pytest.mark.slow
@pytest.mark.sandbox
def test_two_workers_of_a_cluster_give_the_same_marks(tmp_path):
    course = make_class(tmp_path, SIZE)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        done = grade(course, "--scheduler", cluster.scheduler_address)
    assert (done.returncode, done.stderr) == (0, "")
    assert_all_right(course, SIZE)
    assert run.grade(course.folder, "lab", Console(quiet=True)).graded == []


def test_a_cluster_without_workers_is_an_error():
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster,
        pytest.raises(InputError, match="has no workers"),
    ):
        workers.Cluster(cluster.scheduler_address)
