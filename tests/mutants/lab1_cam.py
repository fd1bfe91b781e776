"""Plausible wrong solutions of lab 1 with the marks each must lose, and other right ones."""

from labkit.grading.mutants import Mutant, SampleClass

MUTANTS = [
    # The network
    Mutant(
        "max-pooling",  # as one published solution has it
        "network",
        [("nn.AdaptiveAvgPool2d(1)", "nn.AdaptiveMaxPool2d(1)")],
        {"test-network": 0.25},
    ),
    Mutant(
        "pooling-for-one-size-only",
        "network",
        [("nn.AdaptiveAvgPool2d(1)", "nn.AvgPool2d(28)")],
        {"test-network": 1.0},
    ),
    Mutant(
        "batch-norm-left-out",
        "network",
        [("resnet.bn1, ", "")],
        {"test-network": 0.5},
    ),
    Mutant(
        "relu-left-out",
        "network",
        [("resnet.relu, ", "")],
        {"test-network": 0.5},
    ),
    Mutant(
        "never-pretrained",
        "network",
        [("resnet18(weights=weights)", "resnet18()")],
        {"test-network": 0.5},
    ),
    Mutant(
        "frozen-backbone",
        "network",
        [("    return backbone,", "    backbone.requires_grad_(False)\n    return backbone,")],
        {"test-network": 0.5},
    ),
    Mutant(
        "one-stage-too-early",
        "network",
        [(", resnet.layer2\n", "\n"), ("nn.Linear(128,", "nn.Linear(64,")],
        {"test-network": 1.0},
        visible=True,
    ),
    Mutant(
        "ten-classes-whatever-is-asked",
        "network",
        [("nn.Linear(128, n_classes)", "nn.Linear(128, 10)")],
        {"test-network": 0.25},
    ),
    # The forward pass
    Mutant(
        "squeeze-at-batch-one",
        "forward",
        [("torch.flatten(net.gap(features), start_dim=1)", "net.gap(features).squeeze()")],
        {"test-forward": 0.25},
    ),
    Mutant(
        "softmax-in-forward",
        "forward",
        [("net.classifier(pooled),", "net.classifier(pooled).softmax(dim=1),")],
        {"test-forward": 1.25},
    ),
    Mutant(
        "features-detached",
        "forward",
        [("(net.classifier(pooled), features,", "(net.classifier(pooled), features.detach(),")],
        {"test-forward": 0.5},
    ),
    Mutant(
        "scores-and-pooled-swapped",
        "forward",
        [
            (
                "CamOutput(net.classifier(pooled), features, pooled)",
                "CamOutput(pooled, features, net.classifier(pooled))",
            )
        ],
        {"test-forward": 1.5},
        visible=True,
    ),
    # The training step
    Mutant(
        "gradients-add-up",
        "training-step",
        [("    optimizer.zero_grad()\n", "")],
        {"test-training-step": 0.5},
    ),
    Mutant(
        "softmax-before-the-loss",
        "training-step",
        [("net(images).scores, labels", "net(images).scores.softmax(dim=1), labels")],
        {"test-training-step": 0.5},
    ),
    Mutant(
        "still-in-eval-mode",
        "training-step",
        [("    net.train()\n", "")],
        {"test-training-step": 0.5},
    ),
    Mutant(
        "loss-summed",
        "training-step",
        [(".scores, labels)", '.scores, labels, reduction="sum")')],
        {"test-training-step": 0.5},
        visible=True,
    ),
    Mutant(
        "loss-left-a-tensor",
        "training-step",
        [("return loss.item()", "return loss")],
        {"test-training-step": 0.5},
        visible=True,
    ),
    # Folds
    Mutant(
        "validation-also-trained-on",
        "folds",
        [("torch.cat(parts[:i] + parts[i + 1 :])", "order[: n - len(parts[i])]")],
        {"test-folds": 0.5},
    ),
    Mutant(
        "remainder-dropped",
        "folds",
        [("order.tensor_split(k)", "order[: n // k * k].split(n // k)")],
        {"test-folds": 0.5},
    ),
    Mutant(
        "remainder-in-a-fold-of-its-own",
        "folds",
        [("order.tensor_split(k)", "order.split(n // k)"), ("range(k)", "range(len(parts))")],
        {"test-folds": 0.5},
    ),
    Mutant(
        "remainder-in-the-last-fold",
        "folds",
        [
            (
                "order.tensor_split(k)",
                "(*order[: n // k * (k - 1)].split(n // k), order[n // k * (k - 1) :])",
            )
        ],
        {"test-folds": 0.5},
    ),
    Mutant(
        "not-shuffled",
        "folds",
        [("torch.randperm(n, generator=torch.Generator().manual_seed(seed))", "torch.arange(n)")],
        {"test-folds": 0.5},
    ),
    Mutant(
        "folds-shuffled-one-by-one",
        "folds",
        [
            (
                "    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]",
                "    folds = []\n"
                "    for i in range(k):\n"
                "        generator = torch.Generator().manual_seed(seed + i)\n"
                "        order = torch.randperm(n, generator=generator)\n"
                "        folds.append((order[len(parts[i]) :], order[: len(parts[i])]))\n"
                "    return folds",
            )
        ],
        {"test-folds": 0.5},
    ),
    Mutant(
        "seed-ignored",
        "folds",
        [("manual_seed(seed)", "manual_seed(0)")],
        {"test-folds": 0.5},
    ),
    Mutant(
        "folds-differ-every-time",
        "folds",
        [("torch.randperm(n, generator=torch.Generator().manual_seed(seed))", "torch.randperm(n)")],
        {"test-folds": 0.5},
    ),
    # Accuracy
    Mutant(
        "eval-forgotten",
        "accuracy",
        [("    net.eval()\n", "")],
        {"test-accuracy": 0.25},
    ),
    Mutant(
        "mean-of-batch-accuracies",
        "accuracy",
        [
            (".sum().item()", ".float().mean().item()"),
            ("right / len(images)", "right / len(images.split(batch_size))"),
        ],
        {"test-accuracy": 0.25},
    ),
    Mutant(
        "left-in-eval-mode",
        "accuracy",
        [("    net.train(was_training)\n", "")],
        {"test-accuracy": 0.25},
    ),
    Mutant(
        "gradients-built-while-measuring",
        "accuracy",
        [("torch.no_grad()", "torch.enable_grad()")],
        {"test-accuracy": 0.25},
    ),
    Mutant(
        "all-images-at-once",
        "accuracy",
        [(".split(batch_size)", ".split(len(images))")],
        {"test-accuracy": 0.25},
    ),
    # Cross validation
    Mutant(
        "chosen-on-test-images",
        "cross-validation",
        [
            (
                "if best is None or score >",
                "tested = test_accuracy(net)\n            if best is None or tested >",
            ),
            ('best["validation"]:', 'best["chosen"]:'),
            ('"validation": score,', '"validation": score, "chosen": tested,'),
        ],
        {"test-cross-validation": 0.5},
    ),
    Mutant(
        "state-dict-not-copied",
        "cross-validation",
        [("copy.deepcopy(net.state_dict())", "net.state_dict()")],
        {"test-cross-validation": 0.25},
    ),
    Mutant(
        "one-network-for-all-folds",
        "cross-validation",
        [
            ("    results = []\n", "    results = []\n    net = make_net()\n"),
            ("        net = make_net()\n        best", "        best"),
        ],
        {"test-cross-validation": 0.75},
        visible=True,
    ),
    Mutant(
        "validated-on-training-images",
        "cross-validation",
        [("accuracy_on(net, validation)", "accuracy_on(net, train)")],
        {"test-cross-validation": 0.25},
    ),
    Mutant(
        "trained-on-all-images",
        "cross-validation",
        [("train_epoch_on(net, train)", "train_epoch_on(net, torch.cat([train, validation]))")],
        {"test-cross-validation": 0.25},
    ),
    Mutant(
        "stopped-when-it-gets-worse",
        "cross-validation",
        [
            (
                "            if best is None or",
                '            if best is not None and score < best["validation"]:\n'
                "                break\n"
                "            if best is None or",
            )
        ],
        {"test-cross-validation": 0.75},
    ),
    Mutant(
        "last-weights-tested",
        "cross-validation",
        [('        net.load_state_dict(best["weights"])\n', "")],
        {"test-cross-validation": 0.25},
    ),
    Mutant(
        "latest-of-equal-epochs",
        "cross-validation",
        [("score > best", "score >= best")],
        {"test-cross-validation": 0.5},
    ),
    Mutant(
        "test-images-looked-at-every-epoch",
        "cross-validation",
        [("            score = ", "            test_accuracy(net)\n            score = ")],
        {"test-cross-validation": 0.25},
    ),
    Mutant(
        "validated-only-at-the-end",
        "cross-validation",
        [
            (
                "            train_epoch_on(net, train)\n            score",
                "            train_epoch_on(net, train)\n"
                "            if epoch < epochs:\n"
                "                continue\n"
                "            score",
            )
        ],
        {"test-cross-validation": 0.75},
    ),
    # Maps
    Mutant(
        "map-without-class-weights",
        "cam",
        [
            (
                "(features * class_weights[:, :, None, None]).sum(dim=1)",
                "features.mean(dim=1)",
            )
        ],
        {"test-cam": 0.5},
        visible=True,
    ),
    Mutant(
        "map-cut-at-zero",
        "cam",
        [(".sum(dim=1)", ".sum(dim=1).relu()")],
        {"test-cam": 0.5},
    ),
    Mutant(
        "weights-through-softmax",
        "cam",
        [("class_weights[:, :,", "class_weights.softmax(dim=1)[:, :,")],
        {"test-cam": 0.5},
        visible=True,
    ),
    Mutant(
        "first-image-weighs-all",
        "cam",
        [("class_weights[:, :, None, None]", "class_weights[:1, :, None, None]")],
        {"test-cam": 0.5},
    ),
    Mutant(
        "constant-map-divides-by-zero",
        "heatmap",
        [
            (
                "torch.where(spread > 0, (maps - lowest) / spread, torch.zeros_like(maps))",
                "(maps - lowest) / spread",
            )
        ],
        {"test-heatmap": 0.25},
    ),
    Mutant(
        "eight-bits-before-enlarging",
        "heatmap",
        [("F.interpolate(scaled[:, None]", "F.interpolate((255 * scaled).byte()[:, None] / 255")],
        {"test-heatmap": 0.5},
    ),
    Mutant(
        "one-scale-for-the-batch",
        "heatmap",
        [("dim=(1, 2), ", "dim=(0, 1, 2), ")],
        {"test-heatmap": 0.5},
    ),
    Mutant(
        "width-and-height-swapped",
        "heatmap",
        [("size=size,", "size=size[::-1],")],
        {"test-heatmap": 0.5},
        visible=True,
    ),
    Mutant(
        "nearest-instead-of-bilinear",
        "heatmap",
        [('mode="bilinear", align_corners=False', 'mode="nearest"')],
        {"test-heatmap": 0.5},
    ),
]

