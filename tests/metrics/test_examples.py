"""Every metric has an example in its docstring; `make test` runs them all."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

from ffbench import metrics

MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(metrics.__path__, f"{metrics.__name__}.")
    if not found.ispkg
]
FUNCTIONS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": function
    for module in MODULES
    for name, function in vars(module).items()
    if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_has_an_example(name: str) -> None:
    assert ">>> " in (FUNCTIONS[name].__doc__ or "")


def test_the_functions_are_found() -> None:
    assert {"errors.dense_terms", "intervals.p_value", "temporal.jitter_term"} < FUNCTIONS.keys()
    assert len(FUNCTIONS) > 40
