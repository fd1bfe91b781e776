"""Pictures of what was learnt. Every function gives a matplotlib Figure and changes nothing else.

Colours of lines are those of Okabe and Ito, which colour-blind readers can tell apart, with a mark
of its own for each where they are many; maps use "inferno", whose brightness rises with the value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from labkit.errors import InputError
from labkit.fcn_shapes import Trace
from labkit.runs import replacing

BLUE, ORANGE, SKY = "#0072B2", "#D55E00", "#56E0FF"
COLORMAP = "inferno"
# Twelve for labels, found by search: any two, and white, stay apart for readers who lack one kind
# of cone. So many are hard to name by colour all the same: `show_labels` writes numbers, too.
LABEL_COLOURS = np.array(
    [
        (20, 15, 15),
        (30, 113, 109),
        (129, 110, 250),
        (167, 34, 21),
        (250, 228, 17),
        (30, 167, 122),
        (160, 143, 183),
        (229, 96, 19),
        (199, 207, 250),
        (66, 37, 78),
        (106, 226, 161),
        (63, 17, 198),
    ],
    np.uint8,
)
_SMALLEST = 0.018  # of a panel's side: half the height of a number


class Drawing(Figure):
    """A Figure that a notebook shows by itself, whether or not pyplot was imported."""

    def _repr_png_(self) -> bytes:
        picture = BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()


def curves(history: pd.DataFrame, criterion: str = "validation_accuracy") -> Figure:
    """Loss, and what chooses the epoch, for training and validation; a dot marks the best epoch.

    Args:
        history: the table that `labkit.training.fit` or `labkit.training.fcn.fit` gives.
        criterion: the column whose highest value makes the best epoch.
    """
    figure = Drawing(figsize=(9, 3.4), layout="constrained")
    best = history.iloc[int(history[criterion].argmax())]
    measure = criterion.removeprefix("validation_")
    for axes, name in zip(figure.subplots(1, 2), ("loss", measure), strict=True):
        for part, colour, style in (("train", BLUE, "--"), ("validation", ORANGE, "-")):
            if f"{part}_{name}" in history:
                values = history[f"{part}_{name}"]
                axes.plot(history["epoch"], values, style, color=colour, marker=".", label=part)
        axes.plot(
            best["epoch"],
            best[f"validation_{name}"],
            "o",
            color=ORANGE,
            markersize=9,
            label=f"best epoch ({int(best['epoch'])})",
        )
        label = {"loss": "cross entropy", "mean_iou": "mean IoU"}.get(name, name)
        axes.set(xlabel="epoch", ylabel=label)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    figure.axes[1].set_ylim(0, 1.03)
    figure.axes[0].legend()
    return figure


ARM_COLOURS = ("#000000", BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00")
ARM_MARKS = ("o", "s", "^", "D", "v", "P")


def arms(
    figures: pd.DataFrame, columns: Mapping[str, str] | None = None, along: str = "epoch"
) -> Figure:
    """Figures by epoch of several ways to train: the mean over seeds, and the range as a band.

    Args:
        figures: a row an epoch of each training, with the columns arm, seed and epoch, as
            `labkit.experiments.seg_shrinking` gives it.
        columns: which figures, each with the title of its panel; None for those of the question
            whether maps shrink.
        along: the column that takes the place of the epoch.
    """
    columns = columns or {
        "map_size": "size of the handout's map",
        "relative": "change when the image is halved",
        "handout_iou": "IoU of the handout's map",
        "class_iou": "IoU of the class map",
    }
    figure = Drawing(figsize=(3 * len(columns), 3.2), layout="constrained")
    for axes, (column, title) in zip(
        figure.subplots(1, len(columns), squeeze=False)[0], columns.items(), strict=True
    ):
        for colour, mark, (arm, rows) in zip(
            ARM_COLOURS, ARM_MARKS, figures.groupby("arm", sort=False), strict=False
        ):
            values = rows.groupby(along)[column]
            mean, low, high = values.mean(), values.min(), values.max()
            axes.plot(mean.index, mean, color=colour, label=str(arm), marker=mark, markersize=4)
            axes.fill_between(mean.index, low, high, color=colour, alpha=0.12, linewidth=0)
        axes.set(title=title, xlabel=along, ylim=(0, None))
        axes.title.set_fontsize(10)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    figure.axes[0].legend(fontsize=8)
    return figure


def confusion(cm: Tensor, classes: Sequence[str]) -> Figure:
    """A confusion matrix: counts other than 0 as numbers, shares of each true class as colours.

    Args:
        cm: counts [N,N], rows are the truth.
        classes: the N names.

    Raises:
        InputError: the names do not belong to the matrix.
    """
    if cm.shape != (len(classes), len(classes)):
        raise InputError(
            f"{len(classes)} class names for a matrix {list(cm.shape)}, expected [N,N]"
        )
    counts = cm.cpu().numpy()
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = 2.2 + 0.5 * len(classes)
    beside = 0.8 + 0.1 * max(map(len, classes))  # the names, and the bar of colours
    figure = Drawing(figsize=(side + beside, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(share, cmap="cividis", vmin=0, vmax=1)
    for row, column in np.argwhere(counts):
        colour = "black" if share[row, column] > 0.5 else "white"
        count = f"{counts[row, column]}"
        axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="predicted class", ylabel="true class")
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    return figure


def colour_labels(labels: NDArray | Tensor) -> NDArray[np.uint8]:
    """Label maps as colours, of a dozen that can be told apart; ignored labels become white.

    Args:
        labels: whole numbers [H,W]; negative ones are ignored, colours repeat after twelve.

    Returns:
        uint8 [H,W,3].
    """
    values = _array(labels)
    colours = LABEL_COLOURS[values % len(LABEL_COLOURS)]
    colours[values < 0] = 255
    return colours


def show_labels(
    pictures: Sequence[NDArray],
    maps: Mapping[str, Sequence[NDArray | Tensor]],
    classes: Sequence[str],
    titles: Sequence[str] | None = None,
) -> Figure:
    """A column a picture: the picture, below it each of its label maps, and a legend.

    The widest place of each label in a map bears the label's number, if there is room for it.

    Args:
        pictures: uint8 [H,W,3], at most eight look well.
        maps: for each row its name and one label map [H,W] a picture, for instance
            {"truth": […], "prediction": […]}.
        classes: names of the labels, for the legend.
        titles: one a picture, or None.

    Raises:
        InputError: a row has not one map a picture.
    """
    _check_counts(len(pictures), titles=titles, **maps)
    across, down = len(pictures), 1 + len(maps)
    figure = Drawing(figsize=(1.9 * across + 0.4, 2.0 * down + 0.7), layout="constrained")
    cells = figure.subplots(down, across, squeeze=False)
    for axes in cells.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for i, picture in enumerate(pictures):
        cells[0, i].imshow(picture)
        if titles is not None:
            cells[0, i].set_title(titles[i], fontsize=9)
    for row, (name, found) in zip(cells[1:], maps.items(), strict=True):
        row[0].set_ylabel(name, fontsize=11)
        for axes, labels in zip(row, found, strict=True):
            axes.imshow(colour_labels(labels), interpolation="nearest")
            _number(axes, _array(labels))
    patches = [
        Patch(color=LABEL_COLOURS[c % len(LABEL_COLOURS)] / 255, label=f"{c} {name}")
        for c, name in enumerate(classes)
    ]
    figure.legend(
        handles=patches, loc="outside lower center", ncols=min(6, len(classes)), frameon=False
    )
    return figure


def _number(axes: Axes, labels: NDArray) -> None:
    """Write each label's number into the middle of its widest place."""
    from scipy.ndimage import distance_transform_edt  # a third of a second, and few draw labels

    for label in np.unique(labels[labels >= 0]):
        room = distance_transform_edt(np.pad(labels == label, 1))[1:-1, 1:-1]
        row, column = np.unravel_index(room.argmax(), room.shape)
        if room[row, column] >= _SMALLEST * max(labels.shape):
            number = axes.text(column, row, f"{label}", fontsize=6, color="white")
            number.set(ha="center", va="center_baseline")
            number.set_path_effects([withStroke(linewidth=1.5, foreground="black")])


