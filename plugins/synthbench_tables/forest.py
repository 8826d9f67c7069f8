"""The classifier that Edelman et al. 2023 compare networks with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Batch


def random_forest(train: Batch, classes: int) -> Callable[[Tensor], Tensor]:
    """A random forest with scikit-learn's own settings, fitted on x (m, columns), y (m,).

    It takes inputs (N, columns) and returns logarithms of probabilities, of 10^-6 at least,
    (N, classes). The same for the same rows.
    """
    import torch
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(random_state=0)
    forest.fit(train.x.double().cpu().numpy(), train.y.cpu().numpy())

    def predict(inputs: Tensor) -> Tensor:
        found = torch.from_numpy(forest.predict_proba(inputs.double().cpu().numpy())).float()
        every = torch.zeros(len(found), classes)
        every[:, torch.from_numpy(forest.classes_)] = found
        return every.clamp(min=1e-6).log().to(inputs.device)

    return predict
