"""Balanced losses, figures of the right class, seeds, times, and training on pixels."""

import math
import time

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import precision_score, recall_score, roc_auc_score
from torch import nn
from torch.utils.data import TensorDataset

from labkit import defects
from labkit.defects import balanced, class_weights, find, inference_time, sample_seeds
from labkit.errors import InputError
from labkit.models import CamOutput, DefectNet, FCam, SegNet
from labkit.training import build, fit
from labkit.training.pixels import fit_pixels


class Brightness(nn.Module):
    """Says "defect" by the mean of an image."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(3.0))

    def forward(self, images):
        pooled = images.mean((1, 2, 3))
        return CamOutput(
            torch.stack([-self.scale * pooled, self.scale * pooled], 1), images, pooled
        )


@pytest.fixture
def surfaces():
    generator = torch.Generator().manual_seed(1)
    labels = (torch.arange(40) % 8 == 0).long()
    images = torch.randn(40, 3, 4, 4, generator=generator) + 0.2 * labels[:, None, None, None]
    return TensorDataset(images, labels)


class TestBalance:
    def test_weights(self):
        labels = torch.tensor([0] * 700 + [1] * 105)
        expected = [805 / 1400, 805 / 210]
        torch.testing.assert_close(class_weights(labels), torch.tensor(expected))

    @pytest.mark.parametrize("labels", [[0, 0], [], [1, 1], [0, 2]])
    def test_a_class_is_missing(self, labels):
        with pytest.raises(InputError, match="expected each of at least two"):
            class_weights(torch.tensor(labels, dtype=torch.long))

    def test_the_loss_is_the_mean_of_both_classes_means(self):
        net, labels = Brightness(), torch.tensor([0, 0, 0, 1])
        images = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
        loss, scores = balanced(labels, flips=False)(net, images, labels)
        each = F.cross_entropy(net(images).scores, labels, reduction="none")
        torch.testing.assert_close(loss, (each[:3].mean() + each[3]) / 2)
        torch.testing.assert_close(scores, net(images).scores)

    def test_flips_are_seeded_and_only_flips(self):
        seen = []

        class Seen(Brightness):
            def forward(self, images):
                seen.append(images)
                return super().forward(images)

        labels = torch.tensor([0, 1])
        images = torch.arange(2 * 3 * 2 * 2.0).view(2, 3, 2, 2)
        objective = balanced(labels)
        for _ in range(20):
            objective(Seen(), images, labels)
        ways = {tuple(batch.flatten().tolist()) for batch in seen}
        allowed = [images.flip(axes) for axes in ([], [2], [3], [2, 3])]
        assert ways == {tuple(way.flatten().tolist()) for way in allowed}

    def test_it_finds_what_is_rare(self, surfaces):
        """With plain cross entropy "good" everywhere is a fine answer; with the balanced not."""
        labels = surfaces.tensors[1]
        net = build(lambda: DefectNet(2, 4), 0)
        history = fit(
            net,
            surfaces,
            surfaces,
            epochs=2,
            batch_size=8,
            objective=balanced(labels),
            progress=False,
        )
        assert np.isfinite(history["train_loss"]).all()


class TestFind:
    def test_as_scikit_learn(self, surfaces):
        found = find(Brightness(), surfaces, batch_size=7)
        truth, scores = surfaces.tensors[1].numpy(), found.scores.numpy()
        hard = (scores > 0).astype(int)
        figures = found.figures()
        assert figures["accuracy"] == pytest.approx((hard == truth).mean())
        assert figures["roc_auc"] == pytest.approx(roc_auc_score(truth, scores))
        assert figures["precision"] == pytest.approx(precision_score(truth, hard))
        assert figures["recall"] == pytest.approx(recall_score(truth, hard))
        assert figures["auc_of_labels"] == pytest.approx(roc_auc_score(truth, hard))
        assert figures["precision_of_good"] == pytest.approx(precision_score(1 - truth, 1 - hard))

    def test_the_model_is_left_as_it_was(self, surfaces):
        net = DefectNet(2, 4).train()
        before = {name: value.clone() for name, value in net.state_dict().items()}
        find(net, surfaces)
        assert net.training
        assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())

    def test_three_classes(self, surfaces):
        with pytest.raises(InputError, match=r"expected \[B,2\]"):
            find(DefectNet(3, 4), surfaces)


class TestTime:
    def test_only_calls_after_the_warm_up_count(self):
        class Slow(nn.Module):
            calls = 0

            def forward(self, images):
                Slow.calls += 1
                time.sleep(0.2 if Slow.calls <= 2 else 0.01)
                return images

        timing = inference_time(Slow(), torch.zeros(1), calls=4, warm_up=2)
        assert Slow.calls == 6 and timing.calls == 4
        assert 0.01 <= timing.mean < 0.1
        assert timing.std < 0.1

    def test_a_spread_needs_two(self):
        with pytest.raises(InputError, match="at least 2"):
            inference_time(Brightness(), torch.zeros(1, 3, 2, 2), calls=1)

    def test_evaluation_mode_then_as_it_was(self):
        net = DefectNet(2, 4).train()
        statistics = net.stem[1].running_mean.clone()
        inference_time(net, torch.randn(2, 3, 16, 16), calls=2, warm_up=0)
        assert net.training and torch.equal(net.stem[1].running_mean, statistics)


class TestSeeds:
    def draw(self, maps, n=5, seed=0, **shares):
        return sample_seeds(maps, n, torch.Generator().manual_seed(seed), **shares)

    def test_where_and_how_many(self):
        maps = torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(3))
        seeds = self.draw(maps, 7, top=0.1, bottom=0.5)
        assert seeds.shape == maps.shape and seeds.dtype == torch.long
        for map, row in zip(maps, seeds, strict=True):
            ranked = map.flatten().sort().values
            assert (row == 1).sum() == 7 and (row == 0).sum() == 7
            assert map[row == 1].min() >= ranked[-60]
            assert map[row == 0].max() <= ranked[299]

    def test_new_draws_but_the_same_from_the_same_seed(self):
        maps = torch.rand(1, 16, 16)
        generator = torch.Generator().manual_seed(0)
        first, second = (sample_seeds(maps, 5, generator) for _ in range(2))
        assert not torch.equal(first, second)
        assert torch.equal(first, self.draw(maps))

    def test_bright_pixels_come_in_proportion_to_their_value(self):
        map = torch.zeros(1, 1, 10)
        map[0, 0, 8:] = torch.tensor([1.0, 3.0])
        generator = torch.Generator().manual_seed(0)
        draws = [sample_seeds(map, 1, generator, top=0.2, bottom=0.5) for _ in range(2000)]
        share = torch.stack(draws).eq(1).float().mean(0)[0, 0]
        assert share[8] == pytest.approx(0.25, abs=0.04)
        assert share[9] == pytest.approx(0.75, abs=0.04)

    def test_background_all_alike(self):
        map = torch.linspace(0, 1, 10).view(1, 1, 10)
        generator = torch.Generator().manual_seed(0)
        draws = [sample_seeds(map, 1, generator, top=0.1, bottom=0.4) for _ in range(2000)]
        share = torch.stack(draws).eq(0).float().mean(0)[0, 0]
        np.testing.assert_allclose(share[:4], 0.25, atol=0.04)
        assert share[4:].sum() == 0

    def test_an_empty_map_has_no_defect(self):
        seeds = self.draw(torch.zeros(1, 8, 8))
        assert (seeds == 1).sum() == 0 and (seeds == 0).sum() == 5

    def test_fewer_than_asked_for(self):
        seeds = self.draw(torch.rand(1, 4, 4) + 0.1, 50, top=0.25, bottom=0.5)
        assert (seeds == 1).sum() == 4 and (seeds == 0).sum() == 8

    @pytest.mark.parametrize(
        "maps", [torch.zeros(4, 4), -torch.ones(1, 4, 4), torch.full((1, 4, 4), math.nan)]
    )
    def test_maps_refused(self, maps):
        with pytest.raises(InputError, match="expected"):
            self.draw(maps)

    @pytest.mark.parametrize("shares", [{"top": 0}, {"bottom": 0}, {"top": 0.6, "bottom": 0.6}])
    def test_shares_refused(self, shares):
        with pytest.raises(InputError, match="shares"):
            self.draw(torch.rand(1, 4, 4), **shares)

    def test_good_surfaces_have_background_seeds_alone(self):
        maps, labels = torch.rand(4, 12, 12), torch.tensor([1, 0, 1, 0])
        targets = defects.seeds_from(maps, labels, 6)
        drawn = targets(torch.tensor([1, 0]), torch.Generator().manual_seed(0))
        assert (drawn[0] == 1).sum() == 0 and (drawn[0] == 0).sum() >= 6
        assert (drawn[1] == 1).sum() > 0


class TestPixels:
    def squares(self, n=24):
        generator = torch.Generator().manual_seed(0)
        images = 0.3 * torch.randn(n, 3, 16, 16, generator=generator)
        masks = torch.zeros(n, 16, 16, dtype=torch.bool)
        for i in range(n):
            y, x = torch.randint(0, 11, (2,), generator=generator).tolist()
            masks[i, y : y + 5, x : x + 5] = True
        return images + 2 * masks[:, None], masks

    def test_a_segnet_learns_bright_squares(self):
        images, masks = self.squares()
        net = build(lambda: SegNet(2, 4), 0)
        history = defects.fit_segnet(net, images, masks, epochs=25, batch_size=8, lr=1e-2)
        assert history["loss"].iloc[-1] < 0.5 * history["loss"].iloc[0]
        found = defects.threshold_table(defects.pixel_maps(net, images), masks.numpy())
        assert found.max() > 0.8

    def test_seeds_alone_teach_the_decoder_where_bright_squares_are(self):
        """The classifier has random weights here, but its first stage sees brightness."""
        images, masks = self.squares()
        model = build(lambda: FCam(DefectNet(2, 8)), 0)
        targets = defects.seeds_from(masks.float(), torch.ones(24).long(), 5)
        history = fit_pixels(model, images, targets, epochs=40, batch_size=8, lr=1e-2)
        assert history["loss"].iloc[-1] < 0.5 * history["loss"].iloc[0]
        found = defects.threshold_table(defects.pixel_maps(model, images), masks.numpy())
        assert found.max() > 0.35

    def test_the_same_seed_gives_the_same_weights_and_the_global_state_stays(self):
        images, masks = self.squares(8)
        nets = []
        for _ in range(2):
            net = build(lambda: SegNet(2, 2), 0)
            torch.manual_seed(7)
            defects.fit_segnet(net, images, masks, epochs=2, seed=3)
            nets.append((net, torch.rand(1)))
        assert nets[0][1] == nets[1][1]
        for a, b in zip(nets[0][0].parameters(), nets[1][0].parameters(), strict=True):
            assert torch.equal(a, b)
            assert a.grad is None

    def test_mean_iou_by_threshold(self):
        map = torch.tensor([[0.1, 0.5], [0.7, 0.9]])
        masks = [np.array([[False, False], [True, True]]), np.array([[False, True], [True, True]])]
        found = defects.threshold_table([map, map], masks, (0.5, 0.8))
        assert found[0.5] == pytest.approx((2 / 3 + 1) / 2)
        assert found[0.8] == pytest.approx((1 / 2 + 1 / 3) / 2)
        with pytest.raises(InputError, match="no maps"):
            defects.threshold_table([], [])
