"""Training networks that label every pixel: what they learn, what is kept, what is refused."""

import math

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import Dataset

from labkit.errors import InputError
from labkit.models import FCN8s
from labkit.training import fcn
from labkit.training.state import best_row

N = 3


class Stripes(Dataset):
    """Images whose brightest channel is the label, with ignored pixels at the border."""

    def __init__(self, n=6, seed=0, sizes=((32, 40),)):
        generator = torch.Generator().manual_seed(seed)
        self.items = []
        for i in range(n):
            labels = torch.randint(N, sizes[i % len(sizes)], generator=generator)
            image = F.one_hot(labels, N).permute(2, 0, 1).float()
            labels[0] = -1
            labels[-1] = -100
            self.items.append((image, labels))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def pointwise(seed=0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Dropout(0.1), nn.Conv2d(8, N, 1))


def fit(model, train=None, epochs=3, **options):
    options = {"batch_size": 2, "lr": 0.05, "progress": False, **options}
    return fcn.fit(model, train or Stripes(), Stripes(3, 1), epochs=epochs, **options)


def test_it_learns_and_keeps_the_epoch_of_the_best_mean_iou():
    model = pointwise()
    before = fcn.evaluate(model, Stripes(3, 1))
    history = fit(model, epochs=8)
    assert list(history.columns) == list(fcn.COLUMNS)
    best = best_row(history, fcn.CRITERION)
    after = fcn.evaluate(model, Stripes(3, 1))
    assert after.mean_iou == pytest.approx(best["validation_mean_iou"])
    assert after.accuracy == pytest.approx(best["validation_accuracy"])
    assert after.loss == pytest.approx(best["validation_loss"])
    assert after.mean_iou > max(0.8, before.mean_iou)


def test_loss_and_counts_leave_out_negative_labels():
    model = pointwise().eval()
    tested = fcn.evaluate(model, Stripes(3, 1))
    losses, right, n = 0.0, 0, 0
    for image, labels in Stripes(3, 1):
        scores = model(image[None])[0].permute(1, 2, 0)[labels >= 0]
        truth = labels[labels >= 0]
        losses += -scores.log_softmax(1)[range(len(truth)), truth].sum().item()
        right += int((scores.argmax(1) == truth).sum())
        n += len(truth)
    assert int(tested.confusion.sum()) == n == 3 * 30 * 40
    assert tested.loss == pytest.approx(losses / n)
    assert tested.accuracy == right / n


def test_the_training_loss_is_a_mean_over_labelled_pixels():
    model = nn.Conv2d(3, N, 1)
    nn.init.zeros_(model.weight), nn.init.zeros_(model.bias)
    history = fit(model, epochs=1, lr=1e-12, weight_decay=0)
    assert history["train_loss"][0] == pytest.approx(math.log(N), rel=1e-5)


def test_one_step_is_adams_with_weight_decay():
    one, two = pointwise(), pointwise()
    one[2].p = two[2].p = 0.0
    data = Stripes(1)
    fcn.fit(one, data, data, epochs=1, lr=0.01, weight_decay=0.1, progress=False)
    optimizer = torch.optim.Adam(two.parameters(), lr=0.01, weight_decay=0.1)
    image, labels = data[0]
    F.cross_entropy(two(image[None]), labels[None].clamp_min(-1), ignore_index=-1).backward()
    optimizer.step()
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_stopped_training_goes_on_as_if_it_had_not_been(tmp_path):
    whole, broken = pointwise(), pointwise()
    expected = fit(whole, epochs=4)
    fit(broken, epochs=2, run=tmp_path / "run")
    broken = pointwise(seed=5)
    history = fit(broken, epochs=4, run=tmp_path / "run", resume=True)
    columns = [c for c in expected if c != "seconds"]
    pd.testing.assert_frame_equal(history[columns], expected[columns])
    for a, b in zip(whole.parameters(), broken.parameters(), strict=True):
        assert torch.equal(a, b)
    written = pd.read_csv(tmp_path / "run" / "history.csv")
    assert list(written.columns) == list(fcn.COLUMNS) and len(written) == 4


