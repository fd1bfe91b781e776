"""Interactive figures for notebooks, where a slider teaches more than a table.

A notebook that is read without a kernel, on a web page for instance, shows each as the picture
that it began with.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any

import cv2
import ipywidgets
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labkit import plots
from labkit.data import unnormalize
from labkit.errors import InputError
from labkit.fcn_shapes import Network, Trace, nearest_that_work, trace
from labkit.maps import fuse
from labkit.metrics import iou

_SIDE = 288  # pixels on the screen, for each of the two pictures side by side
_CUT, _TRUTH = (0, 158, 115), (86, 224, 255)  # green and sky blue, apart for every reader


class Interactive(ipywidgets.VBox):
    """Controls over a screen and its caption; as a picture where there is no kernel."""

    def __init__(
        self,
        draw: Callable[[ipywidgets.Image, ipywidgets.HTML], None],
        controls: Sequence[ipywidgets.Widget],
    ) -> None:
        self.screen = ipywidgets.Image(format="png")
        self.caption = ipywidgets.HTML()
        for control in controls:
            control.observe(lambda _: draw(self.screen, self.caption), names="value")
        draw(self.screen, self.caption)
        row = ipywidgets.HBox(list(controls), layout=ipywidgets.Layout(flex_flow="row wrap"))
        super().__init__([row, self.screen, self.caption])

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        """What a notebook saves: the widget, and the picture for who has no kernel."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**options)
        return {**bundle, "image/png": base64.b64encode(self.screen.value).decode()}


def threshold_explorer(
    pictures: Sequence[NDArray],
    maps: Sequence[NDArray | Tensor],
    masks: Sequence[NDArray],
    titles: Sequence[str],
    overlap: Callable[[Tensor, Tensor], float] = iou,
) -> Interactive:
    """Cut a map at a threshold; see the segmentation and its IoU with the true mask at once.

    Args:
        pictures: uint8 [H,W,3].
        maps: one a picture, values in [0, 1], [H,W].
        masks: the true masks, bool [H,W].
        titles: names of the pictures.
        overlap: what measures the IoU of two masks, bool [H,W].

    Raises:
        InputError: there is not one map, mask and title a picture.
    """
    choice, threshold = _which_and_where(pictures, maps, masks, titles, 0.5)

    def draw(screen: ipywidgets.Image, caption: ipywidgets.HTML) -> None:
        i = choice.value
        values = torch.as_tensor(maps[i]).numpy()
        cut = values >= threshold.value
        left = _outlined(pictures[i], (cut, _CUT), (masks[i], _TRUTH))
        right = _outlined(plots.overlay(pictures[i], values), (cut, _CUT), (masks[i], _TRUTH))
        screen.value = _png(left, right)
        fit = overlap(torch.tensor(cut), torch.tensor(masks[i]))
        caption.value = (
            f"IoU <b>{fit:.3f}</b> · the cut (dark green) covers {cut.mean():.0%} of the picture, "
            f"the true mask (light blue) {np.mean(masks[i]):.0%}"
        )

    return Interactive(draw, [choice, threshold])


def normalization_explorer(
    pictures: Sequence[NDArray],
    maps: Tensor,
    masks: Sequence[NDArray],
    titles: Sequence[str],
    normalize: Callable[[Tensor, str], Tensor],
    overlap: Callable[[Tensor, Tensor], float] = iou,
) -> Interactive:
    """One map brought to [0, 1] in three ways, each cut at the same threshold.

    Args:
        pictures: uint8 [H,W,3].
        maps: one a picture in units of the scores, [n,H,W].
        masks: the true masks, bool [H,W].
        titles: names of the pictures.
        normalize: maps [1,H,W] and "minmax", "sigmoid" or "relu" to maps in [0, 1].
        overlap: what measures the IoU of two masks, bool [H,W].

    Raises:
        InputError: there is not one map, mask and title a picture.
    """
    choice, threshold = _which_and_where(pictures, maps, masks, titles, 0.3)

    def draw(screen: ipywidgets.Image, caption: ipywidgets.HTML) -> None:
        i = choice.value
        panels, words = [], []
        for how in ("minmax", "sigmoid", "relu"):
            values = normalize(maps[i][None], how)[0].clamp(0, 1)
            cut = values >= threshold.value
            laid = plots.overlay(pictures[i], values)
            panels.append(_outlined(laid, (cut.numpy(), _CUT), (masks[i], _TRUTH)))
            words.append(f"{how} <b>{overlap(cut, torch.as_tensor(masks[i])):.3f}</b>")
        screen.value = _png(*panels)
        caption.value = f"IoU: {', '.join(words)} · the cut is dark green, the true mask light blue"

    return Interactive(draw, [choice, threshold])


