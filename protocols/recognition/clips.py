"""Which clips of CASME II a recognition protocol is run on, and what its records say of them."""

from __future__ import annotations

from pathlib import Path

from ffbench.datasets.casme2 import scan as casme2
from ffbench.datasets.casme2.coding import SelectionRule
from ffbench.datasets.casme2.dataset import card_casme2
from ffbench.protocol import DatasetCard


def select_clips(name: str, data: Path, rule: SelectionRule) -> tuple[casme2.Selection, DatasetCard]:
    """Return the clips of a protocol with their classes, and the card of the dataset.

    Args:
        name: `casme2_5`, `casme2_3` or `megc_casme2`.
        data: the dataset's folder.
        rule: which clips count whose apex does not follow the onset.

    Raises:
        DataError: `data` does not hold CASME II, or too little of it.
    """
    found = casme2.scan(data, rule)
    if name == "megc_casme2":
        selection = casme2.select_megc(found)
    else:
        selection = casme2.select(found, casme2.FIVE if name == "casme2_5" else casme2.THREE)
    return selection, card_casme2(selection, synthetic=found.synthetic)
