"""What `ffbench protocols show` lists of options and variants is what protocols take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ffbench.cli import app
from ffbench.errors import UsageError
from ffbench.protocol import ProtocolRequest
from ffbench.registry import protocol_entry, protocol_names


def refusal(name: str, **parts: object) -> str:
    """Return what a protocol says of a request that it must refuse before it looks at data."""
    with pytest.raises(UsageError) as error:
        protocol_entry(name).load(ProtocolRequest(name, Path("nowhere"), **parts))  # type: ignore[arg-type]
    return str(error.value)


@pytest.mark.parametrize("name", protocol_names())
def test_options_are_those_that_the_protocol_names_itself(name: str) -> None:
    entry = protocol_entry(name)
    taken: set[str] = set()
    for variant in entry.variants:
        said = refusal(name, variant=variant, options={"no_such": "1"})
        taken |= set(said.partition("; it has ")[2].split(", ")) - {"none"}
    assert taken == set(entry.options)


@pytest.mark.parametrize("name", protocol_names())
def test_variants_are_those_that_the_protocol_names_itself(name: str) -> None:
    said = refusal(name, variant="no_such")
    assert said.partition("expected ")[2].split(" or ") == list(protocol_entry(name).variants)


@pytest.mark.parametrize(
    ("name", "option"), [(name, option) for name in protocol_names() for option in protocol_entry(name).options]
)
def test_values_are_those_that_the_option_takes(name: str, option: str) -> None:
    listed = protocol_entry(name).options[option]
    if option == "regions":
        return  # a file
    said = refusal(name, options={option: "no_such"})
    if "whole number" in said:
        assert listed.startswith(("a whole number", "whole numbers"))
        most = re.search(r"from 1 to (\d+)$", said)
        assert most is None or most[1] in listed
    elif option == "corruptions":
        assert said.partition("some of ")[2] == listed.partition("some of ")[2]
    else:
        values = listed.partition(";")[0].replace(" (default)", "")
        assert said.partition("expected ")[2] == values


def test_the_command_lists_them() -> None:
    shown = CliRunner().invoke(app, ["protocols", "show", "ck_landmarks"])
    assert "paper (default)" in shown.stdout
    shown = CliRunner().invoke(app, ["protocols", "show", "ffn_head"])
    assert "none or rigid (default) or homography" in " ".join(shown.stdout.split())
