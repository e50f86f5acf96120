"""What a perfect tracker would leave behind: the engine's own mesh and camera in the metrical tracker's layout.

As in the tracker's output the mesh is in the head's own space, in metres, and shows the expression; the head's motion
is in the camera. The mesh is that of the head model, with its own vertices: `regions.json` says which of them count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench.datasets.images import encode_png
from ffbench.datasets.provenance import mark_png
from ffbench.datasets.tracks.metrical import Camera, CropBox, write_box, write_camera
from ffbench.formats.ply import Mesh, write_mesh
from ffbench.synth.heads.head import FloatArray, HeadModel, Part, Pose, Region
from ffbench.synth.heads.skinning import fit_rotation, rotation_matrix
from ffbench.synth.motion.expressions import Frame
from ffbench.synth.render.raster import rasterize
from ffbench.synth.scenes.scene import Person, RenderedFrame, Scene
from ffbench.typing import Image

CROP = 512
"""Width and height of the crops, the tracker's."""
BOX_SCALE = 2.5
"""How much larger than the landmarks' extent the crop is."""
METRES = 0.1
"""Of the engine's unit of length."""
REGIONS = {"lips": (Region.LIPS,), "cheeks": (Region.CHEEKS, Region.CHIN), "eyes": (Region.EYES,)}
"""What counts (paper, section 5.4); nose and forehead do not."""
_RIGID = (Region.FOREHEAD, Region.EYES, Region.NOSE)


def face_regions(head: HeadModel) -> dict[str, list[int]]:
    """List the vertices that count, by region: skin that is seen from in front on the neutral head.

    What lies in the eye sockets and behind the lips would move with an expression, but no image ever shows it.
    """
    topology = head.topology
    middle = head.landmarks(head.template)[27:36].mean(axis=0)
    distance, size = 15.0, 1024
    points = (head.template - middle) * [1, -1, -1] + [0, 0, distance]
    xy = points[:, :2] / points[:, 2:] * distance * size / 3 + size / 2
    ids = rasterize(xy, points[:, 2], topology.triangles, size, size, topology.two_sided).ids
    seen = np.unique(ids[ids >= 0])
    corners = np.unique(topology.triangles[seen[topology.part[seen] == Part.SKIN]])
    return {name: corners[np.isin(topology.region[corners], members)].tolist() for name, members in REGIONS.items()}


def write_regions(root: Path, head: HeadModel) -> None:
    """Write `regions.json`, the vertices that count, into a folder of tracks."""
    (root / "regions.json").write_text(json.dumps(face_regions(head)) + "\n")


def face_box(landmarks: FloatArray, height: int, width: int) -> CropBox:
    """Put a box around the 68 landmarks (68, 2) of the first frame, as far as the image reaches: one for all frames."""
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    reach = BOX_SCALE * float((high - low).max()) / 2
    (left, top), (right, bottom) = (low + high) / 2 - reach, (low + high) / 2 + reach
    return CropBox(max(int(left), 0), min(int(right), width - 1), max(int(top), 0), min(int(bottom), height - 1))


def write_track(folder: Path, scene: Scene, shots: Iterable[tuple[Frame, RenderedFrame]]) -> None:
    """Write what the tracker leaves of one video: crops, meshes and checkpoints, and the original frames and the box.

    Args:
        folder: of the video; must not be there.
        scene: who is seen, and by which camera.
        shots: for each frame what the head does and how it came out; the box is put around the first.
    """
    for kind in ("input", "source"):
        (folder / kind).mkdir(parents=True)
    box: CropBox | None = None
    for number, (frame, rendered) in enumerate(shots):
        if box is None:
            box = face_box(rendered.landmarks, scene.camera.height, scene.camera.width)
            write_box(folder / "bbox.pt", box)
        image = rendered.image[..., 0] if scene.sensor.grey else rendered.image
        (folder / "source" / f"{number + 1:05d}.png").write_bytes(mark_png(encode_png(image)))
        (folder / "input" / f"{number:05d}.png").write_bytes(mark_png(encode_png(_cut(image, box))))
        mesh, camera = _tracked(scene, frame, rendered, box)
        write_mesh(folder / "mesh" / f"{number:05d}.ply", mesh)
        write_camera(folder / "checkpoint" / f"{number:05d}.frame", camera, number)


def _tracked(scene: Scene, frame: Frame, rendered: RenderedFrame, box: CropBox) -> tuple[Mesh, Camera]:
    """Take the head's motion out of the mesh and into the camera of the crop."""
    rotation, translation = _head_motion(scene.person, frame.pose)
    to_camera, shift = scene.camera.axes, scene.camera.origin
    # Back from the camera's axes to the head's, and from there to where the head is at rest.
    posed = (rendered.projected.points - shift) @ to_camera
    at_rest = (posed - translation) @ rotation
    scale, offset = box.placement((CROP, CROP), (scene.camera.width, scene.camera.height))
    center = (np.array([scene.camera.width / 2, scene.camera.height / 2]) - offset) / scale
    focal = scene.camera.focal / scale
    camera = Camera(
        rotation=to_camera @ rotation,
        translation=(to_camera @ translation + shift) * METRES,
        intrinsics=np.array([[focal[0], 0, center[0]], [0, focal[1], center[1]], [0, 0, 1]]),
        size=(CROP, CROP),
    )
    return Mesh(at_rest * METRES, scene.person.head.topology.triangles), camera


def _head_motion(person: Person, pose: Pose) -> tuple[FloatArray, FloatArray]:
    """Return rotation (3, 3) and translation (3,) of the head in a pose.

    The neck bends, and with it the jaw, so that no one motion is that of the whole mesh; brow, eyes and nose are rigid.
    """
    head = person.head
    neutral = np.zeros(len(head.expression_names))
    face = np.isin(head.topology.region, _RIGID)
    rest = head.pose(person.shape, neutral, Pose())[face]
    moved = head.pose(person.shape, neutral, pose)[face]
    rotation = rotation_matrix(fit_rotation(rest - rest.mean(axis=0), moved - moved.mean(axis=0)))
    return rotation, moved.mean(axis=0) - rotation @ rest.mean(axis=0)


def _cut(image: Image, box: CropBox) -> npt.NDArray[np.uint8]:
    """Cut a frame as the tracker does: pad the shorter side by whole pixels on both ends, and resize."""
    import cv2

    height, width = image.shape[:2]
    part = image[box.top : min(box.bottom, height - 1), box.left : min(box.right, width - 1)]
    longest = max(part.shape[:2])
    y, x = ((longest - side) // 2 for side in part.shape[:2])
    padded = cv2.copyMakeBorder(part, y, y, x, x, cv2.BORDER_CONSTANT)
    return np.asarray(cv2.resize(padded, (CROP, CROP), interpolation=cv2.INTER_CUBIC), np.uint8)
