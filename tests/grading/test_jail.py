"""What a kernel in the jail can see, reach and leave behind."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from labkit.errors import InputError
from labkit.grading import jail, warm

ROOT = Path(__file__).parents[2]
needs_a_jail = pytest.mark.skipif(jail.why_not() is not None, reason=str(jail.why_not()))


def run(*sources: str, work: Path, timeout: int = 30) -> list[str]:
    """Run cells in one jailed kernel; what each printed, or its error."""
    book = new_notebook(cells=[new_code_cell(source) for source in sources])
    client = NotebookClient(
        book,
        kernel_name="python3",
        kernel_manager_class=jail.JailedKernelManager,
        timeout=timeout,
        interrupt_on_timeout=True,
        allow_errors=True,
        resources={"metadata": {"path": str(work)}},
    )
    client.execute()
    return [
        "".join(
            o.get("text") or f"{o.get('ename')}: {o.get('evalue')}" for o in cell.outputs
        ).strip()
        for cell in book.cells
    ]


def fork(manager, *arguments):
    """A kernel forked from a process that has imported nothing heavy."""
    return warm.process((), manager.withheld, manager.limits, os.environ).fork(manager, *arguments)


@pytest.fixture(params=["cold", "warm"], autouse=True, scope="module")
def kernels(request):
    """The jail of a kernel that is started, and that of one that is forked, are the same."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "warm":
            patch.setattr(jail.JailedKernelManager, "fork", staticmethod(fork))
        yield


@pytest.fixture
def work(tmp_path) -> Path:
    folder = tmp_path / "course" / "autograded" / "ada" / "lab"
    folder.mkdir(parents=True)
    return folder