ALTERNATIVES = [
    Mutant(
        "the-other-reading-of-basicblock-1",
        "network",
        [("resnet.layer1, resnet.layer2", "resnet.layer1, resnet.layer2[0]")],
    ),
    Mutant(
        "backbone-from-children",
        "network",
        [
            (
                "    backbone = nn.Sequential(\n"
                "        resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool, "
                "resnet.layer1, resnet.layer2\n"
                "    )\n",
                "    backbone = nn.Sequential(*list(resnet.children())[:6])\n",
            )
        ],
    ),
    Mutant(
        "mean-by-hand",
        "forward",
        [
            (
                "torch.flatten(net.gap(features), start_dim=1)",
                "features.flatten(2).mean(-1)",
            )
        ],
    ),
    Mutant(
        "a-plain-tuple",
        "forward",
        [
            (
                "CamOutput(net.classifier(pooled), features, pooled)",
                "net.classifier(pooled), features, pooled",
            )
        ],
    ),
    Mutant(
        "loss-module-and-gradients-cleared-last",
        "training-step",
        [
            (
                "F.cross_entropy(net(images).scores, labels)",
                "nn.CrossEntropyLoss()(net(images)[0], labels)",
            ),
            ("    optimizer.zero_grad()\n", ""),
            ("    optimizer.step()\n", "    optimizer.step()\n    optimizer.zero_grad()\n"),
        ],
    ),
    Mutant(
        "folds-by-scikit-learn",
        "folds",
        [
            (
                "    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))\n"
                "    parts = order.tensor_split(k)\n"
                "    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]",
                "    from sklearn.model_selection import KFold\n\n"
                "    folds = KFold(k, shuffle=True, random_state=seed).split(range(n))\n"
                "    return [(torch.tensor(a), torch.tensor(b)) for a, b in folds]",
            )
        ],
    ),
    Mutant(
        "dealt-like-cards",
        "folds",
        [("order.tensor_split(k)", "tuple(order[i::k] for i in range(k))")],
    ),
    Mutant(
        "map-by-einsum",
        "cam",
        [
            (
                "(features * class_weights[:, :, None, None]).sum(dim=1)",
                'torch.einsum("bchw,bc->bhw", features, class_weights)',
            )
        ],
    ),
    Mutant(
        "clamped-denominator",
        "heatmap",
        [
            (
                "torch.where(spread > 0, (maps - lowest) / spread, torch.zeros_like(maps))",
                "(maps - lowest) / spread.clamp_min(1e-12)",
            )
        ],
    ),
]

SAMPLE_CLASS = SampleClass(
    half_done=["network", "forward", "training-step"],
    mistakes=["max-pooling", "chosen-on-test-images"],
)
