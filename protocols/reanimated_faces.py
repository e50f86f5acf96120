"""Real portraits with a known motion: docs/protocols/reanimated_faces.md."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from ffbench.datasets.provenance import engine_sign
from ffbench.metrics.dense.errors import DENSE_METRICS, dense_terms, per_image
from ffbench.metrics.head_motion import NATIVE_HEAD_FLOW, Derive, fit_head_flow, native_head_flow_term
from ffbench.protocol import (
    Annotation,
    DatasetCard,
    MetricCard,
    NumpyFlows,
    Option,
    Pair,
    PairScore,
    Protocol,
    ProtocolCard,
    ProtocolEntry,
    ProtocolRequest,
    StatedScoring,
    Term,
)
from ffbench.reanimation.appearance import draw_appearance
from ffbench.reanimation.motion import SCALES, at_rest, draw_states
from ffbench.reanimation.pairs import ReanimatedPair, reanimate
from ffbench.reanimation.photographs.people import measured_tone, skin_angle, turned_by, view_class
from ffbench.reanimation.photographs.sources import FaceSource, FoundFaces, find_faces_in, test_faces
from ffbench.reanimation.portraits.parts import REGIONS, STABLE_REGIONS
from ffbench.reanimation.portraits.portrait import Portrait
from ffbench.reanimation.smooth import Still, draw_field, prepare_still, smooth_pair
from ffbench.typing import Mask

from .options import (
    a_number,
    choice,
    one_of,
    refuse_unknown,
    stated_choice,
    stated_groups,
    stated_number,
    stated_variant,
    variant,
    whole_number,
)

VERSION = "1.0"
GROUP_BY = ("scale", "person", "measured_tone", "view")
EARLIER_GROUP_BY = ("scale", "person")
"""Of records from before December 2026; no number of theirs is another one now."""
DRAWS = 4
MOST_DRAWS = 100
Variant = Literal["surface", "smooth"]
OPTIONS = {
    "draws": f"{a_number(DRAWS, MOST_DRAWS)}, motions of each scale for each person",
    "derive_head": f"{one_of(get_args(Derive), 'rigid')}; for methods without head flow",
}
_METRICS: Mapping[str, MetricCard] = {
    **DENSE_METRICS,
    "epe_head": MetricCard(title="endpoint error of the head flow", unit="px", minimum=0),
    "epe_expression": MetricCard(title="endpoint error of the expression flow", unit="px", minimum=0),
    "own_head": NATIVE_HEAD_FLOW,
}


def _card(of: Variant, options: Mapping[str, Option], group_by: tuple[str, ...] = GROUP_BY) -> ProtocolCard:
    return ProtocolCard(
        id="reanimated_faces",
        version=VERSION,
        title="reanimated faces",
        variant=of,
        primary="epe",
        metrics=dict(_METRICS),
        group_by=group_by,
        # Pairs of one person share skin, light and camera.
        resample_by="person",
        options={name: options[name] for name in ("draws", "derive_head") if name in options},
    )


def scales(of: Variant) -> tuple[str, ...]:
    """Return the scales of motion that a variant has; in the plane of the image nothing turns away."""
    return tuple(name for name, scale in SCALES.items() if of == "surface" or not scale.turning)


@dataclass(frozen=True)
class _PlannedPair:
    source: FaceSource
    scale: str
    number: int

    @property
    def key(self) -> str:
        return f"{self.source.person}/{self.source.name}/{self.scale}-{self.number}"


class ReanimatedFaces(Protocol[ReanimatedPair]):
    """Dense errors of facial, head and expression flow between a photograph and itself, reanimated."""

    # Every pair counts once, however many pixels its face has.
    fixed_weights = True

    def __init__(
        self,
        found: FoundFaces,
        name: str,
        of: Variant = "surface",
        *,
        draws: int = DRAWS,
        derive_head: Derive = "rigid",
    ) -> None:
        """Plan the pairs.

        Args:
            found: the faces.
            name: of the dataset.
            of: the variant.
            draws: motions of each scale for each person.
            derive_head: how a method with one flow gets a head flow: a fit to its facial flow, or none (it is zero).
        """
        self.card = _card(of, {"draws": draws, "derive_head": derive_head})
        self._variant, self._derive_head = of, derive_head
        self._pairs = {pair.key: pair for pair in _plan(found.faces, scales(of), draws)}
        self._faces = found.faces
        self._tones: dict[str, str] = {}
        self._lock = threading.Lock()
        # Of the last photograph: pairs of one follow each other, and reading and fitting take longer than making one.
        self._kept: tuple[FaceSource, Still] | None = None
        self._prepared: tuple[FaceSource, Portrait] | None = None
        self.dataset = _dataset_card(found, name, of, len(self._pairs))

    def keys(self) -> Sequence[str]:
        """Name the pairs, such as `f1/0-f1-su-ph.jpg/small-2`: person, photograph, scale and draw."""
        return list(self._pairs)

    def load(self, key: str) -> Pair[ReanimatedPair]:
        """Make a pair; the same one each time.

        Raises:
            DataError: the photograph can no longer be read.
        """
        planned = self._pairs[key]
        source, scale = planned.source, SCALES[planned.scale]
        seed = hashlib.sha256(f"{VERSION} {self._variant} {key}".encode()).digest()
        rng = np.random.default_rng(list(seed))
        appearance = draw_appearance(rng)
        if self._variant == "smooth":
            still = self._still(source)
            field = draw_field(source.points, source.width, scale, rng)
            made = smooth_pair(still, field, appearance, rng)
            turned = turned_by(source.head(still.image), (at_rest(),))
        else:
            portrait = self._portrait(source)
            states = draw_states(portrait, scale, rng)
            made = reanimate(portrait, states, appearance, rng)
            turned = turned_by(portrait.frame, states)
        labels = {
            "scale": planned.scale,
            "person": source.person,
            "source": source.name,
            "measured_tone": self._tone(source.person),
            "view": view_class(turned),
        }
        return Pair(key, made.image1, made.image2, made, labels)

    def scored_flows(self, pair: Pair[ReanimatedPair], forward: NumpyFlows) -> NumpyFlows:
        """Return the flows with a head flow: the method's own, or that which is derived."""
        if forward.head is not None:
            return forward
        truth = pair.reference
        if self._derive_head == "none":
            return replace(forward, head=np.zeros_like(forward.facial))
        stable = np.isin(truth.region, STABLE_REGIONS)
        head = fit_head_flow(forward.facial, _counted(truth, forward), self._derive_head, stable)
        return replace(forward, head=head)

    def annotation(self, pair: Pair[ReanimatedPair]) -> Annotation:
        """Return the true flows, the mask and the regions."""
        truth = pair.reference
        return Annotation(truth.facial, truth.head, truth.mask, truth.region, REGIONS)

    def score(self, pair: Pair[ReanimatedPair], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
        """Compare the three flows with the true ones on the skin of the face.

        Raises:
            DataError: the flow has values that are not finite.
        """
        truth = pair.reference
        mask = _counted(truth, forward)
        head = self.scored_flows(pair, forward).head
        assert head is not None
        terms = {"epe": Term(0.0, 0.0)}
        for name, predicted, true_flow in (
            ("", forward.facial, truth.facial),
            ("_head", head, truth.head),
            ("_expression", forward.facial - head, truth.facial - truth.head),
        ):
            found = per_image(
                dense_terms(
                    predicted, true_flow, mask, regions=truth.region, region_names=REGIONS, occluded=truth.occlusion
                )
            )
            if name:
                found = {f"epe{name}{key[3:]}": term for key, term in found.items() if key.partition("/")[0] == "epe"}
            terms |= found
        terms["own_head"] = native_head_flow_term(forward.head)
        return PairScore(pair.key, terms, pair.labels)

    def _tone(self, person: str) -> str:
        """Return the class of a person by what the photographs show."""
        with self._lock:
            if person not in self._tones:
                angles = [skin_angle(face.read(), face.points) for face in self._faces if face.person == person]
                self._tones[person] = measured_tone(angles)
            return self._tones[person]

    def _still(self, source: FaceSource) -> Still:
        with self._lock:
            if self._kept is None or self._kept[0] is not source:
                self._kept = source, prepare_still(source.read(), source.points, source.width)
            return self._kept[1]

    def _portrait(self, source: FaceSource) -> Portrait:
        with self._lock:
            if self._prepared is None or self._prepared[0] is not source:
                self._prepared = source, source.portrait()
            return self._prepared[1]


def load(request: ProtocolRequest) -> ReanimatedFaces:
    """Build the protocol on the photographs and clips at `request.data`, or on those of the assets.

    Options: `draws`, motions of each scale for each person (`4`); `derive_head`, `rigid`, `homography` or `none`.

    Raises:
        UsageError: an unknown option, value or variant.
        DataError: no face can be used.
    """
    refuse_unknown(request, OPTIONS)
    of: Variant = variant(request, get_args(Variant))
    draws = whole_number(request, "draws", DRAWS, MOST_DRAWS)
    derive: Derive = choice(request, "derive_head", get_args(Derive), default="rigid")
    if request.data is not None:
        found, name = find_faces_in(request.data), request.data.resolve().name
    else:
        found, name = test_faces(), "real portraits, reanimated"
    return ReanimatedFaces(found, name, of, draws=draws, derive_head=derive)


def _counted(truth: ReanimatedPair, forward: NumpyFlows) -> Mask:
    """Return the pixels that count: of a bundle only those that it was made from."""
    return truth.mask if forward.exact is None else truth.mask & forward.exact


def _plan(faces: Sequence[FaceSource], of: Sequence[str], draws: int) -> list[_PlannedPair]:
    """Return every person as many pairs, in turn from each of its photographs; those of one photograph together."""
    planned: list[_PlannedPair] = []
    for person in dict.fromkeys(face.person for face in faces):
        own = [face for face in faces if face.person == person]
        pairs = [(scale, number) for number in range(draws) for scale in of]
        for index, source in enumerate(own):
            planned += [_PlannedPair(source, *pair) for pair in pairs[index :: len(own)]]
    return planned


def _dataset_card(found: FoundFaces, name: str, of: Variant, pairs: int) -> DatasetCard:
    digest = hashlib.sha256(f"reanimated_faces {VERSION}".encode())
    for path, file_hash in found.files.items():
        digest.update(f"{path.name} {file_hash}\n".encode())
    persons = {face.person for face in found.faces}
    made = engine_sign(*found.files) is not None
    widths = [face.width for face in found.faces]
    motion = "a smooth field" if of == "smooth" else "a fitted surface"
    return DatasetCard(
        name=name,
        # Photographs that ffbench rendered have no real skin, however they are moved.
        origin="synthetic" if made else "reanimated",
        reference="ground truth",
        reference_note=(
            f"photographs of {len(persons)} people moved by {motion}: the skin is real, the motion is made and known; "
            f"{len(persons)} people say little of others"
        ),
        manifest_sha256=digest.hexdigest(),
        problems=found.problems,
        left_out=found.left_out,
        facts={
            "people": float(len(persons)),
            "photographs": float(len(found.faces)),
            "pairs": float(pairs),
            "left_out": float(len(found.left_out)),
            "face_width_px_least": min(widths),
            "face_width_px_most": max(widths),
        },
    )


def _scoring(stated: ProtocolCard) -> StatedScoring:
    stated_choice(stated, "derive_head", get_args(Derive))
    stated_number(stated, "draws")
    of: Variant = stated_variant(stated, get_args(Variant))
    group_by = stated_groups(stated, GROUP_BY, EARLIER_GROUP_BY)
    return StatedScoring(_card(of, stated.options, group_by), fixed_weights=True)


entry = ProtocolEntry(
    "real portraits with known motion: facial, head and expression flow",
    load,
    _scoring,
    title="Reanimated faces",
    task="facial flow",
    variants=get_args(Variant),
    options=OPTIONS,
)
