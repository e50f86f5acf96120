"""Face landmarks from a pretrained network: 468 points a frame, tracked through a clip, with their jitter."""
