import copy
import math
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.data import Dataset, Subset, TensorDataset

from labkit.errors import InputError
from labkit.metrics import k_folds
from labkit.models import CamNet, CamOutput
from labkit.runs import load_checkpoint, save_checkpoint
from labkit.training import CrossValidation, build, cross_validate, evaluate, fit
from labkit.training.state import COLUMNS, best_row


class Net(nn.Module):
    """A convolution, batch norm, dropout and a classifier: everything that has a state."""

    def __init__(self, n_classes: int = 3) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.dropout = nn.Dropout(0.3)
        self.classifier = nn.Linear(4, n_classes)

    def forward(self, images: torch.Tensor) -> CamOutput:
        features = self.backbone(images)
        pooled = self.dropout(features.mean(dim=(2, 3)))
        return CamOutput(self.classifier(pooled), features, pooled)


class Noisy(Dataset):
    """Images of a colour a class, with new noise at every look: an augmentation."""

    def __init__(self, n: int, seed: int = 0, noise: float = 0.3) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.labels = torch.randint(3, (n,), generator=generator)
        self.noise = noise

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        label = int(self.labels[i])
        image = torch.zeros(3, 4, 5)
        image[label] = 1
        return image + self.noise * torch.randn(3, 4, 5), label


class Answers(nn.Module):
    """Gives the scores that its images hold, so that every figure can be worked out by hand."""

    def forward(self, images: torch.Tensor) -> CamOutput:
        return CamOutput(images, images, images)


def net(seed: int = 0) -> Net:
    return build(Net, seed)


def quick(model: nn.Module, **options) -> pd.DataFrame:
    settings = {"epochs": 3, "batch_size": 8, "lr": 0.05, "progress": False} | options
    return fit(model, Noisy(21), Noisy(10, seed=1), **settings)


