"""Workbooks, Parquet tables, arrays, meshes and JSON made by hand, bombs and honest ones."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.attacks.bombs import BOMB

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
        one = b"<fonts><font/></fonts><fills><fill><patternFill/></fill></fills><borders><border/></borders>"
        one += b"<cellStyleXfs><xf/></cellStyleXfs>"
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


def wide_csv(path: Path) -> int:
    path.write_bytes(b"," * (2**22 - 1))
    return path.stat().st_size


def wider_csv(path: Path) -> int:
    path.write_bytes(b"," * 20_000_000)
    return path.stat().st_size


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


def deep_lists(path: Path) -> int:
    """Lists within lists that all end."""
    path.write_bytes(b"[" * 100_000 + b"]" * 100_000)
    return path.stat().st_size


def nested_lists(path: Path) -> int:
    path.write_bytes(b"[" * 100_000)
    return path.stat().st_size
