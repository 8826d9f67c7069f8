"""Languages of random automata in context, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the task."""
    from synthbench_languages.task import InContextLanguages

    return [InContextLanguages]


@hookimpl
def register_probes():
    """Provide the probe of n-gram heads."""
    from synthbench_languages.ngram_attention import NGramAttention

    return [NGramAttention]
