"""A small hub on this machine: the part of the Hugging Face Hub's interface that huggingface_hub asks for.

It holds repositories in memory, each a list of commits, and lets a test say where it lies. Weights are LFS files, by
`basic` transfer; there is no Xet here, and no test reaches the real hub.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import yaml

TOKEN = "hf_stand_in"
_REVISION = re.compile(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?")
_FILE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_WRITE = re.compile(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/main")
_BATCH = re.compile(r"/([^/]+/[^/]+)\.git/info/lfs/objects/batch")


@dataclass
class Commit:
    """The files of a repository at a commit."""

    files: dict[str, bytes]
    sha: str


@dataclass
class Hub:
    """What the hub holds, what it was asked, and the lies that it tells."""

    repositories: dict[str, list[Commit]] = field(default_factory=dict)
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    created: list[dict[str, object]] = field(default_factory=list)
    stated_sizes: dict[str, int] = field(default_factory=dict)
    stated_commit: str | None = None
    served: dict[str, bytes] = field(default_factory=dict)
    gated: bool = False
    endpoint: str = ""

    def commit(self, repository: str, files: dict[str, bytes]) -> str:
        """Add a commit to a repository, which is made if there is none, and return its hash."""
        commits = self.repositories.setdefault(repository, [])
        whole = {**(commits[-1].files if commits else {}), **files}
        text = repr((len(commits), repository, sorted(whole.items())))
        commits.append(Commit(whole, hashlib.sha1(text.encode()).hexdigest()))
        return commits[-1].sha

    def find(self, repository: str, revision: str | None) -> Commit | None:
        """Return the commit that a branch, a tag or a hash names."""
        commits = self.repositories[repository]
        if revision in (None, "main"):
            return commits[-1]
        sha = self.tags.get((repository, str(revision)), revision)
        return next((commit for commit in commits if commit.sha == sha), None)

    @property
    def downloads(self) -> list[str]:
        """The files whose content was asked for."""
        return [match[3] for line in self.asked if line.startswith("GET ") and (match := _FILE.fullmatch(line[4:]))]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, content: object = None, body: bytes | None = None, **headers: str) -> None:
        body = json.dumps(content).encode() if body is None else body
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, code: str, status: int = 404) -> None:
        self._answer(status, {"error": code}, X_Error_Code=code)

    def _path(self) -> str:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        return path

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_GET(self) -> None:
        path = self._path()
        if self.hub.gated:
            self._refuse("GatedRepo", 403)
        elif match := _REVISION.fullmatch(path):
            self._revision(match[1], match[2])
        elif match := _FILE.fullmatch(path):
            self._file(match[1], match[2], match[3])
        else:
            self._refuse("EntryNotFound")

    do_HEAD = do_GET

    def _revision(self, repository: str, revision: str | None) -> None:
        if repository not in self.hub.repositories:
            self._refuse("RepoNotFound")
        elif (commit := self.hub.find(repository, revision)) is None:
            self._refuse("RevisionNotFound")
        else:
            files = [{"rfilename": name} for name in commit.files]
            self._answer(200, {"id": repository, "sha": self.hub.stated_commit or commit.sha, "siblings": files})

    def _file(self, repository: str, revision: str, name: str) -> None:
        commit = self.hub.find(repository, revision) if repository in self.hub.repositories else None
        if commit is None:
            self._refuse("RevisionNotFound")
        elif name not in commit.files:
            self._refuse("EntryNotFound")
        else:
            content = commit.files[name]
            # Git names a small file by another hash than an LFS file.
            kind = hashlib.sha256 if name.endswith(".safetensors") else hashlib.sha1
            size = self.hub.stated_sizes.get(name, len(content))
            etag = f'"{kind(content).hexdigest()}"'
            headers = {"X_Repo_Commit": commit.sha, "ETag": etag, "X_Linked_Size": str(size)}
            if self.command == "HEAD":
                self._answer(200, body=b"", Content_Length=str(size), **headers)
            else:
                self._answer(200, body=self.hub.served.get(name, content), **headers)

    def do_POST(self) -> None:
        path, body = self._path(), self._body()
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"error": "Invalid username or password."})
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            front = json.loads(body)["content"].split("---\n")[1]
            faults = [] if isinstance(yaml.safe_load(front), dict) else [{"message": "no mapping"}]
            self._answer(400 if faults else 200, {"errors": faults, "warnings": []})
        elif match := _BATCH.fullmatch(path):
            self._batch(json.loads(body))
        elif (match := _WRITE.fullmatch(path)) and match[2] == "preupload":
            rows = [
                {"path": one["path"], "uploadMode": "lfs" if one["path"].endswith(".safetensors") else "regular",
                 "shouldIgnore": False, "oid": None}
                for one in json.loads(body)["files"]
            ]  # fmt: skip
            self._answer(200, {"files": rows})
        elif match:
            self._commit(match[1], body)
        else:
            self._refuse("EntryNotFound")

    def _create(self, asked: dict[str, object]) -> None:
        name = f"{asked['organization']}/{asked['name']}"
        self.hub.created.append(asked)
        known = name in self.hub.repositories
        self.hub.repositories.setdefault(name, [])
        self._answer(409 if known else 200, {"url": f"{self.hub.endpoint}/{name}"})

    def _batch(self, asked: dict[str, list[dict[str, object]]]) -> None:
        rows = [
            {**one, "actions": {"upload": {"href": f"{self.hub.endpoint}/upload/{one['oid']}"}}}
            for one in asked["objects"]
        ]
        self._answer(200, {"transfer": "basic", "objects": rows})

    def _commit(self, repository: str, body: bytes) -> None:
        files = {}
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.uploads[value["oid"]]
        sha = self.hub.commit(repository, files)
        url = f"{self.hub.endpoint}/{repository}/commit/{sha}"
        self._answer(200, {"commitUrl": url, "commitOid": sha})

    def do_PUT(self) -> None:
        oid, body = self._path().rpartition("/")[2], self._body()
        assert hashlib.sha256(body).hexdigest() == oid
        self.hub.uploads[oid] = body
        self._answer(200, {})


@contextmanager
def serve() -> Iterator[Hub]:
    """Run a hub on a free port of this machine."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
