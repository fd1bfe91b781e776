"""Commands run in an empty folder, on blobs, at the smallest preset."""

import sys
from pathlib import Path

import pytest
from commands.blobs import Blobs

from labkit import cli
from labkit.commands import cam_run


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cam_run, "CamSeg", Blobs)
    monkeypatch.setenv("LABKIT_PRESET", "grade")


@pytest.fixture
def labkit(monkeypatch, capsys):
    """Runs the command line; gives its exit code, what it printed and what it complained."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["labkit", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit:
            cli.main()
        return exit.value.code or 0, *capsys.readouterr()

    return run
