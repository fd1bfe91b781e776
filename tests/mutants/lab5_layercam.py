"""Plausible wrong solutions of lab 5 with the marks each must lose, and other right ones."""

from labkit.grading.mutants import Mutant, SampleClass

KEEP_AND_COPY = "            kept[name] = output\n            return output.clone()"
TRY = (
    "    try:\n"
    "        for name in layers:\n"
    "            handles.append(net.get_submodule(name).register_forward_hook(keep(name)))\n"
    "        yield kept\n"
    "    finally:\n"
    "        for handle in handles:\n"
    "            handle.remove()"
)
WATCH_BODY = (
    "    kept: dict[str, Tensor] = {}\n"
    "\n"
    "    def keep(name: str) -> Callable:\n"
    "        def hook(module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:\n"
    "            kept[name] = output\n"
    "            return output.clone()\n"
    "\n"
    "        return hook\n"
    "\n"
    "    handles = []\n"
    f"{TRY}"
)
RUN = "scores = net(images.detach().requires_grad_()).scores"
TOTAL = "total = scores.gather(1, chosen[:, None]).sum()"
GRADIENTS = "gradients = torch.autograd.grad(total, [kept[name] for name in layers])"
MODES = (
    "    finally:\n        for module, mode in modes.items():\n            module.training = mode\n"
)
ALPHA = "torch.where(denominator != 0, squared / denominator, torch.zeros_like(squared))"
DENOMINATOR = "denominator = 2 * squared + total * gradients**3"
LAYER_CAM = "F.relu((F.relu(gradients) * activations).sum(dim=1))"
EXPLAIN_LOOP = (
    "    maps: dict[str, list[Tensor]] = {name: [] for name in layers}\n"
    "    for start in range(0, len(images), batch_size):\n"
    "        piece = slice(start, start + batch_size)\n"
    "        chosen = None if classes is None else classes[piece]\n"
    "        recorded = record(net, layers, images[piece], chosen)\n"
    "        for name in layers:\n"
    "            maps[name].append(method(recorded.activations[name], recorded.gradients[name]))\n"
    "    return {name: torch.cat(pieces) for name, pieces in maps.items()}"
)
SCALED = "torch.where(highest > 0, maps / highest, torch.zeros_like(maps))"
ENLARGED = 'F.interpolate(of_layer[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]'
WEIGHTED = 'torch.einsum("lbhw,l->bhw", large, torch.tensor(weights, dtype=large.dtype))'
OWN_SHARE = "share * maps.amax(dim=(1, 2), keepdim=True)"
MEANS = "sum(iou(a, b) for a, b in zip(cut(maps, share), masks, strict=True)) / len(masks)"

