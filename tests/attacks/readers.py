"""Every reader of files from strangers as a function of a path, and the plain ways to read them that attacks aim at."""

from __future__ import annotations

import csv
import io
import json
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import openpyxl
import pyarrow.parquet as pq
import torch
from PIL import Image
from pydantic import BaseModel
from safetensors.torch import load_file

from ffbench.datasets.casme2.coding import read_coding
from ffbench.datasets.ck_plus.scan import read_landmarks
from ffbench.datasets.clips import open_clip
from ffbench.datasets.feature_file import read_feature_file
from ffbench.datasets.images import read_image
from ffbench.datasets.tracks.metrical import read_camera
from ffbench.errors import reading
from ffbench.evaluation.regression.check import read_baseline
from ffbench.flow.files import read_flow
from ffbench.flow.formats import kitti
from ffbench.formats import spreadsheet
from ffbench.formats.ply import read_mesh
from ffbench.formats.spreadsheet import read_tables
from ffbench.io.archives.archive import read_archive
from ffbench.methods.decflow.tensors import read_tensor_file
from ffbench.methods.weights import read_checkpoint
from ffbench.results.record.pair_table import read_pair_table
from ffbench.results.record.parquet import read_table
from ffbench.results.record.run_record import read_record
from ffbench.submissions.checking.validation import validate
from ffbench.submissions.containers.archive_files import ArchiveFiles
from ffbench.submissions.export.images import ProtocolImages
from ffbench.submissions.files import open_files
from ffbench.submissions.manifest import Manifest
from ffbench.training.checkpoint import load_checkpoint
from tests.training.toy import recipe

# Imported, and so compiled, before memory is counted: it is the compiler that takes some, once a machine.
_COMPILED = kitti
MANIFEST = Manifest("toy", "1.0", "0" * 64, {"00": (5, 7)}, backward=False)

# The readers, by what they read.


def flow(path: Path) -> object:
    return read_flow(path)


def image(path: Path) -> object:
    return read_image(path)


def video(path: Path) -> object:
    clip = open_clip(path)
    return [clip.frame(number) for number in range(2)]


def landmarks(path: Path) -> object:
    return read_landmarks(path)


def workbook(path: Path) -> object:
    return read_tables(path)


def coding(path: Path) -> object:
    return read_coding(path)


def mesh(path: Path) -> object:
    return read_mesh(path)


def features(path: Path) -> object:
    return read_feature_file(path)


def pair_scores(path: Path) -> object:
    return read_pair_table(path)


def pair_columns(path: Path) -> object:
    return read_table(path, lambda names: names)


def record(path: Path) -> object:
    return read_record(path)


def baseline(path: Path) -> object:
    return read_baseline(path)


def export(path: Path) -> object:
    return ProtocolImages(path.parent)


def submission(path: Path) -> object:
    with open_files(path, MANIFEST) as files:
        return validate(files, MANIFEST)


def unchecked_submission(path: Path) -> object:
    """Read every member of a submission through to its end, also those that validation would not look at."""
    with open_files(path, MANIFEST) as files:
        assert isinstance(files, ArchiveFiles)
        for member in files.members:
            with reading(member), member.open() as content:
                while content.read(2**20):
                    pass
    return None


def archive(path: Path) -> object:
    return {name: member.size for name, member in read_archive(path).items()}


def checkpoint(path: Path) -> object:
    return read_checkpoint(path)


def tensor_file(path: Path) -> object:
    return read_tensor_file(path)


def camera(path: Path) -> object:
    return read_camera(path)


def training(path: Path) -> object:
    found = load_checkpoint(path.parent, recipe())
    assert found is not None
    return found


# Plain ways to read the same.


def plain_parquet(path: Path) -> object:
    return pq.read_table(path)


def plain_hdf5(path: Path) -> object:
    with h5py.File(path, "r") as file:
        return file["flow"][()]


def plain_png(path: Path) -> object:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def plain_image(path: Path) -> object:
    with Image.open(path) as opened:
        return np.array(opened.convert("RGB"))


def plain_video(path: Path) -> object:
    video = cv2.VideoCapture(str(path))
    return [frame for found, frame in (video.read() for _ in range(2)) if found]


def plain_workbook(path: Path) -> object:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    rows = [sheet.iter_rows(max_row=20_000, max_col=64, values_only=True) for sheet in book.worksheets]
    return [[tuple("" if value is None else str(value) for value in row) for row in sheet] for sheet in rows]


def unbounded_workbook(path: Path) -> object:
    """Read a workbook without the bound on what its cells take; the process has no other use."""
    spreadsheet.MAX_TABLE_BYTES = 2**40
    return read_tables(path)


def plain_csv(path: Path) -> object:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def plain_npz(path: Path) -> object:
    with np.load(path) as found:
        return {name: found[name] for name in found.files}


def plain_json(path: Path) -> object:
    class Anything(BaseModel):
        pass

    try:
        return Anything.model_validate_json(path.read_bytes())
    except ValueError:
        return None


def plain_tar(path: Path) -> object:
    with tarfile.open(path) as opened, path.open("rb") as file:
        found = []
        for member in opened:
            file.seek(member.offset_data)
            found.append(file.read(member.size))
            if member.size < 0:
                break
        return found


def plain_gzipped_tar(path: Path) -> object:
    with tarfile.open(path, "r:gz") as opened:
        return [content.read() for member in opened if (content := opened.extractfile(member))]


def plain_zip_members(path: Path) -> object:
    """Unpack what the directory lists from where it says, as readers do that do not look for overlaps."""
    found = []
    with zipfile.ZipFile(path) as opened, path.open("rb") as file:
        for member in opened.infolist():
            file.seek(member.header_offset + 26)
            name, extra = struct.unpack("<HH", file.read(4))
            file.seek(name + extra, io.SEEK_CUR)
            found.append(zlib.decompress(file.read(member.compress_size), -zlib.MAX_WBITS))
    return found


def plain_zip(path: Path) -> object:
    with zipfile.ZipFile(path) as opened:
        return [opened.read(member) for member in opened.infolist()]


def plain_zip_directory(path: Path) -> object:
    with zipfile.ZipFile(path) as opened:
        return opened.infolist()


def plain_torch(path: Path) -> object:
    return torch.load(path, map_location="cpu", weights_only=True)


def plain_safetensors(path: Path) -> object:
    return load_file(path)


def plain_lines(path: Path) -> object:
    return [line.split() for line in path.read_bytes().splitlines()]


def plain_python_json(path: Path) -> Any:
    return json.load(io.BytesIO(path.read_bytes()))


def plain_bytes(path: Path) -> object:
    return path.read_bytes() * 64
