"""Tasks of the field's papers, each a module of its own, as a SynthBench plugin."""

from synthbench import hookimpl

synthbench_plugin_api = 1


@hookimpl
def register_tasks():
    """Provide the tasks."""
    from synthbench_field.automaton import Automaton
    from synthbench_field.causal_structure import CausalStructure
    from synthbench_field.curriculum_parity import CurriculumParity
    from synthbench_field.dyck import Dyck
    from synthbench_field.icl_regression import IclRegression
    from synthbench_field.icll import Icll
    from synthbench_field.lego import Lego
    from synthbench_field.modular_addition import ModularAddition
    from synthbench_field.mqar import Mqar
    from synthbench_field.pvr import PointerValue
    from synthbench_field.spurious_parity import SpuriousParity

    return [
        Automaton,
        CausalStructure,
        CurriculumParity,
        Dyck,
        IclRegression,
        Icll,
        Lego,
        ModularAddition,
        Mqar,
        PointerValue,
        SpuriousParity,
    ]
