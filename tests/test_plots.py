import subprocess
import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image
from skimage.color import rgb2lab

from labkit import plots
from labkit.errors import InputError

PICTURE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "train_loss": [2.0, 1.0, 0.5],
        "train_accuracy": [0.1, 0.5, 0.9],
        "validation_loss": [2.0, 1.5, 1.6],
        "validation_accuracy": [0.2, 0.6, 0.6],
        "seconds": [1.0, 1.0, 1.0],
    }
)
# What readers see who lack the cones for long, middle or short waves: on linear RGB. Machado,
# Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", IEEE TVCG 15(6), 2009, severity 1.0.
WITHOUT = {
    "long": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "middle": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "short": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def seen(colours: np.ndarray, missing: str | None) -> np.ndarray:
    """Colours [n,3] of 0 to 255 as such a reader sees them, in [0, 1]."""
    values = np.asarray(colours) / 255
    if missing is None:
        return values
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    linear = (linear @ np.array(WITHOUT[missing]).T).clip(0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


class TestOverlay:
    def test_alpha_mixes_by_hand(self):
        white = np.full((1, 2, 3), 255, dtype=np.uint8)
        low, high = (np.array(matplotlib.colormaps["inferno"](x)[:3]) for x in (0.0, 1.0))
        mixed = plots.overlay(white, np.array([[0.0, 1.0]]), alpha=0.25)
        expected = np.rint(255 * (0.75 + 0.25 * np.stack([low, high])))
        np.testing.assert_array_equal(mixed[0], expected)

    def test_ends_of_alpha(self):
        grey = torch.rand(4, 6, generator=torch.Generator().manual_seed(0))
        np.testing.assert_array_equal(plots.overlay(PICTURE, grey, alpha=0), PICTURE)
        alone = plots.overlay(PICTURE, grey, alpha=1)
        np.testing.assert_array_equal(alone, plots.overlay(np.zeros_like(PICTURE), grey, alpha=1))
        assert alone.dtype == np.uint8

    def test_leaves_the_picture(self):
        before = PICTURE.copy()
        plots.overlay(PICTURE, np.ones((4, 6)))
        np.testing.assert_array_equal(PICTURE, before)

    def test_refuses_a_small_map(self):
        with pytest.raises(InputError, match=r"\[2, 3\].*enlarge"):
            plots.overlay(PICTURE, np.zeros((2, 3)))

    @pytest.mark.parametrize("value", [-0.1, 1.5, np.nan])
    def test_refuses_raw_scores(self, value):
        with pytest.raises(InputError, match="normalize"):
            plots.overlay(PICTURE, np.full((4, 6), value))


class TestCurves:
    def test_draws_the_table_and_marks_the_earliest_best(self):
        loss, accuracy = plots.curves(HISTORY).axes
        train, validation, best = accuracy.lines
        np.testing.assert_array_equal(train.get_ydata(), HISTORY["train_accuracy"])
        np.testing.assert_array_equal(validation.get_ydata(), HISTORY["validation_accuracy"])
        assert (best.get_xdata()[0], best.get_ydata()[0]) == (2, 0.6)
        assert loss.lines[2].get_ydata()[0] == 1.5

    def test_one_epoch_is_enough(self):
        assert plots.curves(HISTORY[:1])._repr_png_().startswith(b"\x89PNG")


class TestConfusion:
    def test_writes_counts_and_colours_shares(self):
        figure = plots.confusion(torch.tensor([[3, 1], [0, 0]]), ["cat", "dog"])
        assert texts(figure) == ["3", "1"]
        np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), [[0.75, 0.25], [0, 0]])
        assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["cat", "dog"]

    def test_refuses_other_names(self):
        with pytest.raises(InputError, match="3 class names"):
            plots.confusion(torch.eye(2), ["a", "b", "c"])


