"""Every reader of files that come from elsewhere: valid seeds, how it is called, and what it must not accept.

A read gives a text that stands for what was read. Where a format protects its content (checksums, lengths), what is
accepted must read as one of the seeds does: `protected`.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat
from scipy.sparse import csc_matrix

from ffbench.datasets.casme2.coding import read_coding
from ffbench.datasets.ck_plus.scan import read_landmarks
from ffbench.datasets.feature_file import read_feature_file
from ffbench.datasets.images import read_image
from ffbench.datasets.tracks.flame_masks import FLAME_VERTICES
from ffbench.errors import DataError
from ffbench.evaluation.batches import read_ahead
from ffbench.evaluation.regression.check import read_baseline
from ffbench.flow.files import read_flow, write_flow
from ffbench.formats.flame_files import read_flame, read_masks
from ffbench.formats.ply import read_mesh
from ffbench.io.hashing import file_sha256
from ffbench.results.ranking.pair_columns import read_columns
from ffbench.results.record.pair_table import read_pair_table
from ffbench.results.record.run_record import read_record
from ffbench.results.store.records import add_record
from ffbench.results.store.verification import verify_store
from ffbench.submissions.bundle import write_bundle
from ffbench.submissions.checking.validation import validate
from ffbench.submissions.export.images import ProtocolImages, export_images
from ffbench.submissions.files import open_files
from ffbench.submissions.manifest import Manifest
from tests.datasets.casme2_folder import ROWS, coding_csv, workbook
from tests.formats import python2_pickle
from tests.formats.python2_pickle import Ch
from tests.fuzz.forged_pickles import CALLED, forge
from tests.fuzz.mutations import mutate
from tests.results.made_runs import make_run
from tests.synth.flame_folder import dump, masks_dict
from tests.toys import Stripes

MANIFEST = Manifest("toy", "1.0", "0" * 64, {f"{number:02d}": (5, 7) for number in range(4)}, backward=False)


@dataclass(frozen=True)
class Target:
    """One reader. `read` raises DataError, and nothing else, for what it refuses."""

    name: str
    suffix: str
    seeds: Sequence[bytes]
    read: Callable[[Path], str]
    protected: bool = False
    damage: Callable[[Sequence[bytes], np.random.Generator], bytes] = mutate
    """What makes a damaged file of the seeds."""


def targets(folder: Path) -> list[Target]:
    """Make the seeds of all readers; `folder` is for scratch files."""
    folder.mkdir(parents=True, exist_ok=True)
    flows = [np.random.default_rng(seed).normal(size=(5, 7, 2)).astype(np.float32) * 9 for seed in range(2)]
    landmarks = "".join(f"   {x:.7e}   {y:.7e}\n" for x, y in np.random.default_rng(0).uniform(0, 50, (68, 2)))
    run = make_run(folder / "run", "a", [1.0, 2.0, 4.0], labels=[{"mood": m} for m in "abc"])
    table = run.with_name("pairs.parquet").read_bytes()
    stored = add_record(folder / "store", run, "claimed")
    return [
        Target("flow .flo", ".flo", [_flow(folder, flow, ".flo") for flow in flows], _read_flo),
        Target("flow .flo5", ".flo5", [_flow(folder, flow, ".flo5") for flow in flows], _read_flow, protected=True),
        Target("flow KITTI .png", ".png", [_flow(folder, flow, ".png") for flow in flows], _read_flow, protected=True),
        Target("flow .npy", ".npy", [_npy(flow) for flow in flows], _read_flow),
        Target("flow .pfm", ".pfm", [_pfm(flow) for flow in flows], _read_flow),
        Target("flow .mat", ".mat", [_mat(flows[0], False), _mat(flows[1], True)], _read_flow),
        Target("image .png", ".png", [_png(0), _png(1)], lambda path: _hash(read_image(path))),
        Target("CK+ landmarks", ".txt", [landmarks.encode()], _read_landmarks),
        Target("CASME II coding .xlsx", ".xlsx", [workbook(ROWS)], lambda path: repr(read_coding(path))),
        Target("CASME II coding .csv", ".csv", [coding_csv(ROWS)], lambda path: repr(read_coding(path))),
        Target("mesh .ply", ".ply", [_ply()], lambda path: _hash(read_mesh(path).vertices)),
        Target("FLAME masks .pkl", ".pkl", _masks(), _read_masks),
        Target("FLAME masks .pkl, forged", ".pkl", _masks(), _read_masks, damage=forge),
        Target("FLAME model .pkl", ".pkl", _models(), _read_model),
        Target("FLAME model .pkl, forged", ".pkl", _models(), _read_model, damage=forge),
        Target("feature file .npz", ".npz", [_features(0), _features(1)], _read_features, protected=True),
        Target("submission .zip", ".zip", [_zip(flows, ""), _zip(flows, "top/")], _read_submission, protected=True),
        Target("submission .tar", ".tar", [_tar(flows, "w")], _read_submission),
        Target("submission .tar.gz", ".tar.gz", [_tar(flows, "w:gz")], _read_submission, protected=True),
        Target("submission .bundle", ".bundle", _bundles(folder, flows), _read_submission, protected=True),
        Target("exported manifest", ".json", [_exported(folder / "export")], _read_export),
        Target("run record", ".json", [run.read_bytes()], lambda path: read_record(path).model_dump_json()),
        Target("record in a store", ".json", [stored.read_bytes()], _StoreReader(stored), protected=True),
        Target("pair table", ".parquet", [table], _read_table),
        Target("baseline", ".json", [_BASELINE], lambda path: read_baseline(path).model_dump_json()),
    ]


_BASELINE = b"""{"tolerance": 0.01, "cases": [{"method": "dis", "protocol": "ck_landmarks", "limit": 12, "scores":
{"epe": 0.9674118349942455, "landmarks_inside": 100.0}, "higher_is_better": ["landmarks_inside"], "speed": 1.0}]}"""


def _flow(folder: Path, flow: np.ndarray, suffix: str) -> bytes:
    path = folder / f"seed{suffix}"
    write_flow(path, flow)
    return path.read_bytes()


def _npy(flow: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, flow)
    return content.getvalue()


def _pfm(flow: np.ndarray) -> bytes:
    rows = np.dstack([flow, np.zeros(flow.shape[:2])])[::-1].astype("<f4")
    return b"PF\n%d %d\n-1.0\n" % flow.shape[1::-1] + rows.tobytes()


def _mat(flow: np.ndarray, packed: bool) -> bytes:
    content = io.BytesIO()
    savemat(content, {"flow": flow, "note": "px"}, do_compression=packed)
    return content.getvalue()


def _png(seed: int) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (9, 6, 3), np.uint8)).save(content, format="PNG")
    return content.getvalue()


def _ply() -> bytes:
    lines = ["ply", "format ascii 1.0", "element vertex 3", "property float x", "property float y", "property float z",
             "element face 1", "property list uchar int vertex_indices", "end_header",
             "0 0 0", "1 0 0", "0 1 0", "3 0 1 2"]  # fmt: skip
    return ("\n".join(lines) + "\n").encode()


def _masks() -> list[bytes]:
    masks = {name: members[:3] for name, members in masks_dict().items()}
    return [*(python2_pickle.dumps(masks, number) for number in range(3)), *(pickle.dumps(masks, n) for n in (3, 4, 5))]


def _read_masks(path: Path) -> str:
    found = read_masks(path, FLAME_VERTICES)
    assert not CALLED, "something in the file was run"
    assert all(members.min() >= 0 and members.max() < FLAME_VERTICES for members in found.values())
    return repr({name: members.tolist() for name, members in found.items()})


def _models() -> list[bytes]:
    """Pickle a model of four vertices in every protocol, the older ones as Python 2 does."""
    rng = np.random.default_rng(0)
    model = {
        "f": np.array([[0, 1, 2], [0, 2, 3]], np.uint32), "v_template": rng.normal(size=(4, 3)),
        "shapedirs": Ch(np.zeros((4, 3, 400))), "posedirs": np.zeros((4, 3, 36)),
        "J_regressor": csc_matrix(np.eye(5, 4)), "weights": np.full((4, 5), 0.2),
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.int64),
    }  # fmt: skip
    return [
        *(python2_pickle.dumps(model, number) for number in range(3)),
        *(dump(model, number) for number in (3, 4, 5)),
    ]


def _read_model(path: Path) -> str:
    arrays = vars(read_flame(path))
    assert not CALLED, "something in the file was run"
    assert all(np.isfinite(array).all() for array in arrays.values()), "accepted values that are not finite"
    return repr({name: _hash(array) for name, array in arrays.items()})


def _features(seed: int) -> bytes:
    content = io.BytesIO()
    vectors = np.random.default_rng(seed).normal(size=(3, 4)).astype(np.float32)
    np.savez(content, names=["happy/0001", "sad/0002", "source/sad/0002"], features=vectors)
    return content.getvalue()


def _read_features(path: Path) -> str:
    found = read_feature_file(path)
    return f"{list(found)} {_hash(np.array(list(found.values())))}"


def _members(flows: Sequence[np.ndarray], top: str) -> dict[str, bytes]:
    head = b"PIEH" + (7).to_bytes(4, "little") + (5).to_bytes(4, "little")
    return {f"{top}facial/{number:02d}.flo": head + flows[number % 2].tobytes() for number in range(4)}


def _zip(flows: Sequence[np.ndarray], top: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in _members(flows, top).items():
            archive.writestr(zipfile.ZipInfo(name), member, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _tar(flows: Sequence[np.ndarray], mode: Any) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:
        for name, member in _members(flows, "").items():
            info = tarfile.TarInfo(name)
            info.size = len(member)
            archive.addfile(info, io.BytesIO(member))
    return content.getvalue()


def _bundles(folder: Path, flows: Sequence[np.ndarray]) -> list[bytes]:
    whole = folder / "whole.zip"
    whole.write_bytes(_zip(flows, ""))
    with open_files(whole, MANIFEST) as files:
        report = validate(files, MANIFEST)
        for step in (1, 3):
            write_bundle(folder / f"{step}.bundle", files, report, MANIFEST, step=step, challenge="salt")
    return [(folder / f"{step}.bundle").read_bytes() for step in (1, 3)]


def _exported(folder: Path) -> bytes:
    export_images(Stripes(3), folder)
    return (folder / "manifest.json").read_bytes()


def _read_export(path: Path) -> str:
    place = path.parent / "export" / "manifest.json"
    place.write_bytes(path.read_bytes())
    protocol = ProtocolImages(place.parent)
    problems: list[str] = []
    for pair in read_ahead(protocol, protocol.keys(), 1, problems):
        assert pair.image1.shape == pair.image2.shape
    return f"{list(protocol.keys())} {protocol.card.model_dump_json()} {problems}"


def _hash(array: np.ndarray) -> str:
    return f"{array.shape} {hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()}"


def _read_flow(path: Path) -> str:
    return _hash(read_flow(path))


def _read_flo(path: Path) -> str:
    flow = read_flow(path)
    assert path.stat().st_size == 12 + flow.nbytes, "accepted a file of another length than its header states"
    assert np.isfinite(flow).all(), "accepted values that are not finite"
    return _hash(flow)


def _read_landmarks(path: Path) -> str:
    points = read_landmarks(path)
    assert points.shape == (68, 2)
    assert np.isfinite(points).all(), "accepted values that are not finite"
    return _hash(points)


def _read_submission(path: Path) -> str:
    with open_files(path, MANIFEST) as files:
        report = validate(files, MANIFEST)
    if not report.sound:
        raise DataError("not valid")
    assert len(report.files["facial"]) == len(MANIFEST.sizes)
    return report.sha256


def _read_table(path: Path) -> str:
    scores = read_pair_table(path)
    columns = read_columns(path, file_sha256(path), metric="epe", labels=["mood"])
    assert len(columns.keys) == len(scores)
    return repr(scores)


class _StoreReader:
    """Puts the file into the store in place of its record; what `verify` finds no fault with is accepted."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __call__(self, path: Path) -> str:
        self.place.write_bytes(path.read_bytes())
        found = verify_store(self.place.parents[2], {"stripes": "1.0"})
        if found.faults:
            raise DataError(found.faults[0])
        return path.read_text()
