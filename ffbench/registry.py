"""Finds methods and protocols by name through entry points, so that other packages can add their own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffbench.cards import OWN_PREFIX, RANDOM_WEIGHTS
from ffbench.errors import FfbenchError, UsageError
from ffbench.extras import MissingExtraError, naming_extra
from ffbench.hub.names import hub_name, is_hub_name
from ffbench.own.model_folder import CONFIG, ModelFolder, is_model_folder, read_model_folder
from ffbench.own.names import OwnCode, has_module, own_code, require_place
from ffbench.packages.distribution import Distribution
from ffbench.packages.entry_points import entry_names, find_entry, load_entry
from ffbench.wrappers.names import split_name, wrapped_name

if TYPE_CHECKING:
    from ffbench.method import Method, MethodEntry, MethodRequest, Precision
    from ffbench.protocol import Protocol, ProtocolEntry

METHOD_GROUP = "ffbench.methods"
PROTOCOL_GROUP = "ffbench.protocols"


def method_names() -> list[str]:
    """Name every method family that is installed, sorted; nothing is imported."""
    return entry_names(entry_points(group=METHOD_GROUP))


def protocol_names() -> list[str]:
    """Name every protocol that is installed, sorted; nothing is imported."""
    return entry_names(entry_points(group=PROTOCOL_GROUP))


def list_methods(family: str | None = None) -> dict[str, str]:
    """Return what can be run: a line about each installed method by its name, families as `family/NAME`.

    Args:
        family: name the members of this family in place of all methods, such as `ptlflow`; {} if it is one method.

    Raises:
        UsageError: no such family.
    """
    if family is not None:
        variants = method_entry(family).variants
        return {} if variants is None else {f"{family}/{variant}": "" for variant in variants()}
    rows = {}
    for name in method_names():
        try:
            entry = method_entry(name)
            rows[name if entry.variants is None else f"{name}/NAME"] = entry.summary
        except MissingExtraError as error:
            rows[name] = str(error).partition(": ")[2]
        except FfbenchError as error:  # one broken package must not hide the others
            rows[name] = f"cannot be used: {error}"
    return rows


def list_protocols() -> dict[str, str]:
    """Return what can be measured: a line about each installed protocol by its name."""
    rows = {}
    for name in protocol_names():
        try:
            rows[name] = protocol_entry(name).summary
        except MissingExtraError as error:
            rows[name] = str(error).partition(": ")[2]
        except FfbenchError as error:
            rows[name] = f"cannot be used: {error}"
    return rows


def method_entry(family: str) -> MethodEntry:
    """Import the entry of a method family.

    Raises:
        UsageError: no such family; the message suggests the nearest.
        MethodError: the package behind the entry cannot be imported.
    """
    if family == OWN_PREFIX.removesuffix("/"):
        raise UsageError(
            f"methods whose ids begin with {OWN_PREFIX} are code of a user's own and not installed: "
            "name the file, as FILE.py:CLASS"
        )
    entry: MethodEntry = load_entry(entry_points(group=METHOD_GROUP), family, "method")
    return entry


def protocol_entry(name: str) -> ProtocolEntry:
    """Import the entry of a protocol.

    Raises:
        UsageError: no such protocol; the message suggests the nearest.
    """
    entry: ProtocolEntry = load_entry(entry_points(group=PROTOCOL_GROUP), name, "protocol")
    return entry


def family_of(name: str) -> str:
    """Return the family that a method's name is of: `ptlflow` of `ptlflow/raft:things+variational`."""
    return split_name(name)[0].partition(":")[0].partition("/")[0]


def method_distribution(family: str) -> Distribution | None:
    """Return the package that a method family comes from, as it is installed; None for one that no package holds.

    Raises:
        UsageError: no such family, or two packages have one of that name.
    """
    point = find_entry(entry_points(group=METHOD_GROUP), family, "method")
    return None if point.dist is None else Distribution(name=point.dist.name, version=point.dist.version)