def same_weights(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


def same_history(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    return a.drop(columns="seconds").equals(b.drop(columns="seconds"))


def random_states() -> tuple:
    return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()


class TestFit:
    def test_learns(self):
        model = net()
        history = quick(model, epochs=10)
        assert history["validation_accuracy"].max() > 0.8
        assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]

    def test_history_is_a_table(self):
        history = quick(net())
        assert tuple(history.columns) == COLUMNS
        assert history["epoch"].tolist() == [1, 2, 3]
        assert (history["seconds"] > 0).all()

    def test_one_step_is_adam_on_cross_entropy(self):
        images, labels = next(iter(torch.utils.data.DataLoader(Noisy(6), batch_size=6)))
        model = build(lambda: CamNet(3), 0).double()  # Adam's first step magnifies rounding
        images = images.double()
        twin = copy.deepcopy(model)
        data = TensorDataset(images, labels)
        history = fit(model, data, data, epochs=1, batch_size=6, lr=0.01, progress=False)

        optimizer = torch.optim.Adam(twin.parameters(), lr=0.01)
        loss = nn.functional.cross_entropy(twin.train()(images).scores, labels)
        loss.backward()
        optimizer.step()
        assert history["train_loss"][0] == pytest.approx(loss.item())
        for ours, expected in zip(model.parameters(), twin.parameters(), strict=True):
            torch.testing.assert_close(ours, expected)

    def test_what_is_measured_becomes_columns(self, tmp_path):
        seen = []

        def measure(model: nn.Module) -> dict[str, float]:
            seen.append(model.training)
            return {"bias": float(model.classifier.bias.detach()[0]), "n": len(seen)}

        history = quick(net(), measure=measure, run=tmp_path)
        assert history.columns.tolist() == [*COLUMNS, "bias", "n"]
        assert history["n"].tolist() == [1, 2, 3] and history["bias"].nunique() == 3
        assert seen == [False] * 3
        assert same_history(history, pd.read_csv(tmp_path / "history.csv"))
        longer = quick(net(), measure=measure, run=tmp_path, epochs=4, resume=True)
        assert longer["n"].tolist() == [1, 2, 3, 4]

    def test_another_objective_is_minimised(self):
        model = net()

        def shrink(model: nn.Module, images: torch.Tensor, labels: torch.Tensor):
            loss = sum(p.square().sum() for p in model.parameters())
            return loss, model(images).scores

        before = shrink(model, torch.zeros(1, 3, 4, 5), torch.zeros(1))[0].item()
        history = quick(model, objective=shrink)
        assert history["train_loss"].iloc[-1] < before / 2

    def test_ends_with_the_weights_of_the_best_epoch(self, tmp_path):
        model = net()
        history = quick(model, epochs=6, lr=0.3, run=tmp_path, seed=4)
        best = best_row(history)
        assert best["epoch"] < 6, "choose settings whose last epoch is not the best"
        shorter = net()
        quick(shorter, epochs=int(best["epoch"]), lr=0.3, seed=4)
        assert same_weights(model, shorter)
        stored = net(seed=1)
        stored.load_state_dict(load_checkpoint(tmp_path / "best.pt"))
        assert same_weights(model, stored)

    def test_the_earliest_of_equal_epochs_wins(self):
        model = net()
        constant = TensorDataset(torch.zeros(4, 3, 4, 4), torch.zeros(4, dtype=torch.long))
        with torch.no_grad():
            model.classifier.bias.copy_(torch.tensor([9.0, 0.0, 0.0]))
        after_one = copy.deepcopy(model)
        fit(model, constant, constant, epochs=4, progress=False)
        history = fit(after_one, constant, constant, epochs=1, progress=False)
        assert history["validation_accuracy"].tolist() == [1.0]
        assert same_weights(model, after_one)

    def test_the_same_seed_gives_the_same_and_another_another(self):
        first, again, other = net(), net(), net()
        histories = [quick(first), quick(again), quick(other, seed=1)]
        assert same_weights(first, again) and same_history(*histories[:2])
        assert not same_history(histories[0], histories[2])

    def test_does_not_depend_on_the_global_random_state(self):
        first, again = net(), net()
        quick(first)
        torch.manual_seed(12345)
        quick(again)
        assert same_weights(first, again)

    def test_leaves_the_global_random_states(self):
        torch.manual_seed(12345)
        before = random_states()
        quick(net())
        assert random_states() == before

    @pytest.mark.parametrize("training", [True, False])
    def test_leaves_modes_gradients_and_hooks(self, training):
        model = net().train(training)
        model.backbone[1].train(not training)
        modes = [module.training for module in model.modules()]
        quick(model)
        assert [module.training for module in model.modules()] == modes
        assert all(parameter.grad is None for parameter in model.parameters())
        assert not any(
            module._forward_hooks or module._backward_hooks for module in model.modules()
        )

    def test_a_model_in_eval_mode_learns_as_any_other(self):
        first, second = net(), net().eval()
        assert same_history(quick(first), quick(second))
        assert same_weights(first, second)

    def test_frozen_layers_stay_with_their_statistics(self):
        model = net()
        model.backbone.requires_grad_(False)
        before = copy.deepcopy(model)
        quick(model)
        assert same_weights(model.backbone, before.backbone)
        assert not same_weights(model.classifier, before.classifier)
        assert not any(parameter.requires_grad for parameter in model.backbone.parameters())

    def test_a_batch_is_never_left_with_one_image(self):
        sizes = []

        class Watched(Net):
            def forward(self, images):
                if self.training:
                    sizes.append(len(images))
                return super().forward(images)

        fit(Watched(), Noisy(65), Noisy(3), epochs=1, batch_size=64, progress=False)
        assert sizes == [33, 32]

    def test_every_image_is_seen_once_an_epoch_in_another_order(self):
        seen = []

        class Watched(Noisy):
            def __getitem__(self, i):
                seen.append(i)
                return super().__getitem__(i)

        fit(net(), Watched(21), Noisy(3), epochs=2, batch_size=8, progress=False)
        assert sorted(seen[:21]) == sorted(seen[21:]) == list(range(21))
        assert seen[:21] != seen[21:]

    @pytest.mark.parametrize("n", [1, 3])
    def test_fewer_images_than_a_batch(self, n):
        history = fit(net(), Noisy(n), Noisy(1), epochs=1, batch_size=64, progress=False)
        assert len(history) == 1

    def test_a_loss_that_is_no_number_names_epoch_and_advice(self, tmp_path):
        class Diverging(Net):
            steps = 0

            def forward(self, images):
                output = super().forward(images)
                self.steps += self.training
                return output._replace(scores=output.scores / (self.steps < 4))

        model = build(Diverging, 0)
        with pytest.raises(InputError, match=r"nan in epoch 2.*learning rate.*0\.05, try 0\.005"):
            quick(model, run=tmp_path)
        best = net()
        best.load_state_dict(load_checkpoint(tmp_path / "best.pt"))
        assert same_weights(model, best)
        assert pd.read_csv(tmp_path / "history.csv")["epoch"].tolist() == [1]

    def test_an_interrupted_training_leaves_the_best_so_far(self):
        class Interrupted(Noisy):
            looks = 0

            def __getitem__(self, i):
                self.looks += 1
                if self.looks > 30:
                    raise KeyboardInterrupt
                return super().__getitem__(i)

        model, expected = net().eval(), net()
        with pytest.raises(KeyboardInterrupt):
            fit(model, Interrupted(21), Noisy(10), epochs=5, batch_size=8, progress=False)
        fit(expected, Noisy(21), Noisy(10), epochs=1, batch_size=8, progress=False)
        assert same_weights(model, expected)
        assert not model.training
        assert all(parameter.grad is None for parameter in model.parameters())

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"epochs": 0}, "epochs is 0"),
            ({"batch_size": 0}, "batch size is 0"),
            ({"lr": -1.0}, "learning rate is -1"),
            ({"lr": math.nan}, "learning rate is nan"),
            ({"lr": math.inf}, "learning rate is inf"),
            ({"seed": -1}, "seed is -1"),
            ({"resume": True}, "resume=True without a run"),
        ],
    )
    def test_refuses_settings(self, options, message):
        model, before = net(), net()
        with pytest.raises(InputError, match=message):
            quick(model, **options)
        assert same_weights(model, before)

    def test_refuses_what_cannot_be_trained(self):
        with pytest.raises(InputError, match="empty"):
            fit(net(), Noisy(0), Noisy(3), epochs=1, progress=False)
        with pytest.raises(InputError, match="frozen"):
            quick(net().requires_grad_(False))
        with pytest.raises(InputError, match=r"from 0 to 2, expected 0\.\.1"):
            quick(Net(n_classes=2))
        with pytest.raises(InputError, match=r"gives a Tensor, expected .* `\.scores`"):
            quick(nn.Sequential(nn.Flatten(), nn.Linear(60, 3)))

    def test_is_silent_without_progress(self, capfd):
        quick(net())
        assert capfd.readouterr() == ("", "")

    def test_shows_progress(self, capfd):
        quick(net(), progress=True)
        shown = capfd.readouterr().err
        assert "epochs" in shown and "3/3" in shown and "accuracy=" in shown


