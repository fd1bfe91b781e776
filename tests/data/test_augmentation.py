"""Turns, shifts and mirror images, drawn anew each time or stored once."""

import numpy as np
import pytest
import torch
from data.test_flowers17 import write_set
from PIL import Image
from scipy.ndimage import affine_transform

from labkit.data import Augmented, Flowers17, augment, draw_augmentation, store_augmented
from labkit.data import augmentation as module
from labkit.data.augmentation import Augmentation
from labkit.errors import InputError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def draws(n, height=40, width=90, seed=0):
    generator = torch.Generator().manual_seed(seed)
    drawn = [draw_augmentation(height, width, generator) for _ in range(n)]
    return np.array([(d.angle, d.right, d.down, d.flip) for d in drawn], float)


class TestDraw:
    def test_limits_and_shares(self):
        angle, right, down, flip = draws(4000).T
        for values, most in ((angle, 20), (right, 18), (down, 8)):
            assert -most <= values.min() < -0.97 * most and 0.97 * most < values.max() <= most
            assert abs(values.mean()) < 0.06 * most
            assert 0.55 < values.std() / most < 0.61
        assert 0.47 < flip.mean() < 0.53
        assert abs(np.corrcoef(draws(4000).T) - np.eye(4)).max() < 0.06

    def test_whole_pixels(self):
        drawn = draw_augmentation(40, 90)
        assert isinstance(drawn.right, int) and isinstance(drawn.down, int)

    def test_chance_comes_from_the_generator(self):
        np.testing.assert_array_equal(draws(5, seed=3), draws(5, seed=3))
        assert (draws(5, seed=3) != draws(5, seed=4)).any()
        before = torch.get_rng_state()
        draws(5)
        assert torch.equal(torch.get_rng_state(), before)


class TestAugment:
    @pytest.mark.parametrize("size", [(1, 11, 17), (3, 20, 20), (2, 3, 9, 14)])
    def test_against_scipy(self, size):
        """scipy looks up, for each new position, where it came from."""
        images = torch.rand(size, generator=torch.Generator().manual_seed(1))
        height, width = size[-2:]
        for angle, right, down, flip in [(13.0, 2, -1, False), (-20.0, -3, 1, True)]:
            moved = augment(images, Augmentation(angle, right, down, flip))
            a = np.radians(angle)
            back = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
            middle = np.array([(height - 1) / 2, (width - 1) / 2])
            offset = middle - back @ (middle + np.array([down, right]))
            for new, old in zip(
                moved.reshape(-1, height, width), images.reshape(-1, height, width), strict=True
            ):
                padded = np.pad(old.numpy().astype(float), 9)
                at = back @ np.array([-9, -9]) + offset + 9
                expected = affine_transform(padded, back, at, padded.shape, order=1)[9:-9, 9:-9]
                expected = expected[:, ::-1] if flip else expected
                np.testing.assert_allclose(new.numpy(), expected, atol=2e-4)

    def test_nothing_is_nothing_and_the_image_stays(self):
        image = torch.rand(3, 8, 9)
        before = image.clone()
        torch.testing.assert_close(augment(image, Augmentation(0.0, 0, 0, False)), image)
        augment(image, Augmentation(20.0, 2, 1, True))
        assert torch.equal(image, before)

    def test_bytes_stay_bytes(self):
        image = torch.randint(256, (3, 8, 9), dtype=torch.uint8)
        assert augment(image, Augmentation(9.0, 1, 1, False)).dtype == torch.uint8


class TestOnTheFly:
    def test_every_look_differs_and_follows_the_seed(self):
        data = Augmented(Flowers17(count=4, size=32))
        assert len(data) == 4 and data[2][1] == 2
        torch.manual_seed(5)
        first, second = data[0][0], data[0][0]
        assert not torch.equal(first, second)
        torch.manual_seed(5)
        assert torch.equal(data[0][0], first)


class TestStored:
    def test_ten_copies_to_train_on_and_none_to_judge_by(self, tmp_path):
        root = write_set(tmp_path / "flowers")
        store_augmented(root, tmp_path / "stored", size=16, progress=False)
        assert len(names(tmp_path / "stored" / "auged")) == 680
        train = Flowers17(tmp_path / "stored", size=16)
        assert len(train) == 340 and train.labels.bincount().tolist() == [20] * 17
        for split in ("validation", "test"):
            stored = Flowers17(tmp_path / "stored", split, 16)
            plain = Flowers17(root, split, 16)
            assert len(stored) == 17
            for i in range(17):  # one JPEG after another
                assert abs(stored.picture(i).astype(int) - plain.picture(i)).max() < 4
        # The first copies are the pictures themselves; later ones have black borders.
        assert (Flowers17(tmp_path / "stored", size=16, count=34).picture(33) > 90).all()
        assert (train.picture(339) < 9).any()

    def test_the_same_for_the_same_seed(self, tmp_path):
        root = write_set(tmp_path / "flowers")
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            store_augmented(root, tmp_path / name, copies=2, seed=seed, size=12, progress=False)
        a, b, c = ((tmp_path / n / "auged" / "image_0040_1.jpg").read_bytes() for n in "abc")
        assert a == b != c

    def test_progress_is_shown(self, tmp_path, capfd):
        store_augmented(write_set(tmp_path / "flowers"), tmp_path / "s", copies=1, size=8)
        assert "68/68" in capfd.readouterr().err

    def test_a_run_that_is_stopped_leaves_nothing(self, tmp_path, monkeypatch):
        root = write_set(tmp_path / "flowers")
        before = module.flowers17_folder.write_picture

        def stopped(picture, file):
            if file.name == "image_0033_1.jpg":
                raise KeyboardInterrupt
            before(picture, file)

        monkeypatch.setattr(module.flowers17_folder, "write_picture", stopped)
        with pytest.raises(KeyboardInterrupt):
            store_augmented(root, tmp_path / "stored", size=8, progress=False)
        assert names(tmp_path) == ["flowers"]

    def test_refused_before_any_work(self, tmp_path):
        root = write_set(tmp_path / "flowers")
        for arguments, message in (
            ({"copies": 11}, "copies is 11, expected 1 to 10"),
            ({"size": 0}, "size is 0"),
            ({"to": root}, "exists already"),
        ):
            to = arguments.pop("to", tmp_path / "to")
            with pytest.raises(InputError, match=message):
                store_augmented(root, to, progress=False, **arguments)
        store_augmented(root, tmp_path / "stored", copies=1, size=8, progress=False)
        with pytest.raises(InputError, match="is augmented already"):
            store_augmented(tmp_path / "stored", tmp_path / "twice", progress=False)
        assert names(tmp_path) == ["flowers", "stored"]

    def test_a_missing_copy_is_named(self, tmp_path):
        store_augmented(
            write_set(tmp_path / "flowers"), tmp_path / "s", copies=3, size=8, progress=False
        )
        (tmp_path / "s" / "auged" / "image_0007_2.jpg").unlink()
        with pytest.raises(InputError, match=r"image_0007_2\.jpg"):
            Flowers17(tmp_path / "s")

    def test_pictures_are_square(self, tmp_path):
        store_augmented(
            write_set(tmp_path / "flowers"), tmp_path / "s", copies=1, size=19, progress=False
        )
        assert Image.open(tmp_path / "s" / "auged" / "image_0001_0.jpg").size == (19, 19)