def test_a_run_belongs_to_its_weight_decay(tmp_path):
    fit(pointwise(), epochs=1, run=tmp_path / "run")
    with pytest.raises(InputError, match=r"weight decay 2e-05, not 0\.1"):
        fit(pointwise(), epochs=2, run=tmp_path / "run", resume=True, weight_decay=0.1)


def test_what_is_lent_comes_back():
    model = pointwise().train()
    model[3].eval()
    state = torch.get_rng_state()
    fit(model, epochs=1)
    fcn.evaluate(model, Stripes(2))
    fcn.predict(model, [Stripes()[0][0]])
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training and not model[3].training
    assert all(p.grad is None for p in model.parameters())


def test_predictions_are_labels_of_each_images_own_size():
    data = Stripes(2, sizes=((32, 40), (28, 30)))
    model = nn.Identity()
    for found, (_, labels) in zip(
        fcn.predict(model, [image for image, _ in data]), data, strict=True
    ):
        assert found.dtype == torch.int64
        assert torch.equal(found[1:-1], labels[1:-1])


def test_the_majority_class_everywhere():
    train = Stripes(1)
    train.items[0][1][1:-1] = 2
    found = fcn.majority(train, Stripes(4, 1), N)
    assert math.isnan(found.loss)
    assert int(found.confusion[:, 2].sum()) == int(found.confusion.sum())
    share = float((torch.stack([y for _, y in Stripes(4, 1)]) == 2).sum()) / (4 * 30 * 40)
    assert found.accuracy == pytest.approx(share)
    assert found.mean_iou == pytest.approx(share / 3)


def test_a_real_network_and_different_sizes_in_batches_of_one():
    torch.manual_seed(0)
    data = Stripes(2, sizes=((32, 40), (28, 30)))
    history = fcn.fit(FCN8s(N, 1 / 64), data, data, epochs=1, progress=False)
    assert len(history) == 1


class TestRefuses:
    def test_sizes_that_differ_in_a_batch(self):
        with pytest.raises(InputError, match=r"28x30 and 32x40 pixels cannot go into one batch"):
            fit(pointwise(), Stripes(2, sizes=((32, 40), (28, 30))))

    def test_labels_that_the_network_does_not_know(self):
        data = Stripes()
        data.items[0][1][5, 5] = N
        with pytest.raises(InputError, match="labels reach 3, expected at most 2"):
            fit(pointwise(), data)

    def test_a_model_of_another_kind(self):
        with pytest.raises(InputError, match=r"gives \[2, 3, 8, 8\] for labels \[2, 32, 40\]"):
            fit(nn.Sequential(pointwise(), nn.AdaptiveAvgPool2d(8)))
        with pytest.raises(InputError, match=r"expected scores \[B,N,H,W\]"):
            fit(nn.Sequential(pointwise(), nn.Flatten()))

    def test_nothing_labelled(self):
        data = Stripes()
        for _, labels in data.items:
            labels.fill_(-1)
        with pytest.raises(InputError, match="no pixel of the training images"):
            fit(pointwise(), data)
        with pytest.raises(InputError, match="no pixel of the images"):
            fcn.evaluate(pointwise(), data)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"epochs": 0}, "epochs is 0"),
            ({"batch_size": 0}, "batch size is 0"),
            ({"lr": 0.0}, "learning rate is 0"),
            ({"weight_decay": -1.0}, "weight decay is -1"),
        ],
    )
    def test_settings(self, options, message):
        with pytest.raises(InputError, match=message):
            fit(pointwise(), **options)

    def test_a_loss_that_diverges(self):
        with pytest.raises(InputError, match="lower the learning rate"):
            fit(pointwise(), lr=1e20, epochs=3)
