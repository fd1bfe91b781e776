"""Heads on frozen features: what they minimise, when they stop, what is counted and kept."""

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from labkit.errors import InputError
from labkit.models import CamHead, CamOutput, NaiveReCamHead, ReCamHead
from labkit.models.recam import recam_loss
from labkit.runs import load_checkpoint
from labkit.training import classification, fit
from labkit.training.extractor import Extracted, extract, train_extractor
from labkit.training.heads import (
    CrossEntropies,
    KeepEpochs,
    class_maps,
    count_hits,
    make_head,
    objective_of,
    overfits,
    recam,
)


class Scores(nn.Module):
    """Gives the scores that its features hold."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, features):
        return CamOutput(features[:, :, 0, 0], features, features[:, :, 0, 0])


def blobs(n, seed=0, classes=3):
    """Features whose brightest channel is the class, in one corner."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % classes
    features = 0.3 * torch.rand(n, classes, 4, 4, generator=generator)
    features[torch.arange(n), labels, :2, :2] += 2
    return TensorDataset(features, labels)


def test_heads_by_name():
    assert type(make_head("cam", 3, 4)) is CamHead
    assert type(make_head("recam", 3, 4)) is ReCamHead and make_head("recam", 3, 4).how == "relu"
    naive = make_head("naive", 3, 4, "sigmoid")
    assert type(naive) is NaiveReCamHead and naive.how == "sigmoid"
    for network, how in (("cam", "relu"), ("vgg", None)):
        with pytest.raises(InputError, match=f"network={network!r}"):
            make_head(network, 3, 4, how)


def test_what_each_minimises():
    assert objective_of(CamHead(3, 4)) is classification
    assert objective_of(NaiveReCamHead(3, 4)) is classification
    head = ReCamHead(3, 4)
    assert objective_of(head) is recam
    features, labels = torch.randn(5, 4, 2, 3), torch.tensor([0, 1, 2, 0, 1])
    loss, scores = recam(head, features, labels)
    output = head(features)
    expected = recam_loss(output.scores, head.reclassify(output, labels), labels)
    torch.testing.assert_close(loss, expected.bce + expected.ce)
    torch.testing.assert_close(scores, output.scores)


@pytest.mark.parametrize("network", ["cam", "recam", "naive"])
def test_each_learns(network):
    torch.manual_seed(1)
    head = make_head(network, 8, 8)
    history = fit(
        head,
        blobs(80, classes=8),
        blobs(40, seed=1, classes=8),
        epochs=40,  # cross entropy needs 10, yes-or-no questions up to 20
        batch_size=6,
        lr=0.03,
        progress=False,
        objective=objective_of(head),
    )
    assert history["validation_accuracy"].max() == 1.0
    if network == "recam":  # its map multiplies weights, and two negative ones make it bright, too
        return
    # The maps are bright where the class shows, in the corner.
    features, labels = blobs(16, seed=2, classes=8).tensors
    maps = class_maps(head, features, labels, (8, 8))
    assert (maps[:, :3, :3].mean((1, 2)) > 2 * maps[:, 5:, 5:].mean((1, 2))).all()


class TestStop:
    def test_the_rule(self):
        assert not overfits({"train_loss": 1.0, "validation_loss": 2.0})
        assert overfits({"train_loss": 1.0, "validation_loss": 2.01})

    def test_it_compares_cross_entropies(self):
        """Training scores (log 3, 0) for class 0 have the cross entropy log 4/3 = .288."""
        log3 = 1.0986123
        data = TensorDataset(torch.tensor([[[[log3]], [[0.0]]]] * 3), torch.zeros(3).long())
        rule = CrossEntropies(Scores(), data)
        row = {"train_loss": 9.0, "validation_loss": 0.57}
        assert not rule(row) and rule({**row, "validation_loss": 0.58})
        assert row["train_loss"] == 9.0


def test_counts_are_exact_over_unequal_batches():
    scores = torch.tensor([[5.0, 4, 3, 2, 1, 0]] * 7)
    labels = torch.tensor([0, 0, 1, 2, 3, 4, 5])
    data = TensorDataset(scores[:, :, None, None], labels)
    for size in (1, 2, 3, 7, 64):
        assert count_hits(Scores(), data, batch_size=size) == ({1: 2, 3: 4, 5: 6}, 7)


def test_every_epoch_is_kept_and_nothing_but_the_head(tmp_path):
    head = CamHead(6, 6)
    data = blobs(12, classes=6)
    history = fit(
        head,
        data,
        data,
        epochs=3,
        batch_size=6,
        progress=False,
        run=tmp_path / "run",
        measure=KeepEpochs(data, tmp_path / "epochs"),
    )
    names = sorted(path.name for path in (tmp_path / "epochs").iterdir())
    assert names == ["epoch_01.pt", "epoch_02.pt", "epoch_03.pt"]
    kept = CamHead(6, 6)
    for epoch in range(1, 4):
        kept.load_state_dict(load_checkpoint(tmp_path / "epochs" / f"epoch_0{epoch}.pt"))
        hits, n = count_hits(kept, data, (1, 3))
        assert hits[1] / n == history["validation_top1"][epoch - 1]
    KeepEpochs(data, tmp_path / "epochs", before=3)(head)
    assert (tmp_path / "epochs" / "epoch_04.pt").exists()


class TestExtractor:
    def test_features_once_and_each_time_are_the_same(self):
        torch.manual_seed(1)
        extractor = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2)).train()
        data = TensorDataset(torch.randn(5, 3, 6, 6), torch.arange(5))
        once = extract(data, extractor, batch_size=2)
        assert extractor.training  # left as it was
        each = Extracted(data, extractor.eval())
        assert len(each) == 5 and each[3][1] == 3
        for i in range(5):
            torch.testing.assert_close(each[i][0], once.tensors[0][i], atol=1e-6, rtol=1e-5)
        assert not once.tensors[0].requires_grad

    def test_trained_on_the_spot_frozen_and_repeatable(self):
        torch.manual_seed(3)
        before = torch.get_rng_state()
        made = [train_extractor(1 / 16, 32, 26, 1, seed, progress=False) for seed in (0, 0, 1)]
        assert torch.equal(torch.get_rng_state(), before)
        images = torch.randn(2, 3, 32, 32)
        a, b, c = (extractor(images) for extractor in made)
        torch.testing.assert_close(a, b, rtol=0, atol=0)
        assert not torch.allclose(a, c)
        assert a.shape == (2, 32, 2, 2) and not a.requires_grad and not made[0].training
