"""Plausible wrong solutions of lab 3 with the marks each must lose, and other right ones."""

from labkit.grading.mutants import Mutant, SampleClass

PAIRS = "n_classes * truth[counted].long() + prediction[counted].long()"
CROP32 = "up[:, :, 19 : 19 + height, 19 : 19 + width]"
RAISE = (
    "    if up.shape[2] < 19 + height or up.shape[3] < 19 + width:\n"
    '        raise ValueError(f"{height}x{width} pixels: the scores end before the image does")\n'
)
POOL4 = "crop(net.score_pool4(pools[4]), 5, up)"
POOL3 = "crop(net.score_pool3(pools[3]), 9, up)"
FC6 = "net.drop6(F.relu(net.fc6(maps)))"
FC7 = "net.drop7(F.relu(net.fc7(maps)))"
GRADIENTS = (
    "    gradients = torch.autograd.grad(loss, parameters)\n"
    "    return {name: g.norm().item() for name, g in zip(names, gradients, strict=True)}"
)
COPY_WEIGHT = "layer.weight.copy_(source.weight.reshape(layer.weight.shape))"
CENTRED = "[:, :, (S[2] - h) // 2 : (S[2] - h) // 2 + h, (S[3] - w) // 2 : (S[3] - w) // 2 + w]"

