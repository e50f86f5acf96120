"""The run record: one immutable JSON file that holds everything that is ever shown of a run."""

from __future__ import annotations

import functools
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import from_json, to_json

from ffbench.cards import MethodCard
from ffbench.errors import DataError
from ffbench.io import atomic
from ffbench.io.bounds import names_file_if_out_of_memory, read_bounded
from ffbench.io.json_models import first_fault, parse_json
from ffbench.metrics.statistics.intervals import LEVEL, MIN_UNITS
from ffbench.packages.distribution import Distribution
from ffbench.protocol import Confusion, DatasetCard, ProtocolCard, Score
from ffbench.results.record.migration import migrate
from ffbench.results.record.score_table import score_table
from ffbench.results.tables import as_html

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION: Literal[5] = 5
RECORD = "record.json"
"""Name of a record in the folder of its run."""
NOT_FOUND = "no"
"""Value of the label `found` of pairs in which the method found nothing to go by."""
NOT_COMPLETE = "not all pairs were scored"
"""Why a record without some pairs is not ranked."""
MAX_RECORD_BYTES = 32 * 2**20


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Primary(_Frozen):
    """The one number that ranks."""

    metric: str
    value: float
    ci_low: float | None
    ci_high: float | None
    unit: str
    higher_is_better: bool


class Interval(_Frozen):
    """How the confidence intervals were made."""

    method: Literal["jackknife t", "percentile bootstrap"] = Field(
        default="jackknife t", description="percentile bootstrap: records before version 5, too narrow with few units"
    )
    level: float = LEVEL
    min_units: int = Field(default=MIN_UNITS, description="with fewer units a number has no interval")
    resamples: int | None = Field(default=None, description="of a bootstrap")
    seed: int | None = Field(default=None, description="of a bootstrap")
    unit: str = Field(description="what is independent: `pair`, or a label such as `subject`")


class Environment(_Frozen):
    """Where and with what the run was made."""

    ffbench: str
    git_commit: str | None = Field(description="commit of a source checkout, with `+changes` if it was not clean")
    python: str
    platform: str
    processor: str
    device: str
    threads: int
    packages: dict[str, str]


Clock = Literal["elapsed", "cpu"]


class Cost(_Frozen):
    """What the run cost. Never part of a comparison of digits: it differs from run to run."""

    started: datetime
    wall_seconds: float = Field(description="of this process, from first pair to last")
    method_seconds: float = Field(
        description="inside the method, over all pairs, resumed parts included; of a submission: reading its files"
    )
    clock: Clock = Field(
        default="elapsed",
        description="of method_seconds; cpu: processor time of the thread that calls the method, which other programs "
        "on the machine do not lengthen",
    )
    pairs_per_second: float = Field(description="pairs / method_seconds")
    learning_seconds: float | None = Field(
        default=None,
        description="processor time of learning from the flows, over all folds and seeds, resumed parts included",
    )
    peak_memory_mb: float = Field(description="largest resident set of the process")
    peak_device_memory_mb: float | None = Field(default=None, description="largest allocation on a GPU")
    resumed_pairs: int = Field(description="pairs taken over from an interrupted run")


class PairTable(_Frozen):
    """The table of per-pair scores beside the record."""

    file: str
    sha256: str
    rows: int


class Sampling(_Frozen):
    """How a bundle thinned out the predictions that it was made of."""

    step: int = Field(description="every step-th pixel of every step-th row is kept")
    challenge: str = Field(description="what the place of the first pixel of each pair is hashed from")
    asked: bool = Field(
        default=False, description="the scorer named the challenge; without that a bundle is a preview, and not ranked"
    )
    precision: Literal["float16"]
    predictions_sha256: str = Field(description="hash of names and flow values of the whole predictions")


class Submission(_Frozen):
    """Flows that were made elsewhere, and who stands for them."""

    name: str = Field(min_length=1, max_length=200)
    paper: str | None = Field(default=None, max_length=500)
    code: str | None = Field(default=None, max_length=500)
    contact: str | None = Field(default=None, max_length=200)
    claimed: float | None = Field(
        default=None, allow_inf_nan=False, description="the submitter's own value of the primary metric"
    )
    files: int = Field(description="flow files: one a pair and kind of flow")
    sha256: str = Field(description="hash of names and flow values; the same for a folder and any archive of it")
    sampling: Sampling | None = Field(default=None, description="set if the predictions came as a bundle")

    @property
    def method_id(self) -> str:
        """The id of the method on the record: the name in small letters, of which a file's name can be made."""
        return re.sub(r"[^a-z0-9._-]+", "-", self.name.lower()).strip("-.") or "submission"

    @property
    def method_title(self) -> str:
        """The title of the method on the record: the name, with a mark if not all pixels were scored."""
        if self.sampling is None or self.sampling.step == 1:
            return self.name
        return f"{self.name} (bundle, one pixel of {self.sampling.step} x {self.sampling.step})"


