"""Flow from the points of a face mesh network alone, and the head's part of it by a rigid fit: docs/baselines.md.

The dense flow is that of Alkaddour, Tariq and Dhall (2022), made from the 468 points of the network; the points lie in
space, so that a rigid motion can be fitted to them.
"""

from __future__ import annotations

import numpy as np
import torch

from ffbench.assets import asset_path, find
from ffbench.facemesh.network import FaceMeshNetwork
from ffbench.facemesh.tracker import track
from ffbench.method import Flows, Method, MethodCard, MethodEntry, MethodRequest, WeightsCard
from ffbench.synth.piecewise_affine import piecewise_affine_flow
from ffbench.typing import FlowField, Image, Points

from .options import refuse_network_options
from .presence import needs

_ASSET = "face_mesh"
HEAD_REACH, FADED = 0.1, 0.3
"""Beyond the mesh the head's motion goes on, whole up to the first and gone at the second, in widths of the mesh."""
_LEAST_DISTANCE_STEPS = 5
_BIWEIGHT_STEPS = 10
_BIWEIGHT_CUT = 4.685
_SIGMA_OF_MEDIAN = 1 / 1.17741
_LEAST_ERROR = 1e-3


class FaceMesh(Method):
    """The flow between two meshes of a face, and its rigid part; zero where no face is found in both images."""

    def __init__(self, card: MethodCard, network: FaceMeshNetwork, device: torch.device) -> None:
        self.card, self.device = card, device
        self._mesh = network

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        """Estimate pair by pair."""
        facial, head = (torch.zeros(len(image1), 2, *image1.shape[2:]) for _ in range(2))
        found = np.zeros(len(image1), np.bool_)
        for index, (first, second) in enumerate(zip(_images(image1), _images(image2), strict=True)):
            mesh1, mesh2 = self._find(first, second)
            if mesh1 is None or mesh2 is None:
                continue
            found[index] = True
            for target, flow in zip((facial, head), mesh_flows(mesh1, mesh2, first.shape[:2]), strict=True):
                target[index] = torch.from_numpy(flow).permute(2, 0, 1)
        return Flows(facial.to(self.device), head.to(self.device), found=found)

    def _find(self, first: Image, second: Image) -> list[Points | None]:
        """Find the points (468, 3) of one face in both images, px; None where there is none."""
        # From a box that is too high the crop does not settle on the face at once; a second look starts from the first.
        _, face1, _, face2 = track([first, first, second, second], self._mesh)
        return [
            None if face.points is None or face.depth is None else np.column_stack([face.points, face.depth])
            for face in (face1, face2)
        ]


def mesh_flows(mesh1: Points, mesh2: Points, size: tuple[int, int]) -> tuple[FlowField, FlowField]:
    """Return the facial and the head flow (H, W, 2) in px between two meshes of a face.

    Inside the mesh both are interpolated between its points, each triangle by one affine map. Beyond it the head's
    motion goes on at the depth of the nearest point of the mesh, fades, and ends; the expression ends with the mesh.

    Args:
        mesh1, mesh2: (468, 3), x and y in px and depth in the same unit.
        size: (height, width) of the image.
    """
    from scipy.ndimage import distance_transform_edt

    flat1, flat2 = mesh1[:, :2], mesh2[:, :2]
    linear, shift = fit_rigid(mesh1, mesh2)
    facial, inside = piecewise_affine_flow(flat1, flat2, size)
    head, _ = piecewise_affine_flow(flat1, mesh1 @ linear.T + shift, size)
    if not inside.any():
        return facial, head
    outside = ~inside
    distance, (rows, columns) = distance_transform_edt(outside, return_indices=True)
    y, x = np.nonzero(outside)
    nearest = rows[y, x], columns[y, x]
    away = np.stack([x - nearest[1], y - nearest[0]], axis=1)
    ramp = np.clip((FADED - distance[y, x] / np.ptp(flat1[:, 0])) / (FADED - HEAD_REACH), 0, 1)
    smooth = ramp**2 * (3 - 2 * ramp)
    continued = head[nearest] + away @ (linear[:, :2] - np.eye(2)).T
    head[y, x] = facial[y, x] = (smooth[:, None] * continued).astype(np.float32)
    return facial, head


def fit_rigid(points: Points, moved: Points) -> tuple[Points, Points]:
    """Fit a rigid motion and a scale to points in space, and return it as seen by a camera of scaled orthography.

    The closed form is the weighted Procrustes solution (Umeyama 1991). The face does not hold still while the head
    moves, so points are weighted by how far they are off in the image: first for the least sum of distances, then by
    Tukey's biweight.

    Args:
        points, moved: (N, 3), x and y in px and depth in the same unit.

    Returns:
        `linear` (2, 3), the first two rows of a rotation times the scale, and `shift` (2,): a point is then seen at
        `linear @ point + shift`.
    """
    weights = np.ones(len(points))
    for step in range(_LEAST_DISTANCE_STEPS + _BIWEIGHT_STEPS):
        linear, shift = _weighted_fit(points, moved, weights / weights.sum())
        error = np.linalg.norm(points @ linear.T + shift - moved[:, :2], axis=1)
        if step < _LEAST_DISTANCE_STEPS:
            weights = 1 / np.maximum(error, _LEAST_ERROR)
        else:
            sigma = max(float(np.median(error)) * _SIGMA_OF_MEDIAN, _LEAST_ERROR)
            weights = np.maximum(1 - (error / (_BIWEIGHT_CUT * sigma)) ** 2, 0) ** 2
    return linear, shift


def _weighted_fit(points: Points, moved: Points, weights: Points) -> tuple[Points, Points]:
    center, moved_center = weights @ points, weights @ moved
    source, target = points - center, moved - moved_center
    left, values, right = np.linalg.svd((weights[:, None] * target).T @ source)
    # A mirror image may fit better than any rotation; it is not a motion.
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    scale = (values * signs).sum() / (weights @ (source**2).sum(axis=1))
    linear: Points = (scale * (left * signs) @ right)[:2]
    return linear, moved_center[:2] - linear @ center


def _images(batch: torch.Tensor) -> list[Image]:
    """Return images (B, 3, H, W) in [0, 1] as (H, W, 3) uint8 arrays."""
    return list(batch.mul(255).round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).contiguous().cpu().numpy())


def _load(request: MethodRequest) -> Method:
    refuse_network_options(request)
    device = torch.device(request.device)
    network = FaceMeshNetwork(asset_path(_ASSET)).to(device)
    card = MethodCard(
        id=request.name,
        title="Face mesh",
        paper="Kartynnik et al. 2019 (network); Alkaddour et al., IEEE Transactions on Affective Computing 13(4), 2022",
        licence=find(_ASSET).licence,
        weights=WeightsCard(name=_ASSET, source=f"asset {_ASSET}", sha256=find(_ASSET).sha256),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        decomposes=True,
        options={"head_reach": HEAD_REACH, "faded": FADED},
    )
    return FaceMesh(card, network, device)


face_mesh = MethodEntry(
    "points of a face mesh network, interpolated; head flow by a rigid fit",
    _load,
    title="Face mesh",
    missing=needs(asset=_ASSET),
)
