"""Plausible wrong solutions of lab 7 with the marks each must lose, and other right ones."""

from labkit.grading.mutants import Mutant, SampleClass

RATIOS = "(hits / found if found else nan), (hits / there if there else nan)"
PAIRS = "(higher + equal / 2).mean().item()"
LARGE = 'F.interpolate(scaled, size=size, mode="bilinear", align_corners=False)[0, 0]'
EMPTY = "    if highest == 0:\n        return torch.zeros(size, dtype=torch.bool)\n"
SCALED = "scaled = (map / highest)[None, None]"
MEAN = 'sum(ious) / len(ious) if ious else float("nan")'
IOU = "(mask & truth).sum().item() / (mask | truth).sum().item()"
OTHERS = (
    "        others = torch.ones_like(branch)\n"
    '        if how == "mul":\n'
    "            for j, other in enumerate(branches):\n"
    "                if j != i:\n"
    "                    others = others * other\n"
)
SIZE = "max((branch.shape[2:] for branch in branches), key=lambda s: s[0] * s[1])"
DRAWN = "torch.multinomial(values[high], min(n, len(high)), generator=generator)"
POSITIVE = "    high = high[values[high] > 0]\n"

MUTANTS = [
    # Precision and recall
    Mutant(
        "precision-and-recall-of-the-good-class",  # as the talk prints them
        "precision",
        [("    hits =", "    positive = 0\n    hits =")],
        {"test-precision": 2.0},
    ),
    Mutant(
        "always-of-class-one",
        "precision",
        [("    hits =", "    positive = 1\n    hits =")],
        {"test-precision": 0.5},
    ),
    Mutant(
        "precision-and-recall-swapped",
        "precision",
        [(RATIOS, "(hits / there if there else nan), (hits / found if found else nan)")],
        {"test-precision": 2.0},
    ),
    Mutant(
        "nothing-to-divide-by-counts-as-zero",
        "precision",
        [('nan = float("nan")', "nan = 0.0")],
        {"test-precision": 0.5},
    ),
    Mutant(
        "nothing-to-divide-by-counts-as-perfect",
        "precision",
        [('nan = float("nan")', "nan = 1.0")],
        {"test-precision": 0.5},
    ),
    Mutant(
        "divided-by-zero",
        "precision",
        [(RATIOS, "hits / found, hits / there")],
        {"test-precision": 0.5},
    ),
    Mutant(
        "a-small-number-added-to-the-counts",
        "precision",
        [(RATIOS, "hits / (found + 1e-9), hits / (there + 1e-9)")],
        {"test-precision": 0.5},
    ),
    Mutant(
        "accuracy-for-precision",
        "precision",
        [
            (
                "(hits / found if found else nan)",
                "((truth == prediction).float().mean().item() if found else nan)",
            )
        ],
        {"test-precision": 1.5},
    ),
    Mutant(
        "labels-taken-for-truth-values",
        "precision",
        [("((truth == positive) & (prediction == positive)).sum()", "(truth * prediction).sum()")],
        {"test-precision": 0.5},
    ),
    # ROC-AUC
    Mutant(
        "auc-of-hard-labels",  # as the talk computes it
        "auc",
        [("    positive, negative", "    scores = (scores > 0).double()\n    positive, negative")],
        {"test-auc": 3.0},
    ),
    Mutant(
        "ties-count-nothing",
        "auc",
        [("higher + equal / 2", "higher")],
        {"test-auc": 1.0},
    ),
    Mutant(
        "ties-count-in-full",
        "auc",
        [("higher + equal / 2", "higher + equal")],
        {"test-auc": 1.0},
    ),
    Mutant(
        "scores-squashed-first",
        "auc",
        [
            (
                "    positive, negative",
                "    scores = torch.sigmoid(scores.float())\n    positive, negative",
            )
        ],
        {"test-auc": 0.5},
    ),
    Mutant(
        "ties-at-a-tolerance",
        "auc",
        [
            (
                "positive[:, None] > negative[None, :])",
                "positive[:, None] > negative[None, :] + 1e-6)",
            ),
            (
                "(positive[:, None] == negative[None, :])",
                "((positive[:, None] - negative[None, :]).abs() <= 1e-6)",
            ),
        ],
        {"test-auc": 0.5},
    ),
    Mutant(
        "a-pair-for-each-positive-only",
        "auc",
        [(PAIRS, "(higher + equal / 2).amax(dim=1).mean().item()")],
        {"test-auc": 3.0},
    ),
    Mutant(
        "steps-instead-of-a-line-at-ties",
        "auc",
        [
            ("    higher =", "    order = scores.argsort(descending=True)\n    higher ="),
            (
                PAIRS,
                "((1 - truth[order]) * truth[order].cumsum(0)).sum().item()"
                " / (len(positive) * len(negative))",
            ),
        ],
        {"test-auc": 1.0},
    ),
    Mutant(
        "the-classes-swapped",
        "auc",
        [("scores[truth == 1], scores[truth == 0]", "scores[truth == 0], scores[truth == 1]")],
        {"test-auc": 3.0},
        visible=True,
    ),
    # Cutting a map
    Mutant(
        "above-the-threshold-only",
        "cut",
        [("large >= threshold", "large > threshold")],
        {"test-cut": 0.25},
    ),
    Mutant(
        "faint-maps-taken-for-empty-ones",
        "cut",
        [(EMPTY, ""), (SCALED, "scaled = (map / highest.clamp_min(1e-3))[None, None]")],
        {"test-cut": 0.5},
    ),
    Mutant(
        "stretched-from-the-lowest-value",
        "cut",
        [(SCALED, "scaled = ((map - map.min()) / (highest - map.min()))[None, None]")],
        {"test-cut": 1.25},
    ),
    Mutant(
        "corners-aligned",
        "cut",
        [("align_corners=False", "align_corners=True")],
        {"test-cut": 1.25},
    ),
    Mutant(
        "cut-first-enlarged-afterwards",
        "cut",
        [
            (f"large = {LARGE}", "small = (scaled >= threshold).float()"),
            (
                "return large >= threshold",
                'return F.interpolate(small, size=size, mode="bilinear")[0, 0] >= 0.5',
            ),
        ],
        {"test-cut": 1.25},
    ),
    Mutant(
        "nearest-instead-of-bilinear",
        "cut",
        [('mode="bilinear", align_corners=False', 'mode="nearest"')],
        {"test-cut": 1.25},
    ),
    Mutant(
        "not-divided-by-the-highest",
        "cut",
        [(SCALED, "scaled = map[None, None]")],
        {"test-cut": 1.5},
    ),
    Mutant(
        "eight-bits-before-enlarging",
        "cut",
        [(SCALED, "scaled = ((map / highest * 15).round() / 15)[None, None]")],
        {"test-cut": 1.25},
    ),
    Mutant(
        "height-and-width-swapped",
        "cut",
        [("size=size", "size=size[::-1]")],
        {"test-cut": 1.5},
        visible=True,
    ),
    Mutant(
        "an-empty-map-is-all-defect",
        "cut",
        [("torch.zeros(size, dtype=torch.bool)", "torch.ones(size, dtype=torch.bool)")],
        {"test-cut": 0.5},
    ),
    Mutant(
        "zeros-that-are-no-mask",
        "cut",
        [("torch.zeros(size, dtype=torch.bool)", "torch.zeros(size)")],
        {"test-cut": 0.5},
    ),
    # Mean IoU
    Mutant(
        "good-surfaces-counted",
        "iou",
        [
            (IOU, "((mask & truth).sum().item() + 1e-9) / ((mask | truth).sum().item() + 1e-9)"),
            ("        if truth.any()\n", ""),
        ],
        {"test-iou": 0.5},
    ),
    Mutant(
        "pixels-of-all-surfaces-together",
        "iou",
        [
            (
                f"return {MEAN}",
                "pairs = [(m, t) for m, t in zip(masks, truths, strict=True) if t.any()]\n"
                "    if not pairs:\n"
                '        return float("nan")\n'
                "    total = sum((m & t).sum().item() for m, t in pairs)\n"
                "    return total / sum((m | t).sum().item() for m, t in pairs)",
            )
        ],
        {"test-iou": 2.5},
    ),
    Mutant(
        "surfaces-without-a-cut-left-out",
        "iou",
        [("if truth.any()", "if truth.any() and mask.any()")],
        {"test-iou": 1.5},
    ),
    Mutant(
        "dice-instead-of-iou",
        "iou",
        [(IOU, "2 * (mask & truth).sum().item() / (mask.sum() + truth.sum()).item()")],
        {"test-iou": 2.5},
    ),
    Mutant(
        "recall-of-pixels",
        "iou",
        [("(mask | truth).sum().item()", "truth.sum().item()")],
        {"test-iou": 2.5},
    ),
    Mutant(
        "one-size-for-all",
        "iou",
        [("    ious = [", "    torch.stack(masks)\n    ious = [")],
        {"test-iou": 0.5},
    ),
    Mutant(
        "no-defect-is-a-zero",
        "iou",
        [('float("nan")', "0.0")],
        {"test-iou": 0.5},
    ),
    Mutant(
        "pixel-accuracy",
        "iou",
        [(IOU, "(mask == truth).float().mean().item()")],
        {"test-iou": 2.5},
    ),
    Mutant(
        "or-over-and",
        "iou",
        [(IOU, "(mask | truth).sum().item() / max(1, (mask & truth).sum().item())")],
        {"test-iou": 2.5},
        visible=True,
    ),
    # Fusion
    Mutant(
        "the-first-gives-the-size",
        "fuse",
        [(SIZE, "branches[0].shape[2:]")],
        {"test-fuse": 0.5},
    ),
    Mutant(
        "nearest-enlargement",
        "fuse",
        [('mode="bilinear", align_corners=False', 'mode="nearest"')],
        {"test-fuse": 2.0},
    ),
    Mutant(
        "shrunk-to-the-smallest",
        "fuse",
        [(SIZE, SIZE.replace("max(", "min("))],
        {"test-fuse": 2.0},
    ),
    Mutant(
        "the-first-two-only",
        "fuse",
        [("torch.stack(enlarged)", "torch.stack(enlarged[:2])")],
        {"test-fuse": 2.0},
    ),
    Mutant(
        "three-branches-exactly",
        "fuse",
        [
            (
                "stack = torch.stack(enlarged)",
                "x, y, z = enlarged\n    stack = torch.stack([x, y, z])",
            )
        ],
        {"test-fuse": 2.0},
        visible=True,
    ),
    Mutant(
        "fusion-after-the-mean",
        "fuse",
        [
            (
                "torch.stack(enlarged)",
                "torch.stack([e.mean((2, 3), keepdim=True).expand_as(e) for e in enlarged])",
            )
        ],
        {"test-fuse": 2.0},
    ),
    Mutant(
        "a-mean-for-the-sum",
        "fuse",
        [("stack.sum(dim=0)", "stack.mean(dim=0)")],
        {"test-fuse": 2.0},
        visible=True,
    ),
    Mutant(
        "added-whatever-is-asked-for",
        "fuse",
        [("stack.prod(dim=0)", "stack.sum(dim=0)")],
        {"test-fuse": 2.0},
        visible=True,
    ),
    Mutant(
        "corners-of-branches-aligned",
        "fuse",
        [("align_corners=False", "align_corners=True")],
        {"test-fuse": 2.0},
    ),
    Mutant(
        "the-highest-not-the-largest",
        "fuse",
        [("key=lambda s: s[0] * s[1]", "key=lambda s: s[0]")],
        {"test-fuse": 0.5},
    ),
    Mutant(
        "the-longest-sides-not-the-largest",
        "fuse",
        [("key=lambda s: s[0] * s[1]", "key=sum")],
        {"test-fuse": 0.5},
    ),
    # Gradients of the branches
    Mutant(
        "not-divided-by-the-positions",
        "gradients",
        [("others / positions", "others")],
        {"test-gradients": 2.0},
    ),
    Mutant(
        "divided-by-the-height-twice",
        "gradients",
        [("branches[0].shape[2] * branches[0].shape[3]", "branches[0].shape[2] ** 2")],
        {"test-gradients": 2.0},
    ),
    Mutant(
        "the-product-of-all-divided-by-the-branch",
        "gradients",
        [
            (
                "                if j != i:\n                    others = others * other\n",
                "                others = others * other\n            others = others / branch\n",
            )
        ],
        {"test-gradients": 0.5},
    ),
    Mutant(
        "the-product-of-all-over-a-little-more-than-the-branch",
        "gradients",
        [
            (
                "                if j != i:\n                    others = others * other\n",
                "                others = others * other\n"
                "            others = torch.where(branch == 0, 0, others / branch)\n",
            )
        ],
        {"test-gradients": 0.5},
    ),
    Mutant(
        "the-sum-of-the-others",
        "gradients",
        [
            ("others = torch.ones_like(branch)", 'others = torch.full_like(branch, how != "mul")'),
            ("others * other", "others + other"),
        ],
        {"test-gradients": 1.5},
    ),
    Mutant(
        "the-next-branch-alone",
        "gradients",
        [("if j != i", "if j == (i + 1) % len(branches)")],
        {"test-gradients": 1.5},
    ),
    Mutant(
        "the-branch-itself",
        "gradients",
        [("if j != i", "if j == i")],
        {"test-gradients": 2.0},
        visible=True,
    ),
    Mutant(
        "adding-as-multiplying",
        "gradients",
        [('if how == "mul"', "if how")],
        {"test-gradients": 0.5},
    ),
    Mutant(
        "two-branches-only",
        "gradients",
        [("    return gradients", "    return gradients[:2]")],
        {"test-gradients": 2.0},
    ),
    # Seeds
    Mutant(
        "bright-pixels-all-alike",
        "seeds",
        [(DRAWN, "torch.randperm(len(high), generator=generator)[:n]")],
        {"test-seeds": 1.0},
    ),
    Mutant(
        "always-the-brightest",
        "seeds",
        [(DRAWN, "torch.arange(len(high)).flip(0)[:n]")],
        {"test-seeds": 1.5},
    ),
    Mutant(
        "always-the-darkest",
        "seeds",
        [("torch.randperm(len(low), generator=generator)[:n]", "torch.arange(len(low))[:n]")],
        {"test-seeds": 1.5},
    ),
    Mutant(
        "from-the-whole-map-in-proportion",
        "seeds",
        [("order[-max(1, round(top * len(values))) :]", "order")],
        {"test-seeds": 1.5},
    ),
    Mutant(
        "the-rest-is-background",
        "seeds",
        [("torch.full((len(values),), -1)", "torch.zeros(len(values), dtype=torch.long)")],
        {"test-seeds": 3.0},
        visible=True,
    ),
    Mutant(
        "pixels-of-zero-drawn",
        "seeds",
        [
            (POSITIVE, ""),
            (
                DRAWN,
                "torch.multinomial(values[high] + 1e-9, min(n, len(high)), generator=generator)",
            ),
        ],
        {"test-seeds": 0.5},
    ),
    Mutant(
        "an-empty-map-stops-it",
        "seeds",
        [(POSITIVE, "")],
        {"test-seeds": 0.5},
    ),
    Mutant(
        "more-asked-for-than-there-are",
        "seeds",
        [("min(n, len(high))", "n")],
        {"test-seeds": 0.5},
    ),
    Mutant(
        "a-share-of-no-pixel",
        "seeds",
        [("max(1, round(top * len(values)))", "round(top * len(values))")],
        {"test-seeds": 0.5},
    ),
    Mutant(
        "drawn-with-repetition",
        "seeds",
        [(DRAWN, "torch.multinomial(values[high], n, replacement=True, generator=generator)")],
        {"test-seeds": 1.0},
    ),
    Mutant(
        "one-seed-for-ever",
        "seeds",
        [("manual_seed(seed)", "manual_seed(0)")],
        {"test-seeds": 1.5},
    ),
    Mutant(
        "the-global-random-state",
        "seeds",
        [(", generator=generator", "")],
        {"test-seeds": 0.5},
    ),
    Mutant(
        "labels-swapped",
        "seeds",
        [
            ("[:n]]] = 0", "[:n]]] = 2"),
            ("seeds[high[drawn]] = 1", "seeds[high[drawn]] = 0"),
            ("= 2", "= 1"),
        ],
        {"test-seeds": 2.5},
    ),
    Mutant(
        "no-seed-is-255",
        "seeds",
        [("torch.full((len(values),), -1)", "torch.full((len(values),), 255)")],
        {"test-seeds": 3.0},
        visible=True,
    ),
    Mutant(
        "background-of-two-at-least",
        "seeds",
        [("order[: max(1, round(bottom", "order[: max(2, round(bottom")],
        {"test-seeds": 0.5},
    ),
]

