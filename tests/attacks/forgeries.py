"""Files made by hand that ask for far more memory than they have bytes, and the honest ones beside them."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image

from ffbench.flow.files import write_flow
from tests.attacks import readers
from tests.attacks.memory import MIB

BOMB = 200 * MIB
"""What a bomb unpacks to: three times what any reader may take for a file that declares nothing."""


@dataclass(frozen=True)
class Attack:
    """A forged file.

    `forge` writes it and gives the bytes that its content would honestly take; `plain` is a naive way to read it, which
    takes more than is allowed; `refused` is a part of the error, None where the file is to be read.
    """

    name: str
    suffix: str
    read: Callable[[Path], object]
    forge: Callable[[Path], int]
    refused: str | None
    plain: Callable[[Path], object] | None = None
    file: str | None = None
    """Name that the file must have."""


def _zeros(count: int) -> bytes:
    return zlib.compress(bytes(count), 1)


# Flows


def _hdf5(path: Path, shape: tuple[int, ...], chunks: tuple[int, ...], chunk: bytes, deflates: int = 1) -> None:
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk(chunks)
        for _ in range(deflates):
            plan.set_deflate(9)
        most = tuple(max(sides) for sides in zip(shape, chunks, strict=True))
        space = h5py.h5s.create_simple(shape, most)
        dataset = h5py.h5d.create(file.id, b"flow", h5py.h5t.IEEE_F32LE, space, plan)
        for row in range(0, shape[0], chunks[0]):
            for column in range(0, shape[1], chunks[1]):
                dataset.write_direct_chunk((row, column, 0), chunk)


def overfull_chunk(path: Path) -> int:
    _hdf5(path, (512, 512, 2), (512, 512, 2), _zeros(BOMB))
    return 512 * 512 * 8


def twice_deflated_chunk(path: Path) -> int:
    _hdf5(path, (64, 64, 2), (64, 64, 2), zlib.compress(_zeros(BOMB), 9), deflates=2)
    return 64 * 64 * 8


def chunk_larger_than_flow(path: Path) -> int:
    side = 5120
    _hdf5(path, (64, 64, 2), (side, side, 2), _zeros(side * side * 8))
    return 64 * 64 * 8


def many_empty_chunks(path: Path) -> int:
    _hdf5(path, (8192, 8192, 2), (1024, 1024, 2), _zeros(2**20 * 8))
    return path.stat().st_size


def noisy_flo5(path: Path) -> int:
    flow = np.random.default_rng(0).normal(size=(1400, 1400, 2)).astype(np.float32)
    write_flow(path, flow)
    return int(flow.nbytes)


def noisy_flo(path: Path) -> int:
    return noisy_flo5(path)


def _png(path: Path, side: int, depth: int, row_bytes: int) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, depth, 2, 0, 0, 0)
    packed = _zeros(side * (1 + row_bytes))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b""))


def empty_kitti(path: Path) -> int:
    _png(path, 6144, 16, 6 * 6144)
    return path.stat().st_size


def noisy_kitti(path: Path) -> int:
    flow = np.random.default_rng(0).uniform(-99, 99, (1500, 1500, 2)).astype(np.float32)
    write_flow(path, flow)
    return int(flow.nbytes)


# Images


def black_png(path: Path) -> int:
    _png(path, 8192, 8, 3 * 8192)
    return path.stat().st_size


def black_webp(path: Path) -> int:
    path.write_bytes(cv2.imencode(".webp", np.zeros((4500, 4500, 3), np.uint8), [cv2.IMWRITE_WEBP_QUALITY, 101])[1])
    return path.stat().st_size


def noisy_jpeg(path: Path) -> int:
    noise = np.random.default_rng(0).integers(0, 256, (3000, 3000, 3), np.uint8)
    Image.fromarray(noise).save(path, quality=30, progressive=True)
    return int(noise.nbytes)


def giant_tile(path: Path) -> int:
    """A TIFF of 64 x 64 pixels in one tile of 8192 x 8192."""
    side, packed = 8192, _zeros(8192 * 8192 * 3)
    entries = [(256, 64), (257, 64), (258, 8), (259, 8), (262, 2), (277, 3), (284, 1), (322, side), (323, side),
               (324, 0), (325, len(packed))]  # fmt: skip
    data = 8 + 2 + 12 * len(entries) + 4
    directory = struct.pack("<H", len(entries))
    for tag, value in entries:
        directory += struct.pack("<HHII", tag, 4, 1, data if tag == 324 else value)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", 0) + packed)
    return 64 * 64 * 3


def wide_video(path: Path) -> int:
    side = 5000
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (side, side))
    for _ in range(2):
        writer.write(np.zeros((side, side, 3), np.uint8))
    writer.release()
    return path.stat().st_size


def video_of_two_frames(path: Path) -> int:
    noise = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (1920, 1080))
    for _ in range(2):
        writer.write(noise)
    writer.release()
    return 2 * int(noise.nbytes)


# Tables


_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _workbook(path: Path, sheets: int, rows: bytes, styles: bytes = b"", texts: bytes = b"") -> int:
    """Write a workbook of sheets that are all one and the same part."""
    parts = {"/xl/workbook.xml": "sheet.main", "/xl/worksheets/sheet1.xml": "worksheet",
             "/xl/sharedStrings.xml": "sharedStrings", "/xl/styles.xml": "styles"}  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types">' + "".join(
            f'<Override PartName="{part}" ContentType="{_TYPE}.{kind}+xml"/>' for part, kind in parts.items()
        ) + "</Types>")  # fmt: skip
        archive.writestr("xl/workbook.xml", f'<workbook xmlns="{_SHEETS}" xmlns:r="{_OFFICE}"><sheets>' + "".join(
            f'<sheet name="s{number}" sheetId="{number + 1}" r:id="rId1"/>' for number in range(sheets)
        ) + "</sheets></workbook>")  # fmt: skip
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/worksheet" '
            f'Target="worksheets/sheet1.xml"/></Relationships>',
        )
        begin, end = f'<worksheet xmlns="{_SHEETS}"><sheetData>'.encode(), b"</sheetData></worksheet>"
        archive.writestr("xl/worksheets/sheet1.xml", begin + rows + end)
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{_SHEETS}">'.encode() + texts + b"</sst>")
        one = b"<fonts><font/></fonts><fills><fill/></fills><borders><border/></borders><cellStyleXfs><xf/></cellStyleXfs>"
        begin = f'<styleSheet xmlns="{_SHEETS}">'.encode() + one
        archive.writestr("xl/styles.xml", begin + b"<cellXfs>" + styles + b"</cellXfs></styleSheet>")
    return path.stat().st_size


_CELL = b'<row r="1"><c t="inlineStr"><is><t>a</t></is></c></row>'


def many_sheets(path: Path) -> int:
    return _workbook(path, 20, b'<row r="20000"><c r="BL20000"><v>1</v></c></row>')


def many_styles(path: Path) -> int:
    return _workbook(path, 1, _CELL, styles=b"<xf/>" * 250_000)


def one_text_in_many_cells(path: Path) -> int:
    cells = b"<row>" + b'<c t="s"><v>0</v></c>' * 64 + b"</row>"
    return _workbook(path, 1, cells * 1500, texts=b"<si><t> " + b"a" * 1000 + b"</t></si>")


def honest_workbook(path: Path) -> int:
    cells = b"<row>" + b'<c t="inlineStr"><is><t>anger</t></is></c>' * 12 + b"</row>"
    _workbook(path, 3, cells * 255)
    return 3 * 255 * 12 * 60


def _parquet(path: Path, columns: dict[str, Any], **options: Any) -> None:
    pq.write_table(pa.table(columns), path, compression="zstd", **options)


def _repeated(rows: int, text: str) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), [text]).cast(pa.string())


def one_long_text(path: Path) -> int:
    _parquet(path, {"key": ["a" * BOMB]}, use_dictionary=False)
    return path.stat().st_size


def one_text_many_times(path: Path) -> int:
    _parquet(path, {"key": _repeated(BOMB // 1000, "a" * 1000)})
    return path.stat().st_size


def shared_prefixes(path: Path) -> int:
    text = _repeated(BOMB // 1000, "a" * 1000)
    _parquet(path, {"key": text}, use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY")
    return path.stat().st_size


def one_number_many_times(path: Path) -> int:
    rows = 2_000_000
    ones = np.ones(rows)
    _parquet(path, {"key": _repeated(rows, "a"), **{f"t{number}:sum": ones for number in range(13)}})
    return path.stat().st_size


def honest_table(path: Path) -> int:
    rows = 20_000
    numbers = np.random.default_rng(0).normal(size=rows)
    _parquet(path, {"key": [f"{row:06d}" for row in range(rows)], "epe:sum": numbers, "epe:count": np.ones(rows)})
    return rows * (8 + 6 + 16)


# Arrays, meshes, JSON


def empty_features(path: Path) -> int:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in (("names", np.array(["a", "b"])), ("features", np.zeros((2, BOMB // 8), np.float32))):
            content = io.BytesIO()
            np.save(content, array)
            archive.writestr(f"{name}.npy", content.getvalue())
    return path.stat().st_size


def noisy_features(path: Path) -> int:
    vectors = np.random.default_rng(0).normal(size=(2000, 512))
    np.savez(path, names=[f"happy/{number}" for number in range(2000)], features=vectors)
    return int(vectors.nbytes)


def short_lines(path: Path) -> int:
    lines = 2_000_000
    axes = "".join(f"property float {axis}\n" for axis in "xyz")
    path.write_bytes(f"ply\nformat ascii 1.0\nelement vertex {lines}\n{axes}end_header\n".encode() + b"1.\n" * lines)
    return path.stat().st_size


def honest_mesh(path: Path) -> int:
    axes = "".join(f"property float {axis}\n" for axis in "xyz")
    header = (
        f"ply\nformat ascii 1.0\nelement vertex 40000\n{axes}element face 1\nproperty list uchar int i\nend_header\n"
    )
    path.write_bytes(header.encode() + b"0.12345 1.23456 2.34567\n" * 40000 + b"3 0 1 2\n")
    return path.stat().st_size


def empty_lists(path: Path) -> int:
    path.write_bytes(b"[" + b"[]," * 1_500_000 + b"0]")
    return path.stat().st_size


def nested_lists(path: Path) -> int:
    path.write_bytes(b"[" * 100_000)
    return path.stat().st_size


# Archives


def crowded_zip(path: Path) -> int:
    """A directory of 400,000 files that are all the first one."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/b", b"")
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02")
    entry, count = content[start : content.index(b"PK\x05\x06")], 400_000
    # More than 65,535 need the records of zip64.
    end64 = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, count * len(entry), start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, start + count * len(entry), 1)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0)
    path.write_bytes(content[:start] + entry * count + end64 + locator + end)
    return path.stat().st_size