SCRIPT = """
    import os, signal, sys
    sys.path.insert(0, {tests!r})
    from test_classifiers import Noisy, net
    from labkit.training import (fit)

    class Killing(Noisy):
        looks = 0
        def __getitem__(self, i):
            self.looks += 1
            if self.looks == {looks}:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().__getitem__(i)

    fit(net(), Killing(21), Noisy(10, seed=1), epochs=5, batch_size=8, lr=0.05,
        run=sys.argv[1], progress=False)
"""


class TestResume:
    @pytest.mark.parametrize("stop", [1, 3])
    def test_after_a_stop_it_equals_an_unbroken_run(self, tmp_path, stop):
        unbroken, broken = net(), net()
        expected = quick(unbroken, epochs=5)
        quick(broken, epochs=stop, run=tmp_path)
        resumed = net(seed=99)
        history = quick(resumed, epochs=5, run=tmp_path, resume=True)
        assert same_history(history, expected)
        assert same_weights(resumed, unbroken)

    def test_after_a_kill_it_equals_an_unbroken_run(self, tmp_path):
        script = textwrap.dedent(SCRIPT).format(tests=str(Path(__file__).parent), looks=21 * 2 + 10)
        killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)])
        assert killed.returncode == -signal.SIGKILL
        assert len(load_checkpoint(tmp_path / "last.pt")["history"]) == 2
        resumed, unbroken = net(seed=99), net()
        history = quick(resumed, epochs=5, run=tmp_path, resume=True)
        assert same_history(history, quick(unbroken, epochs=5))
        assert same_weights(resumed, unbroken)

    @pytest.mark.parametrize("further", [0, 2])
    def test_a_kill_between_the_two_files_is_mended(self, tmp_path, monkeypatch, further):
        save, best_files = torch.save, iter(range(100))

        def killed(values, path):
            if "history" not in values and next(best_files) == 1:
                raise KeyboardInterrupt
            save(values, path)

        monkeypatch.setattr(torch, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            quick(net(), epochs=6, run=tmp_path)
        monkeypatch.undo()
        done = len(load_checkpoint(tmp_path / "last.pt")["history"])
        assert 1 < done < 6
        resumed, unbroken = net(seed=99), net()
        history = quick(resumed, epochs=done + further, run=tmp_path, resume=True)
        assert same_history(history, quick(unbroken, epochs=done + further))
        assert same_weights(resumed, unbroken)
        stored = net()
        stored.load_state_dict(load_checkpoint(tmp_path / "best.pt"))
        assert same_weights(stored, unbroken)

    def test_a_finished_training_comes_back_as_it_was(self, tmp_path):
        trained, loaded = net(), net(seed=99)
        expected = quick(trained, run=tmp_path)
        written = (tmp_path / "last.pt").read_bytes()
        assert quick(loaded, run=tmp_path, resume=True).equals(expected)
        assert same_weights(trained, loaded)
        assert (tmp_path / "last.pt").read_bytes() == written

    def test_starts_where_nothing_was_written_yet(self, tmp_path):
        first, second = net(), net()
        assert same_history(quick(first, run=tmp_path / "new", resume=True), quick(second))

    def test_a_training_is_not_overwritten(self, tmp_path):
        quick(net(), run=tmp_path)
        written = (tmp_path / "last.pt").read_bytes()
        with pytest.raises(InputError, match="resume=True to go on"):
            quick(net(), run=tmp_path)
        assert (tmp_path / "last.pt").read_bytes() == written

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"lr": 0.1}, "lr 0.05, not 0.1"),
            ({"batch_size": 4}, "batch_size 8, not 4"),
            ({"seed": 1}, "seed 0, not 1"),
            ({"epochs": 1}, "has had 3 epochs already, more than the 1"),
        ],
    )
    def test_other_settings_are_refused(self, tmp_path, options, message):
        quick(net(), run=tmp_path)
        model, before = net(seed=7), net(seed=7)
        with pytest.raises(InputError, match=message):
            quick(model, run=tmp_path, resume=True, **options)
        assert same_weights(model, before)

    def test_another_model_or_data_set_is_refused(self, tmp_path):
        quick(net(), run=tmp_path)
        again = {"epochs": 3, "batch_size": 8, "lr": 0.05, "run": tmp_path, "resume": True}
        with pytest.raises(InputError, match="training images 21, not 20"):
            fit(net(), Noisy(20), Noisy(10), **again)
        with pytest.raises(InputError, match="other layers or shapes"):
            fit(Net(n_classes=4), Noisy(21), Noisy(10), **again)
        frozen = net()
        frozen.backbone.requires_grad_(False)
        with pytest.raises(InputError, match="other frozen parameters"):
            fit(frozen, Noisy(21), Noisy(10), **again)

    def test_a_damaged_checkpoint_is_named(self, tmp_path):
        (tmp_path / "last.pt").write_bytes(b"not a checkpoint")
        with pytest.raises(InputError, match=r"last\.pt cannot be read"):
            quick(net(), run=tmp_path, resume=True)

    @pytest.mark.parametrize(
        ("part", "value", "message"),
        [
            ("history", None, "holds no proper history"),
            ("history", [{"epoch": 1}], "an epoch has no validation_accuracy"),
            ("settings", [], "holds no proper settings"),
            ("settings", {"of": "another program"}, "trained with of another program, not None"),
            ("best", {}, "holds weights of another network"),
            ("model", {"x": torch.ones(1)}, "holds weights of another network"),
            ("optimizer", {"state": 1}, "holds no state of this optimizer"),
            ("optimizer", None, "holds no proper optimizer"),
        ],
    )
    def test_a_checkpoint_of_something_else_costs_no_weights(self, tmp_path, part, value, message):
        quick(net(), run=tmp_path)
        best = (tmp_path / "best.pt").read_bytes()
        last = load_checkpoint(tmp_path / "last.pt")
        save_checkpoint({**last, part: value}, tmp_path / "last.pt")
        with pytest.raises(InputError, match=message):
            quick(net(), run=tmp_path, resume=True)
        assert (tmp_path / "best.pt").read_bytes() == best


