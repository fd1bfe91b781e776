"""Activations and gradients of many layers, from one forward and one backward pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from difflib import get_close_matches
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn

from labkit.errors import InputError


class Record(NamedTuple):
    """What happened in a network, for one class of each image.

    `scores` [B,N] are the logits, `activations` the output [B,C,h,w] of each layer by name, and
    `gradients` those of the chosen class's score with respect to them, of the same shapes.
    """

    scores: Tensor
    activations: dict[str, Tensor]
    gradients: dict[str, Tensor]


class Recorder:
    """Records what named layers of a network compute, and the gradients that arrive there.

    ```
    with Recorder(model, ["layer3", "layer4"]) as recorder:
        record = recorder.record(images)
    ```

    The network computes in evaluation mode, as it does when it predicts, and is left as it was:
    modes, `requires_grad`, `.grad`, statistics, hooks and random numbers. Frozen parameters, and
    a caller's `torch.no_grad()` or `torch.inference_mode()`, do no harm.

    Args:
        model: gives scores [B,N]; alone, or beside other things as `scores` or `logits`, or as
            the only [B,N] among them.
        layers: their names, as in `model.named_modules()`.

    Raises:
        InputError: the model has no layer of such a name.
    """

    def __init__(self, model: nn.Module, layers: Sequence[str]) -> None:
        self._model = model
        self._layers = find_layers(model, layers)
        self._hooks = ExitStack()
        self._open = False
        self._outputs: dict[str, Tensor] | None = None

    def __enter__(self) -> Self:
        for name, module in self._layers.items():
            self._hooks.enter_context(
                module.register_forward_hook(
                    lambda module, inputs, output, name=name: self._keep(name, output)
                )
            )
        self._open = True
        return self

    def __exit__(self, *error: object) -> None:
        self._open = False
        self._hooks.close()

    def record(self, images: Tensor, target: int | Sequence[int] | Tensor | None = None) -> Record:
        """Run the images through the network, and one class score of each of them back.

        The backward pass ends at the earliest of the layers.

        Args:
            images: [B,3,H,W], on the model's device and normalised as for training.
            target: the class of each image, [B]; or one class for all; None takes each image's
                highest score.

        Returns:
            Scores, activations and gradients, detached.

        Raises:
            InputError: no scores [B,N] can be found, a class is not among 0..N-1, a layer gives
                no [B,C,h,w], or is used twice, or not at all, or the scores do not depend on it.
        """
        if not self._open:
            raise InputError(
                "the recorder is closed: record inside `with Recorder(model, layers) as recorder:`"
            )
        _check_images(self._model, images)
        with _undisturbed(self._model, images.device):
            self._outputs = {}
            try:
                # What was computed in inference mode takes no part in a graph; a copy does.
                images = images.clone() if images.is_inference() else images.detach()
                scores = find_scores(self._model(images), len(images))
                outputs = self._outputs
            finally:
                self._outputs = None
            self._check_used(outputs)
            kept = {name: outputs[name] for name in self._layers}
            chosen = scores.gather(1, find_classes(target, scores)[:, None])
            if not chosen.requires_grad:
                raise InputError(
                    f"no gradient flows from the scores back to {', '.join(kept)}: the model "
                    "detaches its features, or computes them under torch.no_grad()"
                )
            gradients = torch.autograd.grad(chosen.sum(), list(kept.values()), allow_unused=True)
        for name, gradient in zip(kept, gradients, strict=True):
            if gradient is None:
                raise InputError(
                    f"the scores do not depend on layer {name!r}: choose a layer on the way from "
                    "the images to the scores"
                )
        return Record(
            scores.detach(),
            {name: output.detach() for name, output in kept.items()},
            dict(zip(kept, gradients, strict=True)),
        )

    def _keep(self, name: str, output: Any) -> Tensor | None:
        """Keep a layer's output, and hand a copy on: what follows may overwrite it in place."""
        if self._outputs is None:
            return None  # the model was called by somebody else
        if name in self._outputs:
            raise InputError(
                f"layer {name!r} is used more than once in a forward pass, so it has no single "
                "output: choose a layer around it or after it"
            )
        if not isinstance(output, Tensor) or output.ndim != 4 or not output.is_floating_point():
            raise InputError(f"layer {name!r} gives {_describe(output)}, expected [B,C,h,w]")
        kept = output if output.requires_grad else output.detach().requires_grad_()
        self._outputs[name] = kept
        with torch.enable_grad():  # a frozen part may compute under torch.no_grad()
            return kept.clone()

    def _check_used(self, outputs: Mapping[str, Tensor]) -> None:
        for name in self._layers:
            if name not in outputs:
                raise InputError(
                    f"layer {name!r} was not used in the forward pass (in evaluation mode): "
                    "choose one that the images go through"
                )