MUTANTS = [
    # Confusion matrix
    Mutant(
        "rows-and-columns-swapped",
        "confusion",
        [(PAIRS, "n_classes * prediction[counted].long() + truth[counted].long()")],
        {"test-confusion": 2.0},
    ),
    Mutant(
        "ignored-labels-counted-as-the-nearest-class",
        "confusion",
        [
            ("(truth >= 0) & (truth < n_classes)", "torch.ones_like(truth, dtype=torch.bool)"),
            ("truth[counted].long()", "truth[counted].long().clamp(0, n_classes - 1)"),
        ],
        {"test-confusion": 2.0},
    ),
    Mutant(
        "only-negative-labels-ignored",
        "confusion",
        [("(truth >= 0) & (truth < n_classes)", "truth >= 0")],
        {"test-confusion": 2.0},
    ),
    Mutant(
        "eight-bits-overflow",
        "confusion",
        [(".long()", "")],
        {"test-confusion": 1.0},
    ),
    Mutant(
        "each-pair-counted-once",
        "confusion",
        [
            (
                "    return torch.bincount(pairs, minlength=n_classes**2)"
                ".reshape(n_classes, n_classes)",
                "    counts = torch.zeros(n_classes**2, dtype=torch.long)\n"
                "    counts[pairs] += 1\n"
                "    return counts.reshape(n_classes, n_classes)",
            )
        ],
        {"test-confusion": 5.0},
        visible=True,
    ),
    # Mean IoU
    Mutant(
        "mean-over-absent-classes",
        "mean-iou",
        [
            (
                "(hits[occurs] / union[occurs]).mean().item()",
                "(hits / union.clamp_min(1)).mean().item()",
            )
        ],
        {"test-mean-iou": 2.0},
    ),
    Mutant(
        "absent-classes-count-as-right",
        "mean-iou",
        [
            (
                "(hits[occurs] / union[occurs]).mean().item()",
                "(hits / union).nan_to_num(1.0).mean().item()",
            )
        ],
        {"test-mean-iou": 2.0},
    ),
    Mutant(
        "only-true-classes-counted",
        "mean-iou",
        [("occurs = union > 0", "occurs = cm.sum(dim=1) > 0")],
        {"test-mean-iou": 1.0},
    ),
    Mutant(
        "recall-instead-of-iou",
        "mean-iou",
        [("cm.sum(dim=0) + cm.sum(dim=1) - hits", "cm.sum(dim=1)")],
        {"test-mean-iou": 5.0},
    ),
    Mutant(
        "one-iou-of-all-classes-together",
        "mean-iou",
        [
            (
                "(hits[occurs] / union[occurs]).mean().item()",
                "(hits.sum() / union.sum()).item()",
            )
        ],
        {"test-mean-iou": 5.0},
    ),
    Mutant(
        "intersection-counted-twice",
        "mean-iou",
        [(" - hits", "")],
        {"test-mean-iou": 5.0},
        visible=True,
    ),
    Mutant(
        "mean-iou-left-a-tensor",
        "mean-iou",
        [(".mean().item()", ".mean()")],
        {"test-mean-iou": 5.0},
        visible=True,
    ),
    # Layers of FCN-32s
    Mutant(
        "padding-150",  # as the published solution has it
        "layers32",
        [("before, padding = 3, 100", "before, padding = 3, 150")],
        {"test-layers32": 1.0, "test-layers8": 2.0},
    ),
    Mutant(
        "pooling-rounds-up",
        "layers32",
        [("nn.MaxPool2d(2, stride=2)", "nn.MaxPool2d(2, stride=2, ceil_mode=True)")],
        {"test-layers32": 1.0, "test-layers8": 2.0},
    ),
    Mutant(
        "dropout-of-single-values",
        "layers32",
        [("nn.Dropout2d(0.5)", "nn.Dropout(0.5)")],
        {"test-layers32": 1.0},
    ),
    Mutant(
        "dropout-of-a-tenth",
        "layers32",
        [("nn.Dropout2d(0.5)", "nn.Dropout2d(0.1)")],
        {"test-layers32": 1.0},
    ),
    Mutant(
        "convolutions-without-padding",
        "layers32",
        [("before, padding = after, 1", "before, padding = after, 0")],
        {"test-layers32": 3.0, "test-layers8": 2.0},
    ),
    Mutant(
        "fc6-padded",
        "layers32",
        [("nn.Conv2d(before, hidden, 7)", "nn.Conv2d(before, hidden, 7, padding=3)")],
        {"test-layers32": 1.0, "test-layers8": 2.0},
    ),
    Mutant(
        "upscore-in-steps-of-16",
        "layers32",
        [("64, stride=32", "64, stride=16")],
        {"test-layers32": 1.0},
    ),
    Mutant(
        "width-forgotten-in-fc6",
        "layers32",
        [("hidden = channels(4096, width)", "hidden = 4096")],
        {"test-layers32": 6.0, "test-layers8": 10.0},
        visible=True,
    ),
    Mutant(
        "upscore-with-bias",
        "layers32",
        [("stride=32, bias=False", "stride=32")],
        {"test-layers32": 6.0},
        visible=True,
    ),
    # Bilinear kernel
    Mutant(
        "kernel-sums-to-one",
        "bilinear",
        [("torch.outer(line, line)", "torch.outer(line / line.sum(), line / line.sum())")],
        {"test-bilinear": 2.0},
    ),
    Mutant(
        "odd-sizes-with-half-a-stride",
        "bilinear",
        [("(size + 1) // 2", "size / 2")],
        {"test-bilinear": 1.0},
    ),
    Mutant(
        "nearest-instead-of-bilinear",
        "bilinear",
        [("torch.outer(line, line)", "torch.ones(size, size)")],
        {"test-bilinear": 2.0},
    ),
    Mutant(
        "centre-rounded-down",
        "bilinear",
        [("(size - 1) / 2", "(size - 1) // 2")],
        {"test-bilinear": 2.0},
        visible=True,
    ),
    # Forward pass of FCN-32s
    Mutant(
        "crop-one-too-early",
        "forward32",
        [(CROP32, "up[:, :, 18 : 18 + height, 18 : 18 + width]")],
        {"test-forward32": 3.0},
    ),
    Mutant(
        "crop-from-the-middle",
        "forward32",
        [(f"return {CROP32}", f"S, h, w = up.shape, height, width\n    return up{CENTRED}")],
        {"test-forward32": 3.0},
    ),
    Mutant(
        "a-smaller-map-returned",
        "forward32",
        [(RAISE, "")],
        {"test-forward32": 2.0},
    ),
    Mutant(
        "only-the-height-looked-at",
        "forward32",
        [(" or up.shape[3] < 19 + width", "")],
        {"test-forward32": 2.0},
    ),
    Mutant(
        "refuses-what-just-fits",
        "forward32",
        [("up.shape[2] < 19 + height", "up.shape[2] <= 19 + height")],
        {"test-forward32": 2.0},
    ),
    Mutant(
        "interpolated-instead-of-cropped",
        "forward32",
        [
            (RAISE, ""),
            (CROP32, 'F.interpolate(up, size=(height, width), mode="bilinear")'),
        ],
        {"test-forward32": 5.0},
    ),
    Mutant(
        "softmax-in-forward",
        "forward32",
        [(CROP32, f"{CROP32}.softmax(dim=1)")],
        {"test-forward32": 3.0},
    ),
    Mutant(
        "relu-after-the-scores",
        "forward32",
        [("net.score(maps)", "F.relu(net.score(maps))")],
        {"test-forward32": 3.0},
    ),
    Mutant(
        "missing-dropout",
        "forward32",
        [(FC6, "F.relu(net.fc6(maps))"), (FC7, "F.relu(net.fc7(maps))")],
        {"test-forward32": 1.0},
    ),
    Mutant(
        "no-relu-after-fc7",
        "forward32",
        [(FC7, "net.drop7(net.fc7(maps))")],
        {"test-forward32": 4.0},
    ),
    Mutant(
        "not-cropped",
        "forward32",
        [(CROP32, "up")],
        {"test-forward32": 6.0},
        visible=True,
    ),
    Mutant(
        "width-falls-short-by-one",
        "forward32",
        [("19 + width:", "18 + width:")],
        {"test-forward32": 2.0},
    ),
    # Gradient norms
    Mutant(
        "loss-summed",
        "gradients",
        [("ignore_index=-1", 'ignore_index=-1, reduction="sum"')],
        {"test-gradients": 2.5},
    ),
    Mutant(
        "pixels-without-a-label-refused",
        "gradients",
        [(", ignore_index=-1", "")],
        {"test-gradients": 1.0},
    ),
    Mutant(
        "pixels-without-a-label-are-background",
        "gradients",
        [("labels, ignore_index=-1", "labels.clamp_min(0)")],
        {"test-gradients": 1.0},
    ),
    Mutant(
        "gradients-left-behind",
        "gradients",
        [
            (
                GRADIENTS,
                "    loss.backward()\n"
                "    return {n: p.grad.norm().item() for n, p in zip(names, parameters)}",
            )
        ],
        {"test-gradients": 0.5},
    ),
    Mutant(
        "left-in-training-mode",
        "gradients",
        [(GRADIENTS, GRADIENTS.replace("    return", "    net.train()\n    return"))],
        {"test-gradients": 0.5},
    ),
    Mutant(
        "squared-norms",
        "gradients",
        [("g.norm().item()", "g.square().sum().item()")],
        {"test-gradients": 2.5},
    ),
    Mutant(
        "norms-left-tensors",
        "gradients",
        [("g.norm().item()", "g.norm()")],
        {"test-gradients": 3.0},
        visible=True,
    ),
    Mutant(
        "a-step-is-taken",
        "gradients",
        [
            (
                "    return {name",
                "    for p, g in zip(parameters, gradients, strict=True):\n"
                "        p.data -= 0.1 * g\n"
                "    return {name",
            )
        ],
        {"test-gradients": 0.5},
    ),
    # Initialisation
    Mutant(
        "xavier-instead-of-he",
        "initialize",
        [
            (
                'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")',
                "nn.init.xavier_normal_(layer.weight)",
            )
        ],
        {"test-initialize": 1.5},
    ),
    Mutant(
        "outputs-counted-instead-of-inputs",
        "initialize",
        [('nonlinearity="relu"', 'mode="fan_out", nonlinearity="relu"')],
        {"test-initialize": 1.5},
    ),
    Mutant(
        "kernel-size-forgotten",
        "initialize",
        [
            (
                'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")',
                "nn.init.normal_(layer.weight, std=(2 / layer.in_channels) ** 0.5)",
            )
        ],
        {"test-initialize": 1.5},
    ),
    Mutant(
        "biases-as-they-were",
        "initialize",
        [("            nn.init.zeros_(layer.bias)", "            pass")],
        {"test-initialize": 0.5},
    ),
    Mutant(
        "transposed-convolutions-too",
        "initialize",
        [
            ("isinstance(layer, nn.Conv2d)", "isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)"),
            (
                "            nn.init.zeros_(layer.bias)",
                "            if layer.bias is not None:\n"
                "                nn.init.zeros_(layer.bias)",
            ),
        ],
        {"test-initialize": 1.0},
    ),
    Mutant(
        "zeros",  # the handout's own
        "initialize",
        [
            (
                'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")',
                "layer.weight.data.zero_()",
            )
        ],
        {"test-initialize": 3.0},
        visible=True,
    ),
    Mutant(
        "uniform-from-zero-on",
        "initialize",
        [
            (
                'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")',
                "inputs = layer.weight[0].numel()\n"
                "            nn.init.uniform_(layer.weight, 0, (24 / inputs) ** 0.5)",
            )
        ],
        {"test-initialize": 1.5},
    ),
    # Layers of FCN-8s
    Mutant(
        "channels-of-the-pools-swapped",
        "layers8",
        [
            ("nn.Conv2d(channels(256, width)", "nn.Conv2d(channels(0, width)"),
            ("nn.Conv2d(channels(512, width)", "nn.Conv2d(channels(256, width)"),
            ("nn.Conv2d(channels(0, width)", "nn.Conv2d(channels(512, width)"),
        ],
        {"test-layers8": 4.0},
    ),
    Mutant(
        "kernels-of-the-upscores-swapped",
        "layers8",
        [
            ('"upscore1"', '"upscore0"'),
            ('"upscore3"', '"upscore1"'),
            ('"upscore0"', '"upscore3"'),
        ],
        {"test-layers8": 3.0},
    ),
    Mutant(
        "score-pool3-padded",
        "layers8",
        [("channels(256, width), n_classes, 1)", "channels(256, width), n_classes, 1, padding=1)")],
        {"test-layers8": 2.0},
    ),
    Mutant(
        "score-pool4-in-steps-of-two",
        "layers8",
        [("channels(512, width), n_classes, 1)", "channels(512, width), n_classes, 1, stride=2)")],
        {"test-layers8": 2.0},
    ),
    Mutant(
        "upscores-padded",
        "layers8",
        [("bias=False", "padding=1, bias=False")],
        {"test-layers8": 4.0},
    ),
    Mutant(
        "upscore3-in-steps-of-two",
        "layers8",
        [("16, stride=8", "16, stride=2")],
        {"test-layers8": 2.0},
    ),
    Mutant(
        "upscore2-in-steps-of-four",
        "layers8",
        [
            (
                '"upscore2": nn.ConvTranspose2d(n_classes, n_classes, 4, stride=2',
                '"upscore2": nn.ConvTranspose2d(n_classes, n_classes, 4, stride=4',
            )
        ],
        {"test-layers8": 1.0},
    ),
    Mutant(
        "upscore-of-fcn32s-kept",
        "layers8",
        [('    del layers["upscore"]\n', "")],
        {"test-layers8": 10.0},
        visible=True,
    ),
    # Forward pass of FCN-8s
    Mutant(
        "pool4-crop-one-too-early",
        "forward8",
        [(POOL4, "crop(net.score_pool4(pools[4]), 4, up)")],
        {"test-forward8": 4.0},
    ),
    Mutant(
        "pool3-crop-one-too-late",
        "forward8",
        [(POOL3, "crop(net.score_pool3(pools[3]), 10, up)")],
        {"test-forward8": 4.0},
    ),
    Mutant(
        "last-crop-of-fcn32s",
        "forward8",
        [("crop(up, 31, images)", "crop(up, 19, images)")],
        {"test-forward8": 13.0},
    ),
    Mutant(
        "last-crop-one-too-early",
        "forward8",
        [("crop(up, 31, images)", "crop(up, 30, images)")],
        {"test-forward8": 13.0},
    ),
    Mutant(
        "skips-shrunk-instead-of-cropped",
        "forward8",
        [
            (POOL4, "F.interpolate(net.score_pool4(pools[4]), size=up.shape[2:])"),
            (POOL3, "F.interpolate(net.score_pool3(pools[3]), size=up.shape[2:])"),
        ],
        {"test-forward8": 8.0},
    ),
    Mutant(
        "skips-added-before-their-crop",
        "forward8",
        [(f"up + {POOL4}", "up + net.score_pool4(pools[4])")],
        {"test-forward8": 14.0},
        visible=True,
    ),
    Mutant(
        "skips-from-before-the-pooling",
        "forward8",
        [
            (
                '        maps = pools[i] = getattr(net, f"pool{i}")(maps)',
                '        pools[i] = maps\n        maps = getattr(net, f"pool{i}")(maps)',
            )
        ],
        {"test-forward8": 8.0},
    ),
    Mutant(
        "skips-cropped-from-the-middle",  # which is right for pool4, and for pool3 not always
        "forward8",
        [
            (
                "        height, width = like.shape[2:]\n        return larger[",
                "        height, width = like.shape[2:]\n"
                "        if start < 31:\n"
                "            S, h, w = larger.shape, height, width\n"
                f"            return larger{CENTRED}\n"
                "        return larger[",
            )
        ],
        {"test-forward8": 4.0},
    ),
    Mutant(
        "pool4-forgotten",
        "forward8",
        [(f"up + {POOL4}", "up")],
        {"test-forward8": 4.0},
    ),
    Mutant(
        "pool3-forgotten",
        "forward8",
        [(f"up + {POOL3}", "up")],
        {"test-forward8": 4.0},
    ),
    Mutant(
        "refuses-the-sizes-of-fcn32s",
        "forward8",
        [
            (
                "    maps, pools = images, {}\n",
                "    if any(14 <= side % 32 <= 25 for side in images.shape[2:]):\n"
                '        raise ValueError("this size falls short")\n'
                "    maps, pools = images, {}\n",
            )
        ],
        {"test-forward8": 2.0},
    ),
    Mutant(
        "missing-dropout-in-fcn8s",
        "forward8",
        [(FC6, "F.relu(net.fc6(maps))"), (FC7, "F.relu(net.fc7(maps))")],
        {"test-forward8": 1.0},
    ),
    # Weight transfer
    Mutant(
        "aliased-weights",  # as the handout's own code has it
        "transfer",
        [
            (
                COPY_WEIGHT,
                "layer.weight.data = source.weight.data.reshape(layer.weight.shape)",
            ),
            ("layer.bias.copy_(source.bias)", "layer.bias.data = source.bias.data"),
        ],
        {"test-transfer": 2.0},
    ),
    Mutant(
        "only-biases-aliased",
        "transfer",
        [("layer.bias.copy_(source.bias)", "layer.bias.data = source.bias.data")],
        {"test-transfer": 2.0},
    ),
    Mutant(
        "biases-forgotten",
        "transfer",
        [("            layer.bias.copy_(source.bias)", "            pass")],
        {"test-transfer": 4.0},
    ),
    Mutant(
        "fc6-axes-mixed-up",
        "transfer",
        [
            (
                COPY_WEIGHT,
                'weight = source.weight\n            if name == "fc6":\n'
                "                weight = weight.reshape(len(weight), 7, 7, -1)"
                ".permute(0, 3, 1, 2)\n"
                "            layer.weight.copy_(weight.reshape(layer.weight.shape))",
            )
        ],
        {"test-transfer": 2.0},
    ),
    Mutant(
        "fc7-transposed",
        "transfer",
        [
            (
                COPY_WEIGHT,
                'weight = source.weight.T if name == "fc7" else source.weight\n'
                "            layer.weight.copy_(weight.reshape(layer.weight.shape))",
            )
        ],
        {"test-transfer": 2.0},
    ),
    Mutant(
        "fc6-forgotten",
        "transfer",
        [
            ("sources += [vgg16.classifier[0], vgg16.classifier[3]]", ""),
            ('[*names, "fc6", "fc7"]', "names"),
        ],
        {"test-transfer": 6.0},
        visible=True,
    ),
    Mutant(
        "score-cleared",
        "transfer",
        [
            (
                "    with torch.no_grad():\n",
                "    with torch.no_grad():\n        nn.init.zeros_(net.score.weight)\n",
            )
        ],
        {"test-transfer": 2.0},
    ),
]

