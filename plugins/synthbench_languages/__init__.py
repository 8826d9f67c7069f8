"""Languages of random automata in context, as a plugin."""