class TestGrids:
    @pytest.mark.parametrize("n", [1, 5, 7])
    def test_each_picture_stands_under_its_title(self, n):
        pictures = [np.full((4, 6, 3), i, dtype=np.uint8) for i in range(n)]
        figure = plots.show_pictures(pictures, [str(i) for i in range(n)])
        shown = [axes for axes in figure.axes if axes.images]
        assert len(shown) == n
        for axes in shown:
            assert axes.images[0].get_array()[0, 0, 0] == int(axes.get_title())

    def test_each_map_lies_under_its_picture(self):
        pictures = [np.full((4, 6, 3), i, dtype=np.uint8) for i in range(7)]
        figure = plots.show_maps(pictures, [torch.zeros(4, 6)] * 7, titles=list("abcdefg"))
        rows = np.array(figure.axes).reshape(4, 5)
        for i, picture in enumerate(pictures):
            above, below = rows[i // 5 * 2][i % 5], rows[i // 5 * 2 + 1][i % 5]
            assert above.get_title() == "abcdefg"[i]
            np.testing.assert_array_equal(above.images[0].get_array(), picture)
            expected = plots.overlay(picture, torch.zeros(4, 6))
            np.testing.assert_array_equal(below.images[0].get_array(), expected)

    def test_masks_are_outlined_and_empty_ones_are_not(self):
        masks = [np.zeros((4, 6), dtype=bool), np.ones((4, 6), dtype=bool)]
        figure = plots.show_maps([PICTURE] * 2, [np.zeros((4, 6))] * 2, masks)
        assert [len(axes.collections) for axes in figure.axes] == [0, 1, 0, 1]
        figure._repr_png_()

    def test_refuses_lists_of_other_lengths(self):
        with pytest.raises(InputError, match="1 maps for 2 pictures"):
            plots.show_maps([PICTURE] * 2, [np.zeros((4, 6))])
        with pytest.raises(InputError, match="0 titles for 1 pictures"):
            plots.show_pictures([PICTURE], [])
        with pytest.raises(InputError, match="no pictures"):
            plots.show_pictures([], [])


def test_pyplot_stays_out_of_it():
    code = "import sys, labkit.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_arms_are_means_within_their_range():
    figures = pd.DataFrame(
        {
            "arm": ["b"] * 4 + ["a"] * 4,
            "seed": [0, 0, 1, 1] * 2,
            "epoch": [1, 2] * 4,
            "x": [1.0, 2.0, 3.0, 6.0, 0.0, 1.0, 0.0, 1.0],
        }
    )
    axes = plots.arms(figures, {"x": "a title"}).axes
    assert [a.get_title() for a in axes] == ["a title"]
    lines = {line.get_label(): line.get_ydata().tolist() for line in axes[0].lines}
    assert lines == {"b": [2.0, 4.0], "a": [0.0, 1.0]}
    band = axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (1.0, 6.0)
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == ["b", "a"]


def test_arms_differ_in_more_than_colour():
    figures = pd.DataFrame({"arm": list("abcdef"), "seed": 0, "epoch": 1, "x": 1.0})
    lines = plots.arms(figures, {"x": ""}).axes[0].lines
    assert len({line.get_marker() for line in lines}) == 6


@pytest.mark.parametrize("missing", [None, *WITHOUT])
def test_maps_rise_in_lightness_for_every_reader(missing):
    shades = plots.heat(np.linspace(0, 1, 32)[None])[0]
    assert (np.diff(rgb2lab(seen(shades, missing)[None])[0, :, 0]) > 0).all()


@pytest.mark.parametrize("missing", [None, *WITHOUT])
def test_outlines_stand_out_from_every_value_of_a_map(missing):
    shades = plots.heat(np.linspace(0, 1, 32)[None])[0]
    colours = np.vstack([shades, 255 * np.array([to_rgb(plots.SKY)])])
    lab = rgb2lab(seen(colours, missing)[None])[0]
    assert np.linalg.norm(lab[:-1] - lab[-1], axis=1).min() > 20


def test_heat_is_an_overlay_without_its_picture():
    map = np.linspace(0, 1, 12).reshape(3, 4)
    black = np.zeros((3, 4, 3), np.uint8)
    assert np.array_equal(plots.heat(map), plots.overlay(black, map, alpha=1.0))


class TestLabels:
    def test_each_label_has_a_colour_and_ignored_ones_are_white(self):
        labels = np.arange(-1, 12).reshape(1, 13)
        colours = plots.colour_labels(torch.tensor(labels))
        assert colours.dtype == np.uint8 and colours.shape == (1, 13, 3)
        assert colours[0, 0].tolist() == [255, 255, 255]
        assert len({tuple(colour) for colour in colours[0].tolist()}) == 13

    @pytest.mark.parametrize("missing", [None, *WITHOUT])
    def test_any_two_colours_are_far_apart_for_every_reader(self, missing):
        """2 units of CIELAB are about what can be told apart side by side."""
        colours = np.vstack([plots.LABEL_COLOURS, [[255, 255, 255]]])
        lab = rgb2lab(seen(colours, missing)[None])[0]
        apart = np.linalg.norm(lab[:, None] - lab[None], axis=2)
        assert apart[~np.eye(13, dtype=bool)].min() > 18

    def test_colouring_leaves_the_labels_and_the_palette(self):
        before = plots.LABEL_COLOURS.copy()
        plots.colour_labels(np.array([[0, -1]]))[:] = 7
        np.testing.assert_array_equal(plots.LABEL_COLOURS, before)

    def test_a_grid_has_a_row_for_each_kind_of_map_and_a_legend(self):
        labels = [np.zeros((4, 6), int), np.ones((4, 6), int)]
        maps = {"truth": labels, "prediction": [torch.tensor(m) for m in labels[::-1]]}
        figure = plots.show_labels([PICTURE] * 2, maps, ["wall", "door"], titles=["a", "b"])
        assert [axes.get_ylabel() for axes in figure.axes[2::2]] == ["truth", "prediction"]
        assert [axes.get_title() for axes in figure.axes[:2]] == ["a", "b"]
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["0 wall", "1 door"]
        shown = figure.axes[4].images[0].get_array()
        np.testing.assert_array_equal(shown, plots.colour_labels(labels[1]))

    def test_numbers_stand_inside_their_labels_and_only_where_there_is_room(self):
        labels = np.full((100, 150), -1)
        labels[10:60, 20:90] = 0
        labels[40:95, 60:140] = 7
        labels[99, :] = 3
        axes = plots.show_labels([np.zeros((100, 150, 3), np.uint8)], {"": [labels]}, []).axes[1]
        places = {text.get_text(): text.get_position() for text in axes.texts}
        assert set(places) == {"0", "7"}
        for number, (column, row) in places.items():
            near = labels[row - 15 : row + 16, column - 15 : column + 16]
            assert (near == int(number)).all()

    def test_a_grid_wants_one_map_a_picture(self):
        with pytest.raises(InputError, match="1 truth for 2 pictures"):
            plots.show_labels([PICTURE] * 2, {"truth": [np.zeros((4, 6), int)]}, ["wall"])


class TestGridsAndStrips:
    def test_labelled_grid_has_a_title_a_picture(self):
        figure = plots.labelled_grid([PICTURE] * 6, [f"{i}\nsecond line" for i in range(6)])
        titles = [axes.get_title() for axes in figure.axes]
        assert titles == [*(f"{i}\nsecond line" for i in range(6)), "", ""]
        with pytest.raises(InputError, match="1 titles for 2 pictures"):
            plots.labelled_grid([PICTURE] * 2, ["one"])

    def test_mosaic_pixel_by_pixel(self):
        pictures = [np.full((2, 3, 3), 10 * i, np.uint8) for i in range(3)]
        sheet = plots.mosaic(pictures, 2, gap=1)
        assert sheet.shape == (5, 7, 3)
        expected = np.full((5, 7), 255)
        expected[:2, :3], expected[:2, 4:], expected[3:, :3] = 0, 10, 20
        np.testing.assert_array_equal(sheet[..., 0], expected)
        assert plots.mosaic(pictures, 1).shape == (14, 3, 3)  # the strip

    def test_mosaic_refuses_pictures_of_two_sizes(self):
        with pytest.raises(InputError, match="expected one shape"):
            plots.mosaic([PICTURE, PICTURE[1:]], 2)
        with pytest.raises(InputError, match="there are no pictures"):
            plots.mosaic([], 2)

    def test_a_saved_picture_has_the_same_pixels(self, tmp_path):
        plots.save_picture(PICTURE, tmp_path / "a.png")
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), PICTURE)
        assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_arms_may_go_along_stages():
    rows = [("a", 1, 0.2), ("a", 2, 0.4), ("a", 2, 0.6), ("b", 1, 0.9)]
    figure = plots.arms(
        pd.DataFrame(rows, columns=["arm", "stage", "iou"]), {"iou": "IoU"}, "stage"
    )
    axes = figure.axes[0]
    assert axes.get_xlabel() == "stage"
    assert [line.get_xydata().tolist() for line in axes.lines] == [[[1, 0.2], [2, 0.5]], [[1, 0.9]]]


