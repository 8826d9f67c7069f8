"""GitHub Actions workflows of this repository, as data, and their steps run on this machine."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def read(path: Path) -> dict[str, Any]:
    """A workflow; its `on`, which YAML 1.1 takes for true, under that name."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in content.items()}


def named(name: str) -> dict[str, Any]:
    """The workflow in the file of that name."""
    return read(ROOT / ".github" / "workflows" / f"{name}.yml")


@dataclass
class Machine:
    """A folder in which the `run:` steps of a job are run, as the runner runs them.

    contexts: values of expressions such as `github.token`. Outputs of steps are added to them.
    """

    folder: Path
    contexts: dict[str, str]
    environment: Mapping[str, str]

    def run_job(self, job: Mapping[str, Any], skip: tuple[str, ...] = ()) -> dict[str, int]:
        """Exit codes of the job's `run:` steps by name, until one fails; skip: names of steps."""
        ended: dict[str, int] = {}
        for step in job["steps"]:
            if "run" not in step or step.get("name") in skip or not self._wanted(step):
                continue
            ended[step["name"]] = self.run(step, job.get("env", {}))
            if ended[step["name"]]:
                break
        return ended

    def run(self, step: Mapping[str, Any], variables: Mapping[str, str]) -> int:
        """Run one step with bash, as `shell: bash` does."""
        output, summary = self.folder / "output.txt", self.folder / "summary.md"
        output.write_text("")
        own = {**variables, **step.get("env", {})}
        environment = {
            **self.environment,
            **{name: self.fill(str(value)) for name, value in own.items()},
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
        }
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self.fill(step["run"])]
        done = subprocess.run(command, cwd=self.folder, env=environment, check=False)
        for line in output.read_text().splitlines():
            key, _, value = line.partition("=")
            self.contexts[f"steps.{step['id']}.outputs.{key}"] = value
        return done.returncode

    def fill(self, text: str) -> str:
        """The text with its expressions evaluated; KeyError for one that is not known."""
        return EXPRESSION.sub(lambda found: self.contexts[found[1]], text)

    def _wanted(self, step: Mapping[str, Any]) -> bool:
        return "if" not in step or bool(self.contexts[step["if"]])


def path_with(*folders: Path) -> str:
    """PATH with these folders in front."""
    return os.pathsep.join([*map(str, folders), os.environ["PATH"]])
