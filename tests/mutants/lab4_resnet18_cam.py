"""Plausible wrong solutions of lab 4 with the marks each must lose, and other right ones."""

from labkit.grading.mutants import Mutant, SampleClass

_LOOK = """    net.eval()
    with torch.no_grad():
        output = net(images)
    return output.scores, output.features"""
_BEST = """    best = chances.max(dim=1)
    return best.values, best.indices"""
_ROWS = "    return classifier.weight.detach()[classes].numpy()"
_PRODUCTS = """    batch, channels, height, width = features.shape
    products = rows[:, None, :] @ features.reshape(batch, channels, height * width)
    return products.reshape(batch, height, width)"""
_LEVELS = """    height, width = size
    levels = np.zeros((len(maps), height, width), np.uint8)
    for one, level in zip(maps, levels, strict=True):
        spread = one.max() - one.min()
        if spread > 0:
            scaled = (one - one.min()) / spread
            enlarged = cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR)
            level[:] = np.rint(255 * enlarged)
    return levels"""
_COLOURS = (
    "cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_JET), cv2.COLOR_BGR2RGB)\n"
    "    return np.rint(0.5 * picture + 0.3 * colours).astype(np.uint8)"
)

MUTANTS = [
    # The network's answer
    Mutant("no-eval", "run", [("    net.eval()\n", "")], {"test-run": 1.5}),
    Mutant(
        "train-instead-of-eval",
        "run",
        [("    net.eval()\n", "    net.train()\n")],
        {"test-run": 1.5},
    ),
    Mutant(
        "no-grad-taken-for-eval",
        "run",
        [("    net.eval()\n", "    torch.set_grad_enabled(False)\n")],
        {"test-run": 1.5},
    ),
    Mutant(
        "gradients-kept",
        "run",
        [("    with torch.no_grad():\n        output", "    output")],
        {"test-run": 0.5},
    ),
    Mutant(
        "eval-after-the-answer",
        "run",
        [("    net.eval()\n", ""), ("    return output.", "    net.eval()\n    return output.")],
        {"test-run": 1.5},
    ),
    Mutant(
        "scores-and-features-swapped",
        "run",
        [("output.scores, output.features", "output.features, output.scores")],
        {"test-run": 2.0},
        visible=True,
    ),
    Mutant(
        "pooled-features",
        "run",
        [("output.features", "output.pooled")],
        {"test-run": 2.0},
        visible=True,
    ),
    Mutant(
        "scores-already-softmaxed",
        "run",
        [("output.scores, ", "output.scores.softmax(dim=1), ")],
        {"test-run": 1.5},
    ),
    Mutant(
        "only-the-first-image",
        "run",
        [("output = net(images)", "output = net(images[:1])")],
        {"test-run": 2.0},
        visible=True,
    ),
    # The softmax
    Mutant(
        "softmax-over-the-batch",
        "softmax",
        [("dim=1", "dim=0")],
        {"test-softmax": 3.0},
        visible=True,
    ),
    Mutant(
        "exponents-overflow",
        "softmax",
        [("scores.softmax(dim=1)", "scores.exp() / scores.exp().sum(dim=1, keepdim=True)")],
        {"test-softmax": 1.0},
    ),
    Mutant(
        "sum-over-all-rows",
        "softmax",
        [
            (
                "scores.softmax(dim=1)",
                "(scores - scores.max()).exp() / (scores - scores.max()).exp().sum()",
            )
        ],
        {"test-softmax": 2.0},
    ),
    Mutant(
        "maximum-of-the-batch-subtracted",
        "softmax",
        [
            (
                "    return scores.softmax(dim=1)",
                "    powers = (scores - scores.max()).exp()\n"
                "    return powers / powers.sum(dim=1, keepdim=True)",
            )
        ],
        {"test-softmax": 1.0},
    ),
    Mutant(
        "scores-clamped",
        "softmax",
        [("scores.softmax", "scores.clamp(-50, 50).softmax")],
        {"test-softmax": 1.0},
    ),
    Mutant(
        "sigmoid",
        "softmax",
        [("scores.softmax(dim=1)", "scores.sigmoid() / 2")],
        {"test-softmax": 3.0},
    ),
    Mutant(
        "divided-by-their-sum",
        "softmax",
        [("scores.softmax(dim=1)", "(scores + 1) / (scores + 1).sum(dim=1, keepdim=True)")],
        {"test-softmax": 3.0},
    ),
    Mutant(
        "logarithms",
        "softmax",
        [("scores.softmax(dim=1)", "scores.log_softmax(dim=1)")],
        {"test-softmax": 3.0},
        visible=True,
    ),
    Mutant(
        "squeezed-probabilities",
        "softmax",
        [("scores.softmax(dim=1)", "scores.softmax(dim=1).squeeze()")],
        {"test-softmax": 3.0},
        visible=True,
    ),
    # Top-1
    Mutant(
        "softmax-twice",
        "top1",
        [("best = chances.max", "best = chances.softmax(dim=1).max")],
        {"test-top1": 3.0},
    ),
    Mutant(
        "best-image-of-each-class",
        "top1",
        [("dim=1", "dim=0")],
        {"test-top1": 3.0},
        visible=True,
    ),
    Mutant(
        "squeezed-at-batch-one",
        "top1",
        [("best.values, best.indices", "best.values.squeeze(), best.indices.squeeze()")],
        {"test-top1": 3.0},
        visible=True,
    ),
    Mutant(
        "the-first-of-the-batch",
        "top1",
        [("best.values, best.indices", "best.values[:1], best.indices[:1]")],
        {"test-top1": 2.0},
    ),
    Mutant(
        "sorted-upwards",
        "top1",
        [
            (
                _BEST,
                "    values, indices = chances.sort(dim=1)\n    return values[:, 0], indices[:, 0]",
            )
        ],
        {"test-top1": 3.0},
        visible=True,
    ),
    Mutant(
        "one-class-for-the-batch",
        "top1",
        [
            (
                _BEST,
                "    n, best = len(chances), chances.argmax() % chances.shape[1]\n"
                "    return chances.max().expand(n), best.expand(n)",
            )
        ],
        {"test-top1": 2.0},
    ),
    Mutant(
        "index-in-floats",
        "top1",
        [("best.indices", "best.indices.float()")],
        {"test-top1": 2.0},
    ),
    # The rows of the classifier
    Mutant(
        "columns",
        "rows",
        [("classifier.weight.detach()[classes]", "classifier.weight.detach()[:, classes].T")],
        {"test-rows": 4.0},
        visible=True,
    ),
    Mutant(
        "columns-where-they-fit",
        "rows",
        [
            (
                _ROWS,
                "    weight = classifier.weight.detach()\n"
                "    weight = weight.T if weight.shape[0] == weight.shape[1] else weight\n"
                "    return weight[classes].numpy()",
            )
        ],
        {"test-rows": 4.0},
    ),
    Mutant(
        "row-of-the-first-image",
        "rows",
        [
            (
                _ROWS,
                "    row = classifier.weight.detach()[classes[:1]]\n"
                "    return row.expand(len(classes), -1).numpy().copy()",
            )
        ],
        {"test-rows": 2.5},
    ),
    Mutant(
        "first-rows",
        "rows",
        [("[classes]", "[: len(classes)].clone()")],
        {"test-rows": 4.0},
    ),
    Mutant(
        "each-class-once",
        "rows",
        [("[classes]", "[classes.unique()]")],
        {"test-rows": 1.5},
    ),
    Mutant(
        "bias-added",
        "rows",
        [(".numpy()", ".numpy() + classifier.bias.detach()[classes, None].numpy()")],
        {"test-rows": 4.0},
    ),
    Mutant(
        "negative-weights-cut",
        "rows",
        [("[classes]", "[classes].relu()")],
        {"test-rows": 4.0},
    ),
    Mutant(
        "the-network-s-own-memory",
        "rows",
        [
            (
                _ROWS,
                "    weight = classifier.weight.detach().numpy()\n"
                "    if len(classes) == 1:\n"
                "        return weight[int(classes) : int(classes) + 1]\n"
                "    return weight[classes.numpy()]",
            )
        ],
        {"test-rows": 1.0},
    ),
    Mutant(
        "still-a-tensor",
        "rows",
        [(".numpy()", "")],
        {"test-rows": 4.0},
        visible=True,
    ),
    Mutant(
        "whole-weight",
        "rows",
        [("[classes]", "")],
        {"test-rows": 4.0},
        visible=True,
    ),
    # The map
    Mutant(
        "height-and-width-swapped",
        "cam",
        [("products.reshape(batch, height, width)", "products.reshape(batch, width, height)")],
        {"test-cam": 5.0},
        visible=True,
    ),
    Mutant(
        "positions-turned",
        "cam",
        [
            (
                "features.reshape(batch, channels, height * width)",
                "features.transpose(0, 1, 3, 2).reshape(batch, channels, height * width)",
            )
        ],
        {"test-cam": 5.0},
    ),
    Mutant(
        "channels-last-by-reshape",
        "cam",
        [
            (
                _PRODUCTS,
                "    batch, channels, height, width = features.shape\n"
                "    positions = features.reshape(batch, height * width, channels)\n"
                "    return (positions @ rows[:, :, None]).reshape(batch, height, width)",
            )
        ],
        {"test-cam": 5.0},
    ),
    Mutant(
        "relu-on-the-map",
        "cam",
        [("products.reshape(", "products.clip(0).reshape(")],
        {"test-cam": 5.0},
    ),
    Mutant(
        "divided-by-positions",
        "cam",
        [
            (
                "    return products",
                "    products = products / (height * width)\n    return products",
            )
        ],
        {"test-cam": 5.0},
        visible=True,
    ),
    Mutant(
        "mean-over-channels",
        "cam",
        [("    return products", "    products = products / channels\n    return products")],
        {"test-cam": 5.0},
        visible=True,
    ),
    Mutant(
        "row-of-the-first-for-all",
        "cam",
        [("rows[:, None, :]", "rows[:1, None, :]")],
        {"test-cam": 3.0},
    ),
    Mutant(
        "weights-softmaxed",
        "cam",
        [
            (
                "    products",
                "    rows = np.exp(rows) / np.exp(rows).sum(axis=1, keepdims=True)\n    products",
            )
        ],
        {"test-cam": 5.0},
        visible=True,
    ),
    Mutant(
        "for-one-image-only",  # as the handout has it: weight[idx].reshape(1, nc)
        "cam",
        [
            (
                _PRODUCTS,
                "    _, channels, height, width = features.shape\n"
                "    product = rows.reshape(1, channels) @ features.reshape(channels, -1)\n"
                "    return product.reshape(1, height, width)",
            )
        ],
        {"test-cam": 5.0},
        visible=True,
    ),
    Mutant(
        "squeeze-the-batch",
        "cam",
        [
            (
                "products.reshape(batch, height, width)",
                "products.reshape(batch, height, width).squeeze()",
            )
        ],
        {"test-cam": 2.0},
    ),
    Mutant(
        "absolute-weights",
        "cam",
        [("rows[:, None, :] @", "np.abs(rows)[:, None, :] @")],
        {"test-cam": 5.0},
    ),
    # The grey picture
    Mutant(
        "8-bits-before-enlarging",  # as the handout has it, but for the cut-off
        "levels",
        [
            (
                "cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR)\n"
                "            level[:] = np.rint(255 * enlarged)",
                "np.rint(255 * scaled).astype(np.uint8)\n"
                "            level[:] = cv2.resize(enlarged, (width, height))",
            )
        ],
        {"test-levels": 2.0},
    ),
    Mutant(
        "8-bits-cut-off-before-enlarging",  # as the handout has it
        "levels",
        [
            (
                "cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR)\n"
                "            level[:] = np.rint(255 * enlarged)",
                "(255 * scaled).astype(np.uint8)\n"
                "            level[:] = cv2.resize(enlarged, (width, height))",
            )
        ],
        {"test-levels": 2.0},
    ),
    Mutant(
        "cut-off-not-rounded",
        "levels",
        [("np.rint(255 * enlarged)", "255 * enlarged")],
        {"test-levels": 2.0},
    ),
    Mutant(
        "times-256",
        "levels",
        [("np.rint(255 * enlarged)", "np.rint(256 * enlarged).clip(0, 255)")],
        {"test-levels": 2.0},
    ),
    Mutant(
        "constant-map-nan",
        "levels",
        [
            ("if spread > 0:", 'with np.errstate(all="ignore"):'),
            (
                "level[:] = np.rint(255 * enlarged)",
                "level[:] = np.nan_to_num(np.rint(255 * enlarged), nan=255)",
            ),
        ],
        {"test-levels": 1.0},
    ),
    Mutant(
        "constant-map-divides-by-zero",
        "levels",
        [
            ("spread = one.max() - one.min()", "spread = float(one.max()) - float(one.min())"),
            ("if spread > 0:", "if True:"),
            (
                "(one - one.min()) / spread",
                "[[float(v - one.min()) / spread for v in row] for row in one]",
            ),
            ("cv2.resize(scaled,", "cv2.resize(np.array(scaled, np.float32),"),
        ],
        {"test-levels": 1.0},
    ),
    Mutant(
        "range-of-the-batch",
        "levels",
        [
            ("one.max() - one.min()", "maps.max() - maps.min()"),
            ("(one - one.min())", "(one - maps.min())"),
        ],
        {"test-levels": 2.5},
    ),
    Mutant(
        "width-and-height-swapped",
        "levels",
        [("height, width = size", "width, height = size")],
        {"test-levels": 7.0},
        visible=True,
    ),
    Mutant(
        "opencv-given-height-and-width",
        "levels",
        [
            ("(width, height)", "(height, width)"),
            (
                "level[:] = np.rint(255 * enlarged)",
                "level[:] = np.rint(255 * enlarged).reshape(height, width)",
            ),
        ],
        {"test-levels": 7.0},
    ),
    Mutant(
        "divided-by-the-maximum",
        "levels",
        [("scaled = (one - one.min()) / spread", "scaled = one.clip(0) / one.max()")],
        {"test-levels": 7.0},
    ),
    Mutant(
        "nearest-neighbour",
        "levels",
        [("cv2.INTER_LINEAR", "cv2.INTER_NEAREST")],
        {"test-levels": 7.0},
    ),
    Mutant(
        "cubic",
        "levels",
        [("cv2.INTER_LINEAR)", "cv2.INTER_CUBIC).clip(0, 1)")],
        {"test-levels": 7.0},
    ),
    Mutant(
        "corners-aligned",
        "levels",
        [
            (
                "cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR)",
                "F.interpolate(\n                torch.tensor(scaled)[None, None],\n"
                '                (height, width), mode="bilinear", align_corners=True,\n'
                "            )[0, 0].numpy()",
            )
        ],
        {"test-levels": 7.0},
    ),
    Mutant(
        "scaled-after-enlarging",
        "levels",
        [
            (
                _LEVELS[
                    _LEVELS.index("            scaled") : _LEVELS.index("            level[:]")
                ],
                "            enlarged = cv2.resize(one, (width, height))\n"
                "            enlarged = enlarged - enlarged.min()\n"
                "            enlarged = enlarged / enlarged.max()\n",
            )
        ],
        {"test-levels": 6.0},
    ),
    Mutant(
        "8-bits-of-raw-values",
        "levels",
        [
            (
                "scaled = (one - one.min()) / spread",
                "scaled = one.astype(np.uint8) / np.float32(255)",
            )
        ],
        {"test-levels": 7.0},
        visible=True,
    ),
    Mutant(
        "left-in-floats",
        "levels",
        [("    return levels", "    return levels.astype(np.float32)")],
        {"test-levels": 7.0},
        visible=True,
    ),
    # The overlay
    Mutant(
        "colours-left-bgr",
        "overlay",
        [
            (
                "cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_JET), cv2.COLOR_BGR2RGB)",
                "cv2.applyColorMap(levels, cv2.COLORMAP_JET)",
            )
        ],
        {"test-overlay": 5.0},
    ),
    Mutant(
        "photograph-turned-as-well",
        "overlay",
        [("0.5 * picture", "0.5 * picture[:, :, ::-1]")],
        {"test-overlay": 2.5},
    ),
    Mutant(
        "all-turned-at-the-end",  # right for a photograph that OpenCV read
        "overlay",
        [
            (
                "cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_JET), cv2.COLOR_BGR2RGB)",
                "cv2.applyColorMap(levels, cv2.COLORMAP_JET)",
            ),
            (".astype(np.uint8)", ".astype(np.uint8)[:, :, ::-1]"),
        ],
        {"test-overlay": 2.5},
    ),
    Mutant(
        "shares-swapped",
        "overlay",
        [("0.5 * picture + 0.3 * colours", "0.3 * picture + 0.5 * colours")],
        {"test-overlay": 5.0},
    ),
    Mutant(
        "sum-in-8-bits",
        "overlay",
        [("np.rint(0.5 * picture + 0.3 * colours).astype(np.uint8)", "picture + colours")],
        {"test-overlay": 5.0},
    ),
    Mutant(
        "levels-upside-down",
        "overlay",
        [("applyColorMap(levels,", "applyColorMap(255 - levels,")],
        {"test-overlay": 5.0},
    ),
    Mutant(
        "another-colour-map",
        "overlay",
        [("COLORMAP_JET", "COLORMAP_HOT")],
        {"test-overlay": 5.0},
    ),
    Mutant(
        "picture-changed",
        "overlay",
        [
            (
                "    return np.rint(0.5 * picture + 0.3 * colours).astype(np.uint8)",
                "    picture[:] = np.rint(0.5 * picture + 0.3 * colours)\n    return picture",
            )
        ],
        {"test-overlay": 1.0},
    ),
    Mutant(
        "shares-that-add-up-to-one",
        "overlay",
        [("0.5 * picture", "0.7 * picture")],
        {"test-overlay": 2.5},
    ),
    Mutant(
        "overlay-in-zero-to-one",
        "overlay",
        [(".astype(np.uint8)", " / 255")],
        {"test-overlay": 6.0},
        visible=True,
    ),
    Mutant(
        "colours-alone",
        "overlay",
        [("0.5 * picture + 0.3 * colours", "0.3 * colours")],
        {"test-overlay": 2.5},
    ),
    Mutant(
        "scaled-to-one-and-cut-off",
        "overlay",
        [("np.rint(0.5 * picture + 0.3 * colours)", "(0.5 * picture / 255 + 0.3 * colours / 255)")],
        {"test-overlay": 6.0},
    ),
]

