"""No file makes its reader take more than three times what it declares and 64 MB, by VmHWM of a process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.attacks import forged_flows as flows
from tests.attacks import forged_tables as tables
from tests.attacks import readers
from tests.attacks.forgeries import ATTACKS, Attack
from tests.attacks.memory import MIB, allowed, measure

HONEST = {
    ".flo": (readers.flow, flows.noisy_flo),
    ".flo5": (readers.flow, flows.noisy_flo5),
    ".png": (readers.flow, flows.noisy_kitti),
    ".jpg": (readers.image, flows.noisy_jpeg),
    ".xlsx": (readers.workbook, tables.honest_workbook),
    ".parquet": (readers.pair_scores, tables.honest_table),
    ".npz": (readers.features, tables.noisy_features),
    ".ply": (readers.mesh, tables.honest_mesh),
}


Forged = Callable[[Attack], tuple[Path, int]]


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forged]:
    """Forge each file once: the reader and the control get the same, and change nothing of it."""
    root = tmp_path_factory.mktemp("forged")
    made: dict[tuple[object, str], tuple[Path, int]] = {}

    def forge(attack: Attack) -> tuple[Path, int]:
        name = attack.file or f"forged{attack.suffix}"
        if (attack.forge, name) not in made:
            path = root / str(len(made)) / name
            path.parent.mkdir()
            made[attack.forge, name] = path, attack.forge(path)
        return made[attack.forge, name]

    yield forge
    shutil.rmtree(root)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_peak_memory(attack: Attack, forged: Forged, record_property: pytest.FixtureRequest) -> None:
    path, declared = forged(attack)
    peak = measure(attack.read, path)
    record_property("peak_mb", round(peak.bytes / MIB))  # type: ignore[operator]
    if attack.refused is None:
        assert peak.error is None
    else:
        assert peak.error is not None
        assert attack.refused in peak.error
    assert peak.bytes <= allowed(declared), f"{peak.bytes / MIB:.0f} MB"


ATTACKED = list({(attack.forge, attack.plain): attack for attack in ATTACKS if attack.plain}.values())
"""Each file once for each plain reader, however many readers of ours it is for."""


@pytest.mark.parametrize("attack", [attack for attack in ATTACKED if not attack.breaks], ids=lambda attack: attack.name)
def test_plain_readers_take_more(attack: Attack, forged: Forged, record_property: pytest.FixtureRequest) -> None:
    """The control: the attack works on who reads such a file plainly."""
    assert attack.plain is not None
    path, declared = forged(attack)
    peak = measure(attack.plain, path)
    record_property("peak_mb", round(peak.bytes / MIB))  # type: ignore[operator]
    assert peak.bytes > allowed(declared), f"only {peak.bytes / MIB:.0f} MB"


@pytest.mark.parametrize("attack", [attack for attack in ATTACKED if attack.breaks], ids=lambda attack: attack.name)
def test_plain_readers_break(attack: Attack, forged: Forged) -> None:
    """The control of attacks that aim at something else than memory."""
    assert attack.plain is not None
    path, _ = forged(attack)
    with pytest.raises(AssertionError, match=f"raised {attack.breaks}"):
        measure(attack.plain, path)


def test_every_attack_has_a_control() -> None:
    """Files that are to be read need none, but what is refused would prove nothing."""
    without = [attack.name for attack in ATTACKS if attack.refused and not attack.plain]
    # Floats are taken for bytes (tests/datasets/test_images.py); no reader of JSON takes lists that do not end.
    assert without == ["pfm: floating-point samples", "record: nested lists"]


@pytest.mark.parametrize("suffix", HONEST)
def test_too_little_memory_is_one_line(suffix: str, tmp_path: Path) -> None:
    """`measure` takes nothing but a value or an FfbenchError of one line."""
    read, make = HONEST[suffix]
    path = tmp_path / f"honest{suffix}"
    make(path)
    peaks = [measure(read, path, limit=limit) for limit in (0, 4 * MIB, 2048 * MIB)]
    # With little the heap may still have room; with much there is no excuse.
    assert peaks[-1].error is None


def test_memory_is_really_short(tmp_path: Path) -> None:
    """The control: a reader that does not care raises what nobody catches."""
    path = tmp_path / "flow.flo"
    flows.noisy_flo(path)
    with pytest.raises(AssertionError, match="raised MemoryError"):
        measure(readers.plain_bytes, path, limit=0)
