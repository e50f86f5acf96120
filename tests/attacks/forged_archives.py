"""Archives and checkpoints made by hand, bombs and honest ones."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import torch

from ffbench.training.checkpoint import Checkpoint, save_checkpoint
from tests.attacks.bombs import BOMB
from tests.attacks.memory import MIB
from tests.training.toy import recipe


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


def packed_zeros_of_zip64(path: Path) -> int:
    """The same with sizes in the extra field of zip64, where the directory's own say nothing."""
    packed_zeros(path)
    content = path.read_bytes()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entry = bytearray(content[start:end])
    packed, unpacked = struct.unpack_from("<II", entry, 20)
    entry[20:28] = b"\xff" * 8
    entry[30:32] = (20).to_bytes(2, "little")
    entry += struct.pack("<HHQQ", 1, 16, unpacked, packed)
    last = bytearray(content[end:])
    last[12:16] = len(entry).to_bytes(4, "little")
    path.write_bytes(content[:start] + entry + last)
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
    pickled = source.read("archive/data.pkl")
    for put in (b"q", b"r"):  # the memo's short and long opcode
        pickled = pickled.replace(b"K\x01t" + put, b"J" + struct.pack("<i", 2 * MIB // 4) + b"t" + put)
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


def _safetensors(path: Path, header: bytes) -> int:
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return path.stat().st_size


def _empty_tensors(count: int) -> bytes:
    tensor = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    return json.dumps({f"{number:x}": tensor for number in range(count)}, separators=(",", ":")).encode()


def crowded_safetensors(path: Path) -> int:
    """A header of 6 MB: 110,000 tensors without values."""
    return _safetensors(path, _empty_tensors(110_000))


def full_safetensors(path: Path) -> int:
    """The largest header that is read, full of tensors without values."""
    return _safetensors(path, _empty_tensors(2**20 // 61).ljust(2**20))


def honest_training(path: Path) -> int:
    weights = {"shift": torch.zeros(8 * MIB // 4)}
    checkpoint = Checkpoint(recipe().model_dump_json(), 0, 0, weights, weights, {}, {}, {})
    save_checkpoint(path.parent, checkpoint)
    return path.stat().st_size


def honest_tensors(path: Path) -> int:
    torch.save({"weight": torch.zeros(8 * MIB // 4)}, path)
    return path.stat().st_size