def fcn_trace(traced: Trace) -> Figure:
    """One side of an image at every stage of an FCN, drawn in pixels of the image.

    Each bar covers what its map was computed from; its number is the size in positions. The dashed
    lines are the ends of the image. A crop that reaches beyond its map is drawn in orange.

    Args:
        traced: what `labkit.fcn_shapes.trace` gives.
    """
    side = traced.stages[0].size
    figure = Drawing(figsize=(7.6, 0.34 * (len(traced.stages) + len(traced.cuts)) + 0.8))
    axes = figure.subplots()
    names: list[str] = []
    for stage in traced.stages:
        start, end = stage.span
        axes.barh(len(names), max(0.0, end - start), left=start, color=SKY, height=0.72)
        axes.text(max(end, side) + 6, len(names), str(max(stage.size, 0)), va="center", fontsize=9)
        names.append(stage.name)
    for cut in traced.cuts:
        start, end, short = cut.span
        axes.barh(len(names), end - start, left=start, color=BLUE, height=0.72)
        axes.barh(len(names), short, left=end, color=ORANGE, height=0.72)
        text = f"{cut.wanted} of {cut.size} from {cut.start} on"
        text += f": {cut.missing} missing" if cut.missing else ""
        axes.text(max(end + short, side) + 6, len(names), text, va="center", fontsize=9)
        names.append(f"crop of {cut.name}")
    for edge in (0, side):
        axes.axvline(edge, color="black", linewidth=0.8, linestyle="--")
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set(xlabel="pixels of the image", xlim=(-110, side + 290))
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    figure.subplots_adjust(left=0.2, right=0.99, top=0.98, bottom=0.16)
    return figure


