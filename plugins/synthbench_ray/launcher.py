"""The launcher of a Ray cluster. Every command loads this; Ray waits for use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from synthbench import Launcher, LaunchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from synthbench_ray.crew import RayCrew


class RayLauncher(Launcher):
    """Tasks of a Ray cluster: every block of replicas is one.

    All nodes need the same packages as this machine, which is checked. Results come back through
    Ray's object store; a lost node's blocks are trained again, from their last checkpoint where it
    can be read.
    """

    name: ClassVar[str] = "ray"
    headline: ClassVar[tuple[str, ...]] = ("address",)
    elsewhere: ClassVar[bool] = True

    address: str = "auto"
    """Where the cluster is: auto for the one this machine belongs to (or RAY_ADDRESS), local for
    one that is started here, or HOST:6379."""

    cpus: float = Field(default=1.0, gt=0)
    """CPUs that Ray sets aside for a task; each has one thread."""

    gpus: float = Field(default=0.0, ge=0)
    """GPUs that Ray sets aside for a task: 0.25 puts four tasks on each."""

    runtime_env: dict[str, Any] = Field(default_factory=dict)
    """Ray's runtime environment, such as {"working_dir":"."} for modules of your own."""

    def check(self) -> None:
        """Raise LaunchError where Ray is not installed."""
        try:
            import ray  # noqa: F401
        except ImportError:
            raise LaunchError(
                "the launcher ray needs Ray: pip install ray, or the extra `ray` of this package"
            ) from None

    def open(self, hear: Callable[[Any], None]) -> RayCrew:
        """Join the cluster; LaunchError where there is none."""
        from synthbench_ray.cluster import joined
        from synthbench_ray.crew import RayCrew

        return RayCrew(joined(self.address, self.runtime_env), (self.cpus, self.gpus), hear)
