"""Records by somebody who wants a better rank: consistent with themselves, and with a store's rules for names."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ffbench.evaluation import evaluate
from ffbench.io.hashing import file_sha256
from ffbench.protocol import PairScore, ProtocolCard, StatedScoring, Term
from ffbench.results.record.pair_table import read_pair_table, write_pair_table
from ffbench.results.record.row import Level
from ffbench.results.record.run_record import RunRecord, Submission, read_record, write_record
from ffbench.results.store.records import add_record
from ffbench.results.store.verification import Verification, verify_store
from ffbench.submissions.rescoring import Rescorer
from tests.submissions.toys import PAIRS, Speckle
from tests.toys import BrightnessFlow, Stripes

STORE = Path("submissions")


def honest(name: str = "speckle") -> Path:
    """Evaluate a toy method as anybody would; gives the path of its record."""
    folder = Path("runs") / "stripes" / name / "0"
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in _run(name).items():
        (folder / file).write_bytes(content)
    return folder / "record.json"


@cache
def _run(name: str) -> dict[str, bytes]:
    method = Speckle() if name == "speckle" else BrightnessFlow()
    with TemporaryDirectory() as folder:
        evaluate(method, Stripes(PAIRS), out=folder)
        return {path.name: path.read_bytes() for path in Path(folder).rglob("*.*")}


def net(name: str = "Net", **of: Any) -> dict[str, Any]:
    """Parts of a record of flows that were sent in."""
    submission = {"name": name, "files": PAIRS, "sha256": "0" * 64, "contact": "net@example.org", **of}
    return {"kind": "submitted", "submission": Submission(**submission), "distribution": None}


def forge(
    base: Path,
    name: str,
    change: Callable[[list[PairScore]], Sequence[PairScore]] = list,
    card: ProtocolCard | None = None,
    **parts: Any,
) -> Path:
    """Write a record whose numbers all follow from its table, which is that of `base` with `change` made to it.

    Args:
        base: the record that is taken as a pattern.
        name: id and title of the method that it shall be of, unless `parts` has a submission, which names it.
        change: makes the forged scores of pairs.
        card: what the record says of the protocol; None: what `base` says.
        parts: other parts of the record.
    """
    record = read_record(base)
    card = card or record.protocol
    scores = change(read_pair_table(base.with_name("pairs.parquet")))
    folder = Path("forged") / name
    write_pair_table(folder / "pairs.parquet", scores)
    summary = StatedScoring(card).summarize(scores)
    overall = next(score for score in summary if (score.metric, score.group) == (card.primary, "all"))
    metric = card.metrics[card.primary]
    primary = {
        "metric": card.primary, "value": overall.value, "ci_low": overall.ci_low, "ci_high": overall.ci_high,
        "unit": metric.unit, "higher_is_better": metric.higher_is_better,
    }  # fmt: skip
    table = {"sha256": file_sha256(folder / "pairs.parquet"), "rows": len(scores)}
    submission = parts.get("submission")
    named = (submission.method_id, submission.method_title) if submission else (name, name.title())
    update = {
        "method": record.method.model_copy(update=dict(zip(("id", "title"), named, strict=True))),
        "protocol": card,
        "primary": record.primary.model_copy(update=primary),
        "scores": tuple(summary),
        "pairs": len(scores),
        "pair_table": record.pair_table.model_copy(update=table),
        "fingerprint": f"forged {name}",
        "cost": record.cost.model_copy(update={"pairs_per_second": len(scores) / record.cost.method_seconds}),
        **parts,
    }
    write_record(folder / "record.json", record.model_copy(update=update))
    return folder / "record.json"


def edited(path: Path, **parts: Any) -> Path:
    """Change parts of a record and leave its table alone."""
    record = read_record(path)
    write_record(path, record.model_copy(update=parts))
    return path


def scaled(score: PairScore, factor: float) -> PairScore:
    """Make all errors of a pair `factor` times as large."""
    terms = {name: Term(term.sum * factor, term.count) for name, term in score.terms.items()}
    return dataclasses.replace(score, terms=terms)


def publish(path: Path, level: Level = "claimed") -> Path:
    """Put a record into the store."""
    return add_record(STORE, path, level)


def verify(*, data: bool = False, rescore: bool = False) -> Verification:
    """Check the store: the files alone, with the pairs of the dataset, or with scoring again."""
    rescorer = Rescorer(out="again")
    return verify_store(
        STORE,
        {"stripes": "1.0"},
        rescorer.rescore if rescore else None,
        rescorer.expected_pairs if data else None,
    )


def record_of(path: Path) -> RunRecord:
    """Read a record."""
    return read_record(path)
