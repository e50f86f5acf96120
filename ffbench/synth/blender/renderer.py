"""Blender as renderer: the engine's own meshes and paint in Cycles, with Blender's own flow and depth as a check.

The image is Cycles'. The labels are the engine's, which are exact; Blender measures the flow, the head flow and the
depth of every pair in a pass of its own, of one sample, and a pair where the two differ is not labelled at all.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.synth.blender.process import BlenderProcess, find_python
from ffbench.synth.heads.head import Part, Topology
from ffbench.synth.render.camera import Projected
from ffbench.synth.render.labels import Labels
from ffbench.synth.render.shading import FloatImage
from ffbench.synth.scenes.scene import PosedMesh, RenderedFrame, Renderer, Scene

SAMPLES = 16
"""Per pixel, denoised: nearer to an image of 400 samples than 64 samples are without denoising."""
TOLERANCE = 1e-3
"""Most that Blender's flow, in px, and depth, in dm, may differ from the labels in the mean, inside the surface."""
TIES = 0.99
"""Share of the pixels that this mean is over: where surfaces touch, each renderer may see another one."""
MARGIN, STEP = 2, 0.15
# How large a lamp looks, in radians: one that throws shadows in the rasteriser, one that does not, one opposite.
HARD, SOFT, BROAD = 0.12, 0.5, 1.2


class Blender(Renderer):
    """Draws with Cycles. A process of Blender runs beside this one; `close`, or a with block, ends it."""

    def __init__(self, python: Path | None = None, samples: int = SAMPLES) -> None:
        """Find Blender and start it.

        Args:
            python: an interpreter that has bpy and OpenEXR; None looks for one (`find_python`).
            samples: per pixel of an image.

        Raises:
            UsageError: there is none; the message says how to make one.
        """
        self.python, self.samples = find_python(python), samples
        self._scene: Scene | None = None
        self._process: BlenderProcess | None = BlenderProcess(self.python)
        self.name = f"blender {self._process.version}, {samples} samples, denoised"

    def __getstate__(self) -> dict[str, Any]:
        # Another process starts a Blender of its own.
        return {**self.__dict__, "_scene": None, "_process": None}

    def __enter__(self) -> Blender:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
        self._process = self._scene = None

    def draw(self, scene: Scene, posed: PosedMesh, number: int) -> FloatImage:
        """Draw the light of a frame, (H, W, 3) linear RGB; the background is put behind it, and stands still.

        Raises:
            DataError: Blender fails.
        """
        seed = int(np.random.default_rng([scene.seed, 4, number]).integers(2**31))
        job = {"do": "draw", "samples": self.samples, "seed": seed}
        drawn = self._ask(scene, job, now=posed.projected)
        return np.ascontiguousarray(drawn[..., :3] + (1 - drawn[..., 3:]) * scene.background)

    def measure(self, scene: Scene, now: Projected, following: Projected) -> tuple[FloatImage, FloatImage]:
        """Return Blender's forward flow (H, W, 2) in px and planar depth (H, W) in dm; zero where there is no surface.

        Raises:
            DataError: Blender fails.
        """
        measured = self._ask(scene, {"do": "measure"}, now=now, following=following)
        return measured[..., :2], measured[..., 2]

    def label(self, scene: Scene, first: RenderedFrame, second: RenderedFrame, partner: Projected) -> Labels:
        """Make the labels of a pair, and compare them with Blender's own.

        Raises:
            DataError: the two differ, or Blender fails.
        """
        labels = super().label(scene, first, second, partner)
        inside = interior(labels, scene.person.head.topology, first)
        facial, depth = self.measure(scene, first.projected, second.projected)
        head, _ = self.measure(scene, first.projected, partner)
        for what, difference in (
            ("facial flow", np.linalg.norm(facial - labels.facial, axis=-1)),
            ("head flow", np.linalg.norm(head - labels.head, axis=-1)),
            ("depth", np.abs(depth - labels.depth)),
        ):
            least = np.sort(difference[inside])[: int(np.ceil(TIES * inside.sum()))]
            mean = float(least.mean()) if inside.any() else 0.0
            if not mean <= TOLERANCE:
                raise DataError(
                    f"scene {scene.seed}: Blender's {what} differs from the engine's by {mean:.2g} in the mean, "
                    f"expected at most {TOLERANCE:g}; this is a fault of the engine: please report it"
                )
        return labels

    def _ask(self, scene: Scene, job: dict[str, Any], **meshes: Projected) -> npt.NDArray[np.float32]:
        """Have a job done with meshes; give what comes out."""
        if self._process is None:
            self._process = BlenderProcess(self.python)
        process, folder = self._process, self._process.folder
        try:
            if self._scene is not scene:
                arrays: Any = scene_arrays(scene)
                np.savez(folder / "scene.npz", **arrays)
                process.ask({"do": "scene"})
                self._scene = scene
            for name, projected in meshes.items():
                np.save(folder / f"{name}.npy", projected.points, allow_pickle=False)
            process.ask(job)
            result: npt.NDArray[np.float32] = np.load(folder / "result.npy", allow_pickle=False)
        except (DataError, OSError):
            self.close()
            raise
        return result