MUTANTS = [
    # Hooks
    Mutant(
        "overwritten-by-the-relu-behind",
        "watch",
        [("return output.clone()", "return None")],
        {"test-watch": 0.5, "test-record": 2.0},
    ),
    Mutant(
        "hooks-left-after-an-error",
        "watch",
        [
            (
                TRY,
                "    for name in layers:\n"
                "        layer = net.get_submodule(name)\n"
                "        handles.append(layer.register_forward_hook(keep(name)))\n"
                "    yield kept\n"
                "    for handle in handles:\n"
                "        handle.remove()",
            )
        ],
        {"test-watch": 0.75, "test-record": 0.5},
    ),
    Mutant(
        "only-the-last-hook-removed",
        "watch",
        [
            (
                "        for handle in handles:\n            handle.remove()",
                "        handles[-1].remove()",
            )
        ],
        {"test-watch": 2.0, "test-record": 1.0},
        visible=True,
    ),
    Mutant(
        "hooks-never-removed",
        "watch",
        [("            handle.remove()", "            pass")],
        {"test-watch": 2.0, "test-record": 1.0},
        visible=True,
    ),
    Mutant(
        "a-copy-kept-that-leads-nowhere",
        "watch",
        [(KEEP_AND_COPY, "            kept[name] = output.clone()")],
        {"test-watch": 2.0, "test-record": 3.0, "test-explain": 2.0},
        visible=True,
    ),
    Mutant(
        "kept-detached",
        "watch",
        [("kept[name] = output\n", "kept[name] = output.detach()\n")],
        {"test-watch": 2.0, "test-record": 3.0, "test-explain": 2.0},
        visible=True,
    ),
    Mutant(
        "the-graph-is-cut-at-every-layer",
        "watch",
        [
            (
                KEEP_AND_COPY,
                "            kept[name] = output.detach().requires_grad_()\n"
                "            return kept[name].clone()",
            )
        ],
        {"test-watch": 2.0, "test-record": 3.0, "test-explain": 2.0},
        visible=True,
    ),
    Mutant(
        "every-hook-has-the-last-name",
        "watch",
        [
            ("            kept[name] = output\n", "            kept[layers[-1]] = output\n"),
        ],
        {"test-watch": 2.0, "test-record": 3.0, "test-explain": 2.0},
        visible=True,
    ),
    Mutant(
        "the-input-of-a-layer-kept",
        "watch",
        [(KEEP_AND_COPY, "            kept[name] = inputs[0]\n            return output")],
        {"test-watch": 2.0, "test-record": 3.0, "test-explain": 2.0},
        visible=True,
    ),
    # Recording
    Mutant(
        "the-class-of-the-first-image-for-all",
        "record",
        [(TOTAL, "total = scores[:, chosen[0]].sum()")],
        {"test-record": 1.5, "test-explain": 1.5},
    ),
    Mutant(
        "always-the-highest-score",
        "record",
        [
            (
                "chosen = scores.argmax(dim=1) if classes is None else classes",
                "chosen = scores.argmax(1)",
            )
        ],
        {"test-record": 1.5, "test-explain": 1.5},
    ),
    Mutant(
        "gradients-of-the-probability",
        "record",
        [(TOTAL, "total = scores.softmax(dim=1).gather(1, chosen[:, None]).sum()")],
        {"test-record": 2.0, "test-explain": 2.0},
    ),
    Mutant(
        "gradients-of-the-loss",
        "record",
        [(TOTAL, "total = F.cross_entropy(scores, chosen)")],
        {"test-record": 2.0, "test-explain": 2.0},
    ),
    Mutant(
        "mean-of-the-scores",
        "record",
        [(".gather(1, chosen[:, None]).sum()", ".gather(1, chosen[:, None]).mean()")],
        {"test-record": 2.0, "test-explain": 2.0},
    ),
    Mutant(
        "all-scores-together",
        "record",
        [(TOTAL, "total = scores.sum()")],
        {"test-record": 2.0, "test-explain": 2.0},
    ),
    Mutant(
        "without-classes-the-first",
        "record",
        [
            (
                "scores.argmax(dim=1) if classes",
                "torch.zeros(len(scores), dtype=torch.long) if classes",
            )
        ],
        {"test-record": 0.5, "test-explain": 0.5},
    ),
    Mutant(
        "in-training-mode",
        "record",
        [("    net.eval()\n", "")],
        {"test-record": 2.5},
    ),
    Mutant(
        "left-in-evaluation-mode",
        "record",
        [(MODES, "    finally:\n        pass\n")],
        {"test-record": 1.0},
    ),
    Mutant(
        "one-mode-for-all-modules",
        "record",
        [(MODES, "    finally:\n        net.train(modes[net])\n")],
        {"test-record": 1.0},
    ),
    Mutant(
        "modes-forgotten-after-an-error",
        "record",
        [
            (MODES, "    except ZeroDivisionError:\n        pass\n"),
            (
                "    return Recorded(",
                "    for module, mode in modes.items():\n"
                "        module.training = mode\n"
                "    return Recorded(",
            ),
        ],
        {"test-record": 0.5},
    ),
    Mutant(
        "errors-swallowed",
        "record",
        [
            (
                "    finally:\n        for module, mode",
                "    except RuntimeError:\n"
                "        return None\n"
                "    finally:\n"
                "        for module, mode",
            )
        ],
        {"test-record": 0.5},
    ),
    Mutant(
        "gradients-left-in-the-parameters",
        "record",
        [
            (
                GRADIENTS,
                "[kept[name].retain_grad() for name in layers]\n"
                "            total.backward()\n"
                "            gradients = [kept[name].grad for name in layers]",
            )
        ],
        {"test-record": 0.5},
    ),
    Mutant(
        "all-gradients-wiped",
        "record",
        [
            (
                GRADIENTS,
                "[kept[name].retain_grad() for name in layers]\n"
                "            total.backward()\n"
                "            gradients = [kept[name].grad for name in layers]\n"
                "            net.zero_grad()",
            )
        ],
        {"test-record": 0.5},
    ),
    Mutant(
        "a-frozen-network-refused",
        "record",
        [(RUN, "scores = net(images).scores")],
        {"test-record": 0.5},
    ),
    Mutant(
        "the-parameters-unfrozen",
        "record",
        [(RUN, "scores = net.requires_grad_()(images).scores")],
        {"test-record": 0.5},
    ),
    Mutant(
        "the-caller-s-images-changed",
        "record",
        [("images.detach().requires_grad_()", "images.requires_grad_()")],
        {"test-record": 0.5},
    ),
    Mutant(
        "refuses-under-no-grad",
        "record",
        [("with torch.enable_grad(), watch", "with watch")],
        {"test-record": 0.5},
    ),
    Mutant(
        "activations-left-in-the-graph",
        "record",
        [("kept[name].detach() for", "kept[name] for")],
        {"test-record": 3.0},
        visible=True,
    ),
    Mutant(
        "errors-of-the-network-swallowed",
        "record",
        [
            (
                "    finally:\n",
                (
                    "    except RuntimeError:\n"
                    "        return Recorded(torch.zeros(0), {}, {})\n"
                    "    finally:\n"
                ),
            )
        ],
        {"test-record": 0.5},
    ),
    # Grad-CAM
    Mutant(
        "sums-of-gradients",
        "grad-cam",
        [("gradients.mean(", "gradients.sum(")],
        {"test-grad-cam": 3.0},
    ),
    Mutant(
        "grad-cam-without-relu",
        "grad-cam",
        [("F.relu((weights * activations).sum(dim=1))", "(weights * activations).sum(dim=1)")],
        {"test-grad-cam": 0.5},
    ),
    Mutant(
        "absolute-value-instead-of-relu",
        "grad-cam",
        [
            (
                "F.relu((weights * activations).sum(dim=1))",
                "(weights * activations).sum(dim=1).abs()",
            )
        ],
        {"test-grad-cam": 0.5},
    ),
    Mutant(
        "relu-before-the-sum",
        "grad-cam",
        [
            (
                "F.relu((weights * activations).sum(dim=1))",
                "F.relu(weights * activations).sum(dim=1)",
            )
        ],
        {"test-grad-cam": 0.5},
    ),
    Mutant(
        "positive-gradients-averaged",
        "grad-cam",
        [("gradients.mean(", "F.relu(gradients).mean(")],
        {"test-grad-cam": 2.0},
    ),
    Mutant(
        "weights-averaged-over-the-batch",
        "grad-cam",
        [("dim=(2, 3)", "dim=(0, 2, 3)")],
        {"test-grad-cam": 1.0},
    ),
    Mutant(
        "mean-over-the-channels",
        "grad-cam",
        [(".sum(dim=1)", ".mean(dim=1)")],
        {"test-grad-cam": 3.0},
    ),
    Mutant(
        "scaled-at-once",
        "grad-cam",
        [
            (
                "    return F.relu((weights * activations).sum(dim=1))",
                "    maps = F.relu((weights * activations).sum(dim=1))\n"
                "    return maps / maps.amax(dim=(1, 2), keepdim=True)",
            )
        ],
        {"test-grad-cam": 3.0},
    ),
    Mutant(
        "positions-averaged-away",
        "grad-cam",
        [("(weights * activations).sum(dim=1)", "(weights * activations).sum(dim=(1, 2, 3))")],
        {"test-grad-cam": 3.0},
        visible=True,
    ),
    # Grad-CAM++
    Mutant(
        "activation-times-cube-summed",  # as a popular package has it
        "grad-cam-pp",
        [
            (
                DENOMINATOR,
                "cubes = (activations * gradients**3).sum(dim=(2, 3), keepdim=True)\n"
                "    denominator = 2 * squared + cubes",
            )
        ],
        {"test-grad-cam-pp": 3.25},
    ),
    Mutant(
        "a-small-constant-below",  # as another one has it
        "grad-cam-pp",
        [
            (
                ALPHA,
                "squared / (denominator + 1e-7)",
            )
        ],
        {"test-grad-cam-pp": 0.75},
    ),
    Mutant(
        "activations-not-summed",
        "grad-cam-pp",
        [("total = activations.sum(dim=(2, 3), keepdim=True)", "total = activations")],
        {"test-grad-cam-pp": 3.25},
    ),
    Mutant(
        "activations-of-all-channels-summed",
        "grad-cam-pp",
        [("activations.sum(dim=(2, 3)", "activations.sum(dim=(1, 2, 3)")],
        {"test-grad-cam-pp": 2.75},
    ),
    Mutant(
        "the-two-forgotten",
        "grad-cam-pp",
        [("2 * squared", "squared")],
        {"test-grad-cam-pp": 4.0},
    ),
    Mutant(
        "all-gradients-vote",
        "grad-cam-pp",
        [("alpha * F.relu(gradients)", "alpha * gradients")],
        {"test-grad-cam-pp": 0.75},
    ),
    Mutant(
        "nan-where-the-denominator-is-zero",
        "grad-cam-pp",
        [(ALPHA, "torch.where(gradients != 0, squared / denominator, torch.zeros_like(squared))")],
        {"test-grad-cam-pp": 0.5},
    ),
    Mutant(
        "grad-cam-pp-without-relu",
        "grad-cam-pp",
        [("F.relu((weights * activations).sum(dim=1))", "(weights * activations).sum(dim=1)")],
        {"test-grad-cam-pp": 0.5},
    ),
    Mutant(
        "alpha-averaged",
        "grad-cam-pp",
        [("F.relu(gradients)).sum(", "F.relu(gradients)).mean(")],
        {"test-grad-cam-pp": 4.0},
    ),
    Mutant(
        "nan-without-a-gradient",
        "grad-cam-pp",
        [(ALPHA, "squared / denominator")],
        {"test-grad-cam-pp": 4.0},
        visible=True,
    ),
    Mutant(
        "negative-denominators-left-out",
        "grad-cam-pp",
        [("denominator != 0", "denominator > 0")],
        {"test-grad-cam-pp": 0.5},
    ),
    # LayerCAM
    Mutant(
        "layer-cam-averages-the-gradients",  # as document 001 describes it
        "layer-cam",
        [
            (
                "F.relu(gradients) * activations",
                "F.relu(gradients.mean((2, 3), keepdim=True)) * activations",
            )
        ],
        {"test-layer-cam": 2.25},
    ),
    Mutant(
        "negative-gradients-vote",
        "layer-cam",
        [("F.relu(gradients) * activations", "gradients * activations")],
        {"test-layer-cam": 0.75},
    ),
    Mutant(
        "size-of-the-gradient",
        "layer-cam",
        [("F.relu(gradients)", "gradients.abs()")],
        {"test-layer-cam": 0.75},
    ),
    Mutant(
        "layer-cam-without-the-outer-relu",
        "layer-cam",
        [(LAYER_CAM, "(F.relu(gradients) * activations).sum(dim=1)")],
        {"test-layer-cam": 0.75},
    ),
    Mutant(
        "each-product-cut",
        "layer-cam",
        [(LAYER_CAM, "F.relu(F.relu(gradients) * activations).sum(dim=1)")],
        {"test-layer-cam": 0.75},
    ),
    Mutant(
        "relu-of-the-activations",
        "layer-cam",
        [("* activations", "* F.relu(activations)")],
        {"test-layer-cam": 0.75},
    ),
    Mutant(
        "layer-cam-mean-over-channels",
        "layer-cam",
        [(".sum(dim=1)", ".mean(dim=1)")],
        {"test-layer-cam": 3.0},
    ),
    Mutant(
        "gradients-alone",
        "layer-cam",
        [(LAYER_CAM, "F.relu(gradients).sum(dim=1)")],
        {"test-layer-cam": 3.0},
    ),
    Mutant(
        "channels-not-summed",
        "layer-cam",
        [(".sum(dim=1)", "")],
        {"test-layer-cam": 3.0},
        visible=True,
    ),
    # Maps of several layers
    Mutant(
        "classes-not-cut-into-pieces",
        "explain",
        [("classes[piece]", "classes[:batch_size][: len(images[piece])]")],
        {"test-explain": 0.5},
    ),
    Mutant(
        "the-last-piece-left-out",
        "explain",
        [
            (
                "range(0, len(images), batch_size)",
                "range(0, max(1, len(images) - batch_size + 1), batch_size)",
            )
        ],
        {"test-explain": 1.0},
    ),
    Mutant(
        "all-images-at-once",
        "explain",
        [
            (
                EXPLAIN_LOOP,
                "    seen = record(net, layers, images, classes)\n"
                "    return {n: method(seen.activations[n], seen.gradients[n]) for n in layers}",
            )
        ],
        {"test-explain": 0.5},
    ),
    Mutant(
        "classes-forgotten",
        "explain",
        [("images[piece], chosen)", "images[piece])")],
        {"test-explain": 1.5},
    ),
    Mutant(
        "classes-needed",
        "explain",
        [("None if classes is None else classes[piece]", "classes[piece]")],
        {"test-explain": 0.5},
    ),
    Mutant(
        "gradients-and-activations-swapped",
        "explain",
        [
            (
                "method(recorded.activations[name], recorded.gradients[name])",
                "method(recorded.gradients[name], recorded.activations[name])",
            )
        ],
        {"test-explain": 2.0},
        visible=True,
    ),
    Mutant(
        "pieces-not-joined",
        "explain",
        [("torch.cat(pieces)", "torch.stack(pieces)")],
        {"test-explain": 2.0},
        visible=True,
    ),
    # Scaling
    Mutant(
        "one-maximum-for-all-maps",
        "scale",
        [("maps.amax(dim=(1, 2), keepdim=True)", "maps.max()")],
        {"test-scale": 1.0},
    ),
    Mutant(
        "gamma-ignored",
        "scale",
        [("gamma * torch.where", "2 * torch.where")],
        {"test-scale": 1.0},
    ),
    Mutant(
        "zeros-become-nan",
        "scale",
        [(SCALED, "maps / highest")],
        {"test-scale": 0.5},
    ),
    Mutant(
        "a-small-constant-dims-faint-maps",
        "scale",
        [(SCALED, "maps / (highest + 1e-5)")],
        {"test-scale": 1.0},
    ),
    Mutant(
        "scaled-to-one",
        "scale",
        [
            (
                "    return torch.tanh(",
                "    return 1 / torch.tanh(torch.tensor(gamma)) * torch.tanh(",
            )
        ],
        {"test-scale": 1.5},
        visible=True,
    ),
    # Fusion
    Mutant(
        "corners-aligned",
        "fuse",
        [("align_corners=False", "align_corners=True")],
        {"test-fuse": 0.75},
    ),
    Mutant(
        "nearest-instead-of-bilinear",
        "fuse",
        [('mode="bilinear", align_corners=False', 'mode="nearest"')],
        {"test-fuse": 0.75},
    ),
    Mutant(
        "mean-instead-of-the-highest",
        "fuse",
        [("large.amax(dim=0)", "large.mean(dim=0)")],
        {"test-fuse": 1.0},
    ),
    Mutant(
        "sum-instead-of-the-highest",
        "fuse",
        [("large.amax(dim=0)", "large.sum(dim=0)")],
        {"test-fuse": 1.0},
    ),
    Mutant(
        "each-layer-scaled-before",
        "fuse",
        [(ENLARGED, f"{ENLARGED} / of_layer.amax((1, 2), keepdim=True)")],
        {"test-fuse": 2.5},
    ),
    Mutant(
        "weights-brought-to-a-sum-of-one",
        "fuse",
        [(WEIGHTED, f"{WEIGHTED} / sum(weights)")],
        {"test-fuse": 0.75},
    ),
    Mutant(
        "highest-of-the-weighted-maps",
        "fuse",
        [(WEIGHTED, "torch.stack([w * m for w, m in zip(weights, large)]).amax(dim=0)")],
        {"test-fuse": 0.75},
    ),
    Mutant(
        "width-and-height-swapped",
        "fuse",
        [("size=size", "size=size[::-1]")],
        {"test-fuse": 2.5},
        visible=True,
    ),
    # Masks
    Mutant(
        "cut-at-a-fixed-value",  # the comparison of document 001
        "cut",
        [(OWN_SHARE, "share")],
        {"test-cut": 1.0, "test-threshold": 2.0},
        visible=True,
    ),
    Mutant(
        "one-highest-value-for-all",
        "cut",
        [("maps.amax(dim=(1, 2), keepdim=True)", "maps.max()")],
        {"test-cut": 1.0, "test-threshold": 1.5},
    ),
    Mutant(
        "zeros-are-all-object",
        "cut",
        [("maps > share", "maps >= share")],
        {"test-cut": 0.5},
    ),
    Mutant(
        "dice-instead-of-iou",
        "iou",
        [
            (
                "    union = int((a | b).sum())\n"
                "    return int((a & b).sum()) / union if union else 1.0",
                "    both = int(a.sum()) + int(b.sum())\n"
                "    return 2 * int((a & b).sum()) / both if both else 1.0",
            )
        ],
        {"test-iou": 0.75, "test-threshold": 1.5},
    ),
    Mutant(
        "two-empty-masks-count-zero",
        "iou",
        [("else 1.0", "else 0.0")],
        {"test-iou": 0.25},
    ),
    Mutant(
        "recall-instead-of-iou",
        "iou",
        [("(a | b)", "a")],
        {"test-iou": 0.75, "test-threshold": 1.5},
    ),
    Mutant(
        "share-of-equal-pixels",
        "iou",
        [
            (
                "    union = int((a | b).sum())\n"
                "    return int((a & b).sum()) / union if union else 1.0",
                "    return float((a == b).float().mean())",
            )
        ],
        {"test-iou": 0.75, "test-threshold": 1.5},
    ),
    Mutant(
        "iou-left-a-tensor",
        "iou",
        [("int((a & b).sum()) / union", "(a & b).sum() / union")],
        {"test-iou": 1.0, "test-threshold": 2.0},
        visible=True,
    ),
    Mutant(
        "pixels-of-all-images-together",
        "threshold",
        [(MEANS, "iou(cut(maps, share), masks)")],
        {"test-threshold": 1.5},
    ),
    Mutant(
        "each-image-at-its-own-best-share",
        "threshold",
        [
            (
                "    return shares[best], means[best]",
                "    own = [\n"
                "        max(iou(cut(m[None], s)[0], mask) for s in shares)\n"
                "        for m, mask in zip(maps, masks)\n"
                "    ]\n"
                "    return shares[best], sum(own) / len(own)",
            )
        ],
        {"test-threshold": 1.5},
    ),
    Mutant(
        "the-last-of-equals",
        "threshold",
        [
            (
                "means.index(max(means))",
                "max(range(len(means)), key=lambda i: (means[i], i))",
            )
        ],
        {"test-threshold": 0.5},
    ),
    Mutant(
        "the-place-instead-of-the-share",
        "threshold",
        [("return shares[best]", "return best")],
        {"test-threshold": 2.0},
        visible=True,
    ),
]