class RunRecord(_Frozen):
    """What was run on what, where, and what came out."""

    schema_version: Literal[5] = SCHEMA_VERSION
    kind: Literal["evaluated", "submitted"] = Field(
        description="evaluated: ffbench ran the method; submitted: it scored flows that were made elsewhere"
    )
    submission: Submission | None = Field(default=None, description="set if, and only if, kind is `submitted`")
    method: MethodCard
    distribution: Distribution | None = Field(
        default=None, description="package that the method came from; null where flows were made elsewhere"
    )
    protocol: ProtocolCard
    dataset: DatasetCard
    primary: Primary
    scores: tuple[Score, ...]
    confusion: Confusion | None = Field(default=None, description="of a protocol that recognises classes")
    interval: Interval
    pairs: int
    not_found: int = Field(
        default=0,
        description="pairs in which the method found nothing to go by, such as a face: their flow is zero, or that of "
        "the whole image",
    )
    complete: bool = Field(description="every pair that the dataset should have was scored")
    pair_table: PairTable
    fingerprint: str = Field(description="hash of method, protocol, dataset and source code")
    environment: Environment
    cost: Cost

    @model_validator(mode="after")
    def _submission_fits_kind(self) -> RunRecord:
        if (self.kind == "submitted") != (self.submission is not None):
            raise ValueError("`submission` must be set if, and only if, kind is `submitted`")
        return self

    def score(self, metric: str, group: str = "all") -> Score:
        """Return one number of the summary.

        Raises:
            KeyError: the record has no such score.
        """
        for score in self.scores:
            if score.metric == metric and score.group == group:
                return score
        raise KeyError(f"no score '{metric}' for '{group}'")

    @functools.cached_property
    def path(self) -> Path | None:
        """Where the record was read from, or written to by `evaluate`; None for one that is in no file.

        It is no part of the record: it is not compared, and not written.
        """
        return None

    def _repr_html_(self) -> str:
        """Return what was run on what, and the scores, as a table for notebooks."""
        card, dataset, weights = self.protocol, self.dataset, self.method.weights
        method = f"{self.method.title} ({self.method.id}{'' if weights is None else f', weights {weights.label}'})"
        title = (
            f"{method} on {card.title} ({card.id} {card.version}, {card.variant}): "
            f"{dataset.origin.upper()} data, {dataset.reference} reference: {dataset.name}"
        )
        notes = [f"not for ranking: {reason}" for reason in self.not_rankable]
        return as_html(score_table(title, card, self.scores, notes))

    def to_dataframe(self) -> pd.DataFrame:
        """Return the summary as a DataFrame: a row a metric and group, the columns of `Score`, and the unit."""
        import pandas as pd

        frame = pd.DataFrame([score.model_dump() for score in self.scores], columns=list(Score.model_fields))
        units = {name: card.unit for name, card in self.protocol.metrics.items()}
        frame.insert(2, "unit", [units.get(name, "") for name in frame["metric"]])
        return frame

    @property
    def not_rankable(self) -> list[str]:
        """Why this record may not stand in a ranking; empty when it may."""
        reasons = []
        weights = self.method.weights
        if weights is not None and weights.random:
            reasons.append("random weights")
        elif weights is not None and not weights.stated:
            given = weights.source == "file"
            reasons.append(f"the method does not say that it uses the weights {weights.label}" if given else
                           "the method has parameters and does not say whose they are")  # fmt: skip
        elif weights is None and self.method.parameters:
            reasons.append("the method has parameters and no weights")
        elif weights is not None and weights.sha256 is None:
            reasons.append(f"the weights {weights.label} have no hash")
        sampling = self.submission.sampling if self.submission is not None else None
        if sampling is not None and sampling.step > 1 and not sampling.asked:
            reasons.append("a preview: its maker chose which pixels count")
        if not self.complete:
            reasons.append(NOT_COMPLETE)
        return reasons


def now() -> datetime:
    """The time in UTC, to the second."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def at_path(record: RunRecord, path: Path | str) -> RunRecord:
    """Return the same record, which knows that it lies at `path`."""
    placed = record.model_copy()
    # Past the record's own guard: the path is no field of it.
    vars(placed)["path"] = Path(path)
    return placed


def write_record(path: Path | str, record: RunRecord) -> None:
    """Write `record` as JSON, atomically."""
    atomic.write_text(path, record.model_dump_json(indent=1) + "\n")


def is_canonical(content: bytes, record: RunRecord) -> bool:
    """Whether a record's bytes are as ffbench writes them, this version of it or the one that wrote them."""
    plain = from_json(content)
    if plain.get("schema_version") != SCHEMA_VERSION:
        return bool(to_json(plain, indent=1) + b"\n" == content)
    # Fields that were added since are not in older files.
    return (record.model_dump_json(indent=1, exclude_unset=True) + "\n").encode() == content


@names_file_if_out_of_memory
def read_record(path: Path | str) -> RunRecord:
    """Read a record and check it against the schema.

    Args:
        path: the file, or the folder of a run that holds `record.json`.

    Raises:
        DataError: the file cannot be read, is too large, or is not a record of this or an earlier schema version.
    """
    path = Path(path) / RECORD if Path(path).is_dir() else Path(path)
    content = read_bounded(path, MAX_RECORD_BYTES, f"larger than a run record can be ({MAX_RECORD_BYTES} bytes)")
    try:
        return at_path(RunRecord.model_validate(migrate(parse_json(content))), path)
    except ValidationError as error:
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise DataError(
            path, f"not a run record of schema version {SCHEMA_VERSION}: {first_fault(error)}{more}"
        ) from error
    except ValueError as error:
        raise DataError(path, f"not a run record, it is not JSON as records are: {error}") from error