def fcn_shape_tracer(side: int = 224, largest: int = 320) -> Interactive:
    """Drag the size of an image; see its side at every stage of an FCN, and where the crop falls.

    Args:
        side: pixels to begin with.
        largest: the end of the slider.

    Raises:
        InputError: `side` is not on the slider.
    """
    if not 1 <= side <= largest:
        raise InputError(f"side is {side}, expected 1 to {largest}, the end of the slider")
    size = ipywidgets.IntSlider(value=side, min=1, max=largest, description="pixels")
    network = ipywidgets.Dropdown(
        options=[("FCN-32s", "fcn32s"), ("FCN-8s", "fcn8s")], description="network"
    )
    rounding = ipywidgets.Dropdown(
        options=[("down, as here", False), ("up, as in Caffe", True)], description="pooling"
    )

    def draw(screen: ipywidgets.Image, caption: ipywidgets.HTML) -> None:
        traced = trace(size.value, network.value, ceil_mode=rounding.value)
        picture = BytesIO()
        plots.fcn_trace(traced).savefig(picture, format="png", dpi=80)
        screen.value = picture.getvalue()
        caption.value = _verdict(traced, network.value, rounding.value)

    return Interactive(draw, [size, network, rounding])


def _verdict(traced: Trace, network: Network, ceil_mode: bool) -> str:
    side = traced.stages[0].size
    if traced.works:
        return f"<b>{side} pixels work</b>: as many come out as went in"
    near = " or ".join(map(str, nearest_that_work(side, network, ceil_mode=ceil_mode)))
    return f"<b>{side} pixels fail</b>: the map ends before the image does; {near} would do"


def equivariance_explorer(
    maps_of: Callable[[Tensor], Tensor],
    images: Tensor,
    transforms: Mapping[str, Callable[[Tensor], Tensor]],
    titles: Sequence[str],
) -> Interactive:
    """Drag a transform; see the transformed map and the map of the transformed image.

    The four pictures are the transformed image T(x), T(M(x)), M(T(x)), and their difference, the
    maps on one scale from 0 to the highest value of both.

    Args:
        maps_of: images [1,3,H,W] to maps [1,h,w], such as a network in evaluation mode.
        images: [n,3,H,W], normalised as for training.
        transforms: by name, each for images and for maps.
        titles: names of the images.

    Raises:
        InputError: there is not one title an image, or no transform.
    """
    if len(images) != len(titles) or not transforms:
        raise InputError(
            f"{len(images)} images, {len(titles)} titles and {len(transforms)} transforms, "
            "expected one title an image and at least one transform"
        )
    choice = ipywidgets.Dropdown(
        options=[(title, i) for i, title in enumerate(titles)], description="picture"
    )
    way = ipywidgets.SelectionSlider(options=list(transforms), description="transform")

    def draw(screen: ipywidgets.Image, caption: ipywidgets.HTML) -> None:
        image, transform = images[choice.value][None], transforms[way.value]
        with torch.no_grad():
            seen = transform(image)
            one, other = transform(maps_of(image))[0], maps_of(seen)[0]
        top = max(float(one.max()), float(other.max()), 1e-12)
        difference = (one - other).abs()
        shares = [(map / top).clamp(0, 1) for map in (one, other, difference)]
        picture = (255 * unnormalize(seen[0])).byte().permute(1, 2, 0).numpy()
        screen.value = _png(_panel(picture), *(_panel(plots.heat(map)) for map in shares))
        square = float(one.square().mean())
        relative = float(difference.square().mean()) / square if square else 0.0
        caption.value = (
            "the image transformed · its map, transformed · the map of the transformed image · "
            f"their difference: <b>{relative:.3f}</b> of the map's mean square"
        )

    return Interactive(draw, [choice, way])


def class_picker(
    picture: NDArray,
    maps: NDArray | Tensor,
    probabilities: NDArray | Tensor,
    names: Sequence[str],
) -> Interactive:
    """Pick a class and see where its score comes from; the likeliest class comes first.

    Args:
        picture: uint8 [H,W,3].
        maps: a map for each class, values in [0, 1], [N,H,W].
        probabilities: of the classes, [N]; they need not add up to 1, if only some are shown.
        names: the N class names.

    Raises:
        InputError: there is not one map and probability a class.
    """
    if not len(maps) == len(probabilities) == len(names):
        raise InputError(
            f"{len(maps)} maps, {len(probabilities)} probabilities and {len(names)} names, "
            "expected one of each a class"
        )
    order = torch.as_tensor(probabilities).argsort(descending=True).tolist()
    choice = ipywidgets.Dropdown(
        options=[(f"{names[c]} ({probabilities[c]:.1%})", c) for c in order], description="class"
    )
    strength = ipywidgets.FloatSlider(value=0.5, min=0, max=1, step=0.05, description="map")

    def draw(screen: ipywidgets.Image, caption: ipywidgets.HTML) -> None:
        values = torch.as_tensor(maps[choice.value]).numpy()
        screen.value = _png(picture, plots.overlay(picture, values, alpha=strength.value))
        caption.value = (
            f"<b>{names[choice.value]}</b>, probability {probabilities[choice.value]:.1%}; bright "
            "places speak for the class"
        )

    return Interactive(draw, [choice, strength])


