"""Tasks of the field's papers, each a module of its own, as a SynthBench plugin."""

from synthbench import hookimpl

synthbench_plugin_api = 1


@hookimpl
def register_tasks():
    """Provide the tasks."""
    from synthbench_field.automaton import Automaton
    from synthbench_field.curriculum_parity import CurriculumParity
    from synthbench_field.dyck import Dyck
    from synthbench_field.icl_regression import IclRegression
    from synthbench_field.modular_addition import ModularAddition
    from synthbench_field.mqar import Mqar
    from synthbench_field.multi_index import MultiIndex
    from synthbench_field.spurious_parity import SpuriousParity
    from synthbench_field.tabular import Tabular

    return [
        Automaton,
        CurriculumParity,
        Dyck,
        IclRegression,
        ModularAddition,
        Mqar,
        MultiIndex,
        SpuriousParity,
        Tabular,
    ]
