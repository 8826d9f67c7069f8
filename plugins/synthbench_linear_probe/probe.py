"""How well a linear map reads something from each layer (Alain & Bengio 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import ClassLogits, Margin, Margins, Probe, TokenLogits, View

if TYPE_CHECKING:
    from torch import Tensor


class LinearProbe(Probe):
    """Accuracy of the best linear read-out of a layer, and what of it training has brought.

    Ridge regression of class indicators on a layer's output, with an intercept, is fitted on the
    first half of the evaluation batch and scored on the other: the share of labels of which the
    largest output is right. All positions share one read-out. Layers are the numbered modules
    that lie least deep: the blocks of a sequence model, the parts of an `nn.Sequential`. Sources:
    Alain & Bengio 2016; state probes as in Li et al. 2023, arXiv:2210.13382.
    """

    name: ClassVar[str] = "linear-probe"
    paper: ClassVar[str] = "Alain & Bengio 2016, arXiv:1610.01644"

    target: str = "labels"
    """What is read: labels, or a latent of the task by its name."""
    layer: str | None = None
    """The one module that is read, by its path, such as blocks.0; none: every layer."""
    classes: int | None = Field(default=None, ge=2)
    """How many values the target has; none: two of signs and booleans, for labels the task's."""
    ridge: float = Field(default=1e-3, gt=0)
    """Penalty, as a share of the mean square of a centred coordinate."""

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """For each layer its accuracy, `<layer>`, and `<layer>-gain` over initialization."""
        from synthbench_linear_probe.decoding import held_out_accuracy, in_rows

        target = self._target(view)
        classes = self._classes(view, target)
        now, start = (
            view.record(parameters, view.batch.x).outputs
            for parameters in (view.parameters, view.initial)
        )
        found = {}
        for layer in self._layers(now):
            reads = [
                held_out_accuracy(*in_rows(outputs[layer], target, layer), classes, self.ridge)
                for outputs in (now, start)
            ]
            found[layer] = reads[0]
            found[f"{layer}-gain"] = reads[0] - reads[1]
        return found

    def _layers(self, outputs: Mapping[str, Tensor]) -> list[str]:
        if self.layer is not None:
            if self.layer not in outputs:
                raise ValueError(f'no layer "{self.layer}"; there are {", ".join(outputs)}')
            return [self.layer]
        numbered = [path for path in outputs if path.rpartition(".")[2].isdecimal()]
        if not numbered:
            raise ValueError(
                f"the network numbers no layers; name one, layer=..., of {', '.join(outputs)}"
            )
        depth = min(path.count(".") for path in numbered)
        return [path for path in numbered if path.count(".") == depth]

    def _target(self, view: View) -> Tensor:
        if self.target == "labels":
            return view.batch.y
        latents = view.batch.latents or {}
        if self.target not in latents:
            known = ", ".join(["labels", *latents])
            raise ValueError(f'{view.task.name} has no latent "{self.target}"; there are {known}')
        return latents[self.target]

    def _classes(self, view: View, target: Tensor) -> int:
        import torch

        output = view.task.interface.output
        of_labels = self.target == "labels"
        if target.dtype == torch.bool or (of_labels and isinstance(output, Margin | Margins)):
            return 2
        if target.is_floating_point():
            raise ValueError(f"it reads classes; {self.target} of {view.task.name} are real")
        if self.classes is not None:
            return self.classes
        if of_labels and isinstance(output, TokenLogits):
            return output.vocabulary
        if of_labels and isinstance(output, ClassLogits):
            return output.classes
        raise ValueError(f"say how many values {self.target} has: classes=...")
