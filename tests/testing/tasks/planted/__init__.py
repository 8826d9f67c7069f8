"""Tasks with one fault each, and the law that must find it; a file for each group of laws."""

from __future__ import annotations

import synthbench as sb
from tests.testing.tasks.planted.configuration_faults import CONFIGURATION_FAULTS
from tests.testing.tasks.planted.leak_faults import LEAK_FAULTS
from tests.testing.tasks.planted.optimum_faults import OPTIMUM_FAULTS
from tests.testing.tasks.planted.reference_faults import REFERENCE_FAULTS
from tests.testing.tasks.planted.replica_faults import REPLICA_FAULTS
from tests.testing.tasks.planted.running_faults import RUNNING_FAULTS
from tests.testing.tasks.planted.sample_faults import SAMPLE_FAULTS
from tests.testing.tasks.planted.score_faults import SCORE_FAULTS
from tests.testing.tasks.planted.statement_faults import STATEMENT_FAULTS
from tests.testing.tasks.planted.test_set_faults import TEST_SET_FAULTS

PLANTED: dict[type[sb.Task], str] = {
    **CONFIGURATION_FAULTS,
    **RUNNING_FAULTS,
    **TEST_SET_FAULTS,
    **SAMPLE_FAULTS,
    **LEAK_FAULTS,
    **REPLICA_FAULTS,
    **SCORE_FAULTS,
    **REFERENCE_FAULTS,
    **OPTIMUM_FAULTS,
    **STATEMENT_FAULTS,
}