def packed_zeros(path: Path) -> int:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("facial/00.flo", bytes(BOMB))
    return 5 * 7 * 8


def overlapping_zip(path: Path) -> int:
    """A hundred files of an archive that are one and the same bytes of it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("facial/00.flo", bytes(2 * MIB))
        first = archive.filelist[0]
        for number in range(1, 100):
            twin = zipfile.ZipInfo(f"facial/{number:02d}.flo")
            for name in ("header_offset", "compress_size", "file_size", "CRC", "compress_type"):
                setattr(twin, name, getattr(first, name))
            archive.filelist.append(twin)
    return 5 * 7 * 8


def negative_tar(path: Path) -> int:
    member = tarfile.TarInfo("facial/00.flo")
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 12  # -1 in base 256
    header[148:156] = b"        "
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    with path.open("wb") as file:
        file.write(header)
        file.truncate(BOMB)
    return 5 * 7 * 8


def large_tar_member(path: Path) -> int:
    member = tarfile.TarInfo("facial/00.flo")
    member.size = BOMB
    with path.open("wb") as file:
        file.write(member.tobuf())
        file.truncate(512 + BOMB + 1024)
    return 5 * 7 * 8


def gzipped_zeros(path: Path) -> int:
    member = tarfile.TarInfo("facial/00.flo")
    member.size = BOMB
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    path.write_bytes(packer.compress(member.tobuf() + bytes(BOMB + 1024)) + packer.flush())
    return 5 * 7 * 8


# Checkpoints


def _checkpoint(path: Path, content: bytes) -> int:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/version", "3\n")
    return path.stat().st_size


def bytearray_in_pickle(path: Path) -> int:
    return _checkpoint(path, b"\x80\x02cbuiltins\nbytearray\nJ" + struct.pack("<i", BOMB) + b"\x85R.")


def doubled_bytes(path: Path) -> int:
    encode = b"c_codecs\nencode\n"
    start = b"]q\x01" + encode + b"X\x02\0\0\0aaX\x06\0\0\0latin1\x86Rq\x01"
    return _checkpoint(path, b"\x80\x02" + start + (encode + b"h\x01X\x03\0\0\0hex\x86Rq\x01") * 26 + b".")


def bytearray_in_stream(path: Path) -> int:
    """The same in the format of before PyTorch 1.6."""
    content = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    content += pickle.dumps({"protocol_version": 1001, "little_endian": True, "type_sizes": {}}, 2)
    path.write_bytes(
        content + b"\x80\x02cbuiltins\nbytearray\nJ" + struct.pack("<i", BOMB) + b"\x85R." + pickle.dumps([], 2)
    )
    return path.stat().st_size


def _saved(tensors: dict[str, torch.Tensor]) -> zipfile.ZipFile:
    content = io.BytesIO()
    torch.save(tensors, content)
    return zipfile.ZipFile(content)


def deflated_tensor(path: Path) -> int:
    source = _saved({"weight": torch.zeros(BOMB // 4)})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for member in source.infolist():
            archive.writestr(member.filename, source.read(member))
    return path.stat().st_size


def overlapping_tensors(path: Path) -> int:
    """A hundred tensors of 2 MiB whose values are the same bytes of the file."""
    tensors = {f"t{number}": torch.zeros(1) for number in range(100)}
    source = _saved(tensors)
    one = _saved({"t": torch.zeros(2 * MIB // 4)})
    pickled = source.read("archive/data.pkl").replace(b"K\x01tq", b"J" + struct.pack("<i", 2 * MIB // 4) + b"tq")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/data/0", one.read("archive/data/0"))
        first = archive.filelist[-1]
        for number in range(1, 100):
            twin = zipfile.ZipInfo(f"archive/data/{number}")
            for name in ("header_offset", "compress_size", "file_size", "CRC", "compress_type"):
                setattr(twin, name, getattr(first, name))
            archive.filelist.append(twin)
    return path.stat().st_size


def honest_tensors(path: Path) -> int:
    torch.save({"weight": torch.zeros(8 * MIB // 4)}, path)
    return path.stat().st_size


ATTACKS = (
    Attack(
        "flo5: chunk that unpacks to more than its size",
        ".flo5",
        readers.flow,
        overfull_chunk,
        "unpacks to more",
        readers.plain_hdf5,
    ),
    Attack("flo5: deflated twice", ".flo5", readers.flow, twice_deflated_chunk, "HDF5 filters", readers.plain_hdf5),
    Attack(
        "flo5: chunk larger than the flow",
        ".flo5",
        readers.flow,
        chunk_larger_than_flow,
        "too large",
        readers.plain_hdf5,
    ),
    Attack("flo5: 8192 x 8192 of zeros", ".flo5", readers.flow, many_empty_chunks, "times as many", readers.plain_hdf5),
    Attack("flo5: honest", ".flo5", readers.flow, noisy_flo5, None),
    Attack("flo: honest", ".flo", readers.flow, noisy_flo, None),
    Attack("KITTI png: 6144 x 6144 of zeros", ".png", readers.flow, empty_kitti, "times as many", readers.plain_png),
    Attack("KITTI png: honest", ".png", readers.flow, noisy_kitti, None),
    Attack("png: 8192 x 8192 of zeros", ".png", readers.image, black_png, "times as many", readers.plain_image),
    Attack("webp: 4500 x 4500 of zeros", ".webp", readers.image, black_webp, "pixels are read", readers.plain_image),
    Attack(
        "tiff: tile larger than the image",
        ".tif",
        readers.image,
        giant_tile,
        "larger than the image",
        readers.plain_image,
    ),
    Attack("jpeg: honest, progressive", ".jpg", readers.image, noisy_jpeg, None, readers.plain_image),
    Attack("mp4: 5000 x 5000", ".mp4", readers.video, wide_video, "pixels are read"),
    Attack("mp4: honest", ".mp4", readers.video, video_of_two_frames, None),
    Attack(
        "xlsx: one large sheet many times", ".xlsx", readers.workbook, many_sheets, "are read", readers.plain_workbook
    ),
    Attack("xlsx: styles", ".xlsx", readers.workbook, many_styles, None, readers.plain_workbook),
    Attack("xlsx: one text in many cells", ".xlsx", readers.workbook, one_text_in_many_cells, "are read"),
    Attack("xlsx: honest", ".xlsx", readers.workbook, honest_workbook, None),
    Attack(
        "parquet: one long text", ".parquet", readers.pair_scores, one_long_text, "times as many", readers.plain_parquet
    ),
    Attack(
        "parquet: one text many times",
        ".parquet",
        readers.pair_scores,
        one_text_many_times,
        "is refused",
        readers.plain_parquet,
    ),
    Attack(
        "parquet: shared prefixes",
        ".parquet",
        readers.pair_scores,
        shared_prefixes,
        "encoding 7",
        readers.plain_parquet,
    ),
    Attack(
        "parquet: one number many times",
        ".parquet",
        readers.pair_columns,
        one_number_many_times,
        "times as many",
        readers.plain_parquet,
    ),
    Attack("parquet: honest", ".parquet", readers.pair_columns, honest_table, None),
    Attack("npz: features of zeros", ".npz", readers.features, empty_features, "times as many", readers.plain_npz),
    Attack("npz: honest features", ".npz", readers.features, noisy_features, None),
    Attack("ply: short lines", ".ply", readers.mesh, short_lines, "too short", readers.plain_lines),
    Attack("ply: honest", ".ply", readers.mesh, honest_mesh, None),
    Attack("record: empty lists", ".json", readers.record, empty_lists, "values", readers.plain_json),
    Attack("record: nested lists", ".json", readers.record, nested_lists, "recursion limit"),
    Attack("baseline: empty lists", ".json", readers.baseline, empty_lists, "values", readers.plain_json),
    Attack(
        "manifest: empty lists", ".json", readers.export, empty_lists, "values", readers.plain_json, "manifest.json"
    ),
    Attack(
        "zip: 400,000 entries", ".zip", readers.archive, crowded_zip, "holds more than", readers.plain_zip_directory
    ),
    Attack("zip: zeros", ".zip", readers.archive, packed_zeros, "would unpack", readers.plain_zip),
    Attack("zip submission: zeros", ".zip", readers.submission, packed_zeros, None, readers.plain_zip),
    Attack("zip submission: overlapping members", ".zip", readers.unchecked_submission, overlapping_zip, "damaged"),
    Attack("tar: negative size", ".tar", readers.submission, negative_tar, "states -1 bytes", readers.plain_tar),
    Attack(
        "tar: member of the whole archive",
        ".tar",
        readers.unchecked_submission,
        large_tar_member,
        None,
        readers.plain_tar,
    ),
    Attack("tar.gz: zeros", ".tar.gz", readers.submission, gzipped_zeros, "unzips to more"),
    Attack("checkpoint: bytearray", ".pt", readers.checkpoint, bytearray_in_pickle, "bytearray", readers.plain_torch),
    Attack(
        "checkpoint: bytearray, old format",
        ".pt",
        readers.tensor_file,
        bytearray_in_stream,
        "bytearray",
        readers.plain_torch,
    ),
    Attack(
        "checkpoint: bytes doubled", ".pt", readers.tensor_file, doubled_bytes, "encodes bytes", readers.plain_torch
    ),
    Attack(
        "checkpoint: deflated tensor", ".pt", readers.checkpoint, deflated_tensor, "compressed", readers.plain_torch
    ),
    Attack(
        "checkpoint: overlapping tensors",
        ".pt",
        readers.tensor_file,
        overlapping_tensors,
        "over each other",
        readers.plain_torch,
    ),
    Attack(
        "checkpoint of training: bytearray",
        ".pt",
        readers.training,
        bytearray_in_pickle,
        "bytearray",
        readers.plain_torch,
        "checkpoint.pt",
    ),
    Attack("camera: bytearray", ".frame", readers.camera, bytearray_in_pickle, "bytearray", readers.plain_torch),
    Attack("checkpoint: honest", ".pt", readers.checkpoint, honest_tensors, None),
)
"""Attacks on every reader, and an honest file of some size for each."""
