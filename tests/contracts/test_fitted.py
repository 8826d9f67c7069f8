"""Fitted references against scikit-learn called directly."""

import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from synthbench import Batch, fitted_classifiers

DATA = load_iris()
X, Y = torch.tensor(DATA.data), torch.tensor(DATA.target)


def test_each_learns_a_table_and_gives_log_probabilities() -> None:
    train, test = slice(0, None, 2), slice(1, None, 2)
    for name, predict in fitted_classifiers(Batch(X[train], Y[train]), 3).items():
        output = predict(X[test])
        assert output.shape == (75, 3), name
        torch.testing.assert_close(output.exp().sum(1), torch.ones(75), atol=1e-5, rtol=0)
        assert float((output.argmax(1) == Y[test]).double().mean()) > 0.9, name


def test_logistic_regression_is_scikit_learns() -> None:
    scaler = StandardScaler().fit(DATA.data)
    own = LogisticRegression(max_iter=1000).fit(scaler.transform(DATA.data), DATA.target)
    expected = torch.tensor(own.predict_log_proba(scaler.transform(DATA.data))).float()
    found = fitted_classifiers(Batch(X, Y), 3)["logistic-regression"](X)
    torch.testing.assert_close(found, expected.clamp(min=torch.tensor(1e-6).log()))


@pytest.mark.parametrize("rows", [[0, 1], [0, 60]])
def test_classes_without_a_row_are_improbable(rows: list[int]) -> None:
    for predict in fitted_classifiers(Batch(X[rows], Y[rows]), 3).values():
        output = predict(X)
        assert output.shape == (150, 3) and bool((output[:, 2] < -13).all())