class TestEvaluate:
    scores = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    labels = torch.tensor([0, 1, 2, 0])

    @pytest.mark.parametrize("batch_size", [1, 3, 64])
    def test_by_hand(self, batch_size):
        result = evaluate(Answers(), TensorDataset(self.scores, self.labels), batch_size=batch_size)
        e = math.e
        losses = [
            -math.log(e**2 / (e**2 + 2)),
            -math.log(e / (e + 2)),
            -math.log(1 / (e**3 + 2)),
            -math.log(1 / 3),
        ]
        assert result.loss == pytest.approx(sum(losses) / 4, rel=1e-6)
        assert result.accuracy == 0.75
        assert result.confusion.tolist() == [[2, 0, 0], [0, 1, 0], [1, 0, 0]]

    @pytest.mark.parametrize("training", [True, False])
    def test_leaves_the_model_and_the_random_state(self, training):
        model = net().train(training)
        model.dropout.train(not training)
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        before, modes = copy.deepcopy(model), [module.training for module in model.modules()]
        data = Noisy(9, noise=0)
        calm = TensorDataset(torch.stack([data[i][0] for i in range(9)]), data.labels)
        states = random_states()
        first, second = evaluate(model, calm), evaluate(model, calm)
        assert random_states() == states
        assert first.loss == second.loss
        assert same_weights(model, before)
        assert [module.training for module in model.modules()] == modes
        assert all((parameter.grad == 1).all() for parameter in model.parameters())

    def test_keeps_no_graph(self):
        graphs = []

        class Watched(Answers):
            def forward(self, images):
                graphs.append(torch.is_grad_enabled())
                return super().forward(images)

        evaluate(Watched(), TensorDataset(self.scores, self.labels))
        assert graphs == [False]

    def test_restores_the_mode_after_an_error(self):
        model = net().train()
        images, labels = torch.zeros(2, 3, 4, 4), torch.tensor([0, 7])
        with pytest.raises(InputError, match=r"from 0 to 7, expected 0\.\.2"):
            evaluate(model, TensorDataset(images, labels))
        assert all(module.training for module in model.modules())

    def test_refuses_an_empty_data_set(self):
        with pytest.raises(InputError, match="empty"):
            evaluate(net(), Noisy(0))
        with pytest.raises(InputError, match="batch size is 0"):
            evaluate(net(), Noisy(3), batch_size=0)


