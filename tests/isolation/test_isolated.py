"""What the caller has switched is off inside, and as it was afterwards."""

from __future__ import annotations

import multiprocessing
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from synthbench.isolation import isolated
from synthbench.isolation.settings import changed_settings
from tests.isolation.switches import SWITCHES, state, switched


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("fails", [False, True])
def test_every_switch_is_at_its_default_inside_and_as_it_was_outside(
    switch: str, fails: bool
) -> None:
    default = state()
    with switched(switch):
        before, modes = state(), torch._C._len_torch_function_stack()
        assert before != default
        try:
            with isolated():
                inside = state()
                if fails:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
        assert (state(), torch._C._len_torch_function_stack()) == (before, modes)
    assert inside == default == state()


def test_nothing_is_in_the_way_of_a_call_unless_a_device_is_overruled() -> None:
    depth = torch._C._len_torch_function_stack()
    with isolated():
        assert torch._C._len_torch_function_stack() == depth


def test_torch_s_warnings_of_itself_are_not_shown() -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with isolated():
            torch.nn.LazyLinear(2)
            # It has no batching rule.
            torch.vmap(lambda x: torch.histc(x, 4))(torch.rand(2, 3))
            warnings.warn("of the user's own", stacklevel=1)
    assert [str(warning.message) for warning in shown] == ["of the user's own"]


def test_weights_that_are_cast_are_not_kept_from_one_step_to_the_next() -> None:
    """In a nested `torch.autocast` the second product would be of the first weights."""
    weights, x = torch.nn.Parameter(torch.ones(2, 2)), torch.ones(1, 2)

    def product() -> float:
        with torch.autocast("cpu", torch.bfloat16):
            return (x @ weights).detach()[0, 0].item()

    def products() -> list[float]:
        with torch.no_grad():
            weights.fill_(1.0)
        first = product()
        with torch.no_grad():
            weights.fill_(2.0)
        return [first, product()]

    with torch.autocast("cpu", enabled=False):
        assert products() == [2, 2], "torch's own way, without which this test shows nothing"
        with isolated():
            assert products() == [2, 4]
    assert products() == [2, 4]


def test_threads_take_turns_and_one_may_enter_twice() -> None:
    inside, most = 0, 0

    def enter(_: int) -> None:
        nonlocal inside, most
        with isolated(), isolated():
            inside += 1
            most = max(most, inside)
            threading.Event().wait(0.01)
            inside -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, range(8)))
    assert most == 1


def _enters(answer: multiprocessing.Queue[bool]) -> None:
    with isolated():
        answer.put(True)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_process_forked_during_another_threads_turn_has_its_own() -> None:
    context = multiprocessing.get_context("fork")
    answer, entered, done = context.Queue(), threading.Event(), threading.Event()

    def hold() -> None:
        with isolated():
            entered.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(60)
    child = context.Process(target=_enters, args=(answer,))
    child.start()
    try:
        assert answer.get(timeout=60)
    finally:
        done.set()
        holder.join()
        child.kill()
        child.join()


@pytest.fixture
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def flushing() -> Iterator[None]:
    torch.set_flush_denormal(True)
    yield
    torch.set_flush_denormal(False)


def test_torch_as_it_comes_has_no_changed_settings() -> None:
    assert changed_settings() == {}


@pytest.mark.usefixtures("deterministic", "flushing")
def test_settings_that_are_left_alone_are_listed() -> None:
    with isolated():
        assert changed_settings() == {"deterministic_algorithms": True, "flush_denormal": True}


def test_kernels_that_are_ruled_out_are_listed() -> None:
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        assert changed_settings() == {
            "efficient_attention": False, "math_attention": False, "cudnn_attention": False,
        }  # fmt: skip
