"""Whole labs solved by several hands, each without a look at another: what is alike here is alike
by nature.

Bodies of functions by lab, by who wrote them and by the grade_id of the answer cell.
"""

BODIES: dict[str, dict[str, dict[str, str]]] = {
    "lab1_cam": {
        "ada": {
            "network": """\
    # take resnet apart and keep everything before layer3
    full = torchvision.models.resnet18(weights=weights)
    children = list(full.children())
    backbone = nn.Sequential(*children[:6])
    gap = nn.AdaptiveAvgPool2d((1, 1))
    classifier = nn.Linear(in_features=128, out_features=n_classes)
    return backbone, gap, classifier
""",
            "forward": """\
    f = net.backbone(images)
    p = net.gap(f).squeeze(-1).squeeze(-1)
    s = net.classifier(p)
    return CamOutput(s, f, p)
""",
            "training-step": """\
    criterion = nn.CrossEntropyLoss()
    net.train()
    optimizer.zero_grad()
    out = net(images)
    loss = criterion(out.scores, labels)
    loss.backward()
    optimizer.step()
    return float(loss.detach())
""",
            "folds": """\
    g = torch.Generator()
    g.manual_seed(seed)
    perm = torch.randperm(n, generator=g)
    fold_of = torch.arange(n) % k
    result = []
    for fold in range(k):
        val = perm[fold_of == fold]
        train = perm[fold_of != fold]
        result.append((train, val))
    return result
""",
            "accuracy": """\
    mode = net.training
    net.eval()
    correct = 0
    with torch.no_grad():
        for start in range(0, len(images), batch_size):
            x = images[start:start + batch_size]
            y = labels[start:start + batch_size]
            pred = net(x).scores.argmax(1)
            correct += int((pred == y).sum())
    net.train(mode)
    return correct / len(labels)
""",
            "cross-validation": """\
    out = []
    for train_idx, val_idx in folds:
        net = make_net()
        best_acc = -1.0
        best_epoch = 0
        best_state = None
        for e in range(epochs):
            train_epoch_on(net, train_idx)
            acc = accuracy_on(net, val_idx)
            if acc > best_acc:
                best_acc = acc
                best_epoch = e + 1
                best_state = copy.deepcopy(net.state_dict())
        net.load_state_dict(best_state)
        out.append({
            "epoch": best_epoch,
            "validation": best_acc,
            "weights": best_state,
            "test": test_accuracy(net),
        })
    return out
""",
            "cam": """\
    # sum over the channels
    return torch.einsum("bchw,bc->bhw", features, class_weights)
""",
            "heatmap": """\
    b, h, w = maps.shape
    flat = maps.reshape(b, -1)
    mn = flat.min(dim=1).values.view(b, 1, 1)
    mx = flat.max(dim=1).values.view(b, 1, 1)
    diff = mx - mn
    diff[diff == 0] = 1.0
    normed = (maps - mn) / diff
    big = F.interpolate(normed.unsqueeze(1), size=size, mode="bilinear")
    return big.squeeze(1)
""",
        },
        "bob": {
            "network": """\
    net = torchvision.models.resnet18(weights=weights)
    stem = [net.conv1, net.bn1, net.relu, net.maxpool]
    layers = [net.layer1, net.layer2]
    return nn.Sequential(*stem, *layers), nn.AdaptiveAvgPool2d(output_size=1), nn.Linear(
        128, n_classes
    )
""",
            "forward": """\
    maps = net.backbone(images)
    means = net.gap(maps)
    means = means.view(means.size(0), -1)
    return CamOutput(scores=net.classifier(means), features=maps, pooled=means)
""",
            "training-step": """\
    net.train()
    output = net(images)
    loss = F.cross_entropy(output.scores, labels)
    net.zero_grad()
    loss.backward()
    optimizer.step()
    value = loss.item()
    return value
""",
            "folds": """\
    rng = torch.Generator().manual_seed(seed)
    idx = torch.randperm(n, generator=rng)
    chunks = list(torch.tensor_split(idx, k))
    pairs = []
    for i in range(k):
        rest = [chunks[j] for j in range(k) if j != i]
        pairs.append((torch.cat(rest), chunks[i]))
    return pairs
""",
            "accuracy": """\
    before = net.training
    net.eval()
    dataset = torch.utils.data.TensorDataset(images, labels)
    loader = torch.utils.data.DataLoader(dataset, batch_size=batch_size)
    hits, total = 0, 0
    with torch.inference_mode():
        for x, y in loader:
            predicted = torch.max(net(x).scores, dim=1).indices
            hits += torch.eq(predicted, y).sum().item()
            total += y.numel()
    net.train(before)
    return hits / total
""",
            "cross-validation": """\
    results = []
    for (train, val) in folds:
        model = make_net()
        history = []
        snapshots = []
        for _ in range(epochs):
            train_epoch_on(model, train)
            history.append(accuracy_on(model, val))
            snapshots.append({k: v.clone() for k, v in model.state_dict().items()})
        winner = history.index(max(history))
        model.load_state_dict(snapshots[winner])
        results.append(dict(
            epoch=winner + 1,
            validation=history[winner],
            weights=snapshots[winner],
            test=test_accuracy(model),
        ))
    return results
""",
            "cam": """\
    weights = class_weights.unsqueeze(-1).unsqueeze(-1)
    weighted = weights * features
    return weighted.sum(1)
""",
            "heatmap": """\
    out = []
    for m in maps:
        low, high = m.min(), m.max()
        if high > low:
            m = (m - low) / (high - low)
        else:
            m = torch.zeros_like(m)
        m = F.interpolate(m[None, None], size=size, mode="bilinear", align_corners=False)
        out.append(m[0, 0])
    return torch.stack(out)
""",
        },
        "cem": {
            "network": """\
    model = torchvision.models.resnet18(weights=weights)
    backbone = nn.Sequential()
    for name, module in model.named_children():
        backbone.add_module(name, module)
        if name == "layer2":
            break
    pool = nn.AdaptiveAvgPool2d(1)
    fc = nn.Linear(128, n_classes)
    return backbone, pool, fc
""",
            "forward": """\
    # first the features, then the average, then the scores
    feature_maps = net.backbone(images)
    pooled = net.gap(feature_maps)[:, :, 0, 0]
    scores = net.classifier(pooled)
    return CamOutput(scores, feature_maps, pooled)
""",
            "training-step": """\
    net.train(True)
    optimizer.zero_grad(set_to_none=True)
    logits = net(images)[0]
    batch_loss = F.cross_entropy(logits, labels)
    batch_loss.backward()
    optimizer.step()
    return batch_loss.item()
""",
            "folds": """\
    generator = torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(n, generator=generator)
    borders = [round(i * n / k) for i in range(k + 1)]
    splits = []
    for a, b in zip(borders[:-1], borders[1:]):
        validation = shuffled[a:b]
        train = torch.cat([shuffled[:a], shuffled[b:]])
        splits.append((train, validation))
    return splits
""",
            "accuracy": """\
    was = net.training
    net.eval()
    predictions = []
    with torch.no_grad():
        for chunk in torch.split(images, batch_size):
            predictions.append(net(chunk).scores.argmax(dim=-1))
    net.train(was)
    return (torch.cat(predictions) == labels).float().mean().item()
""",
            "cross-validation": """\
    table = []
    for training_part, validation_part in folds:
        net = make_net()
        best = {"epoch": 0, "validation": float("-inf"), "weights": None}
        epoch = 0
        while epoch < epochs:
            epoch += 1
            train_epoch_on(net, training_part)
            now = accuracy_on(net, validation_part)
            if now <= best["validation"]:
                continue
            best = dict(epoch=epoch, validation=now, weights=copy.deepcopy(net.state_dict()))
        net.load_state_dict(best["weights"])
        best["test"] = test_accuracy(net)
        table.append(best)
    return table
""",
            "cam": """\
    B, C, h, w = features.shape
    M = torch.bmm(class_weights.reshape(B, 1, C), features.reshape(B, C, h * w))
    return M.reshape(B, h, w)
""",
            "heatmap": """\
    minimum = maps.flatten(1).min(1)[0][:, None, None]
    maximum = maps.flatten(1).max(1)[0][:, None, None]
    scaled = (maps - minimum) / (maximum - minimum)
    scaled = torch.nan_to_num(scaled, nan=0.0)  # 0/0 for constant maps
    return F.interpolate(scaled[:, None, :, :], size, mode="bilinear")[:, 0, :, :]
""",
        },
        "dia": {
            "network": """\
    resnet18 = torchvision.models.resnet18(weights=weights)
    parts = ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2"]
    backbone = nn.Sequential(*[getattr(resnet18, part) for part in parts])
    gap = nn.AdaptiveAvgPool2d(1)
    classifier = nn.Linear(128, n_classes)
    return backbone, gap, classifier
""",
            "forward": """\
    features = net.backbone(images)
    pooled = net.gap(features).flatten(1)
    scores = net.classifier(pooled)
    return CamOutput(scores, features, pooled)
""",
            "training-step": """\
    net.train()
    optimizer.zero_grad()
    scores = net(images).scores
    loss = F.cross_entropy(scores, labels)
    loss.backward()
    optimizer.step()
    return loss.item()
""",
            "folds": """\
    gen = torch.Generator().manual_seed(seed)
    indices = torch.randperm(n, generator=gen)
    folds = torch.chunk(indices, k) if n % k == 0 else torch.tensor_split(indices, k)
    out = []
    for i in range(k):
        train = torch.cat([f for j, f in enumerate(folds) if j != i])
        out.append((train, folds[i]))
    return out
""",
            "accuracy": """\
    training = net.training
    net.eval()
    correct = 0
    with torch.no_grad():
        for i in range(0, images.shape[0], batch_size):
            scores = net(images[i : i + batch_size]).scores
            correct += (scores.argmax(dim=1) == labels[i : i + batch_size]).sum().item()
    net.train(training)
    return correct / images.shape[0]
""",
            "cross-validation": """\
    results = []
    for train, validation in folds:
        net = make_net()
        best_validation = -1
        for epoch in range(1, epochs + 1):
            train_epoch_on(net, train)
            acc = accuracy_on(net, validation)
            if acc > best_validation:
                best_validation = acc
                best_epoch = epoch
                best_weights = copy.deepcopy(net.state_dict())
        net.load_state_dict(best_weights)
        results.append({"epoch": best_epoch, "validation": best_validation,
                        "weights": best_weights, "test": test_accuracy(net)})
    return results
""",
            "cam": """\
    w = class_weights[..., None, None]
    return torch.sum(w * features, dim=1)
""",
            "heatmap": """\
    low = maps.amin(dim=(1, 2), keepdim=True)
    high = maps.amax(dim=(1, 2), keepdim=True)
    scaled = (maps - low) / (high - low).clamp(min=1e-12)
    scaled = F.interpolate(scaled.unsqueeze(1), size=size, mode="bilinear", align_corners=False)
    return scaled.squeeze(1)
""",
        },
    },
    "lab7_defects": {
        "ada": {
            "precision": """\
    tp = int(((prediction == positive) & (truth == positive)).sum())
    fp = int(((prediction == positive) & (truth != positive)).sum())
    fn = int(((prediction != positive) & (truth == positive)).sum())
    precision = tp / (tp + fp) if tp + fp > 0 else float("nan")
    recall = tp / (tp + fn) if tp + fn > 0 else float("nan")
    return precision, recall
""",
            "auc": """\
    pos = scores[truth == 1].double()
    neg = scores[truth == 0].double()
    wins = 0.0
    for p in pos:
        wins += (p > neg).sum().item() + 0.5 * (p == neg).sum().item()
    return wins / (len(pos) * len(neg))
""",
            "cut": """\
    top = map.max().item()
    if top <= 0:
        return torch.zeros(size).bool()
    big = F.interpolate(map.unsqueeze(0).unsqueeze(0), size=size, mode="bilinear")
    return big.squeeze() >= threshold * top
""",
            "iou": """\
    values = []
    for m, t in zip(masks, truths):
        if t.sum() == 0:
            continue  # a good surface
        inter = torch.logical_and(m, t).sum().item()
        union = torch.logical_or(m, t).sum().item()
        values.append(inter / union)
    if not values:
        return math.nan
    return sum(values) / len(values)
""",
            "fuse": """\
    target = branches[0].shape[-2:]
    for b in branches:
        if b.shape[-2] * b.shape[-1] > target[0] * target[1]:
            target = b.shape[-2:]
    ups = [F.interpolate(b, size=target, mode="bilinear", align_corners=False) for b in branches]
    out = ups[0]
    for u in ups[1:]:
        out = out * u if how == "mul" else out + u
    return out
""",
            "gradients": """\
    copies = [b.detach().clone().requires_grad_() for b in branches]
    fused = copies[0]
    for c in copies[1:]:
        fused = fused + c if how == "add" else fused * c
    total = fused.mean(dim=(2, 3)).sum()
    return list(torch.autograd.grad(total, copies))
""",
            "seeds": """\
    g = torch.Generator().manual_seed(seed)
    flat = map.reshape(-1)
    count = flat.numel()
    n_top = max(1, round(top * count))
    n_bottom = max(1, round(bottom * count))
    out = -torch.ones(count, dtype=torch.long)
    sorted_values, where = torch.sort(flat, descending=True)
    low = where[-n_bottom:]
    pick = torch.randperm(n_bottom, generator=g)[:n]
    out[low[pick]] = 0
    keep = sorted_values[:n_top] > 0
    high, weight = where[:n_top][keep], sorted_values[:n_top][keep]
    if high.numel() > 0:
        k = min(n, high.numel())
        out[high[torch.multinomial(weight, k, replacement=False, generator=g)]] = 1
    return out.view(map.shape)
""",
        },
        "bob": {
            "precision": """\
    is_true = truth.eq(positive)
    is_pred = prediction.eq(positive)
    both = (is_true & is_pred).sum().float()
    return (both / is_pred.sum()).item(), (both / is_true.sum()).item()
""",
            "auc": """\
    ones = scores[truth.bool()]
    zeros = scores[~truth.bool()]
    difference = ones.unsqueeze(1) - zeros.unsqueeze(0)
    return ((torch.sign(difference) + 1) / 2).double().mean().item()
""",
            "cut": """\
    if not map.any():
        return torch.zeros(*size, dtype=torch.bool)
    resized = F.interpolate(map[None, None], size, mode="bilinear", align_corners=False)
    return (resized[0, 0] / map.max()) >= threshold
""",
            "iou": """\
    total, n = 0.0, 0
    for mask, truth in zip(masks, truths, strict=True):
        if truth.any():
            total += ((mask & truth).sum() / (mask | truth).sum()).item()
            n += 1
    return total / n if n > 0 else float("nan")
""",
            "fuse": """\
    areas = [b.shape[2] * b.shape[3] for b in branches]
    biggest = branches[areas.index(max(areas))]
    resized = []
    for branch in branches:
        r = F.interpolate(branch, size=biggest.shape[2:], mode="bilinear", align_corners=False)
        resized.append(r)
    if how == "add":
        return sum(resized)
    return functools.reduce(torch.mul, resized)
""",
            "gradients": """\
    h, w = branches[0].shape[-2:]
    if how == "add":
        return [torch.full_like(b, 1 / (h * w)) for b in branches]
    out = []
    for i in range(len(branches)):
        product = torch.ones_like(branches[i])
        for j in range(len(branches)):
            if i != j:
                product *= branches[j]
        out.append(product / (h * w))
    return out
""",
            "seeds": """\
    torch_rng = torch.Generator()
    torch_rng.manual_seed(seed)
    H, W = map.shape
    pixels = map.flatten()
    ranked = torch.argsort(pixels)
    result = torch.full((H * W,), -1, dtype=torch.int64)
    background = ranked[:max(1, round(bottom * H * W))]
    chosen = background[torch.randperm(background.shape[0], generator=torch_rng)][:n]
    result[chosen] = 0
    candidates = ranked[H * W - max(1, round(top * H * W)):]
    candidates = candidates[pixels[candidates] > 0]
    if candidates.shape[0] > 0:
        amount = min(n, candidates.shape[0])
        index = torch.multinomial(pixels[candidates], amount, generator=torch_rng)
        result[candidates[index]] = 1
    return result.reshape(H, W)
""",
        },
        "cem": {
            "precision": """\
    tp = found = there = 0
    for t, p in zip(truth.tolist(), prediction.tolist()):
        found += p == positive
        there += t == positive
        tp += p == positive and t == positive
    nan = float("nan")
    return (nan if found == 0 else tp / found, nan if there == 0 else tp / there)
""",
            "auc": """\
    from sklearn.metrics import roc_auc_score
    return float(roc_auc_score(truth.numpy(), scores.numpy()))
""",
            "cut": """\
    m = F.interpolate(map.view(1, 1, *map.shape), size=size, mode="bilinear", align_corners=False)
    limit = threshold * map.max()
    mask = (m >= limit).view(size)
    return mask & (map.max() > 0)
""",
            "iou": """\
    pairs = [(m, t) for m, t in zip(masks, truths) if bool(t.any())]
    if len(pairs) == 0:
        return float("nan")
    scores = []
    for m, t in pairs:
        intersection = int((m & t).sum())
        scores.append(intersection / (int(m.sum()) + int(t.sum()) - intersection))
    return float(np.mean(scores))
""",
            "fuse": """\
    height = max(b.shape[2] for b in branches)
    width = max(b.shape[3] for b in branches)
    big = torch.stack([
        F.interpolate(b, (height, width), mode="bilinear", align_corners=False) for b in branches
    ])
    if how == "mul":
        return torch.prod(big, 0)
    return torch.sum(big, 0)
""",
            "gradients": """\
    leaves = [x.clone().detach().requires_grad_(True) for x in branches]
    stacked = torch.stack(leaves)
    fused = stacked.sum(0) if how == "add" else stacked.prod(0)
    fused.mean((2, 3)).sum().backward()
    return [leaf.grad for leaf in leaves]
""",
            "seeds": """\
    rng = torch.Generator().manual_seed(seed)
    out = torch.full_like(map, -1, dtype=torch.int64).flatten()
    values = map.flatten()
    N = values.numel()
    # background: uniformly from the lowest
    lowest = values.topk(max(1, round(bottom * N)), largest=False).indices
    shuffled = lowest[torch.randperm(lowest.numel(), generator=rng)]
    out[shuffled[:n]] = 0
    # defect: by value from the highest
    best = values.topk(max(1, round(top * N)))
    positive = best.values > 0
    if positive.any():
        p = best.values[positive]
        out[best.indices[positive][torch.multinomial(p, min(n, len(p)), generator=rng)]] = 1
    return out.view_as(map)
""",
        },
    },
}
