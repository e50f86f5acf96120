"""A face as two vectors, by the face mesh network: what it looks like at rest, and what an expression does to it.

The network was trained to find the points of any face, not to tell people apart: its features describe geometry and
appearance of a face, and are no identity as a face recognition network gives it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ffbench.facemesh.crop import CROP_SIZE, LEFT_EYE_OUTER, RIGHT_EYE_OUTER, crop_of_landmarks, cut
from ffbench.facemesh.groups import NOSE
from ffbench.facemesh.network import FaceMeshNetwork
from ffbench.facemesh.tracker import default_network, track
from ffbench.protocol import Image
from ffbench.threads import one_torch_thread

Vector = npt.NDArray[np.float64]

_UPPER_OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 234, 127, 162, 21, 54, 103, 67, 109)
_EYE_CORNERS = (LEFT_EYE_OUTER, 133, 362, RIGHT_EYE_OUTER)
STEADY = tuple(sorted({*NOSE, *_UPPER_OVAL, *_EYE_CORNERS}))
"""Points of the mesh that expressions move least: nose, corners of the eyes, border from ear over forehead to ear."""


@dataclass(frozen=True)
class MeshFace:
    """A face in an image.

    Attributes:
        points: (468, 3) float64, x and y in px of the image, depth in the same unit, smaller is nearer.
        features: (128,) float64, the network's deepest feature map in the mean over the upright crop of the face.
    """

    points: npt.NDArray[np.float64]
    features: Vector


def describe_face(image: Image, network: FaceMeshNetwork | None = None) -> MeshFace | None:
    """Find the largest face of an (H, W, 3) uint8 RGB image; None where there is none.

    Raises:
        DataError: the image is of another shape or type.
    """
    network = network or default_network()
    flat = next(track([image], network)).points
    if flat is None:
        return None
    crop = crop_of_landmarks(flat)
    device = next(network.parameters()).device
    with torch.inference_mode(), one_torch_thread():
        batch = torch.from_numpy(cut(image, crop)).to(device).permute(2, 0, 1)[None].float().div_(255)
        features = network.features(batch)[-1].mean(dim=(2, 3))[0]
        depth = network(batch)[0][0, :, 2]
    # A turn within the image leaves depth as it is; only the crop's scale is undone.
    scaled = depth.double().cpu().numpy() * (crop.side / CROP_SIZE)
    return MeshFace(np.column_stack([flat, scaled]), features.double().cpu().numpy())


def expression_features(rest: npt.ArrayLike, face: npt.ArrayLike) -> Vector:
    """Say how a face differs from itself at rest, whatever its pose, place and size in the image.

    The face is laid onto the one at rest by the similarity transform in space that fits the steady points best
    (Kabsch's rotation; scale by the ratio of their spreads); then each point's way in the plane of the image is
    measured in distances of the outer corners of the eyes. Depth, the network's roughest output, only serves to undo
    the pose.

    Args:
        rest, face: (468, 3) points of the same person, as in `MeshFace`.

    Returns:
        (936,) float64: x and y of each point in turn.
    """
    from scipy.spatial.transform import Rotation

    rest, face = np.asarray(rest, np.float64), np.asarray(face, np.float64)
    steady = list(STEADY)
    centre, moved_centre = rest[steady].mean(axis=0), face[steady].mean(axis=0)
    target, source = rest[steady] - centre, face[steady] - moved_centre
    rotation, _ = Rotation.align_vectors(target, source)
    scale = np.linalg.norm(target) / np.linalg.norm(source)
    laid = scale * rotation.apply(face - moved_centre) + centre
    unit = np.linalg.norm(rest[RIGHT_EYE_OUTER, :2] - rest[LEFT_EYE_OUTER, :2])
    return np.asarray((laid - rest)[:, :2].ravel() / unit, np.float64)