FOLDS = {"k": 3, "epochs": 2, "batch_size": 8, "lr": 0.05, "progress": False}


class TestCrossValidate:
    def test_each_image_is_held_out_once(self):
        looks: list[int] = []

        class Watched(Noisy):
            def __getitem__(self, i):
                looks.append(i)
                return super().__getitem__(i)

        result = cross_validate(Net, Watched(10), **FOLDS)
        assert len(result.histories) == 3
        held_out, start = [], 0
        for size in (4, 3, 3):
            epoch = looks[start : start + 10]
            assert sorted(epoch) == list(range(10))
            held_out += epoch[10 - size :]
            start += 20
        assert sorted(held_out) == list(range(10))

    def test_a_fold_is_a_training_of_a_fresh_model(self):
        data = Noisy(12)
        second = cross_validate(Net, data, **FOLDS).histories[1]
        training, held_out = (Subset(data, part.tolist()) for part in k_folds(12, 3, seed=0)[1])
        options = {name: value for name, value in FOLDS.items() if name != "k"}
        assert same_history(second, fit(build(Net, 0, fold=2), training, held_out, **options))

    def test_is_reproducible_and_leaves_the_random_state(self):
        torch.manual_seed(12345)
        states = random_states()
        first = cross_validate(Net, Noisy(12), **FOLDS)
        torch.manual_seed(5)
        changed = random_states()
        second = cross_validate(Net, Noisy(12), **FOLDS)
        assert states != changed == random_states()
        for a, b in zip(first.histories, second.histories, strict=True):
            assert same_history(a, b)

    def test_summary_by_hand(self):
        table = pd.DataFrame({"epoch": [1, 2, 3], "validation_loss": [3.0, 2.0, 1.0]})
        result = CrossValidation(
            (
                table.assign(validation_accuracy=[0.1, 0.5, 0.5]),
                table.assign(validation_accuracy=[0.2, 0.3, 0.9]),
            )
        )
        assert result.table.to_dict("list") == {
            "fold": [1, 2],
            "best_epoch": [2, 3],
            "validation_loss": [2.0, 1.0],
            "validation_accuracy": [0.5, 0.9],
        }
        assert result.mean == pytest.approx(0.7)
        assert result.std == pytest.approx(math.sqrt(0.08))

    def test_resumes_within_a_fold(self, tmp_path):
        class Interrupted(Noisy):
            looks = 0

            def __getitem__(self, i):
                self.looks += 1
                if self.looks > 40:  # in the second epoch of the second fold
                    raise KeyboardInterrupt
                return super().__getitem__(i)

        expected = cross_validate(Net, Noisy(12), **FOLDS)
        with pytest.raises(KeyboardInterrupt):
            cross_validate(Net, Interrupted(12), **FOLDS, run=tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["fold1", "fold2"]
        assert len(load_checkpoint(tmp_path / "fold2" / "last.pt")["history"]) == 1
        resumed = cross_validate(Net, Noisy(12), **FOLDS, run=tmp_path, resume=True)
        for a, b in zip(resumed.histories, expected.histories, strict=True):
            assert same_history(a, b)

    def test_refuses_one_model_for_all_folds(self):
        model = net()
        with pytest.raises(InputError, match="same model twice"):
            cross_validate(lambda: model, Noisy(12), **FOLDS)

    def test_refuses_more_folds_than_images(self):
        with pytest.raises(InputError, match="3 folds of 2 samples"):
            cross_validate(Net, Noisy(2), **FOLDS)


def test_build_seeds_the_weights_and_nothing_else():
    torch.manual_seed(12345)
    states = random_states()
    assert same_weights(net(0), net(0))
    assert not same_weights(build(Net, 0), build(Net, 1))
    assert not same_weights(build(Net, 0), build(Net, 0, fold=1))
    assert random_states() == states


def test_another_criterion_chooses_the_epoch():
    """A figure that falls from epoch to epoch keeps the weights of the first."""
    model, kept = net(), []

    def falling(model: nn.Module) -> dict[str, float]:
        kept.append(copy.deepcopy(model))
        return {"mine": -float(len(kept))}

    history = quick(model, criterion="mine", measure=falling)
    assert history["mine"].tolist() == [-1, -2, -3]
    assert same_weights(model, kept[0]) and not same_weights(model, kept[2])


class TestStop:
    """A training that ends by a rule, before the epoch of which the rule says so."""

    def test_the_epoch_is_left_out_and_measured_by_nobody(self, tmp_path):
        seen, measured = [], []

        def stop(row):
            seen.append(row["epoch"])
            return row["epoch"] == 3

        def measure(model):
            measured.append(model.training)
            return {"extra": float(len(measured))}

        torch.manual_seed(0)
        net = Net()
        options = {"epochs": 6, "batch_size": 8, "progress": False}
        history = fit(
            net,
            Noisy(24),
            Noisy(12, seed=1),
            **options,
            run=tmp_path,
            stop=stop,
            measure=measure,
        )
        assert history["epoch"].tolist() == [1, 2] and history["extra"].tolist() == [1, 2]
        assert seen == [2, 3] and measured == [False, False]
        # As if there had been no third epoch.
        torch.manual_seed(0)
        other = Net()
        fit(other, Noisy(24), Noisy(12, seed=1), **{**options, "epochs": 2})
        for name, value in other.state_dict().items():
            assert torch.equal(value, net.state_dict()[name]), name

    def test_resumed_it_ends_there_again(self, tmp_path):
        def stop(row):
            return row["epoch"] == 2

        options = {"epochs": 4, "batch_size": 8, "progress": False, "run": tmp_path, "stop": stop}
        net = Net()
        first = fit(net, Noisy(24), Noisy(12, seed=1), **options)
        again = fit(net, Noisy(24), Noisy(12, seed=1), **options, resume=True)
        pd.testing.assert_frame_equal(first, again)
