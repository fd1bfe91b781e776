"""Plausible wrong solutions of lab 6 with the marks each must lose, and other right ones."""

from labkit.grading.mutants import Mutant, SampleClass

FREEZE = "    for parameter in features.parameters():\n        parameter.requires_grad_(False)\n"
LAST = "[layer for layer in features if isinstance(layer, nn.Conv2d)][-1].out_channels"
HEAD = "nn.Sequential(nn.Conv2d(channels, n_classes, 1), nn.ReLU())"
POOL = "maps.mean(dim=(2, 3))"
AFFINE = (
    "    moved = TF.affine(\n"
    "        image, angle, [right, down], 1.0, [0.0], "
    "interpolation=TF.InterpolationMode.BILINEAR\n"
    "    )\n"
)
HIGHEST = "raised.amax(dim=(1, 2), keepdim=True)"
DIVIDED = "raised / torch.where(highest > 0, highest, 1)"
BETTER = "(scores > own).sum(dim=1)"
HITS = (
    "    own = scores.gather(1, labels.unsqueeze(1))\n"
    "    better = (scores > own).sum(dim=1)  # classes that come before the right one\n"
    "    return {k: int((better < k).sum()) for k in ks}"
)
SHARE = "sum(hits[k] for hits, _ in batches) / n"
WEIGHTED = "maps * to_weights(cam).unsqueeze(1)"
CAM_BEST = 'torch.einsum("bkhw,bk->bhw", maps, weights[best])'
CAM_TRUE = 'torch.einsum("bkhw,bk->bhw", maps, weights[labels])'
BCE = "F.binary_cross_entropy_with_logits(scores, truth)"
CE = "F.cross_entropy(rescores, labels)"
RECAM_MAP = 'torch.einsum("bkhw,bk->bhw", maps, (weights * reweights)[classes])'

