"""STSTNet (Liong et al., FG 2019): three shallow convolutional streams on u, v and optical strain.

Written anew from the paper and from the sizes and settings of its released code.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ffbench.flow.strain import optical_strain
from ffbench.recogniser import FACE_SIZE, Features, Labels, Predictions, Recogniser, RegisteredFace

INPUT = 28
"""Height and width of what the network sees."""
EPOCHS, BATCH, LEARNING_RATE = 800, 256, 5e-5
FILTERS = (3, 5, 8)
_DROPOUT = 0.5


class STSTNet(nn.Module):
    """One convolution in each of three streams: 1,683 parameters for three classes."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.streams = nn.ModuleList(
            nn.Sequential(
                # Two px of padding for a kernel of 3 give 30 x 30, which pools to 10 x 10.
                nn.Conv2d(3, filters, 3, padding=2),
                nn.ReLU(),
                nn.BatchNorm2d(filters),
                nn.MaxPool2d(3, stride=3, padding=1),
                nn.Dropout(_DROPOUT),
            )
            for filters in FILTERS
        )
        self.classifier = nn.Linear(sum(FILTERS) * 5 * 5, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores (B, classes) of (B, 3, 28, 28)."""
        features = F.avg_pool2d(torch.cat([stream(x) for stream in self.streams], 1), 2)
        scores: torch.Tensor = self.classifier(features.flatten(1))
        return scores


class STSTNetRecogniser(Recogniser):
    """STSTNet, trained anew for each fold: Adam, cross-entropy, no augmentation."""

    def __init__(self, epochs: int | None = None) -> None:
        self.epochs = epochs or EPOCHS

    def features(self, face: RegisteredFace) -> Features:
        """Return u, v and optical strain, averaged to 28 x 28, each scaled to 0 to 255: (3, 28, 28).

        A channel that is the same everywhere is 0.
        """
        channels = np.concatenate([face.flow, optical_strain(face.flow)[..., None]], axis=2)
        cell = FACE_SIZE // INPUT
        means = channels.reshape(INPUT, cell, INPUT, cell, 3).mean(axis=(1, 3))
        least = means.min(axis=(0, 1))
        span = means.max(axis=(0, 1)) - least
        scaled = 255 * (means - least) / np.where(span > 0, span, 1)
        return np.asarray(scaled.transpose(2, 0, 1), np.float32)

    def fit_predict(self, features: Features, labels: Labels, others: Features, classes: int, seed: int) -> Predictions:
        """Train and predict."""
        known, truth, unknown = (torch.from_numpy(np.ascontiguousarray(part)) for part in (features, labels, others))
        predicted = np.empty((self.epochs, len(others)), np.int8)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = STSTNet(classes)
            optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
            for epoch in range(self.epochs):
                network.train()
                for start in range(0, len(known), BATCH):
                    batch = slice(start, start + BATCH)
                    loss = F.cross_entropy(network(known[batch]), truth[batch])
                    optimiser.zero_grad(set_to_none=True)
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                network.eval()
                with torch.inference_mode():
                    predicted[epoch] = network(unknown).argmax(1).numpy()
        return predicted
