"""Names of the hub: what is one, and what would leave its folder of the cache."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.errors import UsageError
from ffbench.evaluation.regression.check import Case, placed
from ffbench.hub.names import HubName, hub_name, is_hub_name
from ffbench.run_config import read_run_config

PATHS = ("../../etc", "..", "a..b", "a--b", "", ".hidden", "a/b", "a b", "a%2e%2e", "-x", "a\n", "é")


def test_a_name_is_read_and_written() -> None:
    for text, name in {
        "hf:lab/face.net-2": HubName("lab/face.net-2"),
        "hf:lab/faces@v1.0": HubName("lab/faces", "v1.0"),
        "hf:lab/faces@refs/pr/1": HubName("lab/faces", "refs/pr/1"),
    }.items():
        assert hub_name(text) == name
        assert str(name) == text
        assert is_hub_name(text)
    assert not is_hub_name("dis")
    assert not is_hub_name(None)


@pytest.mark.parametrize("part", PATHS)
def test_a_part_that_is_a_path_is_refused(part: str) -> None:
    for name in (f"hf:{part}/faces", f"hf:lab/{part}"):
        with pytest.raises(UsageError, match="no repository of the hub, expected OWNER/NAME"):
            hub_name(name)


@pytest.mark.parametrize("revision", ["", "../main", "a/../../b", "/main", "-f", "a//b", "a b", "a@b", ".git"])
def test_a_revision_that_is_a_path_is_refused(revision: str) -> None:
    with pytest.raises(UsageError, match="expected a branch, a tag or a commit"):
        hub_name(f"hf:lab/faces@{revision}")


@given(st.text(alphabet="ab0._-/@ \n\\:%", max_size=20))
def test_no_name_that_is_taken_leaves_the_cache(text: str) -> None:
    try:
        name = hub_name(f"hf:{text}")
    except UsageError:
        return
    owner, model = name.repository.split("/")
    for part in (owner, model, *(name.revision or "main").split("/")):
        assert part
        assert part != ".."
        assert "\\" not in part
    assert "--" not in name.repository  # the cache's folder is `models--owner--name`


def test_a_name_of_the_hub_is_no_path_beside_a_file_that_names_it(tmp_path: Path) -> None:
    for weights, found in (("hf:lab/faces@v1", "hf:lab/faces@v1"), ("net.pth", str(tmp_path / "net.pth"))):
        (tmp_path / "run.toml").write_text(f'method = "net.py:Net"\nweights = "{weights}"\n')
        assert str(read_run_config(tmp_path / "run.toml").weights) == found
        case = placed(Case(method="net.py:Net", protocol="p", weights=weights), tmp_path)
        assert case.weights == found
