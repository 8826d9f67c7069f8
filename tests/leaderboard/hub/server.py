"""A Hub on this machine: the few endpoints of it that `huggingface_hub` asks for datasets.

Written after the client's calls: POST api/repos/create, api/validate-yaml,
api/datasets/REPO/preupload/REV and commit/REV; REPO.git/info/lfs/objects/batch, whose uploads are
PUT here; GET api/datasets/REPO[/revision/REV], tree/REV, and HEAD and GET datasets/REPO/resolve/...
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

MAIN = "main"


@dataclass
class Hub:
    """Its dataset repositories: every commit's files, the newest last."""

    repositories: dict[str, list[dict[str, bytes]]] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    token: str | None = None
    """Who writes must have it."""
    address: str = ""

    def files(self, repository: str) -> dict[str, bytes]:
        """Those of the newest commit."""
        return self.repositories[repository][-1]

    def put(self, repository: str, files: dict[str, bytes]) -> None:
        """A commit that somebody else made, with whatever is in it."""
        commits = self.repositories.setdefault(repository, [{}])
        commits.append({**commits[-1], **files})


def sha(repository: str, number: int) -> str:
    """A commit's name."""
    return hashlib.sha1(f"{repository} {number}".encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers for the server's `hub`."""

    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> Hub:
        return self.server.hub

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        path = self._asked()
        body = self._body()
        if self.hub.token and self.headers.get("authorization") != f"Bearer {self.hub.token}":
            self._answer({"error": "Invalid username or password."}, 401)
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            card = json.loads(body)["content"]
            yaml.safe_load(card.split("---")[1])
            self._answer({"warnings": [], "errors": []})
        elif found := re.fullmatch(r"/api/datasets/(.+)/preupload/(.+)", path):
            files = [
                {
                    "path": each["path"],
                    "uploadMode": "lfs" if each["path"].endswith(".parquet") else "regular",
                    "shouldIgnore": False,
                }
                for each in json.loads(body)["files"]
            ]
            self._answer({"files": files})
        elif path.endswith(".git/info/lfs/objects/batch"):
            objects = [
                {**each, "actions": {"upload": {"href": f"{self.hub.address}/lfs/{each['oid']}"}}}
                for each in json.loads(body)["objects"]
            ]
            self._answer({"transfer": "basic", "objects": objects})
        elif found := re.fullmatch(r"/api/datasets/(.+)/commit/(.+)", path):
            self._commit(found[1], body.decode())
        else:
            self._answer({"error": "not found"}, 404)

    def do_PUT(self) -> None:
        digest = self._asked().removeprefix("/lfs/")
        content = self._body()
        assert hashlib.sha256(content).hexdigest() == digest
        self.hub.uploads[digest] = content
        self._answer({})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self._asked()
        if found := re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._file(found[1], found[2], unquote(found[3]))
        elif found := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/tree/([^/]+)", path):
            self._with_commit(found[1], found[2], self._tree)
        elif found := re.fullmatch(r"/api/datasets/([^/]+/[^/]+?)(?:/revision/(.+))?", path):
            self._with_commit(found[1], found[2] or MAIN, self._info)
        else:
            self._answer({"error": "not found"}, 404)

    def _body(self) -> bytes:
        """Of a known length, or in chunks."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _asked(self) -> str:
        path = urlsplit(self.path).path
        self.hub.asked.append(f"{self.command} {path}")
        return path

    def _create(self, wanted: dict[str, Any]) -> None:
        assert wanted["type"] == "dataset"
        name = f"{wanted['organization']}/{wanted['name']}"
        status = 409 if name in self.hub.repositories else 200
        self.hub.repositories.setdefault(name, [{}])
        self._answer({"url": f"{self.hub.address}/datasets/{name}"}, status)

    def _commit(self, name: str, body: str) -> None:
        files = {}
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                assert value["encoding"] == "base64"
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.uploads[value["oid"]]
        self.hub.put(name, files)
        oid = sha(name, len(self.hub.repositories[name]) - 1)
        address = f"{self.hub.address}/datasets/{name}/commit/{oid}"
        self._answer({"success": True, "commitOid": oid, "commitUrl": address})

    def _with_commit(self, name: str, revision: str, answer: Any) -> None:
        commits = self.hub.repositories.get(name)
        if commits is None:
            self._answer({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
            return
        names = [sha(name, number) for number in range(len(commits))]
        if revision == MAIN:
            revision = names[-1]
        if revision not in names:
            self._answer({"error": "Invalid rev"}, 404, {"X-Error-Code": "RevisionNotFound"})
            return
        answer(name, revision, commits[names.index(revision)])

    def _info(self, name: str, revision: str, files: dict[str, bytes]) -> None:
        siblings = [{"rfilename": path} for path in files]
        self._answer({"id": name, "sha": revision, "siblings": siblings, "private": False,
                      "tags": [], "downloads": 0, "likes": 0})  # fmt: skip

    def _tree(self, name: str, revision: str, files: dict[str, bytes]) -> None:
        listed = []
        for path, content in files.items():
            entry = {"type": "file", "path": path, "size": len(content), "oid": git_oid(content)}
            if path.endswith(".parquet"):
                digest = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 130}
            listed.append(entry)
        self._answer(listed)

    def _file(self, name: str, revision: str, path: str) -> None:
        def answer(name: str, revision: str, files: dict[str, bytes]) -> None:
            if path not in files:
                self._answer({"error": "not found"}, 404, {"X-Error-Code": "EntryNotFound"})
                return
            content = files[path]
            etag = hashlib.sha256(content).hexdigest()
            self._send(200, content, {"ETag": f'"{etag}"', "X-Repo-Commit": revision})

        self._with_commit(name, revision, answer)

    def _answer(
        self, content: Any, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        body = json.dumps(content).encode()
        self._send(status, body, {"Content-Type": "application/json", **(headers or {})})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def git_oid(content: bytes) -> str:
    """The name that git gives a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub that is empty, on a port of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.hub = Hub(address=f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