def scene_arrays(scene: Scene) -> dict[str, npt.NDArray[Any]]:
    """Say all of a scene that another renderer needs, but for the meshes of its frames, in plain arrays.

    Directions are in the camera's axes: x to the right, y down, z forward.

    - `size` (2,): height and width in px; `focal` (): in px. The principal point is the middle of the image
    - `ambient` (3,), `slope` (3, 3): radiance from a direction is ambient + slope . direction, not below zero
    - `lamp_direction` (K, 3), `lamp_irradiance` (K, 3), `lamp_angle` (K,): towards the lamps, and how large they look
    - `triangles` (T, 3), `uv` (T, 3, 2), v down; `material` (T,): 0 skin with one side, 1 skin with two, 2 the rest
    - `skin`, `detail` (N, N, 4) uint8: sheets as `ffbench.synth.render.shading.shade` takes them
    """
    topology, light = scene.person.head.topology, scene.light
    axes = scene.camera.axes
    other = topology.part != Part.SKIN
    return {
        "size": np.array([scene.camera.height, scene.camera.width]),
        "focal": np.array(scene.camera.focal),
        "ambient": light.ambient,
        # A white surface reflects ambient + 2/3 slope . normal of it; the engine's slope is what is reflected.
        "slope": 1.5 * light.slope @ axes.T,
        "lamp_direction": light.directions @ axes.T,
        # The engine's lamps make a white surface that faces them as bright as their color.
        "lamp_irradiance": np.pi * light.colors,
        "lamp_angle": np.array([HARD if light.shadows else SOFT] + [BROAD] * (len(light.directions) - 1)),
        "triangles": topology.triangles,
        "uv": topology.uv,
        "material": np.where(other, 2, topology.two_sided).astype(np.uint8),
        "skin": scene.person.skin[0],
        "detail": scene.person.detail,
    }


def interior(labels: Labels, topology: Topology, frame: RenderedFrame) -> npt.NDArray[np.bool_]:
    """Pixels (H, W) that are `MARGIN` px or more from the silhouette, from a step in depth and from another part.

    Nearer than that two renderers may see two surfaces at one pixel; a step is `STEP` dm.
    """
    import cv2

    window = np.ones((2 * MARGIN + 1, 2 * MARGIN + 1), np.uint8)
    ids = frame.seen.ids[1::2, 1::2]
    part = np.where(ids >= 0, topology.part[ids], 255).astype(np.uint8)
    depth = np.where(labels.mask, labels.depth, np.float32(1e3))
    level = cv2.dilate(depth, window) - cv2.erode(depth, window) < STEP
    same = cv2.dilate(part, window) == cv2.erode(part, window)
    return np.asarray(labels.mask & level & same)
