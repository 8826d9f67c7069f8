"""In-context learning of Markov chains, and induction copying, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the two tasks."""
    from synthbench_markov.induction import InductionCopying
    from synthbench_markov.task import MarkovChain

    return [MarkovChain, InductionCopying]


@hookimpl
def register_probes():
    """Provide the probes of strategies and of attention."""
    from synthbench_markov.probes import Attention, Strategies

    return [Strategies, Attention]
