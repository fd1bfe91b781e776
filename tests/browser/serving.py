"""JupyterLab on a free port of this machine, with settings and a home folder of its own."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

START = 120  # seconds at most until the server answers; on a free machine it takes three
SETTINGS = """{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}"""


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its address, the token that it asks for, what it serves, its log."""

    address: str
    token: str
    folder: Path
    log: Path


@contextmanager
def jupyterlab(folder: Path, home: Path) -> Iterator[Server]:
    """Serve a folder; at the end the server and its kernels are gone.

    Args:
        folder: what is served, and where the server is started.
        home: an empty folder for all that Jupyter and IPython keep: nothing of the user's is read
            or written.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = home / "settings"
    settings.mkdir(parents=True)
    (settings / "overrides.json").write_text(SETTINGS)
    token = secrets.token_hex(16)
    log = home / "server.log"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.root_dir={folder}", f"--LabApp.app_settings_dir={settings}"]
    command += ["--expose-app-in-browser"]  # tests look at the notebook's model
    with log.open("w") as record:
        server = subprocess.Popen(
            command, cwd=folder, env=_environment(home, token), stdout=record, stderr=record
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(server, f"{address}/api?token={token}", log)
        yield Server(address, token, folder, log)
    finally:
        server.terminate()  # it ends its kernels first
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _environment(home: Path, token: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "NBGRADER", "IPYTHON", "LABKIT", "MPL"))
    }
    scripts = str(Path(sys.executable).parent)  # nbgrader calls `alembic` by its name
    return kept | {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "user-settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_TOKEN": token,
        "LABKIT_PRESET": "grade",
        "OMP_NUM_THREADS": "1",
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")]),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


def _wait(server: subprocess.Popen, address: str, log: Path) -> None:
    """Until the server answers."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and server.poll() is None:
        try:
            requests.get(address, timeout=10).raise_for_status()
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab does not answer:\n{log.read_text()}")
