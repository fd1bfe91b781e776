"""What a kernel in the sandbox can see, reach and leave behind."""

import contextlib
import errno
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from labkit.errors import InputError
from labkit.grading.sandbox import bubblewrap, kernels, packages, prefork, withheld
from labkit.grading.sandbox.limits import Limits

ROOT = Path(__file__).parents[3]


SET_WHAT_CAN_BE_SET = """
import os

done = []
for top in ("/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs"):
    for folder, _, names in os.walk(top):
        for name in names:
            try:
                os.close(os.open(os.path.join(folder, name), os.O_WRONLY))
                done.append(name)
            except OSError:
                pass
for node in ("null", "zero", "full", "random", "urandom", "tty"):
    try:
        os.chmod("/dev/" + node, 0o600)
        done.append(node)
    except OSError:
        pass
for name in ("kpagecount", "slabinfo", "vmallocinfo", "kcore"):
    try:
        os.close(os.open("/proc/" + name, os.O_RDWR))
        done.append(name)
    except OSError:
        pass
print(done, open("/dev/zero", "rb").read(1), open("/dev/null", "w").write("x"))
"""


def run(*sources: str, work: Path, timeout: int = 30) -> list[str]:
    """Run cells in one kernel in the sandbox; what each printed, or its error."""
    book = new_notebook(cells=[new_code_cell(source) for source in sources])
    client = NotebookClient(
        book,
        kernel_name="python3",
        kernel_manager_class=kernels.SandboxedKernelManager,
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
    server = prefork.server((), manager.withheld, manager.wanted, manager.limits, os.environ)
    return server.fork(manager, *arguments)


@pytest.fixture(params=["started", "forked"], autouse=True, scope="module")
def _kernels(request):
    """The sandbox of a kernel that is started, and that of one that is forked, are the same."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "forked":
            patch.setattr(kernels.SandboxedKernelManager, "fork", staticmethod(fork))
        yield


@pytest.fixture
def work(tmp_path) -> Path:
    folder = tmp_path / "course" / "autograded" / "ada" / "lab"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.sandbox
class TestInside:
    def test_only_what_was_handed_in_is_there_and_no_notebook(self, work):
        (work / "lab.ipynb").write_text("hidden tests")
        (work / "data").mkdir()
        (work / "data" / "mine.txt").write_text("42")
        (work / "link.txt").symlink_to("/etc/passwd")
        seen = run(
            "import os\nprint(os.getcwd(), sorted(n for n in os.listdir() if n[0] != '.'))",
            "print(open('data/mine.txt').read())",
            "open('data/mine.txt', 'a').write('7')\nprint(open('data/mine.txt').read())",
            "open('data/new.txt', 'w').write('ok')\nprint(open('data/new.txt').read())",
            work=work,
        )
        assert seen == ["/home/student ['data']", "42", "427", "ok"]
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
        assert set(seen.splitlines()) <= {"Read-only file system", "Permission denied"}

    def test_nothing_of_the_host_can_be_set(self, work):
        before = Path("/dev/full").stat().st_mode
        assert run(SET_WHAT_CAN_BE_SET, work=work) == ["[] b'\\x00' 1"]
        assert Path("/dev/full").stat().st_mode == before

    def test_it_is_not_root_outside(self, tmp_path):
        seconds = f"97.{os.getpid()}"
        command = bubblewrap.command(["sleep", seconds], variables={}, limits=Limits())
        with subprocess.Popen(command) as process:
            deadline = time.monotonic() + 20
            while not (owners := owners_of(f"sleep\0{seconds}\0")) and time.monotonic() < deadline:
                time.sleep(0.05)
            process.kill()
        assert owners == {os.getuid() or bubblewrap.NOBODY}

    def test_no_memory_that_nobody_counts_can_be_had(self, work):
        (seen,) = run(
            "import ctypes, os, socket\n"
            "libc = ctypes.CDLL(None, use_errno=True)\n"
            "new = {'user': 0x10000000, 'mount': 0x20000, 'process': 0x20000000}\n"
            "print({name: libc.unshare(flag) for name, flag in new.items()},\n"
            "      libc.shmget(1, 1 << 20, 0o1666), libc.syscall(435, 0, 0),\n"
            "      libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))\n"
            "for family in (socket.AF_VSOCK, socket.AF_PACKET, 38):\n"
            "    try:\n"
            "        socket.socket(family, socket.SOCK_DGRAM)\n"
            "    except OSError as error:\n"
            "        print(error.errno)\n"
            "import threading\n"
            "thread = threading.Thread(target=print, args=('a thread',))\n"
            "thread.start(), thread.join()",
            work=work,
        )
        lines = seen.splitlines()
        assert lines[0] == "{'user': -1, 'mount': -1, 'process': -1} -1 -1 -1"
        assert lines[1:4] == [str(errno.EAFNOSUPPORT)] * 3
        assert lines[4] == "a thread"

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
            "from test_kernels import run\n"
            'run(\'import os; os.write(1, b"ESCAPED"); os.write(2, b"ESCAPED")\', '
            f"work=Path({str(tmp_path)!r}))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "ESCAPED" not in done.stdout + done.stderr


@pytest.mark.sandbox
def test_of_the_packages_only_those_that_a_lab_needs_are_there(work, monkeypatch):
    wanted = packages.Wanted(names=("timm",), modules=("packaging.version",))
    monkeypatch.setattr(kernels.SandboxedKernelManager, "wanted", wanted)
    seen = run(
        "import numpy, torch, matplotlib, timm, packaging\nprint(numpy.arange(3).sum())",
        "import torchcam",
        "import captum.attr",
        "import torchmetrics",
        "import pytest",
        "import glob, sysconfig\n"
        "lib = sysconfig.get_path('purelib')\n"
        "print(glob.glob(lib.replace('lib/', 'lib*/') + '/torchcam/[!_]*'))",
        "from importlib import metadata\n"
        "names = {one.name for one in metadata.distributions()}\n"
        "print('torch' in names, 'captum' in names)",
        work=work,
    )
    assert seen[0] == "3"
    for text, name in zip(seen[1:5], ("torchcam", "captum", "torchmetrics", "pytest"), strict=True):
        assert text.startswith(f"ModuleNotFoundError: No module named '{name}': it is not among")
    assert seen[5:] == ["[]", "True False"]


@pytest.mark.sandbox
def test_a_course_inside_the_environments_folder_is_not_there(work):
    """As after `python -m venv course; cd course`."""
    with tempfile.TemporaryDirectory(dir=sys.prefix) as course:
        Path(course, "gradebook.db").write_text("marks")
        (seen,) = run(f"import os\nprint(os.path.exists({course!r}))", work=work)
    assert seen == "False"


@pytest.mark.sandbox
def test_what_a_lab_withholds_can_be_imported_but_not_used_or_read(work, monkeypatch):
    monkeypatch.setattr(
        kernels.SandboxedKernelManager, "withheld", ["labkit.folds", "labkit.maps.cam"]
    )
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
        withheld.covers(["labkit.nothing"], tmp_path)


def owners_of(command: str) -> set[int]:
    """The users of this machine as whom a command runs."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cmdline").read_text() == command:
                found.add(folder.stat().st_uid)
    return found


def processes() -> str:
    return subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True).stdout


def test_without_bubblewrap_the_sentence_names_the_package(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert bubblewrap.why_not() == "bwrap is missing: sudo apt-get install bubblewrap"


def test_elsewhere_than_on_linux_there_is_none(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "on Linux only" in str(bubblewrap.why_not())


def test_a_kernel_does_not_start_without_a_sandbox(monkeypatch, tmp_path):
    monkeypatch.setattr(bubblewrap, "why_not", lambda: "no user namespaces")
    with pytest.raises(InputError, match="no user namespaces"):
        run("1", work=tmp_path)
