"""Recurrent networks, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_models():
    """Provide the LSTM, the GRU and the minimal GRU."""
    from synthbench_recurrent.models import GRU, LSTM, MinGRU

    return [LSTM, GRU, MinGRU]
