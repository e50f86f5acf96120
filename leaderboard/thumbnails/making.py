"""Making the pictures: `python -m ffbench.leaderboard.thumbnails.making [METHOD ...]`, or `make thumbnails`.

Of each method it runs three pairs of the mini FacialFlowNet, which is rendered and has exact flow; methods whose
pictures are up to date are passed over. `--stale` says which are not, and runs nothing.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ffbench.flow.color import flow_to_color
from ffbench.io.atomic import write_bytes, write_text
from ffbench.protocol import FLOW_PARTS, FlowPart, NumpyFlows, Pair, Protocol
from ffbench.visual.picture import Picture

from .reading import FOLDER, INDEX, REFERENCE, Index, card_sha256, read_index

METHODS = ("zero", "farneback", "dis", "dis_fine", "face_mesh", "ilk", "tvl1", "gmflow", "decflow-c",
           "decflow-c+variational")  # fmt: skip
"""What runs in a few seconds a pair on one core."""
PROTOCOL = "ffn_head"
"""Its pairs have all three true flows, and it derives a head flow where a method gives none."""
SIDE = 96
"""Px of a tile."""
_QUALITY = 75


def fixed_pairs(protocol: Protocol[Any]) -> list[Pair[Any]]:
    """Return three pairs by their true flow: most expression, most head motion, and half of that.

    They follow from the dataset alone, each of another sequence.
    """
    lengths: dict[str, tuple[float, float]] = {}
    names = list(protocol.keys())
    for key in names:
        truth = protocol.annotation(protocol.load(key))
        assert truth.facial is not None
        assert truth.head is not None
        assert truth.mask is not None
        expression = np.linalg.norm(truth.facial - truth.head, axis=2)[truth.mask]
        lengths[key] = float(expression.mean()), float(np.linalg.norm(truth.head, axis=2)[truth.mask].mean())
    most = max(lengths, key=lambda key: lengths[key][0])
    chosen = [most]

    def others() -> list[str]:
        taken = {key.rpartition("/")[0] for key in chosen}
        return [key for key in lengths if key.rpartition("/")[0] not in taken]

    chosen.append(max(others(), key=lambda key: lengths[key][1]))
    half = lengths[chosen[1]][1] / 2
    chosen.append(min(others(), key=lambda key: abs(lengths[key][1] - half)))
    return [protocol.load(key) for key in chosen]


def method_strip(
    pairs: Sequence[Pair[Any]], protocol: Protocol[Any], found: Sequence[NumpyFlows], part: FlowPart
) -> Picture:
    """Return flow and error of each pair in a row, in the scale of the true flow, so that all methods share it."""
    from ffbench.leaderboard.explorer.pair_pictures import known_part, part_of, scales, true_flows
    from ffbench.visual.picture import error_picture, flow_colors

    tiles = []
    for pair, flows in zip(pairs, found, strict=True):
        annotation = protocol.annotation(pair)
        truth = true_flows(annotation)
        assert truth is not None
        assert annotation.mask is not None
        full = scales([truth], annotation.mask)[part]
        fitted = part != "facial" and flows.head is None
        field = known_part(protocol.scored_flows(pair, flows), part, annotation.mask, fitted=fitted)
        true_field = part_of(truth, part)
        assert field is not None
        assert true_field is not None
        error = np.linalg.norm(field - true_field, axis=2).astype(np.float32)
        tiles += [flow_colors(field, full), error_picture(error, annotation.mask, full)]
    return _row(tiles)


def reference_strip(pairs: Sequence[Pair[Any]], protocol: Protocol[Any], part: FlowPart) -> Picture:
    """Return image 1 and the true flow of each pair in a row."""
    from ffbench.leaderboard.explorer.pair_pictures import part_of, scales, true_flows

    tiles = []
    for pair in pairs:
        annotation = protocol.annotation(pair)
        truth = true_flows(annotation)
        field = part_of(truth, part)
        assert truth is not None
        assert field is not None
        tiles += [pair.image1, flow_to_color(field, scales([truth], annotation.mask)[part])]
    return _row(tiles)


def stale(methods: Iterable[str], manifest_sha256: str, identities: dict[str, str]) -> list[str]:
    """Return the methods whose pictures are missing, or of another dataset or another card."""
    index = read_index()
    if index is None or index.manifest_sha256 != manifest_sha256:
        return list(methods)
    return [name for name in methods if index.methods.get(name) != card_sha256(identities[name])]


def main(arguments: Sequence[str]) -> None:
    """Make what is stale, or say what is."""
    from ffbench.evaluation.source import MethodSource
    from ffbench.registry import load_method, load_protocol
    from ffbench.vouching import vouched_card

    names = [name for name in arguments if not name.startswith("-")] or list(METHODS)
    protocol = load_protocol(PROTOCOL)
    if protocol.dataset.origin != "synthetic":
        sys.exit("pictures are made of rendered faces alone: unset FFBENCH_DATA")
    loaded = {name: load_method(name, device="cpu", installed_only=True) for name in names}
    identities = {
        name: json.dumps(["evaluated", vouched_card(method).model_dump(mode="json")], sort_keys=True)
        for name, method in loaded.items()
    }
    sha256 = protocol.dataset.manifest_sha256
    wanted = stale(names, sha256, identities)
    print(f"stale: {', '.join(wanted) or 'none'}")
    if "--stale" in arguments or not wanted:
        return
    pairs, index = fixed_pairs(protocol), read_index()
    kept = dict(index.methods) if index is not None and index.manifest_sha256 == sha256 else {}
    for part in FLOW_PARTS:
        _write(REFERENCE, part, reference_strip(pairs, protocol, part))
    for name in wanted:
        source = MethodSource(loaded[name])
        found = [source.flows([pair], False)[0][0] for pair in pairs]
        for part in FLOW_PARTS:
            _write(name, part, method_strip(pairs, protocol, found, part))
        kept[name] = card_sha256(identities[name])
        made = Index(
            manifest_sha256=sha256, pairs=tuple(pair.key for pair in pairs), methods=dict(sorted(kept.items()))
        )
        write_text(FOLDER / INDEX, made.model_dump_json(indent=1) + "\n")
        print(f"made: {name}")


def _row(tiles: Sequence[Picture]) -> Picture:
    import cv2

    return np.hstack([np.asarray(cv2.resize(tile, (SIDE, SIDE), interpolation=cv2.INTER_AREA)) for tile in tiles])


def _write(name: str, part: FlowPart, picture: Picture, folder: Path = FOLDER) -> None:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, format="WEBP", quality=_QUALITY, method=6)
    write_bytes(folder / f"{name}-{part}.webp", content.getvalue())


if __name__ == "__main__":
    main(sys.argv[1:])
