"""The tasks of one evaluation on a Ray cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any

import cloudpickle
import ray
from ray import exceptions
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from synthbench import Crew, LaunchError, WorkerLost
from synthbench_ray.tasks import RAISED, RETURNED, Post, do

LOOK_SECONDS = 0.25
"""So often the post is fetched."""
COUNT_SECONDS = 5.0
"""So often the cluster's resources are counted, which may grow and shrink."""
Answer = tuple[str, bytes, list[bytes]]


class RayCrew(Crew):
    """Jobs as tasks that Ray does not try again: the evaluation does, from the last checkpoint."""

    def __init__(
        self, leave: Callable[[], None], needs: tuple[float, float], hear: Callable[[Any], None]
    ) -> None:
        """leave: leaves the cluster. needs: CPUs and GPUs of a task. hear: takes what jobs say."""
        self._leave, self._hear = leave, hear
        self._cpus, self._gpus = needs
        self._counted, self._slots = -COUNT_SECONDS, 1
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        self._post = Post.options(scheduling_strategy=here).remote()
        self._task = do.options(num_cpus=self._cpus, num_gpus=self._gpus)
        self._running: dict[Future[Any], ray.ObjectRef] = {}
        self._answered: SimpleQueue[tuple[Future[Any], Future[Answer]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def slots(self) -> int:
        """As many as the cluster has room for now, and one where it has none yet."""
        if time.monotonic() - self._counted >= COUNT_SECONDS:
            there = ray.cluster_resources()
            slots = there.get("CPU", 0.0) / self._cpus
            if self._gpus:
                slots = min(slots, there.get("GPU", 0.0) / self._gpus)
            self._counted, self._slots = time.monotonic(), max(int(slots), 1)
        return self._slots

    def submit(self, job: Callable[[Callable[[Any], None]], Any]) -> Future[Any]:
        """Make a job a task."""
        future: Future[Any] = Future()
        reference = self._task.remote(cloudpickle.dumps(job), self._post)
        self._running[future] = reference
        reference.future().add_done_callback(lambda answer: self._answered.put((future, answer)))
        return future

    def close(self) -> None:
        """Cancel what runs, and leave the cluster."""
        for reference in list(self._running.values()):
            ray.cancel(reference, force=True)
        self._answered.put(None)
        self._thread.join()
        ray.kill(self._post)
        self._leave()

    def _listen(self) -> None:
        """Pass on what jobs say and what they return, in this order."""
        while True:
            answered = self._next_answers()
            try:
                for news in ray.get(self._post.take.remote()):
                    self._hear(cloudpickle.loads(news))
            except exceptions.RayError:
                pass  # What is lost is a bar that stands still for a moment.
            for each in answered:
                if each is None:
                    return
                self._resolve(*each)

    def _next_answers(self) -> list[tuple[Future[Any], Future[Answer]] | None]:
        """Those that are there, after a while at most."""
        found = []
        try:
            found.append(self._answered.get(timeout=LOOK_SECONDS))
            while True:
                found.append(self._answered.get_nowait())
        except Empty:
            return found

    def _resolve(self, future: Future[Any], answer: Future[Answer]) -> None:
        self._running.pop(future)
        try:
            kind, content, news = answer.result()
        except Exception as error:
            future.set_exception(_explained(error))
            return
        try:
            for each in news:
                self._hear(cloudpickle.loads(each))
            result = cloudpickle.loads(content)
        # An answer that cannot be read here, such as an exception of a class of its own.
        except Exception as error:
            kind, result = RAISED, error
        if kind == RETURNED:
            future.set_result(result)
        else:
            future.set_exception(result)


def _explained(error: Exception) -> Exception:
    """What the evaluation makes of an error of Ray's."""
    if isinstance(error, exceptions.OutOfMemoryError):
        return MemoryError("out of memory: Ray ended a task")
    if isinstance(error, exceptions.RuntimeEnvSetupError):
        return LaunchError(f"Ray could not set up runtime_env: {error}")
    if isinstance(error, exceptions.TaskUnschedulableError):
        return LaunchError(f"no node of the cluster can run a task: {error}")
    name = type(error).__name__
    return WorkerLost(f"a task of the cluster was lost ({name})")
