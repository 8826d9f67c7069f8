"""Laws of what a model builds, and of where its initial weights come from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.calling import call
from synthbench.engine.generators import GlobalRandomState, seed_everything
from synthbench.errors import ModelError
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.models.trial import COMPANY, ModelTrial
from synthbench.testing.workbench.comparison import copied, same_bits


@law(
    "builds",
    "build gives an nn.Module with parameters to train, for every kind of interface it declares.",
    "make build and forward work for the declared `inputs` and `outputs`, or declare fewer; "
    "for a combination that makes no sense, raise InterfaceError in check_accepts. A bare module "
    "is tried on the tasks that are named.",
)
def builds(trial: ModelTrial) -> Outcome:
    """Build, and run forward in both modes."""
    trial.facts["interfaces"] = "; ".join(each.describe() for each in trial.interfaces)
    counts = []
    for interface in trial.interfaces:
        try:
            for training in (False, True):
                network = trial.fresh(interface).networks[0]
                _call(network.module.train(training), trial.batch(interface).x)
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            return f"for {interface.describe()}: {reason}"
        counts.append(sum(p.numel() for p in network.parameters.values()))
    trial.facts["parameters"] = "; ".join(f"{count:,}" for count in counts)
    return None


def _call(module: nn.Module, x: Tensor) -> None:
    """Whatever it returns: that is for the next law."""
    with torch.set_grad_enabled(module.training):
        call(module, copied(x))


@law(
    "output-fits-interface",
    "forward returns a tensor of the declared shape, floating-point and finite; or a tuple, dict "
    "or dataclass with one of that shape in it, or one called logits.",
    "return (B, *output.shape): for a margin (B,) or (B, 1); for token logits "
    "(B, length, vocabulary).",
    needs=("builds",),
)
def output_fits_interface(trial: ModelTrial) -> Outcome:
    """The shape for 16 examples and for one."""
    for interface in trial.interfaces:
        for size in (16, 1):
            try:
                output = trial.output(interface, trial.batch(interface, 0, size).x)
            except ModelError as error:
                return f"for {interface.describe()}: {error}"
            expected = (size, *interface.output.shape)
            if tuple(output.shape) != expected:
                return (
                    f"for {interface.describe()} the shape is {tuple(output.shape)}, not {expected}"
                )
            if not output.is_floating_point() or not output.isfinite().all():
                return f"for {interface.describe()} it is {output.dtype}, or not finite"
    return None


@law(
    "initialization-from-torch",
    "Initial weights are drawn from torch's global generator, which the engine seeds, and from "
    "no other.",
    "initialize with torch.nn.init, torch.randn and the like, without a generator of your own; "
    "never numpy.random, random or torch.manual_seed.",
    needs=("builds",),
)
def initialization_from_torch(trial: ModelTrial) -> Outcome:
    """Whether numpy's and Python's generators move or matter."""
    interface, found = trial.interfaces[0], []
    for seed in (1, 2):
        seed_everything(seed)
        before = GlobalRandomState.now()
        found.append(_weights(build_modules(trial.subject, interface, [0])[0]))
        moved = [name for name in before.moved() if name != "torch"]
        if moved:
            return f"build drew from {' and '.join(moved)}"
    seed_everything(2)
    again = _weights(build_modules(trial.subject, interface, [0])[0])
    if same_bits(*found) or not same_bits(found[1], again):
        return None
    return "the weights depend on the seed of numpy.random or random"


@law(
    "same-seed-same-weights",
    "The same seed gives the same weights, whatever was built before.",
    "keep nothing from one build to the next: no counter, no class variable that changes, no "
    "clock, no generator of your own.",
    needs=("initialization-from-torch",),
)
def same_seed_same_weights(trial: ModelTrial) -> Outcome:
    """Three seeds forwards and backwards, with other interfaces in between."""
    model = trial.subject
    for interface in trial.interfaces:
        forwards = [_weights(m) for m in build_modules(model, interface, list(COMPANY))]
        for other in trial.interfaces:
            build_modules(model, other, [7])
        backwards = [_weights(m) for m in build_modules(model, interface, list(COMPANY)[::-1])]
        if not same_bits(forwards, backwards[::-1]):
            return f"building again for {interface.describe()} gave other weights"
    return None


@law(
    "seeds-matter",
    "Another seed gives other weights.",
    "draw the weights from torch's generator as it stands: do not seed it, and do not pass one "
    "with a seed of its own.",
    needs=("same-seed-same-weights",),
)
def seeds_matter(trial: ModelTrial) -> Outcome:
    """Two seeds; a network that begins at constants has no use for one."""
    for interface in trial.interfaces:
        first, second = build_modules(trial.subject, interface, [0, 1])
        if not same_bits(_weights(first), _weights(second)):
            continue
        if any(torch.unique(tensor).numel() > 2 for tensor in _weights(first).values()):
            return f"seeds 0 and 1 give the same weights for {interface.describe()}"
        trial.facts["initialization"] = "constant"
    return None


@law(
    "builds-share-nothing",
    "Two modules have no tensor in common.",
    "make parameters and buffers in build, not once for the class.",
    needs=("builds",),
)
def builds_share_nothing(trial: ModelTrial) -> Outcome:
    """The memory of two builds."""
    for interface in trial.interfaces:
        first, second = build_modules(trial.subject, interface, [0, 1])
        places = {tensor.data_ptr(): name for name, tensor in _tensors(first) if tensor.numel()}
        for name, tensor in _tensors(second):
            if tensor.numel() and tensor.data_ptr() in places:
                return f"{name} is the same tensor in two modules"
    return None


def _weights(module: nn.Module) -> dict[str, Tensor]:
    return copied(dict(_tensors(module)))


def _tensors(module: nn.Module) -> list[tuple[str, Tensor]]:
    return [*module.named_parameters(), *module.named_buffers()]


BUILDING_LAWS: tuple[Law[ModelTrial], ...] = (
    builds,
    output_fits_interface,
    initialization_from_torch,
    same_seed_same_weights,
    seeds_matter,
    builds_share_nothing,
)
