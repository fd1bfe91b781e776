"""Document 004's table on surfaces, and whether its proposals help.

Document 004 proposes to multiply the features of several stages instead of adding them, and to
train F-CAM's decoder on the map that comes of it. It measures neither. Here three classifiers,
which differ in their fusion alone, are trained on the same surfaces with the same seeds; each has
its class activation map, and an F-CAM trained on seeds from that map.

**What would count, written down before anything was run.** The measure is the mean IoU of maps with
the true ellipses on the defective test surfaces, cut at the threshold that is best on the defective
validation surfaces, and averaged over the problems. A proposal helps (or harms) if the difference,
pair by pair of equal seeds, is at least `COUNTS` = 0.03 on average, and has that sign for at least
four of five seeds. Smaller differences are called none.

- fusion: the CAM of "mul" against the CAM of "add";
- F-CAM: the decoder's map against the CAM that its seeds came from, for each classifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from labkit import runs
from labkit.data import Dagm
from labkit.defects import (
    CRITERION,
    DEFECT,
    THRESHOLDS,
    balanced,
    balanced_accuracy,
    defective,
    find,
    fit_segnet,
    inference_time,
    pixel_maps,
    seeds_from,
    threshold_table,
)
from labkit.errors import InputError
from labkit.localization import class_maps
from labkit.maps import explain
from labkit.models import DefectNet, FCam, SegNet
from labkit.models.defect_net import FUSIONS
from labkit.presets import Preset
from labkit.training import build, fit
from labkit.training.pixels import fit_pixels
from labkit.training.state import check_numbers

COUNTS = 0.03  # mean IoU: the smallest difference that counts
# Networks trained on pixels give probabilities, most of them near 0 or 1: finer cuts near 1.
CUTS = (*THRESHOLDS, 0.96, 0.97, 0.98, 0.99)
SEEDS_THAT_AGREE = 0.8  # share of the seeds whose difference has the same sign
SMALLEST = 16  # pixels: the last stage has 2x2 positions then
PURPOSE = {"train": "train on", "validation": "choose the epoch on", "test": "test on"}

# Document 004: 10 epochs of a ResNet-50 on DAGM. Precision and recall as it prints them, of the
# good class; beside them those of the defects, from its confusion matrices; AUC from hard labels.
PUBLISHED = pd.DataFrame(
    [
        ("1 to 4", 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
        ("5", 0.9364, 0.7885, 0.9304, 1.0, 1.0, 15 / 26),
        ("6", 0.9827, 0.9423, 0.98, 1.0, 1.0, 23 / 26),
    ],
    columns=[
        "problem",
        "accuracy",
        "auc_of_labels",
        "precision_of_good",
        "recall_of_good",
        "precision",
        "recall",
    ],
)
PUBLISHED_IOU = pd.Series({"SegNet": 0.2195, "RefineNet": 0.3290, "LayerCAM": 0.2726})


@dataclass(frozen=True)
class Arm:
    """One training: a problem, a fusion, a seed."""

    problem: int
    fusion: str
    seed: int

    @property
    def folder(self) -> str:
        """Where it is kept."""
        return f"p{self.problem}-{self.fusion}-{self.seed}"


def defects_table(
    data: str | Path,
    preset: Preset,
    folder: Path,
    *,
    problems: Sequence[int],
    seeds: Sequence[int],
    fusions: Sequence[str] = FUSIONS,
    progress: bool = False,
) -> pd.DataFrame:
    """Train what is not trained yet; a row for every kind of map of every training.

    Args:
        data: "builtin" or a folder, as for `labkit.data.Dagm`.
        preset: sizes, those of lab 7.
        folder: for trainings and their figures; what is there is not done again.
        problems: of the data set.
        seeds: of initial weights, order and seeds; seed by seed, so that an interrupted run has
            whole ones.
        fusions: which classifiers. "none" has all the maps and a SegNet; the others CAM and F-CAM.
        progress: show a bar.

    Returns:
        problem, fusion, seed; accuracy, roc_auc, precision, recall and more of the classifier; map
        and its layer; threshold (best on validation), validation_iou, iou, and best_iou (at the
        best threshold of the test set).

    Raises:
        InputError: the folder holds trainings of other settings.
    """
    for problem in problems:
        parts(data, problem, preset)  # what cannot be used is refused before anything is trained
    _check_settings(folder, data, preset)
    arms = [Arm(p, fusion, seed) for seed in seeds for p in problems for fusion in fusions]
    tables: list[pd.DataFrame] = []
    for arm in tqdm(arms, "trainings", disable=not progress):
        path = folder / arm.folder / "figures.csv"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            made = pd.DataFrame(_measure(arm, data, preset, path.parent))
            with runs.replacing(path) as draft:
                made.to_csv(draft, index=False)
        tables.append(pd.read_csv(path))
    return pd.concat(tables, ignore_index=True)


def _check_settings(folder: Path, data: str | Path, preset: Preset) -> None:
    """Figures of other settings are not mixed with these."""
    settings = {"data": str(data), **asdict(preset)}
    path = folder / "settings.json"
    if path.exists():
        before = runs.read_json(path)
        for name, value in settings.items():
            if before.get(name) != value:
                raise InputError(
                    f"{folder} holds trainings with {name} {before.get(name)}, not {value}: take "
                    "the same settings, or another folder"
                )
    folder.mkdir(parents=True, exist_ok=True)
    runs.write_json(settings, path)


def _measure(arm: Arm, data: str | Path, preset: Preset, run: Path) -> list[dict[str, Any]]:
    train, validation, test = parts(data, arm.problem, preset)
    net = train_classifier(arm.fusion, train, validation, preset, arm.seed, run)
    timing = inference_time(net, test[0][0][None])
    figures = {
        **vars(arm),
        **find(net, test).figures(),
        "milliseconds": 1000 * timing.mean,
        "milliseconds_std": 1000 * timing.std,
    }
    judged = [_Judged.of(validation), _Judged.of(test)]
    rows = []
    for name, layer, maps_of in _maps(arm, net, train, preset):
        first, second = (
            threshold_table(list(maps_of(part.images)), part.masks, CUTS) for part in judged
        )
        rows.append({**figures, "map": name, "layer": layer, **_ious(first, second)})
    return rows


def load(
    data: str | Path,
    split: Literal["train", "validation", "test"],
    problem: int,
    size: int,
    count: int,
) -> Dagm:
    """The first `count` surfaces of a split, as `labkit.data.Dagm` has them.

    Raises:
        InputError: they cannot be had, or are not of both classes.
    """
    surfaces = Dagm(data, split, problem, size, count=count)
    found = int(surfaces.labels.sum())
    if not 0 < found < len(surfaces):
        raise InputError(
            f"{found} of the {len(surfaces)} surfaces to {PURPOSE[split]} are defective, expected "
            "good and defective ones: take more surfaces, or another problem"
        )
    return surfaces


def parts(data: str | Path, problem: int, preset: Preset) -> tuple[Dagm, Dagm, Dagm]:
    """The surfaces to train on, to choose the epoch on, and to test on."""
    return (
        load(data, "train", problem, preset.size, preset.train_images),
        load(data, "validation", problem, preset.size, preset.validation_images),
        load(data, "test", problem, preset.size, preset.test_images),
    )


def train_classifier(
    fusion: str,
    train: Dagm,
    validation: Dagm,
    preset: Preset,
    seed: int,
    run: Path | None = None,
) -> DefectNet:
    """A classifier trained on labels alone; balanced accuracy on validation chooses the epoch."""
    net = build(lambda: DefectNet(2, preset.channels, fusion), seed)  # type: ignore[arg-type]
    fit(
        net,
        train,
        validation,
        epochs=preset.epochs,
        batch_size=preset.batch_size,
        lr=preset.lr,
        criterion=CRITERION,
        seed=seed,
        run=run,
        resume=run is not None,
        progress=False,
        objective=balanced(train.labels),
        measure=balanced_accuracy(validation),
    )
    return net


def train_fcam(net: DefectNet, train: Dagm, preset: Preset, seed: int) -> FCam:
    """F-CAM on a trained classifier: seeds from its CAM, on as many good surfaces as defective."""
    bad = defective(train)
    good = [i for i in range(len(train)) if train.labels[i] != DEFECT][: len(bad)]
    images = torch.stack([train[i][0] for i in bad + good])
    maps = torch.cat([cam(net, batch) for batch in images.split(64)])
    model = build(lambda: FCam(net), seed)
    targets = seeds_from(maps, train.labels[bad + good])
    fit_pixels(model, images, targets, epochs=preset.map_epochs, seed=seed)
    return model


def train_segnet(train: Dagm, preset: Preset, seed: int) -> SegNet:
    """The supervised baseline, on the masks of the defective surfaces."""
    model = build(lambda: SegNet(2, preset.channels), seed)
    part = _Judged.of(train)
    masks = torch.from_numpy(np.stack(part.masks))
    # Half as many images as F-CAM takes, so twice the passes; its steps are smaller.
    fit_segnet(model, part.images, masks, epochs=2 * preset.map_epochs, batch_size=8, seed=seed)
    return model


def cam(net: DefectNet, images: Tensor) -> Tensor:
    """The class activation map of "defect", in [0, 1], at the size of the images."""
    labels = torch.full((len(images),), DEFECT)
    return class_maps(net, images, labels, (images.shape[2], images.shape[3]))


@dataclass(frozen=True)
class _Judged:
    """The defective surfaces of a part, [n,3,H,W], and their masks."""

    images: Tensor
    masks: list[np.ndarray]

    @classmethod
    def of(cls, part: Dagm) -> _Judged:
        chosen = defective(part)
        images = [part[i][0] for i in chosen]
        return cls(torch.stack(images), [part.mask(i) for i in chosen])


def _maps(arm: Arm, net: DefectNet, train: Dagm, preset: Preset) -> list[tuple[str, str, Any]]:
    """Every map of a training: its name, its layer, and what makes it of images."""
    fcam = train_fcam(net, train, preset, arm.seed)
    made: list[tuple[str, str, Any]] = [
        ("CAM", "last", lambda images: cam(net, images)),
        ("F-CAM", "image", lambda images: pixel_maps(fcam, images)),
    ]
    if arm.fusion != "none":
        return made
    segnet = train_segnet(train, preset, arm.seed)
    made.append(("SegNet", "image", lambda images: pixel_maps(segnet, images)))
    names = {"grad_cam": "Grad-CAM", "grad_cam_plus_plus": "Grad-CAM++", "layer_cam": "LayerCAM"}
    for method, name in names.items():
        for layers in (("stage2",), ("stage3",), ("stage4",), ("stage2", "stage3", "stage4")):
            if len(layers) > 1 and method != "layer_cam":
                continue
            label = layers[0] if len(layers) == 1 else "fused"
            made.append(
                (name, label, lambda x, m=method, at=layers: explain(net, x, m, at, DEFECT))
            )
    return made


def _ious(validation: pd.Series, test: pd.Series) -> dict[str, float]:
    at = int(validation.to_numpy().argmax())
    return {
        "threshold": float(validation.index.to_numpy()[at]),
        "validation_iou": float(validation.iloc[at]),
        "iou": float(test.iloc[at]),
        "best_iou": float(test.max()),
    }


def classifiers(figures: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over seeds of each problem's classifier without fusion."""
    columns = ["accuracy", "roc_auc", "precision", "recall", "precision_of_good", "auc_of_labels"]
    rows = figures[(figures["fusion"] == "none") & (figures["map"] == "CAM")]
    return _mean_and_spread(rows, ["problem"], columns)


