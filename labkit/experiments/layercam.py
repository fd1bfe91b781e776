"""Which method, stage and fusion finds objects? Four methods on a small network, with seeds.

Document 004 reports that LayerCAM locates defects better than Grad-CAM and Grad-CAM++, document
001 that it gives the best pictures of flowers; neither has a figure for the other methods. Here
all of them explain the same networks, and each has its own threshold, chosen on other images than
those that are reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import Subset
from tqdm.auto import tqdm

from labkit import runs
from labkit.data import CamSeg
from labkit.maps import (
    Recorder,
    class_activation_map,
    enlarge,
    fuse,
    grad_cam,
    grad_cam_plus_plus,
    layer_cam,
    normalize,
    scale_tanh,
)
from labkit.models import StageNet
from labkit.presets import Preset
from labkit.training import build, evaluate, fit

METHODS = {"Grad-CAM": grad_cam, "Grad-CAM++": grad_cam_plus_plus, "LayerCAM": layer_cam}
SHARES = tuple(round(0.02 * i, 2) for i in range(1, 48))  # of each map's highest value
FIXED = (0.1, 0.3, 0.5)  # shares at which the IoU is given for everybody
_BATCH = 50

Maps = Mapping[str, Mapping[str, Tensor]]  # by method and stage, [n,h,w] each


def layercam_table(
    preset: Preset, folder: Path, seeds: Sequence[int] = (0, 1, 2), progress: bool = True
) -> pd.DataFrame:
    """Train a `StageNet` with every seed and measure every method, stage and fusion.

    A map is cut at a share of its own highest value. The share with the highest mean IoU on the
    first half of the test images is applied to the second half, on which everything is reported.

    Args:
        preset: the sizes; the last tenth of the training images chooses the epoch.
        folder: one run folder a seed, and `table.csv`; finished trainings are read.
        seeds: of weights and order.
        progress: show bars.

    Returns:
        A row for each seed, method and map (a stage or a fusion): accuracy; share, and iou at it;
        small, middle and large, the iou of thirds by area of the object; iou at each of `FIXED`;
        and own_object, see `own_object`, NaN for fusions.

    Raises:
        InputError: the folder holds other trainings.
    """
    test = CamSeg("builtin", "test", preset.size, count=preset.test_images)
    tables = []
    for seed in tqdm(seeds, "trainings", unit="", disable=not progress):
        model = _train(preset, seed, folder / f"seed{seed}", progress)
        table = measure(model, test)
        table.insert(0, "accuracy", evaluate(model, test).accuracy)
        table.insert(0, "seed", seed)
        tables.append(table)
        with runs.replacing(folder / "table.csv") as draft:
            pd.concat(tables).to_csv(draft, index=False)
    return pd.concat(tables, ignore_index=True)


def untrained(preset: Preset, seeds: Sequence[int] = (0, 1, 2)) -> pd.DataFrame:
    """The same figures for networks that have learnt nothing: what pictures alone give a map."""
    test = CamSeg("builtin", "test", preset.size, count=preset.test_images)
    tables = [measure(build(StageNet, seed), test).assign(seed=seed) for seed in seeds]
    return pd.concat(tables, ignore_index=True)


def by_stage(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of single stages and of methods that have several, for `labkit.plots.arms`."""
    rows = table[table["map"].str.startswith("stage") & table["method"].isin(METHODS)]
    return rows.assign(arm=rows["method"], stage=rows["map"].str.removeprefix("stage").astype(int))