ALTERNATIVES = [
    Mutant(
        "hooks-in-an-exit-stack",
        "watch",
        [
            (
                WATCH_BODY,
                "    from contextlib import ExitStack\n"
                "\n"
                "    kept: dict[str, Tensor] = {}\n"
                "    modules = dict(net.named_modules())\n"
                "    with ExitStack() as stack:\n"
                "        for name in layers:\n"
                "\n"
                "            def hook(module, inputs, output, name=name):\n"
                "                kept[name] = output\n"
                "                return output * 1\n"
                "\n"
                "            stack.callback(modules[name].register_forward_hook(hook).remove)\n"
                "        yield kept",
            )
        ],
    ),
    Mutant(
        "one-hook-that-looks-up-its-name",
        "watch",
        [
            (
                WATCH_BODY,
                "    kept: dict[str, Tensor] = {}\n"
                "    names = {module: name for name, module in net.named_modules()}\n"
                "\n"
                "    def hook(module, inputs, output):\n"
                "        kept[names[module]] = output\n"
                "        return torch.clone(output)\n"
                "\n"
                "    handles = [net.get_submodule(n).register_forward_hook(hook) for n in layers]\n"
                "    try:\n"
                "        yield kept\n"
                "    finally:\n"
                "        [handle.remove() for handle in handles]",
            )
        ],
    ),
    Mutant(
        "backward-into-the-layers-alone",
        "record",
        [
            (
                GRADIENTS,
                "outputs = [kept[name] for name in layers]\n"
                "            total.backward(inputs=outputs)\n"
                "            gradients = [output.grad for output in outputs]",
            )
        ],
    ),
    Mutant(
        "scores-picked-with-a-mask",
        "record",
        [(TOTAL, "total = (scores * F.one_hot(chosen, scores.shape[1])).sum()")],
    ),
    Mutant(
        "a-gradient-of-many-scores",
        "record",
        [
            (TOTAL, "total = scores.gather(1, chosen[:, None])"),
            (
                GRADIENTS,
                "outputs = [kept[name] for name in layers]\n"
                "            gradients = torch.autograd.grad(\n"
                "                total, outputs, grad_outputs=torch.ones_like(total)\n"
                "            )",
            ),
        ],
    ),
    Mutant(
        "grad-cam-by-einsum",
        "grad-cam",
        [
            (
                "    weights = gradients.mean(dim=(2, 3), keepdim=True)\n"
                "    return F.relu((weights * activations).sum(dim=1))",
                "    weights = gradients.flatten(2).mean(dim=2)\n"
                '    return torch.einsum("bc,bchw->bhw", weights, activations).clamp_min(0)',
            )
        ],
    ),
    Mutant(
        "alpha-with-the-square-cancelled",
        "grad-cam-pp",
        [
            (
                ALPHA,
                "torch.where(gradients > 0, 1 / (2 + total * gradients).clamp_min(-1e30), 0.0)"
                ".nan_to_num(0.0, 0.0, 0.0)",
            )
        ],
    ),
    Mutant(
        "zeros-put-right-afterwards",
        "grad-cam-pp",
        [(ALPHA, "(squared / denominator).nan_to_num(0.0, 0.0, 0.0)")],
    ),
    Mutant(
        "layer-cam-by-clamping",
        "layer-cam",
        [
            (
                LAYER_CAM,
                'torch.einsum("bchw,bchw->bhw", gradients.clamp(min=0), activations).clamp(min=0)',
            )
        ],
    ),
    Mutant(
        "pieces-by-split",
        "explain",
        [
            (
                EXPLAIN_LOOP,
                "    chosen = [None] * len(images)\n"
                "    if classes is not None:\n"
                "        chosen = classes.split(batch_size)\n"
                "    pieces = zip(images.split(batch_size), chosen)\n"
                "    found = [record(net, layers, some, theirs) for some, theirs in pieces]\n"
                "    return {\n"
                "        name: torch.cat(\n"
                "            [method(r.activations[name], r.gradients[name]) for r in found]\n"
                "        )\n"
                "        for name in layers\n"
                "    }",
            )
        ],
    ),
    Mutant(
        "scaled-with-the-smallest-number",
        "scale",
        [(SCALED, "maps / highest.clamp_min(torch.finfo(maps.dtype).tiny)")],
    ),
    Mutant(
        "fused-step-by-step",
        "fuse",
        [
            (
                "        return large.amax(dim=0)",
                "        from functools import reduce\n\n"
                "        return reduce(torch.maximum, large)",
            ),
            (WEIGHTED, "sum(w * m for w, m in zip(weights, large))"),
        ],
    ),
    Mutant(
        "cut-after-dividing",
        "cut",
        [
            (
                "    return maps > share * maps.amax(dim=(1, 2), keepdim=True)",
                "    highest = maps.flatten(1).max(dim=1).values[:, None, None]\n"
                "    return (maps > share * highest) & (highest > 0)",
            )
        ],
    ),
    Mutant(
        "iou-by-logical-functions",
        "iou",
        [
            ("(a | b)", "torch.logical_or(a, b)"),
            ("(a & b)", "torch.logical_and(a, b)"),
        ],
    ),
    Mutant(
        "best-kept-while-looking",
        "threshold",
        [
            (
                "    return shares[best], means[best]",
                "    found = (shares[0], -1.0)\n"
                "    for share, mean in zip(shares, means):\n"
                "        if mean > found[1]:\n"
                "            found = (share, mean)\n"
                "    return found",
            )
        ],
    ),
]

# Hidden checks that no mutant fails, and why they stand: test cell, and a part of the check.
UNTRIED = {
    (
        "test-watch",
        "'the scores of the watched network'",
    ): "every mistake known that changes the scores changes what is kept, too",
    (
        "test-cut",
        "'the masks', mask, (3, 5, 4)",
    ): "keeps the next lines from counting in another dimension",
}

SAMPLE_CLASS = SampleClass(
    half_done=["watch", "record", "grad-cam", "scale", "fuse"],
    mistakes=["layer-cam-averages-the-gradients", "a-small-constant-below"],
)