def maps(figures: pd.DataFrame) -> pd.DataFrame:
    """Mean IoU by kind of map, of classifiers without fusion: over problems, then over seeds."""
    rows = figures[figures["fusion"] == "none"]
    each = rows.groupby(["map", "layer", "seed"], sort=False)[["iou", "best_iou"]]
    return _mean_and_spread(each.mean().reset_index(), ["map", "layer"], ["iou", "best_iou"])


def proposals(figures: pd.DataFrame) -> pd.DataFrame:
    """Each proposal against what it would replace, and whether the difference counts.

    Returns:
        comparison; before and after (mean IoU); difference, its standard deviation over seeds, the
        share of seeds that agree with its sign, and the verdict: helps, harms or no difference.
    """
    iou = figures[figures["map"].isin(["CAM", "F-CAM"])]
    table = iou.groupby(["fusion", "map", "seed"])["iou"].mean()
    pairs = [("multiplying, not adding: CAM", ("add", "CAM"), ("mul", "CAM"))]
    pairs += [("adding, not fusing: CAM", ("none", "CAM"), ("add", "CAM"))]
    pairs += [
        (f"F-CAM, not CAM: {fusion}", (fusion, "CAM"), (fusion, "F-CAM")) for fusion in FUSIONS
    ]
    pairs += [("both proposals, not neither", ("add", "CAM"), ("mul", "F-CAM"))]
    rows = [_compared(name, table.loc[one], table.loc[other]) for name, one, other in pairs]
    return pd.DataFrame(rows)


