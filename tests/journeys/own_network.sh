#!/bin/sh
# A researcher with a network in one file wants its number, and to know whether it is better than DIS: four commands.
# Needs `ffbench` on the path; works in the current folder. PAIRS keeps it short.
set -eu
PAIRS=${PAIRS:-2}

cat > net.py <<'PY'
import torch
import torch.nn.functional as F
from ffbench import Flows, Method, MethodCard
from ffbench.methods.weights import load_requested


class Net(Method):
    """One convolution at an eighth of the resolution."""

    def __init__(self, request):
        self.device = torch.device(request.device)
        self.network = torch.nn.Conv2d(6, 2, 9, stride=8, padding=4)
        weights = load_requested(self.network, request)
        self.network.to(self.device).eval()
        self.card = MethodCard(id="net", title="Net", weights=weights)

    def forward(self, image1, image2):
        height, width = image1.shape[2:]
        images = F.pad(torch.cat([image1, image2], 1), (0, -width % 8, 0, -height % 8), mode="replicate")
        flow = F.interpolate(self.network(images), scale_factor=8, mode="bilinear")
        return Flows(facial=flow[:, :, :height, :width])
PY

ffbench methods try net.py:Net --weights random
ffbench eval -m net.py:Net --weights random -p ck_landmarks --limit "$PAIRS"
ffbench eval -m dis -p ck_landmarks --limit "$PAIRS"
ffbench compare net dis -p ck_landmarks --runs runs