def test_a_grid_of_maps_has_a_row_a_method_and_a_column_a_layer():
    picture = np.full((20, 30, 3), 90, np.uint8)
    map, mask = np.zeros((20, 30)), np.zeros((20, 30), bool)
    map[:, 15:] = 1.0
    mask[5:10, 5:10] = True
    grid = {name: {"stage1": map, "stage2": 1 - map} for name in ("Grad-CAM", "LayerCAM")}
    figure = plots.map_grid(picture, grid, mask, title="a cat")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "a cat"
    assert titles[1:3] == ["Grad-CAM, stage1", "Grad-CAM, stage2"]
    assert titles[4:6] == ["LayerCAM, stage1", "LayerCAM, stage2"]
    drawn = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(drawn) == 5
    assert drawn[1][0, -1].mean() > drawn[1][0, 0].mean() + 50  # bright on the right
    assert drawn[2][0, 0].mean() > drawn[2][0, -1].mean() + 50
    assert all(axes.collections for axes in figure.axes if axes.images)  # the outlines
    assert not plots.map_grid(picture, grid).axes[1].collections


def test_a_row_of_the_grid_may_lack_columns():
    picture, map = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4))
    figure = plots.map_grid(picture, {"a": {"x": map, "y": map}, "b": {"y": map}})
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["", "a, x", "a, y", "", "", "b, y"]
    with pytest.raises(InputError, match="there are no maps"):
        plots.map_grid(picture, {"a": {}})