def _compared(name: str, before: pd.Series, after: pd.Series) -> dict[str, Any]:
    differences = after - before
    difference = float(differences.mean())
    agree = float((np.sign(differences) == np.sign(difference)).mean())
    counts = abs(difference) >= COUNTS and agree >= SEEDS_THAT_AGREE
    return {
        "comparison": name,
        "before": float(before.mean()),
        "after": float(after.mean()),
        "difference": difference,
        "std": float(differences.std(ddof=1)),
        "agree": agree,
        "verdict": ("helps" if difference > 0 else "harms") if counts else "no difference",
    }


def _mean_and_spread(rows: pd.DataFrame, by: list[str], columns: Sequence[str]) -> pd.DataFrame:
    groups = rows.groupby(by, sort=False)[list(columns)]
    mean, std = groups.mean(), groups.std(ddof=1)
    joined = {
        name: [_plus_minus(m, s) for m, s in zip(mean[name], std[name], strict=True)]
        for name in columns
    }
    return pd.DataFrame(joined, index=mean.index).reset_index()


def _plus_minus(mean: float, std: float) -> str:
    return f"{mean:.3f}" if np.isnan(std) else f"{mean:.3f} ± {std:.3f}"


def sizes(preset: Preset, epochs: int | None, size: int | None) -> Preset:
    """A preset with other epochs or another size, where they are given.

    Raises:
        InputError: they are out of range.
    """
    changed = replace(
        preset,
        epochs=preset.epochs if epochs is None else epochs,
        size=preset.size if size is None else size,
    )
    check_numbers(epochs=changed.epochs)
    check_size(changed.size)
    return changed


def check_size(size: int) -> None:
    """Refuse images whose last map would show no place."""
    if size < SMALLEST:
        raise InputError(f"size is {size}, expected at least {SMALLEST} pixels")
