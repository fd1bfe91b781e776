"""Trainings that can be stopped at any moment and go on as if they had not been.

`classifiers` trains networks that score images, `fcn` those that score pixels; both stand on
`state`. `extractor` makes features that are frozen, `heads` trains what stands on them. `tensors`
is the plainest training there is, for notebooks.
"""

from labkit.training.classifiers import (
    CrossValidation,
    Evaluation,
    Measure,
    Objective,
    build,
    classification,
    cross_validate,
    evaluate,
    fit,
)

__all__ = [
    "CrossValidation",
    "Evaluation",
    "Measure",
    "Objective",
    "build",
    "classification",
    "cross_validate",
    "evaluate",
    "fit",
]
