"""The light network learns one pair by heart within seconds."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ffbench.methods.decflow.networks.light import DecFlowLight
from ffbench.methods.decflow.training.loss import decomposition_loss, facial_loss
from tests.methods.decflow.nets import TINY

SIZE = 64
STEPS = 120


def scene() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """A texture that turns by a few pixels as a whole, with a soft bump of another motion in it."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    dx, dy = x - SIZE / 2, y - SIZE / 2
    head = torch.stack([3 - 0.1 * dy, 0.1 * dx - 2])[None]
    bump = 4 * torch.exp(-((dx - 8).square() + dy.square()) / 200)
    facial = head + torch.stack([-bump, bump])[None]
    coarse = torch.rand(1, 3, SIZE // 4, SIZE // 4, generator=generator)
    image2 = F.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic").clamp(0, 1)
    points = torch.stack([x + facial[0, 0], y + facial[0, 1]], dim=-1) * 2 / (SIZE - 1) - 1
    image1 = F.grid_sample(image2, points[None], align_corners=True, padding_mode="border")
    return image1, image2, facial, head


def test_overfits_one_pair() -> None:
    torch.manual_seed(0)
    image1, image2, facial, head = scene()
    model = DecFlowLight(TINY.model_copy(update={"iterations": (1, 1, 1, 1)})).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=STEPS, pct_start=0.1)
    for _ in range(STEPS):
        flows = model(image1, image2)
        loss = facial_loss(flows, facial) + decomposition_loss(flows, facial, head)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    model.eval()
    with torch.inference_mode():
        flows = model(image1, image2)
    found = {"facial": flows.facial[-1], "head": flows.head[-1], "expression": flows.expression[-1]}
    truth = {"facial": facial, "head": head, "expression": facial - head}
    error, before = {}, {}
    for name, true in truth.items():
        error[name] = torch.linalg.vector_norm(found[name] - true, dim=1).mean().item()
        before[name] = torch.linalg.vector_norm(true, dim=1).mean().item()
    assert all(error[name] < 0.35 * before[name] for name in truth), (error, before)