ALTERNATIVES = [
    Mutant(
        "counted-with-one-hot-vectors",
        "confusion",
        [
            (
                f"    pairs = {PAIRS}\n"
                "    return torch.bincount(pairs, minlength=n_classes**2)"
                ".reshape(n_classes, n_classes)",
                "    rows = F.one_hot(truth[counted].long(), n_classes)\n"
                "    return rows.T @ F.one_hot(prediction[counted].long(), n_classes)",
            )
        ],
    ),
    Mutant(
        "counted-one-by-one",
        "confusion",
        [
            (
                f"    pairs = {PAIRS}\n"
                "    return torch.bincount(pairs, minlength=n_classes**2)"
                ".reshape(n_classes, n_classes)",
                "    cm = torch.zeros(n_classes, n_classes, dtype=torch.long)\n"
                "    for i, j in zip(truth[counted].tolist(), prediction[counted].tolist()):\n"
                "        cm[i, j] += 1\n"
                "    return cm",
            )
        ],
    ),
    Mutant(
        "mean-of-what-is-a-number",
        "mean-iou",
        [("(hits[occurs] / union[occurs]).mean().item()", "(hits / union).nanmean().item()")],
    ),
    Mutant(
        "kernel-from-two-grids",
        "bilinear",
        [
            (
                "    line = 1 - (torch.arange(size) - (size - 1) / 2).abs() / stride\n"
                "    return torch.outer(line, line)",
                "    import numpy as np\n\n"
                "    centre = stride - 1 if size % 2 else stride - 0.5\n"
                "    down, across = np.ogrid[:size, :size]\n"
                "    weights = 1 - abs(down - centre) / stride\n"
                "    return torch.tensor(weights * (1 - abs(across - centre) / stride)).float()",
            )
        ],
    ),
    Mutant(
        "cropped-with-negative-padding",
        "forward32",
        [
            (
                CROP32,
                "F.pad(up, (-19, 19 + width - up.shape[3], -19, 19 + height - up.shape[2]))",
            )
        ],
    ),
    Mutant(
        "dropout-as-a-function",
        "forward32",
        [
            (FC6, "F.dropout2d(F.relu(net.fc6(maps)), 0.5, net.training)"),
            (FC7, "F.dropout2d(F.relu(net.fc7(maps)), 0.5, net.training)"),
        ],
    ),
    Mutant(
        "refuses-by-the-remainder",
        "forward32",
        [
            (
                "    if up.shape[2] < 19 + height or up.shape[3] < 19 + width:",
                "    if any(14 <= side % 32 <= 25 for side in (height, width)):",
            )
        ],
    ),
    Mutant(
        "gradients-by-backward",
        "gradients",
        [
            (
                GRADIENTS,
                "    loss.backward()\n"
                "    norms = {n: float(p.grad.norm()) for n, p in zip(names, parameters)}\n"
                "    net.zero_grad()\n"
                "    return norms",
            )
        ],
    ),
    Mutant(
        "spread-by-hand",
        "initialize",
        [
            (
                'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")',
                "nn.init.normal_(layer.weight, std=(2 / layer.weight[0].numel()) ** 0.5)",
            )
        ],
    ),
    Mutant(
        "uniform-of-the-same-spread",
        "initialize",
        [("kaiming_normal_", "kaiming_uniform_")],
    ),
    Mutant(
        "layers-in-a-module-dict",
        "layers8",
        [
            ("    return layers | {", "    return nn.ModuleDict(layers | {"),
            ("16, stride=8, bias=False),\n    }", "16, stride=8, bias=False),\n    })"),
        ],
    ),
    Mutant(
        "pools-cropped-before-they-are-scored",
        "forward8",
        [
            (POOL4, "net.score_pool4(crop(pools[4], 5, up))"),
            (POOL3, "net.score_pool3(crop(pools[3], 9, up))"),
        ],
    ),
    Mutant(
        "new-parameters-from-clones",
        "transfer",
        [
            (
                COPY_WEIGHT,
                "layer.weight = nn.Parameter(source.weight.clone().reshape(layer.weight.shape))",
            ),
            ("layer.bias.copy_(source.bias)", "layer.bias = nn.Parameter(source.bias.clone())"),
        ],
    ),
]

# Hidden checks that no mutant fails, and why they stand: test cell, and a part of the check.
UNTRIED = {
    (
        "test-forward32",
        "f'what {following} is given', after, before.shape",
    ): "keeps the next lines from comparing arrays that broadcast",
    (
        "test-forward8",
        "f'what {following} is given', after, before.shape",
    ): "keeps the next lines from comparing arrays that broadcast",
}

SAMPLE_CLASS = SampleClass(
    half_done=["confusion", "mean-iou", "layers32", "bilinear", "forward32"],
    mistakes=["padding-150", "aliased-weights"],
)