MUTANTS = [
    # The network
    Mutant(
        "last-pooling-kept",  # as the report has it
        "net",
        [("vgg.features[:-1]", "vgg.features")],
        {"test-net": 0.5},
    ),
    Mutant(
        "last-convolution-cut-off-too",
        "net",
        [("vgg.features[:-1]", "vgg.features[:-2]")],
        {"test-net": 0.5},
    ),
    Mutant("nothing-frozen", "net", [(FREEZE, "")], {"test-net": 0.5}),
    Mutant(
        "only-the-last-convolution-frozen",
        "net",
        [("features.parameters()", "features[-2].parameters()")],
        {"test-net": 0.5},
    ),
    Mutant(
        "maps-without-relu",
        "net",
        [(HEAD, "nn.Sequential(nn.Conv2d(channels, n_classes, 1))")],
        {"test-net": 0.5},
    ),
    Mutant(
        "softmax-in-the-classifier",
        "net",
        [
            (
                "nn.Linear(n_classes, n_classes, bias=False)",
                "nn.Sequential(nn.Linear(n_classes, n_classes, bias=False), nn.Softmax(1))",
            )
        ],
        {"test-net": 0.5},
    ),
    Mutant(
        "always-seventeen-maps",
        "net",
        [
            ("nn.Conv2d(channels, n_classes, 1)", "nn.Conv2d(channels, 17, 1)"),
            ("nn.Linear(n_classes, n_classes", "nn.Linear(17, n_classes"),
        ],
        {"test-net": 1.0},
    ),
    Mutant("always-512-channels", "net", [(LAST, "512")], {"test-net": 0.5}),
    Mutant(
        "classifier-with-bias",
        "net",
        [("nn.Linear(n_classes, n_classes, bias=False)", "nn.Linear(n_classes, n_classes)")],
        {"test-net": 1.5},
        visible=True,
    ),
    # Forward path
    Mutant(
        "largest-value-instead-of-mean",  # document 000's
        "forward",
        [(POOL, "maps.amax(dim=(2, 3))")],
        {"test-forward": 1.0},
    ),
    Mutant(
        "sum-instead-of-mean",
        "forward",
        [(POOL, "maps.sum(dim=(2, 3))")],
        {"test-forward": 1.0},
    ),
    Mutant(
        "batch-of-one-squeezed",
        "forward",
        [(POOL, "F.adaptive_avg_pool2d(maps, 1).squeeze()")],
        {"test-forward": 0.25},
    ),
    Mutant(
        "probabilities-instead-of-scores",
        "forward",
        [('net["classifier"](pooled), maps', 'net["classifier"](pooled).softmax(1), maps')],
        {"test-forward": 1.0},
    ),
    Mutant(
        "features-instead-of-maps",
        "forward",
        [
            (
                'return net["classifier"](pooled), maps, pooled',
                'return net["classifier"](pooled), net["features"](images), pooled',
            )
        ],
        {"test-forward": 1.0},
        visible=True,
    ),
    # Saved state
    Mutant(
        "references-instead-of-copies",
        "saved",
        [("parameter.detach().clone()", "parameter.detach()")],
        {"test-saved": 0.25},
    ),
    Mutant(
        "frozen-by-name",  # as the report's code does it
        "saved",
        [("if parameter.requires_grad", 'if not name.startswith(("features.", "body."))')],
        {"test-saved": 0.5},
    ),
    Mutant(
        "copies-that-ask-for-gradients",
        "saved",
        [("parameter.detach().clone()", "parameter.detach().clone().requires_grad_()")],
        {"test-saved": 0.25},
    ),
    Mutant(
        "the-whole-network-saved",
        "saved",
        [("        if parameter.requires_grad\n", "")],
        {"test-saved": 0.5},
        visible=True,
    ),
    # Making an augmentation
    Mutant(
        "turned-one-way-only",
        "draw",
        [("20 * (2 * turn - 1)", "abs(20 * (2 * turn - 1))")],
        {"test-draw": 0.25},
    ),
    Mutant(
        "forty-degrees-either-way",
        "draw",
        [("20 * (2 * turn - 1)", "40 * (2 * turn - 1)")],
        {"test-draw": 0.25},
    ),
    Mutant(
        "down-by-the-width",
        "draw",
        [("0.2 * height", "0.2 * width")],
        {"test-draw": 0.25},
    ),
    Mutant(
        "sides-swapped",
        "draw",
        [("0.2 * width", "0.2 * HEIGHT"), ("0.2 * height", "0.2 * width"), ("HEIGHT", "height")],
        {"test-draw": 0.5},
    ),
    Mutant(
        "shift-of-a-tenth",  # 20 % in all, instead of to either side
        "draw",
        [("0.2 * width", "0.1 * width"), ("0.2 * height", "0.1 * height")],
        {"test-draw": 0.5},
    ),
    Mutant(
        "one-number-for-both-shifts",
        "draw",
        [("(2 * along - 1)", "(2 * across - 1)")],
        {"test-draw": 0.25},
    ),
    Mutant(
        "shifts-cut-instead-of-rounded",
        "draw",
        [("round(0.2 * width", "int(0.2 * width"), ("round(0.2 * height", "int(0.2 * height")],
        {"test-draw": 0.5},
    ),
    Mutant(
        "mirrored-when-turned-left",
        "draw",
        [("mirror < 0.5", "turn < 0.5")],
        {"test-draw": 0.25},
    ),
    Mutant(
        "chance-of-its-own",
        "draw",
        [("chance.tolist()", "torch.rand(4).tolist()")],
        {"test-draw": 1.0},
        visible=True,
    ),
    Mutant(
        "one-half-is-mirrored",
        "draw",
        [("mirror < 0.5", "mirror <= 0.5")],
        {"test-draw": 0.25},
    ),
    # Applying it
    Mutant(
        "turned-the-other-way",
        "augment",
        [("image, angle, [", "image, -angle, [")],
        {"test-augment": 0.75},
    ),
    Mutant(
        "right-and-down-swapped",
        "augment",
        [("[right, down]", "[down, right]")],
        {"test-augment": 0.75},
    ),
    Mutant(
        "nearest-instead-of-bilinear",
        "augment",
        [(", interpolation=TF.InterpolationMode.BILINEAR", "")],
        {"test-augment": 0.75},
    ),
    Mutant(
        "shifted-before-the-turn",
        "augment",
        [
            (
                AFFINE,
                "    bilinear = TF.InterpolationMode.BILINEAR\n"
                "    moved = TF.affine(image, 0.0, [right, down], 1.0, [0.0])\n"
                "    moved = TF.affine(moved, angle, [0, 0], 1.0, [0.0], interpolation=bilinear)\n",
            )
        ],
        {"test-augment": 0.5},
    ),
    Mutant(
        "mirrored-before-the-turn",
        "augment",
        [
            (AFFINE, "    image = TF.hflip(image) if mirror else image\n" + AFFINE),
            ("return TF.hflip(moved) if mirror else moved", "return moved"),
        ],
        {"test-augment": 0.5},
    ),
    Mutant(
        "wrapped-around",
        "augment",
        [
            (
                AFFINE,
                "    bilinear = TF.InterpolationMode.BILINEAR\n"
                "    moved = TF.affine(image, angle, [0, 0], 1.0, [0.0], interpolation=bilinear)\n"
                "    moved = moved.roll((down, right), (1, 2))\n",
            )
        ],
        {"test-augment": 0.75},
    ),
    Mutant(
        "mirror-upside-down",
        "augment",
        [("TF.hflip", "TF.vflip")],
        {"test-augment": 1.0},
        visible=True,
    ),
    # Normalisations
    Mutant(
        "one-scale-for-the-batch",
        "normalize",
        [
            ("maps.amin(dim=(1, 2), keepdim=True)", "maps.min()"),
            (HIGHEST, "raised.max()"),
        ],
        {"test-normalize": 2.5},
    ),
    Mutant(
        "nan-for-a-constant-map",  # the report's and document 000's
        "normalize",
        [(DIVIDED, "raised / highest")],
        {"test-normalize": 0.75},
    ),
    Mutant(
        "small-number-in-every-divisor",
        "normalize",
        [(DIVIDED, "raised / (highest + 1e-5)")],
        {"test-normalize": 1.75},
    ),
    Mutant(
        "ones-for-a-constant-map",
        "normalize",
        [(DIVIDED, "torch.where(highest > 0, raised / highest, 1.0)")],
        {"test-normalize": 0.75},
    ),
    Mutant(
        "divided-by-the-old-highest",
        "normalize",
        [(HIGHEST, "maps.amax(dim=(1, 2), keepdim=True)")],
        {"test-normalize": 3.0},
        visible=True,
    ),
    Mutant(
        "relu-by-absolute-values",
        "normalize",
        [
            (
                "(maps - lowest).clamp_min(0)",
                "(maps - lowest).clamp_min(0)\n    "
                'raised = maps.clamp_min(0) if how == "relu" else raised',
            ),
            (HIGHEST, "(raised if how == 'minmax' else maps.abs()).amax(dim=(1, 2), keepdim=True)"),
        ],
        {"test-normalize": 0.75},
    ),
    Mutant(
        "sigmoid-of-the-divided-map",
        "normalize",
        [
            (
                "return torch.sigmoid(maps)",
                "return torch.sigmoid(maps / maps.abs().amax(dim=(1, 2), keepdim=True))",
            )
        ],
        {"test-normalize": 0.5},
    ),
    Mutant(
        "sigmoid-stretched-to-one",
        "normalize",
        [
            (
                "return torch.sigmoid(maps)",
                'return normalize(torch.sigmoid(maps), "minmax")',
            )
        ],
        {"test-normalize": 3.0},
        visible=True,
    ),
    # Post-processing
    Mutant(
        "maps-changed-in-place",  # the report's
        "emphasize",
        [
            (
                "return torch.where(maps < 0.3, 0.0, 1.5 * maps).clamp(max=1)",
                "maps[maps < 0.3] = 0\n    return (1.5 * maps).clamp(max=1)",
            )
        ],
        {"test-emphasize": 0.25},
    ),
    Mutant(
        "cut-after-the-multiplication",
        "emphasize",
        [("torch.where(maps < 0.3, ", "torch.where(1.5 * maps < 0.3, ")],
        {"test-emphasize": 1.0},
        visible=True,
    ),
    Mutant(
        "lower-end-moved-to-zero",
        "emphasize",
        [("torch.where(maps < 0.3, 0.0, 1.5 * maps)", "(1.5 * (maps - 0.3).clamp_min(0))")],
        {"test-emphasize": 1.0},
        visible=True,
    ),
    Mutant(
        "never-cut-at-one",
        "emphasize",
        [(".clamp(max=1)", "")],
        {"test-emphasize": 1.0},
        visible=True,
    ),
    Mutant(
        "three-tenths-become-zero",
        "emphasize",
        [("maps < 0.3", "maps <= 0.3")],
        {"test-emphasize": 0.75},
    ),
    # Counting
    Mutant(
        "one-place-too-generous",
        "hits",
        [("better < k", "better <= k")],
        {"test-hits": 2.0},
        visible=True,
    ),
    Mutant(
        "only-the-first-and-the-kth",
        "hits",
        [("(better < k)", "((better == 0) | (better == k - 1))")],
        {"test-hits": 2.0},
        visible=True,
    ),
    Mutant(
        "always-one-three-and-five",
        "hits",
        [
            ("for k in ks}", "for k in (*ks, 1, 3, 5)}"),
        ],
        {"test-hits": 1.25},
    ),
    Mutant(
        "batch-of-one-squeezed-away",
        "hits",
        [
            (
                HITS,
                "    order = scores.squeeze().argsort(dim=1, descending=True)\n"
                "    places = (order == labels.unsqueeze(1)).int().argmax(dim=-1)\n"
                "    return {k: int((places < k).sum()) for k in ks}",
            )
        ],
        {"test-hits": 0.5},
    ),
    Mutant(
        "labels-of-other-pictures-count-too",
        "hits",
        [
            (
                HITS,
                "    return {k: sum(int(label in scores.topk(k).indices) for label in "
                "labels.tolist()) for k in ks}",
            )
        ],
        {"test-hits": 2.0},
    ),
    Mutant(
        "shares-instead-of-counts",
        "hits",
        [("int((better < k).sum())", "float((better < k).float().mean())")],
        {"test-hits": 2.0},
        visible=True,
    ),
    # Putting batches together
    Mutant(
        "shares-cut-to-whole-numbers",  # as the report prints it
        "combine",
        [(SHARE, "sum(int(hits[k] / size) * size for hits, size in batches) / n")],
        {"test-combine": 1.0},
    ),
    Mutant(
        "mean-of-the-shares",
        "combine",
        [(SHARE, "sum(hits[k] / size for hits, size in batches) / len(batches)")],
        {"test-combine": 0.5},
    ),
    Mutant(
        "every-batch-as-large-as-the-first",
        "combine",
        [("sum(size for _, size in batches)", "batches[0][1] * len(batches)")],
        {"test-combine": 0.5},
    ),
    Mutant(
        "last-batch-dropped",
        "combine",
        [("    n = sum", "    batches = batches[: max(2, len(batches) - 1)]\n    n = sum")],
        {"test-combine": 1.0},
    ),
    Mutant(
        "top-1-for-every-k",
        "combine",
        [
            (
                "sum(hits[k] for hits, _ in batches) / n",
                "sum(next(iter(hits.values())) for hits, _ in batches) / n",
            )
        ],
        {"test-combine": 1.0},
        visible=True,
    ),
    # The report's ReCAM
    Mutant(
        "best-class-of-the-first-picture",
        "naive",
        [(".argmax(dim=1)", ".argmax(dim=1)[0].repeat(len(maps))")],
        {"test-naive": 1.25},
    ),
    Mutant(
        "best-class-of-the-whole-batch",
        "naive",
        [
            (
                "(maps.mean(dim=(2, 3)) @ weights.T).argmax(dim=1)",
                "(maps.mean(dim=(0, 2, 3)) @ weights.T).argmax().repeat(len(maps))",
            )
        ],
        {"test-naive": 1.25},
    ),
    Mutant(
        "scores-of-the-first-look",
        "naive",
        [("return weighted.mean(dim=(2, 3))", "return maps.mean(dim=(2, 3))")],
        {"test-naive": 1.0},
    ),
    Mutant(
        "map-not-normalised",
        "naive",
        [(WEIGHTED, "maps * cam.unsqueeze(1)")],
        {"test-naive": 1.5},
    ),
    Mutant(
        "map-cut-before-its-normalisation",
        "naive",
        [("to_weights(cam)", "to_weights(F.relu(cam))")],
        {"test-naive": 1.5},
    ),
    Mutant(
        "unweighted-maps-returned",
        "naive",
        [("@ weights.T, weighted", "@ weights.T, maps")],
        {"test-naive": 0.5},
    ),
    Mutant(
        "worst-class",
        "naive",
        [(".argmax(dim=1)", ".argmin(dim=1)")],
        {"test-naive": 1.5},
    ),
    Mutant(
        "weighted-mean-instead-of-mean",
        "naive",
        [
            (
                "return weighted.mean(dim=(2, 3)) @",
                "share = to_weights(cam).mean(dim=(1, 2)).unsqueeze(1)\n"
                "    return (weighted.mean(dim=(2, 3)) / share) @",
            )
        ],
        {"test-naive": 1.0},
    ),
    # The paper's ReCAM
    Mutant(
        "same-classifier-twice",
        "recam",
        [("@ reweights.T", "@ weights.T")],
        {"test-recam-scores": 1.0},
    ),
    Mutant(
        "map-of-the-likeliest-class",
        "recam",
        [("weights[labels]", "weights[scores.argmax(dim=1)]")],
        {"test-recam-scores": 1.0},
    ),
    Mutant(
        "map-of-the-second-classifier",
        "recam",
        [("maps, weights[labels]", "maps, reweights[labels]")],
        {"test-recam-scores": 1.0},
    ),
    Mutant(
        "nothing-weighted",
        "recam",
        [(WEIGHTED, "maps")],
        {"test-recam-scores": 1.0},
    ),
    Mutant(
        "first-scores-of-the-weighted-maps",
        "recam",
        [("return scores, ", "return weighted.mean(dim=(2, 3)) @ weights.T, ")],
        {"test-recam-scores": 0.5},
    ),
    # Loss
    Mutant(
        "bce-summed-over-classes",
        "loss",
        [(BCE, f"{BCE} * scores.shape[1]")],
        {"test-recam-loss": 1.0},
        visible=True,
    ),
    Mutant(
        "sigmoid-taken-twice",
        "loss",
        [(BCE, "F.binary_cross_entropy_with_logits(scores.sigmoid() - 0.5, truth)")],
        {"test-recam-loss": 0.75},
    ),
    Mutant(
        "only-the-right-class-asked",
        "loss",
        [(BCE, "-F.logsigmoid(scores.gather(1, labels.unsqueeze(1))).mean()")],
        {"test-recam-loss": 0.75},
    ),
    Mutant(
        "losses-swapped",
        "loss",
        [
            (BCE, "F.binary_cross_entropy_with_logits(rescores, truth)"),
            (CE, "F.cross_entropy(scores, labels)"),
        ],
        {"test-recam-loss": 1.0},
    ),
    Mutant(
        "softmax-taken-twice",
        "loss",
        [(CE, "F.cross_entropy(rescores.softmax(dim=1), labels)")],
        {"test-recam-loss": 0.5},
    ),
    Mutant(
        "mean-of-both-losses",
        "loss",
        [("return bce + ce,", "return (bce + ce) / 2,")],
        {"test-recam-loss": 0.25},
    ),
    # Re-activated map
    Mutant(
        "first-classifier-alone",
        "recam-map",
        [("(weights * reweights)", "weights")],
        {"test-recam-map": 1.0},
    ),
    Mutant(
        "second-classifier-alone",
        "recam-map",
        [("(weights * reweights)", "reweights")],
        {"test-recam-map": 1.0},
    ),
    Mutant(
        "weights-added",
        "recam-map",
        [("(weights * reweights)", "(weights + reweights)")],
        {"test-recam-map": 1.0},
        visible=True,
    ),
    Mutant(
        "negative-values-cut",
        "recam-map",
        [(RECAM_MAP, f"F.relu({RECAM_MAP})")],
        {"test-recam-map": 1.0},
    ),
    Mutant(
        "class-of-the-first-picture",
        "recam-map",
        [("[classes]", "[classes[0].repeat(len(maps))]")],
        {"test-recam-map": 0.75},
    ),
    Mutant(
        "maps-multiplied-after-the-sum",
        "recam-map",
        [
            (
                RECAM_MAP,
                'torch.einsum("bkhw,bk->bhw", maps, weights[classes]) * '
                'torch.einsum("bkhw,bk->bhw", maps, reweights[classes])',
            )
        ],
        {"test-recam-map": 1.0},
        visible=True,
    ),
]

