"""A bare `nn.Module` class, or a function that builds one, as a model: no plugin needed."""

from __future__ import annotations

import inspect
import json
import re
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from pydantic import PrivateAttr

from synthbench.contracts.configuration import changed_tokens
from synthbench.contracts.interface import Interface, Port
from synthbench.contracts.model import Model
from synthbench.contracts.recipe import Recipe
from synthbench.errors import ConfigurationError, ModelError
from synthbench.registry.fingerprints.code import code_fingerprint
from synthbench.registry.kinds import NAME_PATTERN

if TYPE_CHECKING:
    from torch import nn

Builder: TypeAlias = "Callable[..., nn.Module]"
"""A module class, or a function that returns a fresh module; see `as_model`."""

Scalar = bool | int | float | str | None


def as_model(builder: Builder, recipe: Recipe | None = None, name: str | None = None) -> Model:
    """An `nn.Module` class, or a function that returns a fresh module, as a model.

    builder: called once per replica, with the task's `Interface` if it requires an argument
    and with nothing if it requires none; `functools.partial(MyModule, width=50)` settles the
    others. recipe: how it is trained; default `Recipe()`. name: lower-case words joined by
    hyphens; default that of the class or function. Its `code` is a fingerprint of what the
    builder would run, so results of an edited class get a folder and a label of their own.
    Raises ConfigurationError for what cannot be called so, or is a module already.
    """
    _check_builder(builder)
    if name is not None and not NAME_PATTERN.fullmatch(name):
        raise ConfigurationError(f"name must be lower-case words joined by hyphens, got {name!r}")
    settled = _settled_arguments(builder)
    plain = {key: value for key, value in settled.items() if _is_plain(value)}
    rest = {key: value for key, value in settled.items() if key not in plain}
    model = BareModel(
        name=name or _slug(_own_name(builder)),
        arguments=plain,
        code=code_fingerprint((builder.func, rest) if isinstance(builder, partial) else builder),
        recipe=recipe or Recipe(),
    )
    model._builder = builder
    return model


class BareModel(Model):
    """What `as_model` returns; accepts every interface, and says in building what does not fit."""

    inputs: ClassVar[tuple[type[Port], ...]] = (Port,)
    outputs: ClassVar[tuple[type[Port], ...]] = (Port,)
    takes_shorter: ClassVar[bool] = True

    name: str  # type: ignore[misc]
    arguments: dict[str, Scalar]
    """The plain ones among the arguments that a `functools.partial` has settled."""
    code: str
    """SHA-256 of the code: `code_fingerprint`."""
    _builder: Builder = PrivateAttr()
    _last_built: list[tuple[str, weakref.ref[nn.Parameter]]] = PrivateAttr(default_factory=list)

    def __getstate__(self) -> dict[Any, Any]:
        """What another process gets: the builder, and nothing of what was built here."""
        state = super().__getstate__()
        return {**state, "__pydantic_private__": {"_builder": self._builder, "_last_built": []}}

    def label(self) -> str:
        """`my-module width=50 lr=0.01 code=1a2b3c4d`: enough of the code to tell versions apart."""
        settled = [
            f"{k}={v if isinstance(v, str) else json.dumps(v)}" for k, v in self.arguments.items()
        ]
        recipe = changed_tokens(self.recipe, Recipe())
        return " ".join([self.name, *settled, *recipe, f"code={self.code[:8]}"])

    def build(self, interface: Interface) -> nn.Module:
        """Call the builder; ModelError, with advice, where that fails."""
        from torch import nn

        parameter = interface_parameter(self._builder)
        try:
            module = self._builder() if parameter is None else self._builder(interface)
        except Exception as error:
            raise ModelError(f"{type(error).__name__}: {error}{self._advice(parameter)}") from error
        if isinstance(module, nn.Module):
            self._check_is_fresh(module)
        return module

    def _advice(self, parameter: str | None) -> str:
        if parameter is None:
            return ""
        return (
            f" (its argument `{parameter}` is the task's interface: sizes are in "
            f"{parameter}.input.shape and {parameter}.output.shape; where it is something else, "
            f"pass lambda: {_own_name(self._builder)}({parameter}=...))"
        )

    def _check_is_fresh(self, module: nn.Module) -> None:
        """Replicas that share a trained parameter would all begin alike."""
        own = {id(parameter) for parameter in module.parameters() if parameter.requires_grad}
        for name, last in self._last_built:
            if id(last()) in own:
                raise ModelError(
                    f"two replicas share the parameter {name!r}; every replica needs its own, so "
                    "build every layer inside the class or function"
                )
        self._last_built[:] = [(n, weakref.ref(p)) for n, p in module.named_parameters()]


def is_bare(model: Mapping[str, Any]) -> bool:
    """Whether a model in a record's plan was no plugin's, whatever its name."""
    return model.keys() >= {"arguments", "code"}


def interface_parameter(builder: Builder) -> str | None:
    """The parameter that takes the task's interface, or None if the builder takes nothing.

    That is the one it requires, or a first one called `interface`. Raises ConfigurationError,
    explaining both, if more are required.
    """
    try:
        parameters = list(inspect.signature(builder).parameters.values())
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"cannot see which arguments {_own_name(builder)} takes; wrap it: "
            f"lambda interface: {_own_name(builder)}(...)"
        ) from None
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    required = [p for p in parameters if p.default is p.empty and p.kind not in variadic]
    named = [p.name for p in required]
    if len(required) > 1 or any(p.kind is inspect.Parameter.KEYWORD_ONLY for p in required):
        own = _own_name(builder)
        settled = ", ".join(f"{key}=..." for key in (named[1:] or named))
        raise ConfigurationError(
            f"{own} requires {', '.join(named)}; it is called with the task's interface if it "
            "requires one argument, and with nothing if it requires none. Settle the others: "
            f"functools.partial({own}, {settled}), or lambda interface: {own}(...)"
        )
    if required:
        return named[0]
    first = next((p for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY), None)
    return first.name if first is not None and first.name == "interface" else None


def _check_builder(builder: object) -> None:
    from torch import nn

    if isinstance(builder, nn.Module):
        own = type(builder).__name__
        raise ConfigurationError(
            f"got a module of class {own}; pass the class, or a function that builds it "
            f"(lambda: {own}(...)): every replica needs its own"
        )
    if isinstance(builder, type) and not issubclass(builder, nn.Module):
        raise ConfigurationError(f"{builder.__name__} is not a subclass of torch.nn.Module")
    if not callable(builder):
        raise ConfigurationError(
            "a model is a reference such as 'mlp width=200', a Model, an nn.Module class or a "
            f"function that builds one; got {builder!r}"
        )
    interface_parameter(builder)


def _settled_arguments(builder: Builder) -> dict[str, object]:
    if not isinstance(builder, partial):
        return {}
    return inspect.signature(builder.func).bind_partial(*builder.args, **builder.keywords).arguments


def _is_plain(value: object) -> bool:
    return isinstance(value, Scalar) and not (isinstance(value, float) and not isfinite(value))


def _own_name(builder: object) -> str:
    """`MyModule`, of a class, a function, a partial of either, or an object that is called."""
    while isinstance(builder, partial):
        builder = builder.func
    return str(getattr(builder, "__name__", type(builder).__name__))


def _slug(name: str) -> str:
    """`TwoLayerMLP2` -> `two-layer-mlp2`, `my_net` -> `my-net`, `<lambda>` -> `lambda`."""
    words = re.findall(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+", name)
    return "-".join(words).lower().lstrip("-0123456789") or "model"
