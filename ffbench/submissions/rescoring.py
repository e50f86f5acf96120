"""Scoring a claim again, out of what its record says: from its predictions, or by running its method."""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ffbench.cards import MethodCard
from ffbench.errors import DataError, MethodError, UsageError
from ffbench.evaluation.batches import read_ahead
from ffbench.evaluation.runner import evaluate, run_folder
from ffbench.flows import Flows
from ffbench.io.hashing import file_sha256
from ffbench.protocol import LearningProtocol, PairScore, Progress, Protocol, ProtocolCard
from ffbench.registry import load_protocol, protocol_entry
from ffbench.results.record.run_record import RunRecord, Submission
from ffbench.results.store.pair_facts import PairFact, PairFacts, facts_of
from ffbench.run_config import RunConfig
from ffbench.submissions.submit import ProgressBar, Submitter, silent, submit, validate_submission

if TYPE_CHECKING:
    from ffbench.method import Method

_MOST_LOADED = 1000
"""Pairs of a dataset that are read for their labels and weights; of a larger one a part is drawn by chance."""
_AHEAD = 4
_SAME_PROTOCOL = ("id", "version", "variant", "options", "primary")


class Rescorer:
    """Scores records again with what is at hand; datasets, predictions and weights are read once for all records."""

    def __init__(
        self,
        predictions: Sequence[Path] = (),
        weights: Sequence[Path] = (),
        *,
        device: str = "auto",
        out: Path | str = "runs",
        progress_bar: ProgressBar = silent,
    ) -> None:
        """Take note of what there is.

        Args:
            predictions: folders and archives of flows; which record each belongs to is found by its hash.
            weights: checkpoint files; found by their hash as well.
            device: where methods run.
            out: folder of runs.
            progress_bar: opens a display of progress for each step.
        """
        self._predictions, self._weights = tuple(predictions), tuple(weights)
        self._device, self._out, self._progress_bar = device, Path(out), progress_bar
        self._protocols: dict[str, Protocol[Any]] = {}
        self._pairs: dict[str, PairFacts] = {}
        self._hashes: dict[tuple[Path, str], str] = {}

    def rescore(self, record: RunRecord) -> tuple[RunRecord, Path]:
        """Score what a record is about once more.

        Returns:
            The new record, and the folder of its run.

        Raises:
            FfbenchError: it cannot be scored here: the dataset, predictions, weights or method are not at hand or are
                others; the message says which.
        """
        if record.submission is None:
            method = self._method(record)
            protocol = self._protocol(record)
            with self._progress_bar(f"{method.card.id} on {protocol.card.id}", "pairs") as progress:
                scored = evaluate(method, protocol, out=self._out, progress=progress)
        else:
            protocol = self._protocol(record)
            submitter = Submitter(**{name: getattr(record.submission, name) for name in Submitter.__annotations__})
            place = self._find_predictions(record.submission, protocol)
            sampling = record.submission.sampling
            challenge = sampling.challenge if sampling is not None and sampling.asked else None
            scored = submit(
                place, protocol, submitter, out=self._out, challenge=challenge, progress_bar=self._progress_bar
            )
        return scored, run_folder(
            self._out, scored.protocol.id, scored.method.id, scored.fingerprint, scored.method.weights
        )

    def expected_pairs(self, record: RunRecord) -> tuple[Protocol[Any], PairFacts]:
        """Return a record's protocol and the pairs of its dataset, `_MOST_LOADED` of them with labels and weights.

        Raises:
            FfbenchError: the dataset is not at hand, or is another one; the message says so.
        """
        protocol = self._protocol(record)
        key = protocol.card.model_dump_json()
        if key not in self._pairs:
            with self._progress_bar(f"pairs of {protocol.card.id}", "pairs") as progress:
                self._pairs[key] = _pairs_of(protocol, progress)
        return protocol, self._pairs[key]

    def _protocol(self, record: RunRecord) -> Protocol[Any]:
        protocol = self._load_protocol(record.protocol)
        if any(getattr(protocol.card, name) != getattr(record.protocol, name) for name in _SAME_PROTOCOL):
            raise UsageError(
                f"{record.protocol.id} {record.protocol.version} with its options is not the protocol that is "
                f"installed here ({protocol.card.version})"
            )
        wanted, found = record.dataset, protocol.dataset
        if found.manifest_sha256 != wanted.manifest_sha256:
            raise DataError(
                f"its dataset {wanted.name} ({wanted.origin}, {wanted.manifest_sha256[:12]}) is not here, but "
                f"{found.name} ({found.origin}, {found.manifest_sha256[:12]}) is; FFBENCH_DATA says where datasets lie"
            )
        return protocol

    def _load_protocol(self, card: ProtocolCard) -> Protocol[Any]:
        """Load a protocol by its card, which names what was asked for and what followed from it alike."""
        name = card.model_dump_json()
        if name not in self._protocols:
            protocol = load_protocol(card.id, variant=card.variant)
            earlier = card.version != protocol.card.version and card.version in protocol_entry(card.id).earlier_versions
            asked = {"version": card.version} if earlier else {}
            changed = asked | {
                key: str(value) for key, value in card.options.items() if protocol.card.options.get(key) != value
            }
            if changed:
                protocol = load_protocol(card.id, variant=card.variant, options=changed)
            self._protocols[name] = protocol
        return self._protocols[name]

    def _find_predictions(self, submission: Submission, protocol: Protocol[Any]) -> Path:
        if not self._predictions:
            raise DataError("its predictions are not given (--predictions PATH)")
        others = []
        for place in self._predictions:
            found = self._hash(place, protocol)
            if found == submission.sha256:
                return place
            others.append(f"{place}: {found}")
        raise DataError(f"none of the predictions given has its hash {submission.sha256} ({'; '.join(others)})")

    def _hash(self, place: Path, protocol: Protocol[Any]) -> str:
        """Return the hash of predictions for a protocol, or words where they are not fit for it."""
        key = place, protocol.card.model_dump_json()
        if key not in self._hashes:
            try:
                report = validate_submission(place, protocol, self._progress_bar)
                self._hashes[key] = report.sha256 if report.sound else "not valid for its protocol"
            except DataError as error:
                self._hashes[key] = f"refused ({error})"
        return self._hashes[key]

    @functools.cached_property
    def _weights_by_hash(self) -> dict[str, Path]:
        return {file_sha256(file): file for file in reversed(self._weights)}

    def _method(self, record: RunRecord) -> Method:
        card, weights = record.method, None
        if card.weights is not None:
            weights = self._weights_by_hash.get(card.weights.sha256 or "")
            if weights is None and card.weights.source == "file":
                raise MethodError(f"its weights {card.weights.name} are not among those given (--weights FILE)")
        method = self._load_method(card, weights, None)
        if method.card.iterations != card.iterations:
            method = self._load_method(card, weights, card.iterations)
        found = method.card.identity
        changed = [
            f"{name} {found[name]}, then {wanted}" for name, wanted in card.identity.items() if found[name] != wanted
        ]
        then, now = (package and package.name for package in (record.distribution, method.distribution))
        if then is not None and then != now:
            changed.append(f"from the package {now}, then {then}")
        if changed:
            raise MethodError(f"method {card.id} is another one here: {', '.join(changed)}")
        return method

    def _load_method(self, card: MethodCard, weights: Path | None, iterations: int | None) -> Method:
        compiled = bool(card.options.get("compiled", False))
        config = RunConfig(card.id, weights, self._device, iterations, card.precision, compiled)
        return config.load(installed_only=True)


def _pairs_of(protocol: Protocol[Any], progress: Progress | None) -> PairFacts:
    """Read the pairs of a protocol: labels, and what zero flow weighs where every flow weighs the same."""
    keys = list(protocol.keys())
    # By chance: who moves weights must not know where nobody looks.
    drawn = set(keys) if len(keys) <= _MOST_LOADED else set(random.SystemRandom().sample(keys, _MOST_LOADED))
    facts = {key: PairFact(None, None) for key in keys if key not in drawn}
    weights = protocol.fixed_weights and not isinstance(protocol, LearningProtocol)
    for done, pair in enumerate(read_ahead(protocol, [key for key in keys if key in drawn], _AHEAD, []), start=1):
        score = PairScore(pair.key, {}, pair.labels)
        if weights:
            zero = Flows(np.zeros((*pair.image1.shape[:2], 2), np.float32))
            score = protocol.score(pair, zero, zero if protocol.needs_backward else None)
        facts |= facts_of([score], protocol.card, fixed_weights=weights)
        if progress:
            progress(done, len(drawn))
    return facts
