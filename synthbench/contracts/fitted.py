"""Classifiers of scikit-learn fitted on a training set: the best known, where no optimum is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from synthbench.contracts.batch import Batch

NEIGHBOURS = 5
SMALLEST_LEAF = 5
"""Examples in a leaf of a boosted tree; scikit-learn's 20 leave no split to small sets."""


def fitted_classifiers(train: Batch, classes: int) -> Mapping[str, Callable[[Tensor], Tensor]]:
    """Logistic regression, nearest neighbours and boosted trees, as `Task.fitted_references`.

    train: x (m, ...) real numbers, y (m,) int64 in 0..classes-1. Each predictor takes inputs
    (N, ...) and returns the logarithms of its class probabilities (N, classes), of at least
    10^-6. Always the same for the same rows. Source: scikit-learn, with its own settings but for
    standardized inputs, the number of neighbours, and leaves that suit few rows.
    """
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = _rows(train.x), train.y.cpu().numpy()
    neighbours = KNeighborsClassifier(n_neighbors=min(NEIGHBOURS, len(y)))
    trees = HistGradientBoostingClassifier(min_samples_leaf=SMALLEST_LEAF, random_state=0)
    estimators: dict[str, Any] = {
        "logistic-regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        "nearest-neighbours": make_pipeline(StandardScaler(), neighbours),
        "boosted-trees": trees,
    }
    if (y == y[0]).all():
        estimators = {name: DummyClassifier() for name in estimators}
    return {
        name: _predictor(estimator.fit(x, y), classes) for name, estimator in estimators.items()
    }


def _predictor(estimator: Any, classes: int) -> Callable[[Tensor], Tensor]:
    """Log-probabilities of all classes, those that the training set lacks included."""

    def predict(inputs: Tensor) -> Tensor:
        import torch

        found = torch.from_numpy(estimator.predict_proba(_rows(inputs))).float()
        every = torch.zeros(len(found), classes)
        every[:, torch.from_numpy(estimator.classes_)] = found
        return every.clamp(min=1e-6).log().to(inputs.device)

    return predict


def _rows(x: Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(N, ...) -> (N, features)."""
    return x.detach().double().cpu().numpy().reshape(len(x), -1)
