"""ReCAM by its paper, and as document 001 has it: literal numbers and float64 recomputation."""

import numpy as np
import pytest
import torch
from torch import nn

from labkit.models import CamHead, NaiveReCamHead, ReCam, ReCamHead
from labkit.models.recam import recam_loss

# One channel that is copied, two classes: everything below can be done by hand.
FEATURES = torch.tensor([[[[4.0, 2.0], [0.0, 2.0]]]])


def filled(head, weights, reweights=None):
    with torch.no_grad():
        head.maps[0].weight.fill_(1.0)
        head.maps[0].bias.zero_()
        head.classifier.weight.copy_(torch.tensor(weights)[:, None])
        if reweights is not None:
            head.reclassifier.weight.copy_(torch.tensor(reweights)[:, None])
    return head


class TestPaper:
    def test_by_hand(self):
        """The map is (8, 4; 0, 4), its weights (1, .5; 0, .5), their product with A means 6/4."""
        head = filled(ReCamHead(2, 1, maps=1), [2.0, -1.0], [3.0, 5.0])
        output = head(FEATURES)
        torch.testing.assert_close(output.scores, torch.tensor([[4.0, -2.0]]))
        rescores = head.reclassify(output, torch.tensor([0]))
        torch.testing.assert_close(rescores, torch.tensor([[4.5, 7.5]]))
        final = head.class_map(output, torch.tensor([0]))
        torch.testing.assert_close(final, 6 * FEATURES[0])

    def test_a_map_without_a_positive_value_keeps_nothing(self):
        head = filled(ReCamHead(2, 1, maps=1), [2.0, -1.0], [3.0, 5.0])
        rescores = head.reclassify(head(FEATURES), torch.tensor([1]))
        torch.testing.assert_close(rescores, torch.zeros(1, 2))

    @pytest.mark.parametrize("how", ["minmax", "sigmoid", "relu"])
    @pytest.mark.parametrize("shape", [(3, 5, 4, 6), (1, 2, 1, 3)])
    def test_against_numpy(self, how, shape):
        torch.manual_seed(4)
        head = ReCamHead(4, shape[1], maps=6, how=how).double()
        features = torch.randn(shape, dtype=torch.float64)
        labels = torch.arange(len(features)) % 4
        output = head(features)
        maps = output.features.detach().numpy()
        w, v = head.classifier.weight.detach().numpy(), head.reclassifier.weight.detach().numpy()
        for b, label in enumerate(labels.tolist()):
            cam = np.tensordot(w[label], maps[b], 1)
            if how == "minmax":
                mask = (cam - cam.min()) / max(cam.max() - cam.min(), 1e-300)
            elif how == "relu":
                mask = np.maximum(cam, 0) / max(cam.max(), 1e-300)
            else:
                mask = 1 / (1 + np.exp(-cam))
            expected = v @ (mask * maps[b]).mean((1, 2))
            found = head.reclassify(output, labels)[b].detach().numpy()
            np.testing.assert_allclose(found, expected, atol=1e-12)
            final = np.tensordot(w[label] * v[label], maps[b], 1)
            found = head.class_map(output, labels)[b].detach().numpy()
            np.testing.assert_allclose(found, final, atol=1e-12)

    def test_both_classifiers_learn_from_the_total(self):
        torch.manual_seed(5)
        head = ReCamHead(3, 4)
        labels = torch.tensor([0, 2])
        output = head(torch.randn(2, 4, 5, 5))
        recam_loss(output.scores, head.reclassify(output, labels), labels).total.backward()
        for parameter in head.parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0

    def test_the_whole_network(self):
        net = ReCam(5, 1 / 16)
        output = net(torch.randn(2, 3, 48, 64))
        assert output.scores.shape == (2, 5) and output.features.shape == (2, 5, 3, 4)
        assert net.head.reclassifier.bias is None and net.classifier.bias is None


class TestLoss:
    def test_literal_numbers(self):
        """Scores 0 and log 3: a yes of 1/2 and of 3/4, or shares of 1/4 and 3/4."""
        log3 = float(np.log(3))
        scores = torch.tensor([[0.0, log3]])
        parts = recam_loss(scores, scores, torch.tensor([1]))
        assert parts.bce.item() == pytest.approx((np.log(2) + np.log(4 / 3)) / 2)
        assert parts.ce.item() == pytest.approx(np.log(4 / 3))
        assert parts.total.item() == pytest.approx(parts.bce.item() + parts.ce.item())

    def test_the_first_part_is_the_paper_s_soft_margin(self):
        torch.manual_seed(6)
        scores, labels = torch.randn(7, 5, dtype=torch.float64), torch.arange(7) % 5
        truth = nn.functional.one_hot(labels, 5).double()
        expected = nn.functional.multilabel_soft_margin_loss(scores, truth)
        torch.testing.assert_close(recam_loss(scores, scores, labels).bce, expected)


class TestNaive:
    def test_by_hand(self):
        """Class 0 is best; minmax of its map gives (1, .5; 0, .5), and 6/4 as the mean."""
        head = filled(NaiveReCamHead(2, 1, maps=1), [2.0, -1.0])
        output = head(FEATURES)
        torch.testing.assert_close(output.scores, torch.tensor([[3.0, -1.5]]))
        torch.testing.assert_close(output.features, torch.tensor([[[[4.0, 1.0], [0.0, 1.0]]]]))

    def test_each_picture_by_its_own_best_class(self):
        torch.manual_seed(13)
        head = NaiveReCamHead(4, 5, how="sigmoid")
        features = 3 * torch.randn(6, 5, 3, 4)
        plain = CamHead(4, 5)
        plain.load_state_dict(head.state_dict())
        first = plain(features)
        assert len(set(first.scores.argmax(1).tolist())) > 1
        for i in range(6):
            one = head(features[i : i + 1])
            torch.testing.assert_close(one.scores[0], head(features).scores[i])
        cam = plain.class_map(first, first.scores.argmax(1))
        expected = first.features * cam.sigmoid()[:, None]
        torch.testing.assert_close(head(features).features, expected)
        torch.testing.assert_close(
            head(features).scores, expected.mean((2, 3)) @ plain.classifier.weight.T
        )

    def test_it_has_no_second_classifier(self):
        assert NaiveReCamHead(3, 4).state_dict().keys() == CamHead(3, 4).state_dict().keys()