def fusion_explorer(
    picture: NDArray,
    maps: Mapping[str, Mapping[str, Mapping[str, Tensor]]],
    fusion: Callable[..., Tensor] = fuse,
) -> Interactive:
    """Pick a method, a class and how much each layer counts; see the fused map.

    Args:
        picture: uint8 [H,W,3].
        maps: by method, class and layer, each [h,w], not negative, scaled as it is to be fused.
        fusion: called with maps [1,h,w] and (height, width), and for a weighted sum with the
            weights; gives one map [1,height,width].

    Raises:
        InputError: the methods have not all the same classes, or the classes the same layers.
    """
    by_class = next(iter(maps.values()), {})
    layers = list(next(iter(by_class.values()), {}))
    alike = all(
        list(method) == list(by_class) and all(list(found) == layers for found in method.values())
        for method in maps.values()
    )
    if not layers or not alike:
        raise InputError(
            "maps differ in their classes or layers, expected {method: {class: {layer: map}}} with "
            "the same classes for each method, the same layers for each class, and one at least"
        )
    method = ipywidgets.Dropdown(options=list(maps), description="method")
    name = ipywidgets.Dropdown(options=list(by_class), description="class")
    how = ipywidgets.Dropdown(options=["highest value", "weighted sum"], description="fusion")
    sliders = [
        ipywidgets.FloatSlider(value=1, min=0, max=1, step=0.1, description=layer)
        for layer in layers
    ]

    def draw(screen: ipywidgets.Image, caption: ipywidgets.HTML) -> None:
        found = maps[method.value][name.value]
        size = picture.shape[:2]
        weights = {layer: s.value for layer, s in zip(layers, sliders, strict=True) if s.value}
        chosen = [found[layer][None] for layer in weights]
        if not chosen:
            fused, words = torch.zeros(size), "no layer counts"
        elif how.value == "highest value":
            fused, words = fusion(chosen, size)[0], f"the highest of {', '.join(weights)}"
        else:
            fused = fusion(chosen, size, list(weights.values()))[0]
            words = " + ".join(f"{weight:g} {layer}" for layer, weight in weights.items())
        heat = fused / fused.max().clamp_min(torch.finfo(fused.dtype).tiny)
        shown = _outlined(picture), _outlined(plots.overlay(picture, heat, alpha=0.6))
        screen.value = _png(*shown, side=round(_SIDE * max(1, size[1] / size[0])))
        caption.value = f"<b>{name.value}</b> by {method.value}: {words}, over its maximum"

    return Interactive(draw, [method, name, how, *sliders])


def _which_and_where(
    pictures: Sequence[NDArray],
    maps: Sequence[NDArray | Tensor] | Tensor,
    masks: Sequence[NDArray],
    titles: Sequence[str],
    threshold: float,
) -> tuple[ipywidgets.Dropdown, ipywidgets.FloatSlider]:
    """Controls that choose a picture, and a threshold in [0, 1] that begins somewhere."""
    if not len(pictures) == len(maps) == len(masks) == len(titles):
        raise InputError(
            f"{len(pictures)} pictures, {len(maps)} maps, {len(masks)} masks and {len(titles)} "
            "titles, expected one of each"
        )
    return (
        ipywidgets.Dropdown(
            options=[(title, i) for i, title in enumerate(titles)], description="picture"
        ),
        ipywidgets.FloatSlider(value=threshold, min=0, max=1, step=0.01, description="threshold"),
    )


def _outlined(picture: NDArray, *regions: tuple[NDArray, tuple[int, int, int]]) -> NDArray:
    """A picture enlarged to the screen, with the borders of regions drawn on it."""
    scale = max(1, round(_SIDE / picture.shape[0]))
    large = np.repeat(np.repeat(picture, scale, axis=0), scale, axis=1)
    for region, colour in regions:
        mask = np.repeat(np.repeat(np.asarray(region, np.uint8), scale, axis=0), scale, axis=1)
        borders, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        large = cv2.drawContours(large.copy(), borders, -1, colour, 2)
    return large


def _panel(picture: NDArray) -> NDArray:
    """A picture as large as four fit side by side, its values as squares."""
    size = (_SIDE * 2 // 3, _SIDE * 2 // 3)
    return cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)


def _png(*pictures: NDArray, side: int = _SIDE) -> bytes:
    """Pictures of one size side by side, none wider than its place on the screen."""
    height, width = pictures[0].shape[:2]
    if width > side:
        size = (side, round(height * side / width))
        pictures = tuple(cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in pictures)
    gap = np.full((pictures[0].shape[0], 8, 3), 255, np.uint8)
    spaced = [part for picture in pictures for part in (gap, picture)][1:]
    row = np.concatenate(spaced, axis=1)
    return cv2.imencode(".png", cv2.cvtColor(row, cv2.COLOR_RGB2BGR))[1].tobytes()
