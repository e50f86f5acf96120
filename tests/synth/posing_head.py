"""The toy head with brow, chin and nose where a camera looks for them, so that it can sit for a dataset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.synth.toy_head import ToyHead


class PosingHead(ToyHead):
    """`ToyHead` whose landmarks lie in front: the brow above the chin and the nose between them."""

    def __init__(self) -> None:
        super().__init__()
        x, y = np.zeros(68), np.full(68, 7.0)
        turn = np.linspace(-1.2, 1.2, 17)
        x[:17], y[:17] = 0.8 * np.sin(turn), 7.1 - 0.9 * np.cos(turn)
        x[17:27], y[17:27] = np.linspace(-0.55, 0.55, 10), 7.5
        y[27:36] = np.linspace(7.25, 6.85, 9)
        for first, side in ((36, -1), (42, 1)):
            around = np.linspace(0, 2 * np.pi, 6, endpoint=False) - np.pi
            x[first : first + 6] = 0.35 * side + 0.15 * np.cos(around)
            y[first : first + 6] = 7.3 + 0.08 * np.sin(around)
        around = np.linspace(0, 2 * np.pi, 20, endpoint=False) - np.pi
        x[48:], y[48:] = 0.3 * np.cos(around), 6.6 + 0.1 * np.sin(around)
        place = np.stack([x, y, 0.4 + np.sqrt(1.1 - x**2 - (y - 7) ** 2)], axis=1)
        middle = self.template[self.topology.triangles].mean(axis=1)
        nearest = [int(np.linalg.norm(middle - point, axis=1).argmin()) for point in place]
        self.topology = replace(self.topology, landmark_triangles=np.array(nearest, np.int32))