def overlay(picture: NDArray, map: NDArray | Tensor, alpha: float = 0.5) -> NDArray[np.uint8]:
    """Lay a map over a picture: dark where it is 0, bright where it is 1.

    Args:
        picture: uint8 [H,W,3].
        map: values in [0, 1], [H,W]; enlarge and normalise it first.
        alpha: weight of the map's colours, 0 shows the picture alone, 1 the map alone.

    Returns:
        uint8 [H,W,3].

    Raises:
        InputError: the shapes differ, or the map leaves [0, 1].
    """
    values = _array(map)
    if values.shape != picture.shape[:2]:
        raise InputError(
            f"the map is {list(values.shape)} and the picture {list(picture.shape)}, expected "
            "[H,W] and [H,W,3]: enlarge the map to the picture first"
        )
    if not (values.min() >= 0 and values.max() <= 1):
        raise InputError(
            f"the map reaches from {values.min():.3g} to {values.max():.3g}, expected values in "
            "[0, 1]: see labkit.maps.normalize"
        )
    return np.rint((1 - alpha) * picture + alpha * _colours(values)).astype(np.uint8)


def heat(map: NDArray | Tensor) -> NDArray[np.uint8]:
    """A map by itself: values in [0, 1], [H,W], as a picture uint8 [H,W,3]."""
    return np.rint(_colours(_array(map))).astype(np.uint8)


def _colours(values: NDArray) -> NDArray:
    return 255 * matplotlib.colormaps[COLORMAP](values)[..., :3]


def labelled_grid(pictures: Sequence[NDArray], titles: Sequence[str], columns: int = 4) -> Figure:
    """Pictures uint8 [H,W,3] in rows, each under its title, which may have several lines."""
    _check_counts(len(pictures), titles=titles)
    lines = max(title.count("\n") + 1 for title in titles)
    rows = math.ceil(len(pictures) / columns)
    size = (2.4 * columns, (2.3 + 0.16 * lines) * rows)
    figure = Drawing(figsize=size, layout="constrained")
    cells = figure.subplots(rows, columns, squeeze=False)
    for axes in cells.flat:
        axes.set_axis_off()
    for picture, title, axes in zip(pictures, titles, cells.flat, strict=False):
        axes.imshow(picture)
        axes.set_title(title, fontsize=8)
    return figure


