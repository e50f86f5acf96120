"""The figure of docs/labels.md: how far labels made from perfect landmarks are from the flow itself.

`pytest tests/synth/test_piecewise_affine_figure.py -s` measures it and prints the table.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ffbench.metrics.statistics.intervals import confidence_interval, influence_on_ratio, ratio_of_sums
from ffbench.synth.heads.head import HeadModel, Region
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.motion.expressions import Frame, sample_style, sequence
from ffbench.synth.piecewise_affine import piecewise_affine_flow
from ffbench.synth.render.camera import Camera
from ffbench.synth.render.labels import label_pair
from ffbench.synth.render.raster import rasterize_supersampled
from ffbench.synth.scenes.scene import Person, sample_camera, sample_frame

PEOPLE, SIZE = 60, 512
DOCUMENT = Path(__file__).parents[2] / "docs" / "labels.md"
MOTIONS = ("first to last frame", "first to last frame, head still", "one step of 5 frames", "one step of 20 frames")
REGIONS = (Region.FOREHEAD, Region.EYES, Region.NOSE, Region.CHEEKS, Region.LIPS, Region.CHIN)
Sums = dict[str, list[tuple[float, float, int]]]


def measure(head: HeadModel) -> Sums:
    """Sums of endpoint error and of flow length, and pixels, a person; by motion, and by region of the first one."""
    sums: Sums = {name: [] for name in (*MOTIONS, *(f"its {region.name.lower()}" for region in REGIONS))}
    blank = np.zeros((1, 1, 4), np.uint8)
    for seed in range(PEOPLE):
        rng = np.random.default_rng([seed, 300])
        person = Person(head, head.shape(head.sample_identity(rng)), blank, blank, sample_style(rng))
        target, camera = sample_frame(rng, person), sample_camera(rng, head, SIZE, SIZE)
        short, long = (sequence(target, np.linspace(0, 1, n)) for n in (5, 20))
        still = Frame(target.expression, short[0].pose)
        pairs = (short[0], short[-1]), (short[0], still), (short[2], short[3]), (long[9], long[10])
        for motion, (frame1, frame2) in zip(MOTIONS, pairs, strict=True):
            error, length, region = compare(person, camera, frame1, frame2)
            sums[motion].append((error.sum(), length.sum(), len(error)))
            for name in REGIONS if motion == MOTIONS[0] else ():
                chosen = region == name
                sums[f"its {name.name.lower()}"].append((error[chosen].sum(), length[chosen].sum(), int(chosen.sum())))
    return sums


def compare(
    person: Person, camera: Camera, frame1: Frame, frame2: Frame
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    """Endpoint error, length of the exact flow and region of the face's pixels in the landmarks' hull."""
    head = person.head
    shown = [
        camera.project(head.pose(person.shape, frame.expression, frame.pose))
        for frame in (frame1, frame2, frame2.partner(frame1))
    ]
    seen = [rasterize_supersampled(one.xy, one.depth, head.topology.triangles, SIZE, SIZE) for one in shown[:2]]
    labels = label_pair(head.topology, camera, shown[0], shown[1], shown[2], seen[0], seen[1])
    flow, hull = piecewise_affine_flow(head.landmarks(shown[0].xy), head.landmarks(shown[1].xy), (SIZE, SIZE))
    inside = hull & labels.mask
    exact = labels.facial[inside].astype(np.float64)
    return np.linalg.norm(flow[inside] - exact, axis=1), np.linalg.norm(exact, axis=1), labels.region[inside]


def table(sums: Sums) -> list[str]:
    rows = []
    for name, triples in sums.items():
        errors, lengths, counts = zip(*triples, strict=True)
        interval = confidence_interval(influence_on_ratio(errors, counts), minimum=0)
        assert interval is not None
        epe, length = ratio_of_sums(errors, counts), ratio_of_sums(lengths, counts)
        low, high = interval
        rows.append(f"| {name} | {length:.2f} | {epe:.3f} | {low:.3f} to {high:.3f} | {100 * epe / length:.0f} % |")
    return rows


@pytest.mark.slow
@pytest.mark.assets
def test_the_documented_error(head: MakeHumanHead) -> None:
    measured = table(measure(head))
    print("\n" + "\n".join(measured))
    documented = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.count("|") == 6][2:]
    assert [row.split("|")[1] for row in documented] == [row.split("|")[1] for row in measured]
    for said, found in zip(documented, measured, strict=True):
        for column in (2, 3):
            assert float(found.split("|")[column]) == pytest.approx(float(said.split("|")[column]), rel=0.02)
