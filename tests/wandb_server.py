"""A W&B server on the loopback interface: what its client asks for to save runs and reports."""

from __future__ import annotations

import base64
import gzip
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

KEY = "0" * 40
LAST_PAGE = {"endCursor": None, "hasNextPage": False}
Variables = dict[str, Any]


@dataclass
class Run:
    """A run, as far as it was streamed: rows of history and the summary."""

    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    def add(self, files: dict[str, Any]) -> None:
        """Take up a piece of the stream of files."""
        if history := files.get("wandb-history.jsonl"):
            self.history[history["offset"] :] = [json.loads(line) for line in history["content"]]
        for line in files.get("wandb-summary.json", {"content": []})["content"]:
            self.summary = json.loads(line)


class WandbServer:
    """Projects, runs and reports in memory; what was saved is there to be looked at."""

    def __init__(self) -> None:
        self.projects: list[str] = []
        self.runs: dict[str, Run] = {}
        self.reports: dict[str, dict[str, Any]] = {}
        self.saves = 0
        self.accepts = True
        self.refuses = ""
        self.uploads = ""

    def add_report(self, **fields: str) -> str:
        """A report that somebody else made."""
        number = base64.b64encode(f"View:{len(self.reports) + 1}".encode()).decode()
        empty = {"spec": json.dumps({"blocks": []}), "description": "", "type": "runs"}
        self.reports[number] = {"id": number, **empty, **fields}
        return number

    def answer(self, query: str, variables: Variables) -> dict[str, Any]:
        """A GraphQL response; what the server does not know is an error in it."""
        found = re.search(r"(?:query|mutation)\s+(\w+)", query)
        reply = getattr(self, f"reply_{found[1]}", None) if found else None
        if reply is None or (found and found[1] == self.refuses):
            return {"errors": [{"message": "unknown operation"}]}
        return {"data": reply(variables)}

    def reply_Viewer(self, _: Variables) -> dict[str, Any]:
        user = {"id": "u", "entity": "acme", "username": "ada", "flags": "{}"}
        return {"viewer": user if self.accepts else None}

    reply_GetDefaultEntity = reply_Viewer

    def reply_GetProjects(self, _: Variables) -> dict[str, Any]:
        rest = {"entityName": "acme", "createdAt": "", "isBenchmark": False, "user": None}
        edges = [{"node": {"id": name, "name": name, **rest}} for name in self.projects]
        return {"models": {"edges": edges, "pageInfo": LAST_PAGE}}

    def reply_CreateProject(self, variables: Variables) -> dict[str, Any]:
        name = variables["input"]["name"]
        self.projects.append(name)
        project = {"id": name, "name": name, "entityName": "acme", "description": "", "access": ""}
        return {"result": {"project": project, "model": project, "inserted": True}}

    def reply_ProjectViews(self, _: Variables) -> dict[str, Any]:
        edges = [{"node": self._view(report), "cursor": i} for i, report in self.reports.items()]
        return {"project": {"allViews": {"edges": edges, "pageInfo": LAST_PAGE}}}

    def reply_SpecificReport(self, variables: Variables) -> dict[str, Any]:
        return {"view": self._view(self.reports[variables["reportId"]])}

    def reply_upsertView(self, variables: Variables) -> dict[str, Any]:
        self.saves += 1
        number = variables["id"] or self.add_report()
        self.reports[number] |= {k: v for k, v in variables.items() if k != "id"}
        return {"upsertView": {"view": self._view(self.reports[number]), "inserted": True}}

    def _view(self, report: dict[str, Any]) -> dict[str, Any]:
        moment = "2026-01-01T00:00:00"
        project = {"id": "p", "name": self.projects[0], "entityName": "acme"}
        return {"project": project, "createdAt": moment, "updatedAt": moment, **report}

    def reply_RunResumeStatus(self, variables: Variables) -> dict[str, Any]:
        run, bucket = self.runs.get(variables["name"]), None
        if run is not None:
            bucket = {
                "id": "b", "name": variables["name"], "displayName": "", "config": "{}",
                "summaryMetrics": json.dumps(run.summary), "tags": [], "notes": None,
                "historyTail": json.dumps([json.dumps(row) for row in run.history[-1:]]),
                "historyLineCount": len(run.history), "eventsTail": "[]", "eventsLineCount": 0,
                "logLineCount": 0, "wandbConfig": json.dumps({"t": 1}),
            }  # fmt: skip
        return {"model": {**self._project(), "bucket": bucket}}

    def reply_UpsertBucket(self, variables: Variables) -> dict[str, Any]:
        self.runs.setdefault(variables["name"], Run())
        bucket = {
            "id": "b", "name": variables["name"], "displayName": variables["displayName"],
            "description": "", "config": variables["config"], "sweepName": None,
            "project": self._project(), "historyLineCount": 0,
        }  # fmt: skip
        return {"upsertBucket": {"bucket": bucket, "inserted": True}}

    def reply_CreateRunFiles(self, variables: Variables) -> dict[str, Any]:
        files = [{"name": n, "uploadUrl": f"{self.uploads}/{n}"} for n in variables["files"]]
        return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}

    def _project(self) -> dict[str, Any]:
        return {"id": "p", "name": "parity", "entity": {"id": "e", "name": "acme"}}


class Handler(BaseHTTPRequestHandler):
    """HTTP for a `WandbServer`: GraphQL, streams of files, uploads."""

    state: WandbServer

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/graphql":
            sent = json.loads(body)
            self._reply(self.state.answer(sent["query"], sent.get("variables") or {}))
        elif self.path.endswith("/file_stream"):
            self.state.runs[self.path.split("/")[-2]].add(json.loads(body).get("files") or {})
            self._reply({})
        else:  # The client's own statistics.
            self.send_error(404)

    def do_PUT(self) -> None:
        self._body()
        self._reply({})

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        return gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body

    def _reply(self, value: dict[str, Any]) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def wandb_server(patch: pytest.MonkeyPatch) -> Iterator[WandbServer]:
    """A server that W&B's own client talks to, logged in, as long as the block runs."""
    state = WandbServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"state": state}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    state.uploads = f"{address}/uploads"
    patch.setenv("WANDB_BASE_URL", address)
    patch.setenv("WANDB_API_KEY", KEY)
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
