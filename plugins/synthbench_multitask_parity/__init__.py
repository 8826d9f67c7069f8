"""Many sparse parities at once, some asked more often than others, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the task."""
    from synthbench_multitask_parity.task import MultitaskParity

    return [MultitaskParity]
