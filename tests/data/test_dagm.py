"""Surfaces with defects: built in, in the three layouts of folders, and what is refused."""

import math
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from labkit.data import Dagm, unnormalize
from labkit.data.dagm_folder import Ellipse, inside, problems, read_ellipses
from labkit.errors import InputError

needs_real_data = pytest.mark.skipif(
    "LABKIT_REAL_DATA" not in os.environ, reason="LABKIT_REAL_DATA names no folder of real data"
)


def write(path: Path, value: int, size=(24, 32), mask=None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full(size, value, np.uint8) if mask is None else np.where(mask, 255, 0)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


@pytest.fixture
def public(tmp_path):
    for i in range(1, 21):
        write(tmp_path / f"Class2/{i}.png", i)
        write(tmp_path / f"Class2_def/{i}.png", 100 + i)
    lines = [f"{i}.png\t8.0e+000\t3.0\t{0.1 * i:.2f}\t16\t12" for i in range(1, 21)]
    (tmp_path / "Class2_def/labels.txt").write_text("\n".join(lines) + "\n\n")
    return tmp_path


@pytest.fixture
def competition(tmp_path):
    mask = np.zeros((24, 32), bool)
    mask[4:10, 5:9] = True
    for part in ("Train", "Test"):
        for i in range(576, 596):
            write(tmp_path / f"Class7/{part}/{i:04d}.PNG", i % 256)
            if i % 2:
                write(tmp_path / f"Class7/{part}/Label/{i:04d}_label.PNG", 0, mask=mask)
    (tmp_path / "Class7/Train/Label/Labels.txt").write_text("1\n")
    return tmp_path


@pytest.fixture
def tiles(tmp_path):
    mask = np.zeros((24, 32), bool)
    mask[2, 3:20] = True
    for kind, n, there in (
        ("MT_Crack", 20, mask),
        ("MT_Fray", 20, mask),
        ("MT_Free", 40, 0 * mask),
    ):
        for i in range(n):
            write(tmp_path / kind / f"Imgs/exp_{i}.jpg", i)
            write(tmp_path / kind / f"Imgs/exp_{i}.png", 0, mask=there)
    return tmp_path


def parts(root, problem):
    return {split: Dagm(root, split, problem) for split in ("train", "validation", "test")}


class TestBuiltin:
    def test_items(self):
        data = Dagm(count=20, problem=4)
        image, label = data[3]
        assert image.shape == (3, 64, 64) and image.dtype == torch.float32
        assert label == 1 and data.classes[label] == "defect"
        shown = torch.tensor(data.picture(3)).permute(2, 0, 1) / 255
        torch.testing.assert_close(unnormalize(image), shown, atol=1e-5, rtol=0)
        assert data.mask(3).any() and not data.mask(0).any()

    def test_the_splits_of_the_public_set(self):
        sizes = [len(Dagm(split=s, problem=6)) for s in ("train", "validation", "test")]
        assert sizes == [805, 172, 173]

    def test_all_problems_in_turn(self):
        mixed = Dagm(problem=None, count=13)
        assert len(mixed) == 13
        for i in range(13):
            alone = Dagm(problem=i % 6 + 1, count=3)
            np.testing.assert_array_equal(mixed.picture(i), alone.picture(i // 6))

    def test_smaller(self):
        data = Dagm(count=4, problem=1, size=32)
        assert data[3][0].shape == (3, 32, 32)
        assert data.picture(3).shape == (32, 32, 3) and data.mask(3).shape == (32, 32)
        full = Dagm(count=4, problem=1)
        halves = full.mask(3).reshape(32, 2, 32, 2).mean((1, 3))
        np.testing.assert_array_equal(data.mask(3), halves >= 0.5)

    def test_negative_indices_and_the_end(self):
        data = Dagm(count=5)
        np.testing.assert_array_equal(data.picture(-1), data.picture(4))
        with pytest.raises(IndexError):
            data[5]

    @pytest.mark.parametrize(
        "arguments",
        [
            {"split": "val"},
            {"problem": 7},
            {"problem": 0},
            {"problem": "1"},
            {"size": 0},
            {"count": 0},
            {"root": "nowhere"},
        ],
    )
    def test_refused(self, arguments):
        with pytest.raises(InputError):
            Dagm(**arguments)


class TestPublicSet:
    def test_split_and_labels(self, public):
        found = parts(public, 2)
        assert [len(part) for part in found.values()] == [28, 6, 6]
        assert [int(part.labels.sum()) for part in found.values()] == [14, 3, 3]
        greys = [part.picture(i)[0, 0, 0] for part in found.values() for i in range(len(part))]
        assert sorted(greys) == [*range(1, 21), *range(101, 121)]
        for part in found.values():
            for i in range(len(part)):
                assert (part.picture(i)[0, 0, 0] > 100) == part.labels[i] == part.mask(i).any()

    def test_the_ellipse_is_the_mask(self, public):
        part = Dagm(public, "train", 2)
        y, x = np.mgrid[:24, :32]
        for i in np.flatnonzero(part.labels)[:5]:
            turn = 0.1 * (int(part.picture(int(i))[0, 0, 0]) - 100)
            u = (x - 16) * math.cos(turn) + (y - 12) * math.sin(turn)
            v = (y - 12) * math.cos(turn) - (x - 16) * math.sin(turn)
            expected = (u / 8) ** 2 + (v / 3) ** 2 <= 1
            np.testing.assert_array_equal(part.mask(int(i)), expected)

    def test_the_split_follows_the_seed(self, public):
        def greys(seed):
            data = Dagm(public, "train", 2, seed=seed)
            return [int(data.picture(i)[0, 0, 0]) for i in range(len(data))]

        assert greys(0) == greys(0) != greys(1)

    def test_degrees_and_radians(self, tmp_path):
        path = tmp_path / "labels.txt"
        path.write_text("1 20 10 90 5 6\n2.png 20 10 1.5 5 6")
        found = read_ellipses(path)
        assert found["1"] == Ellipse(20, 10, math.pi / 2, 5, 6)
        assert found["2"].turn == pytest.approx(math.radians(1.5))
        path.write_text("1 20 10 -1.5 5 6")
        assert read_ellipses(path)["1"].turn == -1.5

    @pytest.mark.parametrize(
        ("line", "what"),
        [
            ("1.png 8 3 0.1 16", "line 2: '1.png 8 3 0.1 16', expected a name and five numbers"),
            ("1.png 8 3 0.1 16 12 9", "line 2"),
            ("1.png 8 three 0.1 16 12", "line 2"),
            ("1.png 8 0 0.1 16 12", "line 2"),
            ("1.png 8 3 nan 16 12", "line 2"),
            ("7.png 8 3 0.1 16 12", "7.png has a line already"),
        ],
    )
    def test_a_wrong_line_is_named(self, public, line, what):
        path = public / "Class2_def/labels.txt"
        path.write_text(f"7.png 8 3 0.1 16 12\n{line}\n")
        with pytest.raises(InputError, match=r"labels\.txt") as error:
            Dagm(public, "train", 2)
        assert what in str(error.value)

    def test_a_picture_without_a_line(self, public):
        (public / "Class2_def/21.png").write_bytes((public / "Class2_def/1.png").read_bytes())
        with pytest.raises(InputError, match=r"21 is in labels\.txt or among the pictures"):
            Dagm(public, "train", 2)

    def test_without_labels(self, public):
        (public / "Class2_def/labels.txt").unlink()
        with pytest.raises(InputError, match=r"there is no .*labels\.txt"):
            Dagm(public, "train", 2)

    def test_another_problem(self, public):
        with pytest.raises(InputError, match="holds the problems 2"):
            Dagm(public, "train", 1)
        assert len(Dagm(public, "train", None)) == 28


class TestCompetitionSet:
    def test_its_own_test_split(self, competition):
        found = parts(competition, 7)
        assert [len(part) for part in found.values()] == [16, 4, 20]
        assert [int(part.labels.sum()) for part in found.values()] == [8, 2, 10]
        for part in found.values():
            for i in range(len(part)):
                assert part.mask(i).sum() == 24 * part.labels[i]

    def test_a_mask_without_its_picture(self, competition):
        (competition / "Class7/Test/0577.PNG").unlink()
        with pytest.raises(InputError, match="a mask of 0577"):
            Dagm(competition, "test", 7)

    def test_a_mask_of_another_size(self, competition):
        write(competition / "Class7/Test/Label/0577_label.PNG", 0, mask=np.ones((9, 9), bool))
        data = Dagm(competition, "test", 7)
        with pytest.raises(InputError, match=r"0577_label\.PNG is 9x9 pixels"):
            [data[i] for i in range(len(data))]

    def test_a_picture_that_is_none(self, competition):
        (competition / "Class7/Test/0576.PNG").write_text("no picture")
        data = Dagm(competition, "test", 7)
        with pytest.raises(InputError, match=r"0576\.PNG is no picture"):
            [data[i] for i in range(len(data))]


class TestMagneticTiles:
    def test_kinds_are_problems(self, tiles):
        found = parts(tiles, 1)
        assert sum(len(part) for part in found.values()) == 40
        assert [int(part.labels.sum()) for part in found.values()] == [14, 3, 3]

    def test_no_good_tile_serves_two_problems(self, tiles):
        everything = parts(tiles, None)
        assert sum(len(part) for part in everything.values()) == 80
        assert sum(int(part.labels.sum()) for part in everything.values()) == 40

    def test_a_thin_crack_survives_shrinking(self, tiles):
        data = Dagm(tiles, "train", 1, size=8)
        for i in range(len(data)):
            assert data.mask(i).any() == bool(data.labels[i])

    def test_without_a_mask(self, tiles):
        (tiles / "MT_Fray/Imgs/exp_3.png").unlink()
        with pytest.raises(InputError, match=r"exp_3\.jpg has no mask"):
            Dagm(tiles, "train", 2)


def test_a_folder_of_something_else(tmp_path):
    with pytest.raises(InputError, match="holds none of Class1"):
        Dagm(tmp_path)


def test_ellipses_at_the_border_are_cut():
    mask = inside(Ellipse(10, 4, 0, 0, 0), (6, 20))
    assert mask[0, :11].all() and not mask[0, 11:].any() and mask[:5, 0].all() and not mask[5, 0]


@needs_real_data
def test_real_surfaces(tmp_path):
    """A few of DAGM's own, in the competition's layout without its Train and Test."""
    source = Path(os.environ["LABKIT_REAL_DATA"]) / "dagm/from_SmartLabeler"
    for folder in sorted(source.glob("Class*")):
        shutil.copytree(folder, tmp_path / folder.name / "Test")
        (tmp_path / folder.name / "Train").mkdir()
    for problem in (1, 2, 3):
        data = Dagm(tmp_path, "test", problem, size=128)
        assert len(data) == 5 and data.labels.sum() == 3
        for i in range(5):
            assert data.mask(i).any() == bool(data.labels[i])
            assert data.mask(i).mean() < 0.1


@needs_real_data
def test_real_tiles():
    data = parts(Path(os.environ["LABKIT_REAL_DATA"]) / "magnetic_tile", None)
    assert sum(len(part) for part in data.values()) == 292
    assert 180 < sum(int(part.labels.sum()) for part in data.values()) <= 192


def test_ellipses_that_are_no_text(tmp_path):
    (tmp_path / "labels.txt").write_bytes("1 30 12 0 5 5".encode("utf-16"))
    with pytest.raises(InputError, match=r"labels\.txt is not UTF-8 text"):
        read_ellipses(tmp_path / "labels.txt")


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    (tmp_path / "labels.txt").write_text("1 30 12 0 5 5", encoding="utf-8-sig")
    assert read_ellipses(tmp_path / "labels.txt").keys() == {"1"}


def test_a_number_that_is_no_decimal_one(tmp_path):
    (tmp_path / "Class²").mkdir()
    with pytest.raises(InputError, match="holds none of Class1"):
        problems(tmp_path)