ALTERNATIVES = [
    Mutant(
        "frozen-at-once",
        "net",
        [(FREEZE, "    features.requires_grad_(False)\n")],
    ),
    Mutant(
        "head-by-hand",
        "net",
        [
            ("vgg.features[:-1]", "nn.Sequential(*list(vgg.features)[:-1])"),
            (LAST, "next(p for p in reversed(list(features.parameters()))).numel()"),
        ],
    ),
    Mutant(
        "pooled-by-a-layer",
        "forward",
        [(POOL, "nn.AdaptiveAvgPool2d(1)(maps).flatten(1)")],
    ),
    Mutant(
        "state-dict-filtered",
        "saved",
        [
            (
                "    return {\n"
                "        name: parameter.detach().clone()\n"
                "        for name, parameter in net.named_parameters()\n"
                "        if parameter.requires_grad\n"
                "    }",
                "    learns = {n for n, p in net.named_parameters() if p.requires_grad}\n"
                "    return {n: v.clone() for n, v in net.state_dict().items() if n in learns}",
            )
        ],
    ),
    Mutant(
        "rounded-by-torch",
        "draw",
        [
            (
                "round(0.2 * width * (2 * across - 1)), round(0.2 * height * (2 * along - 1))",
                "(int(v.round()) for v in 0.4 * torch.tensor([width, height]) "
                "* (chance[1:3] - 0.5))",
            )
        ],
    ),
    Mutant(
        "augmented-by-grid-sample",
        "augment",
        [
            (
                AFFINE,
                "    h, w = image.shape[1:]\n"
                "    turn = torch.deg2rad(torch.tensor(float(angle)))\n"
                "    cos, sin = turn.cos(), turn.sin()\n"
                "    y, x = torch.meshgrid(torch.arange(h) * 1.0, torch.arange(w) * 1.0, "
                "indexing='ij')\n"
                "    x, y = x - (w - 1) / 2 - right, y - (h - 1) / 2 - down\n"
                "    u, v = (cos * x + sin * y) * 2 / w, (cos * y - sin * x) * 2 / h\n"
                "    grid = torch.stack([u, v], -1)[None]\n"
                "    moved = F.grid_sample(image[None], grid, align_corners=False)[0]\n",
            )
        ],
    ),
    Mutant(
        "map-by-map",
        "normalize",
        [
            (
                "    lowest = maps",
                "    made = []\n"
                "    for m in maps:\n"
                '        m = m - m.min() if how == "minmax" else F.relu(m)\n'
                "        made.append(m / m.max() if m.max() > 0 else torch.zeros_like(m))\n"
                "    return torch.stack(made)\n"
                "    lowest = maps",
            )
        ],
    ),
    Mutant(
        "stark-by-a-mask",
        "emphasize",
        [
            (
                "torch.where(maps < 0.3, 0.0, 1.5 * maps).clamp(max=1)",
                "((maps >= 0.3) * maps * 1.5).clamp(0, 1)",
            )
        ],
    ),
    Mutant(
        "hits-by-topk",
        "hits",
        [
            (
                HITS,
                "    best = scores.topk(max(ks), dim=1).indices\n"
                "    return {k: (best[:, :k] == labels[:, None]).sum().item() for k in ks}",
            )
        ],
    ),
    Mutant(
        "shares-weighted-by-size",
        "combine",
        [(SHARE, "sum(hits[k] / size * (size / n) for hits, size in batches)")],
    ),
    Mutant(
        "naive-with-a-detached-map",  # the weights are taken as given: other gradients, same values
        "naive",
        [("to_weights(cam)", "to_weights(cam).detach()")],
    ),
    Mutant(
        "naive-by-all-maps",
        "naive",
        [
            (
                CAM_BEST,
                'torch.einsum("bkhw,nk->bnhw", maps, weights)[torch.arange(len(maps)), best]',
            )
        ],
    ),
    Mutant(
        "recam-with-a-detached-map",
        "recam",
        [("to_weights(cam)", "to_weights(cam).detach()")],
    ),
    Mutant(
        "loss-by-multilabel-soft-margin",
        "loss",
        [(BCE, "F.multilabel_soft_margin_loss(scores, truth)")],
    ),
    Mutant(
        "map-by-a-convolution",
        "recam-map",
        [
            (
                RECAM_MAP,
                "F.conv2d(maps, (weights * reweights)[:, :, None, None])"
                "[torch.arange(len(maps)), classes]",
            )
        ],
    ),
]

SAMPLE_CLASS = SampleClass(
    half_done=["net", "forward", "saved", "normalize", "emphasize", "hits"],
    mistakes=["shares-cut-to-whole-numbers", "same-classifier-twice"],
)
