import math
import random

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix
from sklearn.metrics import (
    jaccard_score,
    precision_score,
    recall_score,
    roc_auc_score,
    top_k_accuracy_score,
)
from torchmetrics.classification import MulticlassJaccardIndex

from labkit.errors import InputError
from labkit.metrics import (
    class_iou,
    confusion_matrix,
    iou,
    k_folds,
    mean_iou,
    pixel_accuracy,
    precision,
    recall,
    roc_auc,
    topk_accuracy,
    topk_hits,
)

LEFT = torch.tensor([[1, 1, 0, 0], [1, 1, 0, 0]], dtype=torch.bool)
MIDDLE = torch.tensor([[0, 1, 1, 0], [0, 1, 1, 0]], dtype=torch.bool)


class TestIou:
    def test_counts_pixels(self):
        assert iou(LEFT, MIDDLE) == 2 / 6
        assert iou(LEFT, LEFT) == 1
        assert iou(LEFT, ~LEFT) == 0

    @pytest.mark.parametrize("one", [1, 255])
    @pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64"])
    def test_dtypes_may_differ(self, one, dtype):
        grey = (one * LEFT.numpy()).astype(dtype)
        assert iou(grey, MIDDLE) == iou(MIDDLE, torch.from_numpy(grey)) == 2 / 6

    def test_two_empty_masks_agree_and_one_does_not(self):
        empty = torch.zeros_like(LEFT)
        assert iou(empty, empty) == 1
        assert iou(empty, LEFT) == iou(LEFT, empty) == 0

    def test_agrees_with_scikit_learn(self):
        a, b = np.random.default_rng(0).random((2, 7, 5, 3)) > 0.4
        assert iou(a, b) == pytest.approx(jaccard_score(a.ravel(), b.ravel()))

    def test_takes_a_flipped_and_a_read_only_array(self):
        mask = LEFT.numpy()[:, ::-1]
        mask.flags.writeable = False
        assert iou(mask, LEFT) == 0

    @pytest.mark.parametrize(
        "grey",
        [
            np.array([[0, 1, 255]], dtype=np.uint8),
            np.array([[0, 17, 200]], dtype=np.uint8),
            np.array([[0.0, 0.5, 1.0]]),
            np.array([[0, -1, 1]]),
            np.array([[0, np.nan, 1]]),
        ],
    )
    def test_refuses_grey_values(self, grey):
        with pytest.raises(InputError, match=r"mask b .* threshold"):
            iou(np.ones_like(grey, dtype=bool), grey)

    def test_refuses_other_shapes(self):
        with pytest.raises(InputError, match=r"\[2, 4\] and \[4, 2\]"):
            iou(LEFT, LEFT.T)


class TestConfusionMatrix:
    def test_rows_are_the_truth(self):
        cm = confusion_matrix(torch.tensor([0, 0, 0, 1]), torch.tensor([1, 1, 0, 2]), 3)
        assert cm.dtype == torch.int64
        assert cm.tolist() == [[1, 2, 0], [0, 0, 1], [0, 0, 0]]

    def test_ignores_true_labels_outside_the_classes(self):
        truth = torch.tensor([[0, 255], [-1, 1]])
        assert confusion_matrix(truth, torch.zeros(2, 2, dtype=torch.uint8), 2).tolist() == [
            [1, 0],
            [1, 0],
        ]

    def test_agrees_with_scikit_learn(self):
        truth, prediction = np.random.default_rng(0).integers(0, 12, (2, 9, 13, 7))
        expected = sklearn_confusion_matrix(truth.ravel(), prediction.ravel())
        np.testing.assert_array_equal(confusion_matrix(truth, prediction, 12), expected)

    def test_labels_far_outside_are_ignored_like_those_beside(self):
        truth = torch.tensor([-(2**40), -1, 0, 1, 2, 3, 2**40])
        prediction = torch.tensor([2, 0, 0, 2, 2, 1, 1])
        assert confusion_matrix(truth, prediction, 3).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]

    def test_of_nothing_is_zeros_and_arguments_stay(self):
        assert not confusion_matrix(torch.empty(0).long(), torch.empty(0).long(), 3).any()
        truth, prediction = torch.tensor([-1, 1]), torch.tensor([0, 1])
        confusion_matrix(truth, prediction, 2)
        assert (truth.tolist(), prediction.tolist()) == ([-1, 1], [0, 1])

    def test_8_bit_labels_do_not_overflow(self):
        label = torch.tensor([100], dtype=torch.uint8)
        assert confusion_matrix(label, label, 101)[100, 100] == 1

    @pytest.mark.parametrize("wrong", [-1, 3])
    def test_refuses_a_prediction_outside(self, wrong):
        with pytest.raises(InputError, match=rf"prediction holds {wrong}, expected classes 0..2"):
            confusion_matrix(torch.tensor([0]), torch.tensor([wrong]), 3)

    def test_refuses_scores_and_other_shapes(self):
        labels = torch.zeros(4, dtype=torch.long)
        with pytest.raises(InputError, match="integer labels"):
            confusion_matrix(labels, torch.rand(4), 3)
        with pytest.raises(InputError, match="argmax"):
            confusion_matrix(labels, torch.zeros(4, 3, dtype=torch.long), 3)


