"""Submissions to the toy protocol, in every container."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import torch

from ffbench.method import Flows, Method, MethodCard, MethodEntry
from ffbench.protocol import NumpyFlows, Pair, PairScore, Protocol, Term
from ffbench.submissions.checking.validation import Report
from ffbench.submissions.export.predict import predict
from ffbench.submissions.manifest import build_manifest
from ffbench.submissions.submit import validate_submission
from tests.toys import Stripes

PAIRS = 6


class Speckle(Method):
    """Flows whose every digit depends on the images; the head moves by a third as much."""

    def __init__(self, decomposes: bool = False) -> None:
        self.card = MethodCard(id="speckle", title="Speckle", decomposes=decomposes)

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        facial = torch.sin(37.0 * (image1 + image2.roll(1, 3)))[:, :2] * 12.3
        return Flows(facial, facial / 3 if self.card.decomposes else None)


class Layers(Stripes):
    """Stripes that also score the head flow, and the backward flow where there is one."""

    def score(self, pair: Pair[float], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
        terms = dict(super().score(pair, forward, backward if self.needs_backward else None).terms)
        if forward.head is not None:
            terms["head"] = Term(float(forward.head.astype("f8").sum()), forward.head.size)
        if backward is not None:
            terms["back"] = Term(float(backward.facial.astype("f8").sum()), backward.facial.size)
        return PairScore(pair.key, terms, pair.labels)


def make_submission(folder: Path, protocol: Protocol[float] | None = None, decomposes: bool = False) -> Path:
    """Write a valid submission to the toy protocol."""
    predict(Speckle(decomposes), protocol or Stripes(PAIRS), folder)
    return folder


def check(path: Path, protocol: Protocol[float] | None = None) -> Report:
    """Validate a submission to the toy protocol."""
    return validate_submission(path, protocol or Stripes(PAIRS))


def pack(kind: str, folder: Path, top: str | None = None) -> Path:
    """Pack a folder as `zip`, `tar` or `gztar`, its content below the folder `top` if there is one."""
    if top is not None:
        wrapped = folder.parent / f"{folder.name}-wrapped"
        shutil.copytree(folder, wrapped / top)
        folder = wrapped
    return Path(shutil.make_archive(str(folder), kind, folder))


def packer(kind: str) -> Callable[[Path], Path]:
    """Return a function that packs a folder, or leaves it as it is."""
    return lambda folder: folder if kind == "folder" else pack(kind, folder)


def sizes(pairs: int = PAIRS) -> dict[str, tuple[int, int]]:
    """Return what the toy protocol's manifest holds."""
    return build_manifest(Stripes(pairs)).sizes


speckle = MethodEntry("speckle", lambda request: Speckle())
