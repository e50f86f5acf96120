"""Finds the method in code of the user's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import NamedTuple

import torch

from ffbench.cards import MethodCard
from ffbench.errors import MethodError, UsageError
from ffbench.method import Method, MethodEntry, MethodRequest
from ffbench.own.importing import import_own
from ffbench.own.names import OwnCode, own_id


class LoadedCode(NamedTuple):
    """What was found in code of the user's own, and the hash of all its files."""

    entry: MethodEntry
    sha256: str


def load_own(code: OwnCode) -> LoadedCode:
    """Run code of the user's own, and find its method.

    Raises:
        UsageError: there is no such file, module or name in it.
        MethodError: it cannot be imported, with the line of the user's that failed; what is named is no method; or a
            module was edited after it was imported.
    """
    found, sha256 = import_own(code, _is_method)
    return LoadedCode(_entry(found, code), sha256)


def own_card(card: MethodCard, sha256: str) -> MethodCard:
    """Return a method's card that says that it is code of the user's own, and by its hash which."""
    return card.model_copy(update={"id": own_id(card.id), "options": {**card.options, "own code": sha256[:16]}})


def _is_method(value: object) -> bool:
    return isinstance(value, MethodEntry) or (
        isinstance(value, type) and issubclass(value, Method) and value is not Method
    )


def _entry(found: object, code: OwnCode) -> MethodEntry:
    """Return how to build what was found, if it is a method.

    Raises:
        MethodError: it is none.
    """
    if isinstance(found, MethodEntry) and found.variants is None:
        return found
    if isinstance(found, type) and issubclass(found, Method):
        return MethodEntry(code.name, load=lambda request: _built(found, code, request))
    if isinstance(found, MethodEntry):
        raise MethodError(f"{code.name}: is a family of methods; name the class of one")
    if isinstance(found, torch.nn.Module) or (isinstance(found, type) and issubclass(found, torch.nn.Module)):
        raise MethodError(
            f"{code.name}: is a torch.nn.Module, expected a subclass of ffbench.Method that holds it "
            "(CONTRIBUTING.md, `A network and its weights`)"
        )
    kind = "another class" if isinstance(found, type) else f"of type {type(found).__name__}"
    raise MethodError(f"{code.name}: is {kind}, expected a subclass of ffbench.Method")


def _built(found: type[Method], code: OwnCode, request: MethodRequest) -> Method:
    """Build a method from its class: with the request, if the class takes one by this name, or with nothing.

    Raises:
        MethodError: it needs another argument.
        UsageError: there are weights, or another option, that a class without a request would not see.
    """
    parameters = inspect.signature(found).parameters
    needed = [
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and name != "request"
    ]
    if needed:
        raise MethodError(
            f"{code.name}: needs an argument '{needed[0]}', and ffbench builds it as {found.__name__}() or "
            f"{found.__name__}(request); give it a default, or read request.weights, request.config, ..."
        )
    if "request" in parameters:
        make: Callable[..., Method] = found
        return make(request=request)
    for option, value, default in (
        ("--weights", request.weights, None), ("--iterations", request.iterations, None),
        ("--precision", request.precision, "fp32"),
    ):  # fmt: skip
        if value != default:
            raise UsageError(f"{code.name}: takes no `request`, so it cannot see {option} {value}; leave it out")
    return found()