def mean_and_spread(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Means over the seeds and standard deviations as text, a row a method and map."""
    grouped = table.groupby(["method", "map"], sort=False)[list(columns)]
    means, spreads = grouped.mean(), grouped.std(ddof=1)
    text = {
        name: [
            "" if m != m else f"{m:.3f} ± {s:.3f}"
            for m, s in zip(means[name], spreads[name], strict=True)
        ]
        for name in columns
    }
    return pd.DataFrame(text, index=means.index).reset_index()


def _train(preset: Preset, seed: int, run: Path, progress: bool) -> StageNet:
    train = CamSeg("builtin", "train", preset.size, count=preset.train_images)
    kept = len(train) - max(1, len(train) // 10)
    model = build(StageNet, seed)
    fit(
        model,
        Subset(train, range(kept)),
        Subset(train, range(kept, len(train))),
        epochs=preset.epochs,
        batch_size=preset.batch_size,
        lr=preset.lr,
        seed=seed,
        run=run,
        resume=True,
        progress=progress,
    )
    return model


def measure(model: StageNet, test: CamSeg) -> pd.DataFrame:
    """The figures of one network on test images that all have masks; see `layercam_table`."""
    images = torch.stack([test[i][0] for i in range(len(test))])
    masks = torch.stack([torch.tensor(test.mask(i)) for i in range(len(test))])
    size = (masks.shape[1], masks.shape[2])
    half = len(masks) // 2
    thirds = masks[half:].sum((1, 2)).argsort().tensor_split(3)
    specific = own_object(model, images[half:], test.labels[half:], masks[half:])
    rows = []
    for method, by_stage in maps_of(model, images, test.labels).items():
        for name, maps in combinations(by_stage, size).items():
            best = int(overlaps(maps[:half], masks[:half], SHARES).mean(1).argmax())
            each = overlaps(maps[half:], masks[half:], (SHARES[best], *FIXED))
            parts = zip(("small", "middle", "large"), thirds, strict=True)
            rows.append(
                {"method": method, "map": name, "share": SHARES[best], "iou": float(each[0].mean())}
                | {part: float(each[0, chosen].mean()) for part, chosen in parts}
                | {f"at {s}": float(row.mean()) for s, row in zip(FIXED, each[1:], strict=True)}
                | {"own_object": specific.get((method, name), float("nan"))}
            )
    return pd.DataFrame([*rows, *_guesses(masks[:half], masks[half:], thirds)])


def maps_of(model: StageNet, images: Tensor, classes: Tensor) -> Maps:
    """Raw maps of every method and stage, of one class for each image.

    The class activation map, cut at 0, exists for the last stage only.
    """
    found: dict[tuple[str, str], list[Tensor]] = {}
    for some in torch.arange(len(images)).split(_BATCH):
        for key, maps in _maps(model, images[some], classes[some]):
            found.setdefault(key, []).append(maps)
    together: dict[str, dict[str, Tensor]] = {}
    for (method, stage), pieces in found.items():
        together.setdefault(method, {})[stage] = torch.cat(pieces)
    return together


def _maps(
    model: StageNet, images: Tensor, classes: Tensor
) -> Iterator[tuple[tuple[str, str], Tensor]]:
    """One forward and one backward pass serve all methods."""
    with Recorder(model, model.stages) as recorder:
        record = recorder.record(images, classes)
    last = model.stages[-1]
    rows = model.classifier.weight[classes].detach()
    yield ("CAM", last), F.relu(class_activation_map(record.activations[last], rows))
    for method, map_of in METHODS.items():
        for stage in model.stages:
            yield (method, stage), map_of(record.activations[stage], record.gradients[stage])


def combinations(by_stage: Mapping[str, Tensor], size: tuple[int, int]) -> dict[str, Tensor]:
    """Maps [n,H,W] of each stage by itself, and fusions of stages 2 to 4 where there are such.

    "highest": each stage divided by its maximum. "highest, tanh": as LayerCAM has it, with the two
    finer stages scaled by the tanh. "weighted": 0.4, 0.4 and 0.2 of the divided stages, from the
    finest on, which is what document 001 takes of stages 3 to 5 of VGG-16 (its tanh comes last,
    and changes no cut that is a share of the maximum but the share).
    """
    maps = {stage: enlarge(raw, size) for stage, raw in by_stage.items()}
    if len(by_stage) > 1:
        raw = list(by_stage.values())[1:]
        divided = [normalize(stage, "relu") for stage in raw]
        maps["highest"] = fuse(divided, size)
        maps["highest, tanh"] = fuse([*map(scale_tanh, raw[:2]), divided[2]], size)
        maps["weighted"] = fuse(divided, size, [0.4, 0.4, 0.2])
    return maps


def overlaps(maps: Tensor, masks: Tensor, shares: Sequence[float]) -> Tensor:
    """IoU of each map cut above each share of its highest value with its mask.

    Args:
        maps: not negative, [n,H,W].
        masks: bool [n,H,W], none empty.
        shares: S numbers in [0, 1).

    Returns:
        [S,n].
    """
    highest = maps.amax(dim=(1, 2), keepdim=True)
    rows = []
    for share in shares:
        cut = maps > share * highest
        rows.append((cut & masks).sum((1, 2)) / (cut | masks).sum((1, 2)))
    return torch.stack(rows)


def own_object(
    model: StageNet, images: Tensor, classes: Tensor, masks: Tensor
) -> dict[tuple[str, str], float]:
    """Whether maps answer for their class: by method and stage, the share on the right object.

    Images are put side by side in pairs of different classes, and both classes are explained. Of
    the sum of a map over both objects, the share that lies on the object of its class; the mean
    over pairs and classes. A map that takes no notice of the class has 0.5.

    Args:
        images: [n,3,h,w].
        classes: of the object in each, [n].
        masks: where it is, bool [n,H,W].
    """
    neighbours = zip(range(0, len(images) - 1, 2), range(1, len(images), 2), strict=True)
    pairs = [(i, j) for i, j in neighbours if classes[i] != classes[j]]
    left, right = (list(side) for side in zip(*pairs, strict=True))
    wide = torch.cat([images[left], images[right]], dim=3)
    size = (masks.shape[1], 2 * masks.shape[2])
    both = torch.cat([masks[left], masks[right]], dim=2)
    on_left = both.clone()
    on_left[:, :, masks.shape[2] :] = False
    shares: dict[tuple[str, str], list[Tensor]] = {}
    for labels, own in ((classes[left], on_left), (classes[right], both & ~on_left)):
        for method, by_stage in maps_of(model, wide, labels).items():
            for stage, raw in by_stage.items():
                maps = enlarge(raw, size)
                on_own, on_both = (maps * own).sum((1, 2)), (maps * both).sum((1, 2))
                seen = on_both > 0  # a map of zeros lies nowhere
                shares.setdefault((method, stage), []).append(on_own[seen] / on_both[seen])
    return {key: float(torch.cat(found).mean()) for key, found in shares.items()}


def _guesses(
    chosen_on: Tensor, reported: Tensor, thirds: Sequence[Tensor]
) -> Iterator[dict[str, object]]:
    """What needs no network: the whole picture, and a disc in the middle."""
    height, width = reported.shape[1:]
    down, right = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    guesses = {"whole picture": torch.ones(height, width), "disc": 2 - down**2 - right**2}
    for name, one in guesses.items():
        best = int(overlaps(one.expand_as(chosen_on), chosen_on, SHARES).mean(1).argmax())
        each = overlaps(one.expand_as(reported), reported, (SHARES[best],))[0]
        parts = zip(("small", "middle", "large"), thirds, strict=True)
        yield {"method": "none", "map": name, "share": SHARES[best], "iou": float(each.mean())} | {
            part: float(each[some].mean()) for part, some in parts
        }