class TestFromConfusionMatrix:
    cm = torch.tensor([[6, 2, 0, 0], [1, 3, 0, 0], [0, 0, 0, 0], [0, 4, 0, 0]])

    def test_class_iou_by_hand(self):
        expected = torch.tensor([6 / 9, 3 / 10, math.nan, 0 / 4], dtype=torch.float64)
        torch.testing.assert_close(class_iou(self.cm), expected, equal_nan=True)

    def test_mean_leaves_out_what_occurs_in_neither(self):
        assert mean_iou(self.cm) == pytest.approx((6 / 9 + 3 / 10 + 0) / 3)

    def test_accuracy(self):
        assert pixel_accuracy(self.cm) == 9 / 16

    def test_agrees_with_torchmetrics(self):
        truth, prediction = torch.from_numpy(np.random.default_rng(0).integers(0, 5, (2, 400)))
        expected = MulticlassJaccardIndex(5, average=None)(prediction, truth)
        actual = class_iou(confusion_matrix(truth, prediction, 5))
        torch.testing.assert_close(actual.float(), expected)

    @pytest.mark.parametrize("measure", [class_iou, mean_iou, pixel_accuracy])
    def test_refuses_what_is_no_matrix_of_counts(self, measure):
        with pytest.raises(InputError, match=r"\[2, 3\], expected \[N,N\]"):
            measure(torch.ones(2, 3))
        with pytest.raises(InputError, match="counts nothing"):
            measure(torch.zeros(3, 3, dtype=torch.long))


class TestTopkAccuracy:
    def test_by_hand(self):
        scores = torch.tensor([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.4, 0.5, 0.1]])
        labels = torch.tensor([2, 1, 2])
        assert topk_accuracy(scores, labels, k=(1, 2, 3)) == {1: 1 / 3, 2: 2 / 3, 3: 1.0}

    def test_equal_scores_rank_by_class_number(self):
        scores = torch.zeros(3, 3)
        assert topk_accuracy(scores, torch.tensor([0, 1, 2]), k=(1, 2)) == {1: 1 / 3, 2: 2 / 3}

    def test_agrees_with_scikit_learn_and_argmax(self):
        generator = torch.Generator().manual_seed(0)
        scores = torch.randn(101, 17, generator=generator)
        labels = torch.randint(17, (101,), generator=generator)
        result = topk_accuracy(scores, labels)
        for k, value in result.items():
            expected = top_k_accuracy_score(labels, scores, k=k, labels=range(17))
            assert value == pytest.approx(expected)
        assert result[1] == pytest.approx(float((scores.argmax(1) == labels).double().mean()))

    @pytest.mark.parametrize(
        ("scores", "labels", "k", "message"),
        [
            (torch.rand(4, 3), torch.zeros(3, dtype=torch.long), (1,), "expected .B,N. and .B."),
            (torch.rand(0, 3), torch.zeros(0, dtype=torch.long), (1,), "B at least 1"),
            (torch.rand(2, 3), torch.tensor([0, 3]), (1,), "from 0 to 3, expected 0..2"),
            (torch.rand(2, 3), torch.tensor([0, -1]), (1,), "from -1 to 0"),
            (torch.rand(2, 3), torch.tensor([0, 1]), (1, 5), "from 1 to 3"),
            (torch.rand(2, 3), torch.tensor([0, 1]), (0,), "from 1 to 3"),
            (torch.full((1, 3), math.nan), torch.tensor([0]), (1,), "NaN"),
        ],
    )
    def test_refuses(self, scores, labels, k, message):
        with pytest.raises(InputError, match=message):
            topk_accuracy(scores, labels, k)


class TestKFolds:
    @pytest.mark.parametrize(("n", "k"), [(10, 5), (13, 5), (4, 4), (1000, 7)])
    def test_folds_are_disjoint_and_cover(self, n, k):
        folds = k_folds(n, k, seed=3)
        assert len(folds) == k
        assert sorted(torch.cat([validation for _, validation in folds]).tolist()) == list(range(n))
        for train, validation in folds:
            assert sorted(torch.cat([train, validation]).tolist()) == list(range(n))
        sizes = [len(validation) for _, validation in folds]
        assert max(sizes) - min(sizes) <= 1

    def test_seed_decides(self):
        first, again, other = (k_folds(20, 4, seed)[0][1].tolist() for seed in (0, 0, 1))
        assert first == again != other
        assert first != list(range(5))

    def test_leaves_the_global_random_state(self):
        before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
        k_folds(20, 4, seed=0)
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.random.get_state()[1].tolist() == before[1]
        assert random.getstate() == before[2]

    @pytest.mark.parametrize(("n", "k"), [(10, 1), (10, 0), (3, 4), (0, 2)])
    def test_refuses(self, n, k):
        with pytest.raises(InputError, match=f"{k} folds of {n} samples"):
            k_folds(n, k, seed=0)


# Document 004's problem 5: 147 good surfaces, 26 defective ones, of which 11 were missed.
TALK = torch.tensor([[147, 0], [11, 15]])


