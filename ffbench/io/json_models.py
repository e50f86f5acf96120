"""JSON files that nobody has vouched for, read into pydantic models in bounded memory."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath
from ffbench.io.bounds import names_file_if_out_of_memory, read_bounded

_FREE_VALUES, _BYTES_PER_VALUE = 2**19, 32
Model = TypeVar("Model", bound=BaseModel)


def first_fault(error: ValidationError, whole: str = "the file") -> str:
    """Say what is wrong first: its place, such as `pairs.0.key`, or `whole`, and why."""
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or whole}: {first['msg']}"


@names_file_if_out_of_memory
def read_model(path: DatasetPath, model: type[Model], most_bytes: int, *, kind: str, wrong: str) -> Model:
    """Read a file of JSON.

    Args:
        path: the file.
        model: what it must fit.
        most_bytes: larger files are refused before they are read.
        kind: what it is, with its article, such as `a baseline`.
        wrong: what is said of a file that does not fit, such as `is no baseline`.

    Raises:
        DataError: it cannot be read, is too large, or does not fit.
    """
    content = read_bounded(path, most_bytes, f"larger than {kind} can be ({most_bytes} bytes)")
    try:
        return model.model_validate(parse_json(content))
    except ValidationError as error:
        raise DataError(path, f"{wrong}: {first_fault(error)}") from error
    except ValueError as error:
        raise DataError(path, f"{wrong}: the file: {error}") from error


def parse_json(content: bytes) -> Any:
    """Parse JSON in memory that its length bounds.

    An empty list takes two bytes here and seventy in memory, so that there may be no more values than texts of this
    length have.

    Raises:
        ValueError: it is not JSON, nested too deeply, or of too many values.
    """
    values = sum(content.count(mark) for mark in (b"[", b"{", b",", b":"))
    if values > _FREE_VALUES + len(content) // _BYTES_PER_VALUE:
        raise ValueError(f"more than {_FREE_VALUES} values in {len(content)} bytes, which no such file has")
    return from_json(content)