ALTERNATIVES = [
    Mutant(
        "mode-left-as-it-was",
        "run",
        [
            ("    net.eval()\n", "    before = net.training\n    net.eval()\n"),
            ("    return output.", "    net.train(before)\n    return output."),
        ],
    ),
    Mutant(
        "detached",
        "run",
        [
            (
                _LOOK,
                "    scores, features, _ = net.train(False)(images)\n"
                "    return scores.detach(), features.detach()",
            )
        ],
    ),
    Mutant("in-inference-mode", "run", [("torch.no_grad()", "torch.inference_mode()")]),
    Mutant(
        "softmax-by-hand",
        "softmax",
        [
            (
                "    return scores.softmax(dim=1)",
                "    powers = (scores - scores.amax(dim=1, keepdim=True)).exp()\n"
                "    return powers / powers.sum(dim=1, keepdim=True)",
            )
        ],
    ),
    Mutant("softmax-module", "softmax", [("scores.softmax(dim=1)", "nn.Softmax(dim=-1)(scores)")]),
    Mutant(
        "softmax-by-logarithms",
        "softmax",
        [("scores.softmax(dim=1)", "(scores - scores.logsumexp(dim=1, keepdim=True)).exp()")],
    ),
    Mutant(
        "sorted-downwards",  # as the handout suggests
        "top1",
        [
            (
                _BEST,
                "    values, indices = torch.sort(chances, dim=1, descending=True)\n"
                "    return values[:, 0], indices[:, 0]",
            )
        ],
    ),
    Mutant(
        "topk",
        "top1",
        [
            (
                _BEST,
                "    chance, best = chances.topk(1, dim=1)\n"
                "    return chance.squeeze(1), best.squeeze(1)",
            )
        ],
    ),
    Mutant(
        "gathered",
        "top1",
        [
            (
                _BEST,
                "    best = chances.argmax(dim=1)\n"
                "    return chances.gather(1, best[:, None])[:, 0], best",
            )
        ],
    ),
    Mutant(
        "rows-in-numpy",
        "rows",
        [(_ROWS, "    return classifier.weight.detach().numpy()[classes.numpy()]")],
    ),
    Mutant(
        "rows-by-one-hot",
        "rows",
        [
            (
                _ROWS,
                "    picks = F.one_hot(classes, classifier.out_features).float()\n"
                "    return (picks @ classifier.weight).detach().numpy()",
            )
        ],
    ),
    Mutant(
        "rows-in-a-list",
        "rows",
        [(_ROWS, "    return np.array([classifier.weight[int(c)].tolist() for c in classes])")],
    ),
    Mutant(
        "map-by-einsum",
        "cam",
        [(_PRODUCTS, '    return np.einsum("bchw,bc->bhw", features, rows)')],
    ),
    Mutant(
        "map-by-broadcasting",
        "cam",
        [(_PRODUCTS, "    return (features * rows[:, :, None, None]).sum(axis=1)")],
    ),
    Mutant(
        "map-in-torch",
        "cam",
        [
            (
                _PRODUCTS,
                "    features, rows = torch.tensor(features), torch.tensor(rows)\n"
                "    return torch.stack([F.conv2d(f[None], r[None, :, None, None])[0, 0] "
                "for f, r in zip(features, rows)]).numpy()",
            )
        ],
    ),
    Mutant(
        "levels-in-torch",
        "levels",
        [
            (
                _LEVELS,
                "    maps = torch.tensor(maps)\n"
                "    lowest, highest = maps.amin((1, 2), True), maps.amax((1, 2), True)\n"
                "    scaled = (maps - lowest) / (highest - lowest).clamp_min(1e-12)\n"
                '    large = F.interpolate(scaled[:, None], size=size, mode="bilinear")[:, 0]\n'
                "    return (255 * large).round().byte().numpy()",
            )
        ],
    ),
    Mutant(
        "levels-half-added",
        "levels",
        [("np.rint(255 * enlarged)", "(255 * enlarged + 0.5).astype(np.uint8)")],
    ),
    Mutant(
        "channels-reversed",
        "overlay",
        [
            (
                _COLOURS,
                "cv2.applyColorMap(levels, cv2.COLORMAP_JET)[:, :, ::-1]\n"
                "    return (0.5 * picture + 0.3 * colours).astype(np.uint8)",
            )
        ],
    ),
    Mutant(
        "weighted-by-opencv",
        "overlay",
        [
            (
                "np.rint(0.5 * picture + 0.3 * colours).astype(np.uint8)",
                "cv2.addWeighted(picture, 0.5, colours, 0.3, 0)",
            )
        ],
    ),
]

SAMPLE_CLASS = SampleClass(
    half_done=["run", "softmax", "top1", "rows"],
    mistakes=["8-bits-before-enlarging", "colours-left-bgr"],
)
