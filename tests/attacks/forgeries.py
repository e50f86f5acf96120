"""The attacks on every reader, and an honest file of some size for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.attacks import forged_archives as archives
from tests.attacks import forged_flows as flows
from tests.attacks import forged_tables as tables
from tests.attacks import readers


@dataclass(frozen=True)
class Attack:
    """A forged file.

    `forge` writes it and gives the bytes that its content would honestly take; `plain` is a naive way to read it, which
    takes more than is allowed, or raises `breaks`; `refused` is a part of the error, None where the file is to be read.
    """

    name: str
    suffix: str
    read: Callable[[Path], object]
    forge: Callable[[Path], int]
    refused: str | None
    plain: Callable[[Path], object] | None = None
    file: str | None = None
    """Name that the file must have."""
    breaks: str | None = None
    """What the naive reader raises; None: it takes too much memory."""


ATTACKS = (
    Attack(
        "flo5: chunk that unpacks to more than its size",
        ".flo5",
        readers.flow,
        flows.overfull_chunk,
        "unpacks to more",
        readers.plain_hdf5,
    ),
    Attack(
        "flo5: deflated twice", ".flo5", readers.flow, flows.twice_deflated_chunk, "HDF5 filters", readers.plain_hdf5
    ),
    Attack(
        "flo5: chunk larger than the flow",
        ".flo5",
        readers.flow,
        flows.chunk_larger_than_flow,
        "too large",
        readers.plain_hdf5,
    ),
    Attack(
        "flo5: 8192 x 8192 of zeros",
        ".flo5",
        readers.flow,
        flows.many_empty_chunks,
        "times as many",
        readers.plain_hdf5,
    ),
    Attack("flo5: honest", ".flo5", readers.flow, flows.noisy_flo5, None),
    Attack("flo: honest", ".flo", readers.flow, flows.noisy_flo, None),
    Attack(
        "KITTI png: 6144 x 6144 of zeros", ".png", readers.flow, flows.empty_kitti, "times as many", readers.plain_png
    ),
    Attack("KITTI png: honest", ".png", readers.flow, flows.noisy_kitti, None),
    Attack("png: 8192 x 8192 of zeros", ".png", readers.image, flows.black_png, "times as many", readers.plain_image),
    Attack(
        "webp: 4500 x 4500 of zeros", ".webp", readers.image, flows.black_webp, "pixels are read", readers.plain_image
    ),
    Attack(
        "tiff: tile larger than the image",
        ".tif",
        readers.image,
        flows.giant_tile,
        "larger than the image",
        readers.plain_image,
    ),
    Attack("jpeg: honest, progressive", ".jpg", readers.image, flows.noisy_jpeg, None, readers.plain_image),
    Attack(
        "pfm: floating-point samples",
        ".ppm",
        readers.image,
        flows.noisy_pfm,
        "floating-point",
    ),
    Attack("mp4: 5000 x 5000", ".mp4", readers.video, flows.wide_video, "pixels are read", readers.plain_video),
    Attack("mp4: honest", ".mp4", readers.video, flows.video_of_two_frames, None),
    Attack(
        "xlsx: one large sheet many times",
        ".xlsx",
        readers.workbook,
        tables.many_sheets,
        "are read",
        readers.plain_workbook,
    ),
    Attack("xlsx: styles", ".xlsx", readers.workbook, tables.many_styles, None, readers.plain_workbook),
    Attack(
        "xlsx: one text in many cells",
        ".xlsx",
        readers.workbook,
        tables.one_text_in_many_cells,
        "are read",
        readers.unbounded_workbook,
    ),
    Attack("csv: 20,000,000 cells", ".csv", readers.workbook, tables.wider_csv, "larger than", readers.plain_csv),
    Attack("csv: as many cells as are read", ".csv", readers.workbook, tables.wide_csv, None),
    Attack("xlsx: honest", ".xlsx", readers.workbook, tables.honest_workbook, None),
    Attack(
        "parquet: one long text",
        ".parquet",
        readers.pair_scores,
        tables.one_long_text,
        "times as many",
        readers.plain_parquet,
    ),
    Attack(
        "parquet: one text many times",
        ".parquet",
        readers.pair_scores,
        tables.one_text_many_times,
        "is refused",
        readers.plain_parquet,
    ),
    Attack(
        "parquet: shared prefixes",
        ".parquet",
        readers.pair_scores,
        tables.shared_prefixes,
        "encoding 7",
        readers.plain_parquet,
    ),
    Attack(
        "parquet: one number many times",
        ".parquet",
        readers.pair_columns,
        tables.one_number_many_times,
        "times as many",
        readers.plain_parquet,
    ),
    Attack("parquet: honest", ".parquet", readers.pair_columns, tables.honest_table, None),
    Attack(
        "npz: features of zeros", ".npz", readers.features, tables.empty_features, "times as many", readers.plain_npz
    ),
    Attack("npz: honest features", ".npz", readers.features, tables.noisy_features, None),
    Attack("ply: short lines", ".ply", readers.mesh, tables.short_lines, "too short", readers.plain_lines),
    Attack("ply: honest", ".ply", readers.mesh, tables.honest_mesh, None),
    Attack("record: empty lists", ".json", readers.record, tables.empty_lists, "values", readers.plain_json),
    Attack("record: nested lists", ".json", readers.record, tables.nested_lists, "recursion limit"),
    Attack(
        "record: lists in lists",
        ".json",
        readers.record,
        tables.deep_lists,
        "recursion limit",
        readers.plain_python_json,
        breaks="RecursionError",
    ),
    Attack("baseline: empty lists", ".json", readers.baseline, tables.empty_lists, "values", readers.plain_json),
    Attack(
        "manifest: empty lists",
        ".json",
        readers.export,
        tables.empty_lists,
        "values",
        readers.plain_json,
        "manifest.json",
    ),
    Attack(
        "zip: 400,000 entries",
        ".zip",
        readers.archive,
        archives.crowded_zip,
        "holds more than",
        readers.plain_zip_directory,
    ),
    Attack("zip: zeros", ".zip", readers.archive, archives.packed_zeros, "would unpack", readers.plain_zip),
    Attack("zip submission: zeros", ".zip", readers.submission, archives.packed_zeros, None, readers.plain_zip),
    Attack(
        "zip: zeros, sizes of zip64",
        ".zip",
        readers.archive,
        archives.packed_zeros_of_zip64,
        "would unpack",
        readers.plain_zip,
    ),
    Attack(
        "zip submission: overlapping members",
        ".zip",
        readers.unchecked_submission,
        archives.overlapping_zip,
        "damaged",
        readers.plain_zip_members,
    ),
    Attack(
        "tar: negative size", ".tar", readers.submission, archives.negative_tar, "states -1 bytes", readers.plain_tar
    ),
    Attack(
        "tar: member of the whole archive",
        ".tar",
        readers.unchecked_submission,
        archives.large_tar_member,
        None,
        readers.plain_tar,
    ),
    Attack(
        "tar.gz: zeros",
        ".tar.gz",
        readers.submission,
        archives.gzipped_zeros,
        "unzips to more",
        readers.plain_gzipped_tar,
    ),
    Attack(
        "checkpoint: bytearray",
        ".pt",
        readers.checkpoint,
        archives.bytearray_in_pickle,
        "bytearray",
        readers.plain_torch,
    ),
    Attack(
        "checkpoint: bytearray, old format",
        ".pt",
        readers.tensor_file,
        archives.bytearray_in_stream,
        "bytearray",
        readers.plain_torch,
    ),
    Attack(
        "checkpoint: bytes doubled",
        ".pt",
        readers.tensor_file,
        archives.doubled_bytes,
        "encodes bytes",
        readers.plain_torch,
    ),
    Attack(
        "checkpoint: deflated tensor",
        ".pt",
        readers.checkpoint,
        archives.deflated_tensor,
        "compressed",
        readers.plain_torch,
    ),
    Attack(
        "checkpoint: overlapping tensors",
        ".pt",
        readers.tensor_file,
        archives.overlapping_tensors,
        "over each other",
        readers.plain_torch,
    ),
    Attack(
        "safetensors: 110,000 tensors",
        ".safetensors",
        readers.checkpoint,
        archives.crowded_safetensors,
        "states a header",
        readers.plain_safetensors,
    ),
    Attack(
        "safetensors of DecFlow: 110,000 tensors",
        ".safetensors",
        readers.tensor_file,
        archives.crowded_safetensors,
        "states a header",
        readers.plain_safetensors,
    ),
    Attack("safetensors: largest header", ".safetensors", readers.checkpoint, archives.full_safetensors, None),
    Attack(
        "checkpoint of training: bytearray",
        ".pt",
        readers.training,
        archives.bytearray_in_pickle,
        "bytearray",
        readers.plain_torch,
        "checkpoint.pt",
    ),
    Attack(
        "checkpoint of training: honest", ".pt", readers.training, archives.honest_training, None, file="checkpoint.pt"
    ),
    Attack(
        "camera: bytearray", ".frame", readers.camera, archives.bytearray_in_pickle, "bytearray", readers.plain_torch
    ),
    Attack("checkpoint: honest", ".pt", readers.checkpoint, archives.honest_tensors, None),
)