@needs_a_jail
class TestInside:
    def test_only_what_was_handed_in_is_there_and_no_notebook(self, work):
        (work / "lab.ipynb").write_text("hidden tests")
        (work / "data").mkdir()
        (work / "data" / "mine.txt").write_text("42")
        (work / "link.txt").symlink_to("/etc/passwd")
        seen = run(
            "import os\nprint(os.getcwd(), sorted(n for n in os.listdir() if n[0] != '.'))",
            "print(open('data/mine.txt').read())",
            "open('data/mine.txt', 'w')",
            "open('note.txt', 'w').write('ok')\nprint(open('note.txt').read())",
            work=work,
        )
        assert seen[:2] == ["/home/student ['data']", "42"]
        assert seen[2].startswith("OSError: [Errno 30] Read-only file system")
        assert seen[3] == "ok"
        assert sorted(p.name for p in work.iterdir()) == ["data", "lab.ipynb", "link.txt"]
        assert (work / "data" / "mine.txt").read_text() == "42"

    def test_the_course_and_the_home_of_the_instructor_are_not_there(self, work):
        course = work.parents[2]
        (course / "gradebook.db").write_text("marks")
        places = [
            str(course),
            str(ROOT / "source"),
            str(ROOT / "tests"),
            "/etc/passwd",
            "/etc/shadow",
        ]
        places += [str(Path.home() / name) for name in (".ssh", ".bashrc", ".gitconfig", ".cache")]
        (seen,) = run(f"import os\nprint([p for p in {places!r} if os.path.exists(p)])", work=work)
        assert seen == "[]"

    def test_libraries_cannot_be_changed(self, work):
        (seen,) = run(
            "import labkit.errors, json\n"
            "for module in (labkit.errors, json):\n"
            "    try:\n"
            "        open(module.__file__, 'a')\n"
            "        print('opened')\n"
            "    except OSError as error:\n"
            "        print(error.strerror)",
            work=work,
        )
        assert seen.splitlines() == ["Read-only file system"] * 2

    def test_no_network(self, work):
        (seen,) = run(
            "import socket\n"
            "for place in (('127.0.0.1', 22), ('192.0.2.1', 80)):\n"
            "    try:\n"
            "        socket.create_connection(place, 2)\n"
            "        print('connected')\n"
            "    except OSError as error:\n"
            "        print(type(error).__name__)",
            work=work,
        )
        assert "connected" not in seen and len(seen.splitlines()) == 2

    def test_no_secret_of_the_environment_crosses(self, work, monkeypatch):
        monkeypatch.setenv("LMS_TOKEN", "secret")
        monkeypatch.setenv("LABKIT_PRESET", "grade")
        (seen,) = run("import os, json\nprint(json.dumps(dict(os.environ)))", work=work)
        environment = json.loads(seen)
        assert "LMS_TOKEN" not in environment
        assert environment["LABKIT_PRESET"] == "grade"
        assert environment["HOME"] == "/home/student"

    def test_other_processes_cannot_be_seen_or_signalled(self, work):
        seen = run(
            "import os\nprint(len([n for n in os.listdir('/proc') if n.isdigit()]) < 5)",
            f"os.kill({os.getpid()}, 9)",
            work=work,
        )
        assert seen[0] == "True"
        assert seen[1].startswith("ProcessLookupError")

    def test_memory_and_files_are_limited(self, work):
        seen = run(
            "try:\n    bytearray(9 << 30)\nexcept MemoryError:\n    print('too much')",
            "import signal\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "with open('sparse', 'wb') as file:\n"
            "    file.seek(2 << 30)\n"
            "    file.write(b'x')",
            "print('still here')",
            work=work,
        )
        assert seen[0] == "too much"
        assert seen[1].startswith("OSError: [Errno 27] File too large")
        assert seen[2] == "still here"

    def test_an_endless_loop_is_interrupted_and_the_rest_runs(self, work):
        seen = run("while True:\n    pass", "print('next')", work=work, timeout=3)
        assert seen[0].startswith("KeyboardInterrupt")
        assert seen[1] == "next"

    def test_nothing_is_left_running_and_no_folder_is_left(self, work, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        name = f"sleep 98{os.getpid()}"
        (seen,) = run(
            "import subprocess\n"
            f"subprocess.Popen({name.split()!r}, start_new_session=True)\n"
            "print('started')",
            work=work,
        )
        assert seen == "started"
        deadline = time.monotonic() + 5
        while name in (running := processes()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert name not in running
        assert not list(tmp_path.glob("labkit-*"))

    def test_nothing_is_written_to_the_instructors_terminal(self, tmp_path):
        program = (
            "import sys\n"
            f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            "from pathlib import Path\n"
            "from test_jail import run\n"
            'run(\'import os; os.write(1, b"ESCAPED"); os.write(2, b"ESCAPED")\', '
            f"work=Path({str(tmp_path)!r}))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "ESCAPED" not in done.stdout + done.stderr


@needs_a_jail
def test_what_a_lab_withholds_can_be_imported_but_not_used_or_read(work, monkeypatch):
    monkeypatch.setattr(jail.JailedKernelManager, "withheld", ["labkit.folds", "labkit.maps.cam"])
    seen = run(
        "from labkit.metrics import iou, k_folds\nprint(iou([True], [True]))",
        "k_folds(10, 5)",
        "from labkit.maps import class_activation_map, normalize\nclass_activation_map(1, 2)",
        "import labkit.folds\nprint('randperm' in open(labkit.folds.__file__).read())",
        "import glob\nprint(glob.glob(labkit.folds.__file__[:-8] + '__pycache__/*'))",
        "import importlib\nimportlib.reload(labkit.folds)\nlabkit.folds.k_folds(10, 5)",
        work=work,
    )
    assert seen[0] == "1.0"
    assert seen[1] == "ImportError: labkit.folds.k_folds is yours to write in this lab"
    assert (
        seen[2] == "ImportError: labkit.maps.cam.class_activation_map is yours to write in this lab"
    )
    assert seen[3] == "False"
    assert seen[4] == "[]"  # bytecode would give it away
    assert seen[5] == seen[1]


def test_a_lab_that_withholds_what_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"withholds labkit\.nothing, which is no module"):
        jail.covers(["labkit.nothing"], tmp_path)


def processes() -> str:
    return subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True).stdout


def test_without_bubblewrap_the_sentence_names_the_package(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert jail.why_not() == "bwrap is missing: sudo apt-get install bubblewrap"


def test_elsewhere_than_on_linux_there_is_none(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "on Linux only" in str(jail.why_not())


def test_a_kernel_does_not_start_without_a_jail(monkeypatch, tmp_path):
    monkeypatch.setattr(jail, "why_not", lambda: "no user namespaces")
    with pytest.raises(InputError, match="no user namespaces"):
        run("1", work=tmp_path)