ALTERNATIVES = [
    Mutant(
        "precision-by-counting-in-a-loop",
        "precision",
        [
            (
                "((truth == positive) & (prediction == positive)).sum().item()",
                "sum(t == p == positive for t, p in zip(truth.tolist(), prediction.tolist()))",
            )
        ],
    ),
    Mutant(
        "auc-from-ranks",
        "auc",
        [
            (
                f"return {PAIRS}",
                "sorted_scores = scores.double().sort().values\n"
                "    low = torch.searchsorted(sorted_scores, scores.double())\n"
                "    high = torch.searchsorted(sorted_scores, scores.double(), right=True)\n"
                "    ranks = (low + high + 1).double() / 2\n"
                "    n1, n0 = len(positive), len(negative)\n"
                "    total = ranks[truth == 1].sum().item()\n"
                "    return (total - n1 * (n1 + 1) / 2) / (n1 * n0)",
            )
        ],
    ),
    Mutant(
        "cut-at-a-share-of-the-highest",
        "cut",
        [
            (SCALED, "scaled = map[None, None]"),
            ("large >= threshold", "large / highest >= threshold"),
        ],
    ),
    Mutant(
        "iou-from-sums",
        "iou",
        [
            (
                "(mask | truth).sum().item()",
                "(mask.sum() + truth.sum() - (mask & truth).sum()).item()",
            )
        ],
    ),
    Mutant(
        "fusion-in-a-loop",
        "fuse",
        [
            (
                "    stack = torch.stack(enlarged)\n"
                '    return stack.sum(dim=0) if how == "add" else stack.prod(dim=0)',
                "    total = enlarged[0]\n"
                "    for other in enlarged[1:]:\n"
                '        total = total + other if how == "add" else total * other\n'
                "    return total",
            )
        ],
    ),
    Mutant(
        "gradients-from-slices",
        "gradients",
        [
            (
                OTHERS,
                "        rest = branches[:i] + branches[i + 1 :]\n"
                "        others = torch.ones_like(branch)\n"
                '        if how == "mul":\n'
                "            others = torch.stack(rest).prod(dim=0)\n",
            )
        ],
    ),
    Mutant(
        "seeds-by-gumbel-noise",
        "seeds",
        [
            (
                DRAWN,
                "(values[high].double().log() - "
                "(-torch.rand(len(high), generator=generator).double().log()).log())"
                ".topk(min(n, len(high))).indices",
            )
        ],
    ),
]

# Hidden checks that no mutant fails, and why they stand: test cell, and a part of the check.
UNTRIED = {
    (
        "test-auc",
        "'the test cannot tell them apart'",
    ): "about the numbers that were drawn, not about the answer",
    (
        "test-iou",
        "'the test cannot tell them apart'",
    ): "about the numbers that were drawn, not about the answer",
    (
        "test-gradients",
        "'no zeros were drawn'",
    ): "about the numbers that were drawn, not about the answer",
    (
        "test-cut",
        "'the mask of an empty map', empty",
    ): "keeps the next lines from counting in no pixels at all",
    (
        "test-cut",
        "'the mask of a faint map'",
    ): "keeps the next line from comparing arrays that broadcast",
    (
        "test-seeds",
        "'the counts', seen['defect']",
    ): "keeps the next lines from comparing arrays that broadcast",
}

SAMPLE_CLASS = SampleClass(
    half_done=["precision", "auc", "cut"],
    mistakes=["auc-of-hard-labels", "the-first-gives-the-size"],
)
