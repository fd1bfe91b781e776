"""Plausible wrong solutions of lab 2 with the marks each must lose, and other right ones."""

from labkit.grading.mutants import Mutant, SampleClass

BRANCH = "        pooled = torch.flatten(net.gap(features), start_dim=1)\n"
PAIR = "    return branch(large), branch(small)"
INTERPOLATE = 'F.interpolate(features, size=size, mode="bilinear", align_corners=False)'
WEIGHTED = "    return (weights[:, :, None, None] * features).sum(dim=1)"
MSE = "    seg = F.mse_loss(maps_large, maps_small)\n"
TOTAL = "(cls_large + cls_small) / 2 + seg, cls"
COPIES = 'F.interpolate(images, scale_factor=0.5, mode="bilinear", align_corners=False)'
SEGMENT = "enlarge(normalize(maps), size) > threshold / 255"
QUOTIENT = "(a & b).sum().item() / union if union else 1.0"
SEG = "F.mse_loss(transform(map_of(output)), map_of(transformed))"

MUTANTS = [
    # Two branches
    Mutant(
        "branches-swapped",
        "seg-forward",
        [(PAIR, "    return branch(small), branch(large)")],
        {"test-forward": 1.5},
        visible=True,
    ),
    Mutant(
        "max-pooling",  # as one published solution has it
        "seg-forward",
        [("net.gap(features)", "F.adaptive_max_pool2d(features, 1)")],
        {"test-forward": 1.5},
    ),
    Mutant(
        "squeeze-at-batch-one",
        "seg-forward",
        [(BRANCH, "        pooled = net.gap(features).squeeze()\n")],
        {"test-forward": 0.25},
    ),
    Mutant(
        "small-branch-without-gradients",
        "seg-forward",
        [
            (
                PAIR,
                "    with torch.no_grad():\n        other = branch(small)\n"
                "    return branch(large), other",
            )
        ],
        {"test-forward": 0.5},
    ),
    Mutant(
        "a-network-for-each-size",
        "seg-forward",
        [
            (
                PAIR,
                "    first = branch(large)\n    net = copy.deepcopy(net)\n"
                "    return first, branch(small)",
            )
        ],
        {"test-forward": 0.5},
    ),
    Mutant(
        "always-a-pair",
        "seg-forward",
        [("        return branch(large)\n", "        return branch(large), None\n")],
        {"test-forward": 0.25},
    ),
    Mutant(
        "copies-scored-by-the-large-features",
        "seg-forward",
        [
            (
                PAIR,
                "    first, second = branch(large), branch(small)\n"
                "    return first, second._replace(scores=first.scores)",
            )
        ],
        {"test-forward": 1.25},
    ),
    # Classification losses
    Mutant(
        "softmax-before-the-loss",
        "classification",
        [("F.cross_entropy(large.scores,", "F.cross_entropy(large.scores.softmax(1),")],
        {"test-classification": 0.5},
    ),
    Mutant(
        "losses-without-gradients",
        "classification",
        [("small.scores,", "small.scores.detach(),")],
        {"test-classification": 0.5},
        visible=True,
    ),
    Mutant(
        "losses-summed",
        "classification",
        [("large.scores, labels)", 'large.scores, labels, reduction="sum")')],
        {"test-classification": 0.5},
        visible=True,
    ),
    Mutant(
        "large-scores-for-both",
        "classification",
        [("small.scores", "large.scores")],
        {"test-classification": 0.5},
    ),
    Mutant(
        "classification-losses-swapped",
        "classification",
        [
            (
                "F.cross_entropy(large.scores, labels), F.cross_entropy(small.scores, labels)",
                "F.cross_entropy(small.scores, labels), F.cross_entropy(large.scores, labels)",
            )
        ],
        {"test-classification": 0.5},
    ),
    # Downscaling
    Mutant(
        "always-by-one-half",
        "downscale",
        [("size=size,", "scale_factor=0.5,")],
        {"test-downscale": 0.25},
    ),
    Mutant(
        "mean-of-two-by-two",
        "downscale",
        [(INTERPOLATE, "F.avg_pool2d(features, 2)")],
        {"test-downscale": 0.25},
    ),
    Mutant(
        "corners-aligned",
        "downscale",
        [("align_corners=False", "align_corners=True")],
        {"test-downscale": 0.5},
        visible=True,
    ),
    Mutant(
        "antialiased",
        "downscale",
        [("align_corners=False", "align_corners=False, antialias=True")],
        {"test-downscale": 0.5},
        visible=True,
    ),
    Mutant(
        "adaptive-mean",
        "downscale",
        [(INTERPOLATE, "F.adaptive_avg_pool2d(features, size)")],
        {"test-downscale": 0.25},
    ),
    Mutant(
        "bicubic",
        "downscale",
        [('"bilinear"', '"bicubic"')],
        {"test-downscale": 0.5},
        visible=True,
    ),
    Mutant(
        "eight-bits-before-downscaling",
        "downscale",
        [("F.interpolate(features,", "F.interpolate(features.to(torch.uint8).float(),")],
        {"test-downscale": 0.5},
    ),
    Mutant(
        "sizes-swapped",
        "downscale",
        [("size=size,", "size=size[::-1],")],
        {"test-downscale": 0.5},
        visible=True,
    ),
    # Maps
    Mutant(
        "softmax-over-the-batch",
        "softmax-map",
        [("softmax(dim=1)", "softmax(dim=0)")],
        {"test-softmax-map": 0.75},
        visible=True,
    ),
    Mutant(
        "pooled-features-for-class-weights",
        "softmax-map",
        [("pooled.softmax(dim=1)", "pooled")],
        {"test-softmax-map": 0.75},
        visible=True,
    ),
    Mutant(
        "mean-of-the-channels",
        "softmax-map",
        [(WEIGHTED, "    return features.mean(dim=1)")],
        {"test-softmax-map": 0.75},
    ),
    Mutant(
        "first-image-weighs-all",
        "softmax-map",
        [("weights[:, :, None, None]", "weights[:1, :, None, None]")],
        {"test-softmax-map": 0.5},
    ),
    Mutant(
        "softmax-that-overflows",
        "softmax-map",
        [("pooled.softmax(dim=1)", "pooled.exp() / pooled.exp().sum(dim=1, keepdim=True)")],
        {"test-softmax-map": 0.25},
    ),
    Mutant(
        "squeeze-of-maps-at-batch-one",
        "softmax-map",
        [(".sum(dim=1)", ".sum(dim=1).squeeze()")],
        {"test-softmax-map": 0.25},
    ),
    Mutant(
        "weights-from-the-features-given",  # of the downscaled features, not of the pooled ones
        "softmax-map",
        [("pooled.softmax", "features.mean((2, 3)).softmax")],
        {"test-softmax-map": 0.75},
    ),
    # The total
    Mutant(
        "a-term-too-many",  # as one published solution has it
        "total",
        [(TOTAL, "(cls_large + cls_small + seg) / 2 + seg, cls")],
        {"test-total": 0.5},
    ),
    Mutant(
        "losses-added-not-averaged",
        "total",
        [(TOTAL, "cls_large + cls_small + seg, cls")],
        {"test-total": 0.75},
        visible=True,
    ),
    Mutant(
        "seg-halved-too",
        "total",
        [(TOTAL, "(cls_large + cls_small + seg) / 2, cls")],
        {"test-total": 0.5},
    ),
    Mutant(
        "seg-summed",
        "total",
        [(MSE, '    seg = F.mse_loss(maps_large, maps_small, reduction="sum")\n')],
        {"test-total": 0.5},
    ),
    Mutant(
        "root-of-the-mean-square",
        "total",
        [(MSE, "    seg = ((maps_large - maps_small).square().mean() + 1e-12).sqrt()\n")],
        {"test-total": 0.5},
    ),
    Mutant(
        "absolute-differences",
        "total",
        [("F.mse_loss", "F.l1_loss")],
        {"test-total": 0.5},
    ),
    Mutant(
        "large-maps-detached",
        "total",
        [("maps_large, maps_small)\n", "maps_large.detach(), maps_small)\n")],
        {"test-total": 0.25},
    ),
    Mutant(
        "seg-left-out",
        "total",
        [(TOTAL, "(cls_large + cls_small) / 2, cls")],
        {"test-total": 0.5},
    ),
    Mutant(
        "classification-losses-halved-too",
        "total",
        [("seg, cls_large, cls_small, seg)", "seg, cls_large / 2, cls_small / 2, seg)")],
        {"test-total": 0.75},
        visible=True,
    ),
    # The training step
    Mutant(
        "gradients-add-up",
        "training-step",
        [("    optimizer.zero_grad()\n", "")],
        {"test-training-step": 0.75},
    ),
    Mutant(
        "still-in-eval-mode",
        "training-step",
        [("    net.train()\n", "")],
        {"test-training-step": 0.75},
    ),
    Mutant(
        "every-second-pixel",
        "training-step",
        [(COPIES, "images[..., ::2, ::2]")],
        {"test-training-step": 1.0},
    ),
    Mutant(
        "copies-first",
        "training-step",
        [("net(images, copies)", "net(copies, images)")],
        {"test-training-step": 1.0},
        visible=True,
    ),
    Mutant(
        "outputs-swapped-in-the-loss",
        "training-step",
        [("loss_of(large, small, labels)", "loss_of(small, large, labels)")],
        {"test-training-step": 0.75},
    ),
    Mutant(
        "only-the-first-part-is-followed",
        "training-step",
        [("parts.total.backward()", "parts.cls_large.backward()")],
        {"test-training-step": 0.75},
    ),
    Mutant(
        "tensors-returned",
        "training-step",
        [("part.item()", "part.detach()")],
        {"test-training-step": 0.25},
    ),
    Mutant(
        "classification-only",
        "training-step",
        [("parts.total.backward()", "(parts.total - parts.seg).backward()")],
        {"test-training-step": 0.75},
    ),
    Mutant(
        "measured-once-more-after-the-step",
        "training-step",
        [
            (
                "    return {name",
                "    parts = loss_of(*net(images, copies), labels)\n    return {name",
            )
        ],
        {"test-training-step": 1.0},
        visible=True,
    ),
    # Masks
    Mutant(
        "threshold-itself-belongs-to-the-mask",
        "segment",
        [("> threshold", ">= threshold")],
        {"test-segment": 0.25},
    ),
    Mutant(
        "one-scale-for-the-batch",
        "segment",
        [("normalize(maps)", "(maps - maps.min()) / (maps.max() - maps.min())")],
        {"test-segment": 0.5},
    ),
    Mutant(
        "constant-map-divides-by-zero-and-is-full",
        "segment",
        [
            (
                "enlarge(normalize(maps), size) >",
                "~(enlarge((maps - maps.amin((1, 2), True)) / "
                "(maps.amax((1, 2), True) - maps.amin((1, 2), True)), size) <=",
            ),
            ("threshold / 255", "threshold / 255)"),
        ],
        {"test-segment": 0.25},
    ),
    Mutant(
        "eight-bits-before-enlarging",
        "segment",
        [("normalize(maps), size)", "(255 * normalize(maps)).byte().float() / 255, size)")],
        {"test-segment": 0.25},
    ),
    Mutant(
        "cut-before-enlarging",
        "segment",
        [(SEGMENT, "enlarge((normalize(maps) > threshold / 255).float(), size) > 0.5")],
        {"test-segment": 0.25},
    ),
    Mutant(
        "not-normalised",
        "segment",
        [("normalize(maps)", "maps")],
        {"test-segment": 0.5},
    ),
    Mutant(
        "masks-of-0-and-255",
        "segment",
        [(SEGMENT, "255 * (enlarge(normalize(maps), size) > threshold / 255).byte()")],
        {"test-segment": 0.5},
        visible=True,
    ),
    Mutant(
        "mask-sizes-swapped",
        "segment",
        [("normalize(maps), size", "normalize(maps), size[::-1]")],
        {"test-segment": 0.5},
        visible=True,
    ),
    Mutant(
        "threshold-over-256",
        "segment",
        [("threshold / 255", "threshold / 256")],
        {"test-segment": 0.5},
    ),
    # IoU
    Mutant(
        "bitwise-grey-values",  # as one published solution has it
        "iou",
        [
            (
                "    a, b = a != 0, b != 0\n",
                "    a, b = (m.to(torch.uint8).int() for m in (a, b))\n",
            )
        ],
        {"test-iou": 0.25},
    ),
    Mutant(
        "dice",
        "iou",
        [(QUOTIENT, "2 * (a & b).sum().item() / (a.sum() + b.sum()).item() if union else 1.0")],
        {"test-iou": 1.0},
        visible=True,
    ),
    Mutant(
        "share-of-right-pixels",
        "iou",
        [(QUOTIENT, "(a == b).float().mean().item()")],
        {"test-iou": 1.0},
        visible=True,
    ),
    Mutant(
        "recall",
        "iou",
        [(QUOTIENT, "(a & b).sum().item() / b.sum().item() if union else 1.0")],
        {"test-iou": 1.0},
        visible=True,
    ),
    Mutant(
        "two-empty-masks-are-0",
        "iou",
        [("else 1.0", "else 0.0")],
        {"test-iou": 0.25},
    ),
    Mutant(
        "divides-by-zero",
        "iou",
        [(" if union else 1.0", "")],
        {"test-iou": 0.25},
    ),
    Mutant(
        "smoothed",
        "iou",
        [(QUOTIENT, "((a & b).sum().item() + 1e-2) / (union + 1e-2)")],
        {"test-iou": 1.0},
        visible=True,
    ),
    Mutant(
        "any-empty-mask-is-1",
        "iou",
        [("if union else 1.0", "if a.any() and b.any() else 1.0")],
        {"test-iou": 0.25},
    ),
    Mutant(
        "broadcast",
        "iou",
        [("    if a.shape != b.shape:\n", "    if False:\n")],
        {"test-iou": 0.25},
    ),
    Mutant(
        "assert-instead-of-an-error",
        "iou",
        [("        raise ValueError(", "        assert False, (")],
        {"test-iou": 0.25},
    ),
    Mutant(
        "error-named-but-not-raised",  # as one published solution has it
        "iou",
        [("        raise ValueError(", "        ValueError(")],
        {"test-iou": 0.25},
    ),
    Mutant(
        "above-one-half-is-object",
        "iou",
        [("a != 0, b != 0", "a > 1, b > 1")],
        {"test-iou": 1.0},
        visible=True,
    ),
    Mutant(
        "only-255-is-object",
        "iou",
        [("a != 0, b != 0", "(a == 255) | (a == 1), (b == 255) | (b == 1)")],
        {"test-iou": 0.25},
    ),
    Mutant(
        "mean-over-rows",
        "iou",
        [
            (
                QUOTIENT,
                "((a & b).sum(-1) / (a | b).sum(-1).clamp_min(1)).mean().item() if union else 1.0",
            )
        ],
        {"test-iou": 0.5},
    ),
    Mutant(
        "only-what-is-positive",
        "iou",
        [("a, b = a != 0, b != 0", "a, b = a > 0, b > 0")],
        {"test-iou": 0.25},
    ),
    # Any transform
    Mutant(
        "flip-that-is-never-applied",  # as one published solution has it
        "equivariant-loss",
        [
            ("net(transform(images))", "net(images)"),
            (SEG, "F.mse_loss(map_of(output), map_of(transformed))"),
        ],
        {"test-equivariant-loss": 1.5},
        visible=True,
    ),
    Mutant(
        "maps-not-transformed",
        "equivariant-loss",
        [("transform(map_of(output))", "map_of(output)")],
        {"test-equivariant-loss": 1.25},
    ),
    Mutant(
        "images-not-transformed",
        "equivariant-loss",
        [("net(transform(images))", "net(images)")],
        {"test-equivariant-loss": 1.5},
    ),
    Mutant(
        "transform-on-the-wrong-side",
        "equivariant-loss",
        [(SEG, "F.mse_loss(map_of(output), transform(map_of(transformed)))")],
        {"test-equivariant-loss": 1.0},
    ),
    Mutant(
        "transform-on-both-sides",
        "equivariant-loss",
        [(SEG, "F.mse_loss(transform(map_of(output)), transform(map_of(transformed)))")],
        {"test-equivariant-loss": 1.25},
    ),
    Mutant(
        "copies-not-classified",
        "equivariant-loss",
        [("classify(transformed, labels)", "classify(output, labels)")],
        {"test-equivariant-loss": 0.5},
    ),
    Mutant(
        "target-detached",
        "equivariant-loss",
        [("transform(map_of(output)),", "transform(map_of(output)).detach(),")],
        {"test-equivariant-loss": 0.25},
    ),
    Mutant(
        "differences-summed",
        "equivariant-loss",
        [("map_of(transformed))", 'map_of(transformed), reduction="sum")')],
        {"test-equivariant-loss": 1.25},
    ),
    Mutant(
        "both-classified-by-the-copies",
        "equivariant-loss",
        [("cls_large = classify(output, labels)", "cls_large = classify(transformed, labels)")],
        {"test-equivariant-loss": 0.5},
    ),
    Mutant(
        "classification-added-not-averaged",
        "equivariant-loss",
        [("(cls_large + cls_small) / 2 + seg", "cls_large + cls_small + seg")],
        {"test-equivariant-loss": 0.5},
    ),
    Mutant(
        "means-of-maps-compared",
        "equivariant-loss",
        [
            (
                SEG,
                "(transform(map_of(output)).mean((1, 2)) - map_of(transformed).mean((1, 2)))"
                ".square().mean()",
            )
        ],
        {"test-equivariant-loss": 1.25},
    ),
    # Composition
    Mutant(
        "last-one-first",
        "compose",
        [("for transform in transforms:", "for transform in transforms[::-1]:")],
        {"test-compose": 0.25},
    ),
    Mutant(
        "only-the-last",
        "compose",
        [
            (
                "            values = transform(values)\n        return values",
                "            result = transform(values)\n        return result",
            )
        ],
        {"test-compose": 0.5},
        visible=True,
    ),
    Mutant(
        "good-for-one-call",
        "compose",
        [
            ("    def composed(", "    steps = iter(transforms)\n\n    def composed("),
            ("for transform in transforms:", "for transform in steps:"),
        ],
        {"test-compose": 0.25},
    ),
    Mutant(
        "two-transforms-and-no-other-number",
        "compose",
        [
            (
                "        for transform in transforms:\n"
                "            values = transform(values)\n"
                "        return values",
                "        first, second = transforms\n        return second(first(values))",
            )
        ],
        {"test-compose": 0.5},
    ),
    Mutant(
        "nothing-from-an-empty-list",
        "compose",
        [
            (
                "    return composed",
                "    from functools import reduce\n\n"
                "    return reduce(lambda f, g: lambda x: g(f(x)), transforms)",
            )
        ],
        {"test-compose": 0.25},
    ),
]

