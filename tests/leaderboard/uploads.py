"""Archives that a visitor may send in: one that is sound, and others that are not."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ffbench.flow.formats.flo import write_flo
from tests.datasets.ffn_folder import SIZE, add_sequence, facial_flow, head_flow

PROTOCOL = "ffn_motion_scale"
SEQUENCE, FRAMES = "happy/0002", 5
KEYS = tuple(f"{SEQUENCE}/{number:04d}" for number in range(1, FRAMES))


@dataclass(frozen=True)
class Upload:
    """An archive, and what the page must say of it."""

    name: str
    content: bytes
    said: str


def make_dataset(folder: Path) -> Path:
    """Write the dataset of `KEYS` so that `FFBENCH_DATA=folder` finds it."""
    add_sequence(folder / "FacialFlowNet", SEQUENCE, FRAMES)
    return folder


def flo(flow: np.ndarray, scratch: Path) -> bytes:
    path = scratch / "one.flo"
    write_flo(path, flow)
    return path.read_bytes()


def members(scratch: Path, error: float = 0.0) -> dict[str, bytes]:
    """Return the files of a sound submission, whose facial flow is off by `error` px to the right."""
    found = {}
    for number, key in enumerate(KEYS, start=1):
        found[f"facial/{key}.flo"] = flo(facial_flow(number) + np.float32([error, 0]), scratch)
        found[f"head/{key}.flo"] = flo(head_flow(number), scratch)
    return found


def zipped(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def good(scratch: Path, error: float = 3.0) -> Upload:
    return Upload("flows.zip", zipped(members(scratch, error)), "8 files expected, 8 found and sound")


def _pickled(scratch: Path) -> Upload:
    files = members(scratch)
    files[f"facial/{KEYS[0]}.flo"] = pickle.dumps(np.ones(SIZE))
    return Upload("pickle.zip", zipped(files), "wrong format: 1")


def _incomplete(scratch: Path) -> Upload:
    files = members(scratch)
    del files[f"facial/{KEYS[1]}.flo"]
    files["facial/<img src=x onerror=alert(1)>.flo"] = b""
    return Upload("incomplete.zip", zipped(files), "missing: 1")


def _not_finite(scratch: Path) -> Upload:
    files = members(scratch)
    broken = facial_flow(1)
    broken[3, 4, 0] = np.nan
    files[f"facial/{KEYS[0]}.flo"] = flo(broken, scratch)
    return Upload("nan.zip", zipped(files), "not finite: 1")


def _way_out(scratch: Path) -> Upload:
    return Upload(
        "way-out.zip", zipped({**members(scratch), "../../evil.flo": b"x"}), "a name that leads out of the archive"
    )


def _no_archive(scratch: Path) -> Upload:
    return Upload("<b>text</b>.zip", b"#!/bin/sh\necho evil\n" * 100, "<b>text</b>.zip: ")


def _link(scratch: Path) -> Upload:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        member = tarfile.TarInfo("facial/0001.flo")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    return Upload("link.tar", content.getvalue(), "is a link or a special file")


def _bomb(scratch: Path) -> Upload:
    return Upload("bomb.tar.gz", gzip.compress(bytes(64 * 2**20)), "bomb.tar.gz: ")


BAD: dict[str, Callable[[Path], Upload]] = {
    "pickle": _pickled,
    "incomplete": _incomplete,
    "not finite": _not_finite,
    "way out": _way_out,
    "no archive": _no_archive,
    "link": _link,
    "bomb": _bomb,
}