class TestPrecisionAndRecall:
    def test_the_talks_problem_5(self):
        """It prints recall 1.0 and precision 0.930379746835443: those of the good class."""
        assert recall(TALK, 0) == 1
        assert precision(TALK, 0) == pytest.approx(0.930379746835443, abs=1e-12)
        assert recall(TALK, 1) == pytest.approx(15 / 26)
        assert precision(TALK, 1) == 1

    @pytest.mark.parametrize("n_classes", [2, 4])
    def test_as_scikit_learn(self, n_classes):
        generator = np.random.default_rng(n_classes)
        truth, found = generator.integers(0, n_classes, (2, 200))
        cm = confusion_matrix(truth, found, n_classes)
        for c in range(n_classes):
            one = {"labels": [c], "average": "macro"}
            assert precision(cm, c) == pytest.approx(precision_score(truth, found, **one))
            assert recall(cm, c) == pytest.approx(recall_score(truth, found, **one))

    def test_nothing_found_and_nothing_to_find(self):
        assert math.isnan(precision(torch.tensor([[5, 0], [3, 0]]), 1))
        assert math.isnan(recall(torch.tensor([[5, 2], [0, 0]]), 1))

    @pytest.mark.parametrize("measure", [precision, recall])
    def test_refused(self, measure):
        with pytest.raises(InputError, match=r"expected a class of 0\.\.1"):
            measure(TALK, 2)
        with pytest.raises(InputError, match="expected a class"):
            measure(TALK, -1)
        with pytest.raises(InputError, match="expected \\[N,N\\]"):
            measure(torch.ones(2, 3), 1)


class TestRocAuc:
    def test_the_talks_problem_5_is_of_hard_labels(self):
        """0.7884615384615384 is the mean of recall and specificity, (15/26 + 1) / 2."""
        truth = torch.tensor([0] * 147 + [1] * 26)
        hard = torch.tensor([0] * 147 + [0] * 11 + [1] * 15)
        assert roc_auc(truth, hard) == pytest.approx(0.7884615384615384, abs=1e-12)
        assert roc_auc(truth, hard) == pytest.approx((15 / 26 + 1) / 2)

    @pytest.mark.parametrize("ties", [False, True])
    def test_as_scikit_learn(self, ties):
        for seed in range(5):
            generator = np.random.default_rng(seed)
            truth = generator.integers(0, 2, 80)
            scores = generator.normal(truth, 1.5).round(0 if ties else 8)
            expected = roc_auc_score(truth, scores)
            assert roc_auc(truth, scores) == pytest.approx(expected, abs=1e-12)
            assert roc_auc(torch.tensor(truth), torch.tensor(scores).float()) == pytest.approx(
                roc_auc_score(truth, scores.astype(np.float32)), abs=1e-12
            )

    def test_pairs_by_hand(self):
        assert roc_auc(torch.tensor([0, 1, 0, 1]), torch.tensor([1.0, 2.0, 3.0, 4.0])) == 0.75
        assert roc_auc(torch.tensor([0, 1]), torch.tensor([7.0, 7.0])) == 0.5
        assert roc_auc(torch.tensor([True, False]), torch.tensor([-1.0, 0.0])) == 0

    def test_infinite_scores_keep_their_order(self):
        assert roc_auc(torch.tensor([0, 1, 1]), torch.tensor([-math.inf, 0.0, math.inf])) == 1

    @pytest.mark.parametrize(
        ("truth", "scores", "what"),
        [
            (torch.ones(3).long(), torch.ones(3), "some of each"),
            (torch.tensor([0, 2]), torch.ones(2), "expected 0 and 1"),
            (torch.tensor([0, 1]), torch.ones(2, 2), "of the positive class alone"),
            (torch.tensor([0, 1]), torch.tensor([0.0, math.nan]), "diverged"),
            (torch.tensor([0.0, 1.0]), torch.ones(2), "integer labels"),
        ],
    )
    def test_refused(self, truth, scores, what):
        with pytest.raises(InputError, match=what):
            roc_auc(truth, scores)


class TestTopkHits:
    def test_counts_of_batches_add_up_to_exact_shares(self):
        generator = torch.Generator().manual_seed(8)
        scores, labels = (
            torch.randn(53, 9, generator=generator),
            torch.randint(9, (53,), generator=generator),
        )
        whole = topk_hits(scores, labels)
        for size in (1, 4, 50):
            parts = [
                topk_hits(s, y) for s, y in zip(scores.split(size), labels.split(size), strict=True)
            ]
            assert {k: sum(part[k] for part in parts) for k in whole} == whole
        assert topk_accuracy(scores, labels) == {k: count / 53 for k, count in whole.items()}
        order = scores.argsort(1, descending=True)
        assert whole == {
            k: sum(
                int(y in row[:k]) for row, y in zip(order.tolist(), labels.tolist(), strict=True)
            )
            for k in (1, 3, 5)
        }

    def test_whole_numbers(self):
        hits = topk_hits(torch.tensor([[1.0, 2.0]]), torch.tensor([1]), (1, 2))
        assert hits == {1: 1, 2: 1} and all(type(count) is int for count in hits.values())
