"""Training on tensors in memory."""

import copy

import pytest
import torch
from torch import nn

from labkit.errors import InputError
from labkit.training.tensors import fit_tensors, order_of


def objective(net: nn.Module, images: torch.Tensor, labels: torch.Tensor):
    scores = net(images.flatten(1))
    loss = nn.functional.cross_entropy(scores, labels)
    return {"total": 2 * loss, "loss": loss}


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(7, 3, 2, 2, generator=generator), torch.tensor([0, 1, 2, 0, 1, 2, 0])


def test_every_step_is_adam_on_the_total(data):
    images, labels = data[0].double(), data[1]
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(12, 3), nn.Dropout(0.0)).double().eval()
    twin = copy.deepcopy(net)
    before = torch.get_rng_state()
    table = fit_tensors(net, images, labels, objective, epochs=2, batch_size=3, lr=0.05)
    assert torch.equal(torch.get_rng_state(), before)
    assert net.training

    optimizer, losses = torch.optim.Adam(twin.parameters(), lr=0.05), []
    for epoch in range(2):
        order = order_of(7, epoch)
        assert sorted(order.tolist()) == list(range(7))
        for i in (0, 3, 6):
            loss = objective(twin, images[order[i : i + 3]], labels[order[i : i + 3]])["loss"]
            twin.zero_grad()
            (2 * loss).backward()
            optimizer.step()
            losses.append(loss.item())
    assert table["loss"].tolist() == pytest.approx(losses)
    assert table["total"].tolist() == pytest.approx([2 * loss for loss in losses])
    for ours, expected in zip(net.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, expected)


def test_without_a_total(data):
    def partial(net, images, labels):
        return {"loss": objective(net, images, labels)["loss"]}

    with pytest.raises(InputError, match="gives loss, expected a total too"):
        fit_tensors(nn.Linear(12, 3), *data, partial, epochs=1, batch_size=3, lr=0.1)