ALTERNATIVES = [
    Mutant(
        "means-by-hand",
        "seg-forward",
        [(BRANCH, "        pooled = features.mean((2, 3))\n")],
    ),
    Mutant(
        "plain-tuples",
        "seg-forward",
        [
            (
                "CamOutput(net.classifier(pooled), features, pooled)",
                "net.classifier(pooled), features, pooled",
            )
        ],
    ),
    Mutant(
        "loss-module",
        "classification",
        [
            (
                "    return F.cross_entropy(large.scores, labels), "
                "F.cross_entropy(small.scores, labels)",
                "    criterion = nn.CrossEntropyLoss()\n"
                "    return [criterion(output[0], labels) for output in (large, small)]",
            )
        ],
    ),
    Mutant(
        "resize-of-torchvision",
        "downscale",
        [
            (
                "    return " + INTERPOLATE,
                "    from torchvision.transforms.functional import resize\n\n"
                "    return resize(features, list(size), antialias=False)",
            )
        ],
    ),
    Mutant(
        "map-by-einsum",
        "softmax-map",
        [(WEIGHTED, '    return torch.einsum("bk,bkhw->bhw", weights, features)')],
    ),
    Mutant(
        "class-activation-map-of-lab-1",
        "softmax-map",
        [(WEIGHTED, "    return class_activation_map(features, weights)")],
    ),
    Mutant(
        "squares-by-hand-and-a-plain-tuple",
        "total",
        [
            (MSE, "    seg = ((maps_large - maps_small) ** 2).mean()\n"),
            ("LossParts((cls_large", "((cls_large"),
        ],
    ),
    Mutant(
        "copies-by-average-pooling",
        "training-step",
        [(COPIES, "F.avg_pool2d(images, 2)")],
    ),
    Mutant(
        "gradients-cleared-last",
        "training-step",
        [
            ("    optimizer.zero_grad()\n", ""),
            ("    optimizer.step()\n", "    optimizer.step()\n    optimizer.zero_grad()\n"),
            (
                "for name, part in parts._asdict().items()",
                "for name, part in zip(parts._fields, parts)",
            ),
        ],
    ),
    Mutant(
        "threshold-on-the-scale-of-255",
        "segment",
        [(SEGMENT, "255 * enlarge(normalize(maps), size) > threshold")],
    ),
    Mutant(
        "iou-by-counting",
        "iou",
        [
            (
                "    union = (a | b).sum().item()\n    return " + QUOTIENT,
                "    both = torch.logical_and(a, b).sum().item()\n"
                "    either = a.sum().item() + b.sum().item() - both\n"
                "    return both / either if either > 0 else 1.0",
            )
        ],
    ),
    Mutant(
        "total-loss-used-again",
        "equivariant-loss",
        [
            (
                "    seg = " + SEG + "\n"
                "    return LossParts("
                "(cls_large + cls_small) / 2 + seg, cls_large, cls_small, seg)",
                "    maps = transform(map_of(output)), map_of(transformed)\n"
                "    return total_loss(cls_large, cls_small, *maps)",
            )
        ],
    ),
    Mutant(
        "composition-by-reduce",
        "compose",
        [
            (
                "    def composed(values: Tensor) -> Tensor:\n"
                "        for transform in transforms:\n"
                "            values = transform(values)\n"
                "        return values\n\n"
                "    return composed",
                "    from functools import reduce\n\n"
                "    return lambda values: reduce(lambda x, f: f(x), transforms, values)",
            )
        ],
    ),
]

SAMPLE_CLASS = SampleClass(
    half_done=["seg-forward", "classification", "downscale", "iou"],
    mistakes=["a-term-too-many", "maps-not-transformed"],
)
