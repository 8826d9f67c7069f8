"""What can be read from activations by a linear map, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_probes():
    """Provide the probe."""
    from synthbench_linear_probe.probe import LinearProbe

    return [LinearProbe]