def load_method(
    name: str | Path,
    *,
    weights: str | Path | None = None,
    device: str = "auto",
    iterations: int | None = None,
    precision: Precision = "fp32",
    compile: bool = False,
    refine: str | None = None,
    face_size: int | None = None,
    installed_only: bool = False,
) -> Method:
    """Build a method by name.

    Args:
        name: `family[/variant][:checkpoint]` of an installed method, such as `dis`, `raft`, `ptlflow/dpflow:things`;
            `path/to/net.py:MyNet` or `package.module:MyNet`, code of the user's own that is run; or a model folder
            whose `config.json` names an installed method, or `hf:OWNER/NAME[@REVISION]`, such a folder that is fetched
            from the Hugging Face Hub. And what is done around the method, as its id says it:
            `gmflow+face512+variational`.
        weights: a checkpoint file, or a model folder (`config.json` and `model.safetensors`), also of the hub; `random`
            for untrained parameters (speed only); None for the method's own.
        device: `cpu`, `cuda`, `cuda:1`, ...; `auto` takes a GPU where there is one.
        iterations: update steps of a recurrent network; None for its default.
        precision: `fp32`, or `bf16`/`fp16` for autocast.
        compile: have PyTorch compile the network.
        refine: `variational` to refine the facial flow; the head flow stays as it is.
        face_size: run the method on the face alone, scaled to this many px, 64 to 4096.
        installed_only: take names of installed methods alone, and run no code of the user's: for names that others
            wrote, such as those in records.

    Raises:
        UsageError: an unknown name, with the nearest known one, or an option that cannot be.
        DataError: the `config.json` of a model folder is missing or no such file; or the hub does not give a folder.
        MethodError: code of the user's cannot be imported or is no method; the method cannot be built, for want of
            weights or of a package; the weights file is missing or does not fit; or the method's card tells of other
            weights than it was given.
    """
    with naming_extra(f"method '{name}'", of_method=True):
        from ffbench.method import MethodRequest
        from ffbench.vouching import build_method
        from ffbench.wrappers.build import wrap

    name, wrappers = split_name(wrapped_name(str(name), refine, face_size))
    folder = None
    if not installed_only:
        name, weights, folder = _resolve_folders(name, weights)
    config = {} if folder is None else folder.config
    code = None if installed_only else _own_code(name)
    if code is not None:
        from ffbench.own.loading import load_own, own_card

        entry, sha256 = load_own(code)
        request = MethodRequest(code.id, weights, resolve_device(device), iterations, precision, config)
        method = build_method(entry, request)
        method.card = own_card(method.card, sha256)
    else:
        request = MethodRequest(name, weights, resolve_device(device), iterations, precision, config)
        method = build_method(_installed_entry(request), request)
        method.distribution = method_distribution(request.family)
    if folder is not None:
        options = {**method.card.options, "config.json": folder.config_sha256[:16]}
        if folder.pinned is not None:
            options["hub"] = folder.pinned
        method.card = method.card.model_copy(update={"options": options})
    if compile:
        method.compile()
    return wrap(method, wrappers)


def require_method(name: str) -> None:
    """Check that a method of this name can be looked for, before anything that takes long; no code of its own is run.

    Raises:
        UsageError: no such family, file or module.
        MethodError: the package behind the entry cannot be imported.
        DataError: the `config.json` of a model folder is missing or no such file; or the hub does not give a folder.
    """
    name = _resolve_folders(split_name(name)[0], None)[0]
    code = _own_code(name)
    if code is None:
        method_entry(family_of(name))
    else:
        require_place(code)


def _resolve_folders(name: str, weights: str | Path | None) -> tuple[str, str | Path | None, ModelFolder | None]:
    """Return the method and the weights that are meant where either is a model folder, and the folder.

    Raises:
        UsageError: a folder names no installed method, or weights are given beside it.
    """
    folder = None if family_of(name) in method_names() else _model_folder(name)
    if folder is not None:
        if weights is not None:
            raise UsageError(f"{name}: a model folder brings its weights; leave --weights {weights} out")
        if folder.method is None or family_of(folder.method) not in method_names():
            said = "no method" if folder.method is None else f"'{folder.method}', which is not installed"
            raise UsageError(
                f"{folder.folder / CONFIG}: names {said} under ffbench.method, and code that a folder brings is never "
                f"run; if you have its class, give -m FILE.py:CLASS --weights {name}"
            )
        return folder.method, folder.weights, folder
    folder = None if weights in (None, RANDOM_WEIGHTS) else _model_folder(weights)
    return (name, weights, None) if folder is None else (name, folder.weights, folder)


def _model_folder(place: str | Path | None) -> ModelFolder | None:
    """Return the model folder that a name is of, on the disk or of the hub; None if it is of none."""
    if is_hub_name(place):
        from ffbench.hub.download import fetch_model_folder

        fetched = fetch_model_folder(hub_name(place))
        return read_model_folder(fetched.folder)._replace(pinned=fetched.pinned)
    return read_model_folder(place) if place is not None and is_model_folder(place) else None


def _own_code(name: str) -> OwnCode | None:
    """Return the code of the user's own that a name is of; an installed family comes before a module of its name."""
    code = own_code(name)
    if code is None or code.is_file:
        return code
    return None if family_of(name) in method_names() or not has_module(code) else code


def _installed_entry(request: MethodRequest) -> MethodEntry:
    entry = method_entry(request.family)
    if entry.variants is None and request.variant is not None:
        raise UsageError(f"method '{request.family}' has no variants, so '{request.name}' is not one of its names")
    if entry.variants is not None and request.variant is None:
        raise UsageError(
            f"'{request.family}' is a family: name a member as {request.family}/NAME "
            f"(`ffbench methods show {request.family}` lists them)"
        )
    return entry


def load_protocol(
    name: str,
    *,
    data: str | Path | None = None,
    variant: str | None = None,
    options: Mapping[str, str] | None = None,
) -> Protocol[Any]:
    """Build a protocol by name, over `data` or over its default dataset.

    Raises:
        UsageError: an unknown name, variant or option.
        DataError: the dataset is not there, or not as it should be.
    """
    from ffbench.protocol import ProtocolRequest

    entry = protocol_entry(name)
    return entry.load(ProtocolRequest(name, Path(data) if data else None, variant, dict(options or {})))


def resolve_device(device: str) -> str:
    """Turn `auto` into `cuda` where there is a GPU and `cpu` where not; check that a named device exists.

    Raises:
        UsageError: the device is not one that this machine has.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"device '{device}' cannot be used here: {str(error).splitlines()[0]}") from error
    return device