def find_layers(model: nn.Module, layers: Sequence[str]) -> dict[str, nn.Module]:
    """Layers of a model by name, in the order that is asked for.

    Raises:
        InputError: no names, or no list of them, or one that the model does not have; the message
            lists names that are near.
    """
    known = dict(model.named_modules(remove_duplicate=False))
    del known[""]
    outermost = ", ".join(name for name, _ in model.named_children())
    if isinstance(layers, str) or not layers:
        raise InputError(
            f"layers={layers!r}, expected a list of one or more names of the model's layers, such "
            f"as {outermost}"
        )
    for name in layers:
        if name not in known:
            near = ", ".join(get_close_matches(name, known, n=5)) or outermost
            raise InputError(
                f"the model has no layer {name!r}; names that it has: {near} "
                "(model.named_modules() gives all of them)"
            )
    return {name: known[name] for name in layers}


def find_scores(output: Any, batch: int) -> Tensor:
    """The scores [B,N] in what a model gives.

    Raises:
        InputError: there are none, or it is not clear which tensor they are.
    """
    if isinstance(output, tuple) and hasattr(output, "_asdict"):
        output = output._asdict()
    if isinstance(output, Tensor):
        named: dict[Any, Any] = {"output": output}
    elif isinstance(output, Mapping):
        named = dict(output)
        named = next(({key: named[key]} for key in ("scores", "logits") if key in named), named)
    elif isinstance(output, Sequence):
        named = dict(enumerate(output))
    else:
        named = {"output": output}
    found = [
        value
        for value in named.values()
        if isinstance(value, Tensor) and value.ndim == 2 and len(value) == batch
    ]
    if len(found) == 1:
        return found[0]
    parts = ", ".join(f"{key}: {_describe(value)}" for key, value in named.items())
    raise InputError(
        f"the model gives {parts}; expected class scores [{batch},N], alone, under the name "
        "'scores' or 'logits', or as the only tensor of that shape"
    )


def find_classes(target: int | Sequence[int] | Tensor | None, scores: Tensor) -> Tensor:
    """The class of each image as a tensor [B] of indices into scores [B,N].

    Raises:
        InputError: there is not one class, or one for each image, of 0..N-1.
    """
    batch, n_classes = scores.shape
    if target is None:
        return scores.argmax(dim=1)
    classes = torch.as_tensor(target, device=scores.device)
    if classes.ndim == 0:
        classes = classes.expand(batch)
    whole = not (classes.is_floating_point() or classes.dtype == torch.bool)
    fits = whole and classes.shape == (batch,)
    if not fits or classes.min() < 0 or classes.max() >= n_classes:
        raise InputError(
            f"target={target!r}, expected one class of 0..{n_classes - 1}, or {batch} of them, "
            "one for each image"
        )
    return classes.long()


@contextmanager
def _undisturbed(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Evaluation mode, parameters without gradients and a graph being built; then all as it was.

    Without gradients of parameters the graph begins at the first layer that is recorded.
    """
    training = [module for module in model.modules() if module.training]
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    devices = [device] if device.type == "cuda" else []
    with (
        torch.random.fork_rng(devices=devices),
        torch.inference_mode(False),
        torch.enable_grad(),
    ):
        try:
            for module in training:
                module.training = False
            for parameter in learning:
                parameter.requires_grad_(False)
            yield
        finally:
            for parameter in learning:
                parameter.requires_grad_(True)
            for module in training:
                module.training = True


def _check_images(model: nn.Module, images: Tensor) -> None:
    if images.ndim != 4 or not len(images) or not images.is_floating_point():
        raise InputError(
            f"images is {_describe(images)}, expected [B,3,H,W] of a floating dtype: for one "
            "image, add the batch dimension with images.unsqueeze(0)"
        )
    if any(parameter.is_inference() for parameter in model.parameters()):
        raise InputError(
            "the model was made under torch.inference_mode(), so no gradient can flow through it: "
            "make it outside"
        )


def _describe(value: Any) -> str:
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}"
    return f"{list(value.shape)} of {str(value.dtype).removeprefix('torch.')}"
