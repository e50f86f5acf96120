"""Finds recognisers by name: those of installed packages, and code of the user's own by file or module."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np

from ffbench.errors import FfbenchError, MethodError, UsageError, reason, user_line
from ffbench.extras import MissingExtraError
from ffbench.own.importing import import_own
from ffbench.own.names import OwnCode, own_code, require_place
from ffbench.packages.entry_points import entry_names, find_entry, load_entry
from ffbench.recogniser import (
    Features,
    Labels,
    Predictions,
    Recogniser,
    RecogniserEntry,
    RecogniserRequest,
    RegisteredFace,
)

RECOGNISER_GROUP = "ffbench.recognisers"
_OWN_PACKAGE = "ffbench"


class LoadedRecogniser(Recogniser):
    """A recogniser that was found by name: it is held to its contract, and other processes load it by the same name.

    Attributes:
        recogniser: what does the work.
        id: the name that stands in a record: of the entry, or `own/FILE.CLASS`.
        code_sha256: of code of the user's own, the hash of its files.
        package: the package that it came from, and its version; None for ffbench's and for code of the user's own.
    """

    def __init__(
        self,
        request: RecogniserRequest,
        recogniser: Recogniser,
        id: str,
        code_sha256: str | None = None,
        package: str | None = None,
    ) -> None:
        self._request, self.recogniser, self.id = request, recogniser, id
        self.code_sha256, self.package = code_sha256, package
        self.epochs, self.device, self.recipe_name = recogniser.epochs, recogniser.device, recogniser.recipe_name

    def __reduce__(self) -> tuple[Callable[..., LoadedRecogniser], tuple[object, ...]]:
        """Name what to load: a class of a user's file cannot be found by other processes."""
        return load_recogniser, (self._request, self.code_sha256)

    def features(self, face: RegisteredFace) -> Features:
        """Return the features of one clip.

        Raises:
            MethodError: the recogniser failed, or gave something else than finite numbers.
        """
        found = np.asarray(self._call(self.recogniser.features, face))
        if not np.issubdtype(found.dtype, np.floating) or not np.isfinite(found).all():
            raise MethodError(f"recogniser '{self.id}': its features must be finite numbers of floating point")
        return found.astype(np.float32, copy=False)

    def fit_predict(self, features: Features, labels: Labels, others: Features, classes: int, seed: int) -> Predictions:
        """Learn and predict.

        Raises:
            MethodError: the recogniser failed, or gave something else than a class for each epoch and clip.
        """
        found = np.asarray(self._call(self.recogniser.fit_predict, features, labels, others, classes, seed))
        expected = (self.epochs, len(others))
        if found.shape != expected or not np.issubdtype(found.dtype, np.integer):
            raise MethodError(
                f"recogniser '{self.id}': fit_predict gave {found.dtype} of shape {found.shape}, expected whole "
                f"numbers of shape (epochs, clips) = {expected}"
            )
        if found.size and not (found.min() >= 0 and found.max() < classes):
            raise MethodError(
                f"recogniser '{self.id}': predicts class {found.min()} to {found.max()}, expected 0 to {classes - 1}"
            )
        return found.astype(np.int8, copy=False)

    def _call(self, function: Callable[..., Any], *arguments: object) -> Any:
        try:
            return function(*arguments)
        except (FfbenchError, MemoryError):
            raise
        except Exception as error:
            said = f"{reason(error)}{user_line(error)}"
            raise MethodError(f"recogniser '{self.id}': {function.__name__} failed: {said}") from error


def recogniser_names() -> list[str]:
    """Name every recogniser that is installed, sorted; nothing is imported."""
    return entry_names(entry_points(group=RECOGNISER_GROUP))


def list_recognisers() -> dict[str, str]:
    """Return a line about each installed recogniser by its name."""
    rows = {}
    for name in recogniser_names():
        try:
            rows[name] = recogniser_entry(name).summary
        except MissingExtraError as error:
            rows[name] = str(error).partition(": ")[2]
        except FfbenchError as error:  # one broken package must not hide the others
            rows[name] = f"cannot be used: {error}"
    return rows


def recogniser_entry(name: str) -> RecogniserEntry:
    """Import the entry of a recogniser.

    Raises:
        UsageError: no such recogniser; the message suggests the nearest.
        MethodError: the package behind the entry cannot be imported.
    """
    entry: RecogniserEntry = load_entry(entry_points(group=RECOGNISER_GROUP), name, "recogniser")
    return entry


def is_recogniser_name(name: str) -> bool:
    """Whether a recogniser of this name can be looked for; no code of the user's own is run.

    Raises:
        UsageError: it names code of the user's own that is not there.
    """
    if name in recogniser_names():
        return True
    code = own_code(name, "recogniser")
    if code is not None:
        require_place(code)
    return code is not None


def load_recogniser(request: RecogniserRequest, code_sha256: str | None = None) -> LoadedRecogniser:
    """Build a recogniser by name.

    Args:
        request: its `name` is that of an installed recogniser, or `FILE.py:CLASS` or `package.module:CLASS`, code of
            the user's own that is run.
        code_sha256: the hash that such code must have; None for any.

    Raises:
        UsageError: an unknown name, or an option that the recogniser does not have.
        MethodError: code of the user's cannot be imported, is no recogniser, or is another than `code_sha256` says.
    """
    code = None if request.name in recogniser_names() else own_code(request.name, "recogniser")
    if code is None:
        return _installed(request)
    found, sha256 = import_own(code, _is_recogniser)
    if code_sha256 not in (None, sha256):
        raise MethodError(f"{code.name}: was edited while it ran; run the command again")
    if code.is_file:
        # Another process may stand in another folder.
        request = replace(request, name=f"{Path(code.place).expanduser().resolve()}:{code.attribute}")
    return LoadedRecogniser(request, _own(found, code, request), code.id, sha256)


def _installed(request: RecogniserRequest) -> LoadedRecogniser:
    recogniser = recogniser_entry(request.name).load(request)
    dist = find_entry(entry_points(group=RECOGNISER_GROUP), request.name, "recogniser").dist
    package = None if dist is None or dist.name == _OWN_PACKAGE else f"{dist.name} {dist.version}"
    return LoadedRecogniser(request, recogniser, request.name, package=package)


def _is_recogniser(value: object) -> bool:
    return isinstance(value, RecogniserEntry) or (
        isinstance(value, type) and issubclass(value, Recogniser) and value is not Recogniser
    )


def _own(found: object, code: OwnCode, request: RecogniserRequest) -> Recogniser:
    """Build what was found in code of the user's own, with the request if the class takes one by this name.

    Raises:
        MethodError: it is no recogniser, or cannot be built.
        UsageError: an option that a class without a request would not see.
    """
    if not _is_recogniser(found):
        kind = "another class" if isinstance(found, type) else f"of type {type(found).__name__}"
        raise MethodError(f"{code.name}: is {kind}, expected a subclass of ffbench.Recogniser")
    if isinstance(found, RecogniserEntry):
        return found.load(request)
    make: Any = found
    takes_request = "request" in inspect.signature(make).parameters
    if not takes_request and request.epochs is not None:
        raise UsageError(f"{code.name}: takes no `request`, so it cannot see epochs={request.epochs}; leave it out")
    try:
        built: Recogniser = make(request=request) if takes_request else make()
    except FfbenchError:
        raise
    except Exception as error:
        raise MethodError(f"{code.name}: cannot be built: {reason(error)}{user_line(error)}") from error
    return built