def mosaic(pictures: Sequence[NDArray], columns: int, gap: int = 4) -> NDArray[np.uint8]:
    """Pictures of one size side by side in rows, white between them: a compact grid, or a strip.

    Args:
        pictures: uint8 [H,W,3] each, all alike.
        columns: of the grid; 1 makes a strip from top to bottom.
        gap: pixels between them.

    Returns:
        uint8 [rows * (H + gap) - gap, columns * (W + gap) - gap, 3].

    Raises:
        InputError: there are none, or they differ in size.
    """
    _check_counts(len(pictures))
    shapes = sorted({picture.shape for picture in pictures})
    if len(shapes) > 1 or columns < 1:
        raise InputError(
            f"pictures of the shapes {', '.join(map(str, shapes))} in {columns} columns, expected "
            "one shape and at least one column"
        )
    height, width = shapes[0][:2]
    rows = math.ceil(len(pictures) / columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for i, picture in enumerate(pictures):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def save_picture(picture: NDArray[np.uint8], path: Path) -> None:
    """Write a picture uint8 [H,W,3] as a PNG; the file appears whole."""
    with replacing(path) as draft:
        Image.fromarray(picture).save(draft, format="png")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG of 120 dots an inch; the file appears whole."""
    with replacing(path) as draft:
        figure.savefig(draft, format="png", dpi=120)


def show_pictures(pictures: Sequence[NDArray], titles: Sequence[str]) -> Figure:
    """Pictures uint8 [H,W,3] in rows of five, each under its title."""
    _check_counts(len(pictures), titles=titles)
    figure, cells = _grid(len(pictures))
    for picture, title, axes in zip(pictures, titles, cells[0].ravel(), strict=False):
        axes.imshow(picture)
        axes.set_title(title, fontsize=11)
    return figure


def show_maps(
    pictures: Sequence[NDArray],
    maps: Sequence[NDArray | Tensor],
    masks: Sequence[NDArray] | None = None,
    titles: Sequence[str] | None = None,
) -> Figure:
    """Each picture with its map under it; the outline of the true mask is drawn over both.

    Args:
        pictures: uint8 [H,W,3], five to a row.
        maps: values in [0, 1], [H,W] each, for instance `labkit.maps.enlarge`d.
        masks: true masks, bool [H,W] each, or None.
        titles: one a picture, or None.

    Raises:
        InputError: there is not one map, mask and title a picture, or a map does not fit.
    """
    _check_counts(len(pictures), maps=maps, masks=masks, titles=titles)
    figure, cells = _grid(len(pictures), rows_each=2)
    for i, (above, below) in enumerate(cells.reshape(2, -1).T[: len(pictures)]):
        above.imshow(pictures[i])
        below.imshow(overlay(pictures[i], maps[i]))
        if titles is not None:
            above.set_title(titles[i], fontsize=11)
        if masks is not None:
            for axes in (above, below):
                _outline(axes, masks[i])
    return figure


def map_grid(
    picture: NDArray,
    maps: Mapping[str, Mapping[str, NDArray | Tensor]],
    mask: NDArray | Tensor | None = None,
    title: str = "",
) -> Figure:
    """Many maps of one picture: a row a method, for instance, and a column a layer.

    Args:
        picture: uint8 [H,W,3]; it stands in the upper left corner.
        maps: by row and by column, values in [0, 1], [H,W] each. A row may lack columns.
        mask: the true mask, bool [H,W], whose outline is drawn over everything; or None.
        title: of the picture.

    Raises:
        InputError: there are no maps.
    """
    columns = list(dict.fromkeys(column for row in maps.values() for column in row))
    if not columns:
        raise InputError("there are no maps to show, expected a row with at least one")
    width = 1.9 * picture.shape[1] / picture.shape[0]
    size = (width * (len(columns) + 1), 2.0 * len(maps) + 0.2)
    figure = Drawing(figsize=size, layout="constrained")
    cells = figure.subplots(len(maps), len(columns) + 1, squeeze=False)
    for axes in cells.flat:
        axes.set_axis_off()
    drawn = {cells[0, 0]: (picture, title)}
    for line, (name, row) in zip(cells, maps.items(), strict=True):
        for axes, column in zip(line[1:], columns, strict=True):
            if column in row:
                drawn[axes] = overlay(picture, row[column]), f"{name}, {column}"
    for axes, (shown, text) in drawn.items():
        axes.imshow(shown)
        axes.set_title(text, fontsize=9)
        if mask is not None:
            _outline(axes, _array(mask))
    return figure


def _outline(axes: Axes, mask: NDArray) -> None:
    """Trace the border of a mask, also along the edge of the picture; an empty one has none."""
    if mask.any():
        padded = np.pad(mask.astype(float), 1)
        positions = np.arange(-1, max(mask.shape) + 1)
        height, width = padded.shape
        axes.contour(positions[:width], positions[:height], padded, [0.5], colors=[SKY])


def _grid(n: int, rows_each: int = 1) -> tuple[Figure, NDArray]:
    """Empty cells for n columns of `rows_each` rows, broken after every fifth.

    The cells are [rows_each, lines, columns]: all first rows, then all second rows.
    """
    columns = min(5, n)
    lines = math.ceil(n / columns)
    figure = Drawing(figsize=(2 * columns, 2.15 * lines * rows_each), layout="constrained")
    cells = figure.subplots(lines * rows_each, columns, squeeze=False)
    for axes in cells.flat:
        axes.set_axis_off()
    return figure, cells.reshape(lines, rows_each, columns).swapaxes(0, 1)


def _check_counts(n_pictures: int, **lists: Sequence | None) -> None:
    if not n_pictures:
        raise InputError("there are no pictures to show, expected at least one")
    for name, values in lists.items():
        if values is not None and len(values) != n_pictures:
            raise InputError(f"{len(values)} {name} for {n_pictures} pictures, expected one each")


def _array(map: NDArray | Tensor) -> NDArray:
    return map.detach().cpu().numpy() if isinstance(map, torch.Tensor) else map
