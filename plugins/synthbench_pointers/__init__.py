"""Chains of assignments and retrieval by pointers, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the two tasks."""
    from synthbench_pointers.lego import Lego
    from synthbench_pointers.pointer_value import PointerValue

    return [Lego, PointerValue]


@hookimpl
def register_probes():
    """Provide the probe of attention to what is pointed at."""
    from synthbench_pointers.pointer_attention import PointerAttention

    return [PointerAttention]
