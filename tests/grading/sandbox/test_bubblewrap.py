"""The sandbox's command, and what is said where it does not work."""

import sys
from pathlib import Path

import pytest

from labkit.grading.sandbox import bubblewrap
from labkit.grading.sandbox.limits import Limits

DENIED = "bwrap: setting up uid map: Permission denied"


@pytest.fixture
def settings(monkeypatch):
    """What the machine's kernel is set to, in place of what this one's is."""
    known: dict[str, str] = {}
    monkeypatch.setattr(bubblewrap, "_setting", known.get)
    return known


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "/etc/apparmor.d/bwrap"),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "3", "user.max_user_namespaces=10000"),
    ],
)
def test_the_remedy_is_that_of_the_setting_that_is_in_the_way(settings, setting, value, remedy):
    settings[setting] = value
    assert remedy in bubblewrap._remedy(DENIED)


def test_ubuntus_own_setting_is_named_before_one_that_it_also_has(settings):
    settings["kernel/apparmor_restrict_unprivileged_userns"] = "1"
    settings["kernel/unprivileged_userns_clone"] = "1"
    remedy = bubblewrap._remedy(DENIED)
    assert "AppArmor" in remedy and "userns_clone" not in remedy


def test_an_environment_that_others_cannot_read(settings):
    remedy = bubblewrap._remedy(f"bwrap: Can't find source path {sys.prefix}: Permission denied")
    assert f"chmod -R go+rX {sys.prefix}" in remedy


@pytest.mark.sandbox
def test_the_probe_asks_for_what_grading_asks_for(monkeypatch):
    """A probe with fewer options would call a machine fit on which no kernel starts."""
    asked = []

    def run(command, **_):
        asked.append(command)
        raise OSError

    monkeypatch.setattr(bubblewrap.subprocess, "run", run)
    bubblewrap._probed.cache_clear()
    assert "bubblewrap does not work here" in bubblewrap.why_not()
    bubblewrap._probed.cache_clear()
    graded = bubblewrap.command(["x"], variables={}, limits=Limits())
    probed = {word for word in asked[0] if word.startswith("--")}
    assert {word for word in graded if word.startswith("--")} - {"--setenv"} <= probed


def test_a_link_beside_its_target_is_a_link_inside_too(tmp_path):
    """What is covered in lib could be read in lib64, if that were shown as a folder."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib64").symlink_to("lib")
    (tmp_path / "elsewhere").symlink_to("/usr")
    words = list(bubblewrap._read_only([tmp_path / "lib64", tmp_path / "elsewhere"]))
    elsewhere = str(tmp_path / "elsewhere")
    assert words == [
        *("--symlink", "lib", str(tmp_path / "lib64")),
        *("--ro-bind-try", elsewhere, elsewhere),
    ]


def test_root_shows_each_file_and_lets_every_folder_above_be_entered(monkeypatch):
    monkeypatch.setattr(bubblewrap, "_is_root", lambda: True)
    words = bubblewrap.command(["x"], variables={}, limits=Limits())
    outer = words[: words.index("--")]
    shown = {outer[i + 1] for i, word in enumerate(outer) if word == "--ro-bind-try"}
    entered = {outer[i + 1] for i, word in enumerate(outer) if word == "--dir"}
    assert str(Path(sys.prefix, "lib")) in shown
    assert {str(parent) for parent in Path(sys.prefix, "lib").parents} - {"/"} <= entered
    assert f"--reuid={bubblewrap.NOBODY}" in words
    assert words.index(f"--reuid={bubblewrap.NOBODY}") < words.index("--unshare-all")
