"""Finds what is before or beside the face in an unwrapped photograph: a fringe, hair at the temples, the background."""

from __future__ import annotations

import numpy as np

from ffbench.synth.appearance.chart import chart
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.render.bake import FloatImage
from ffbench.texturing.areas import eyes_and_brows, face_oval, plain_skin
from ffbench.texturing.light import likeness, skin_tone

# What is as unlike skin as this is foreign where it hangs together with the border of the face.
_LEAST_LIKE = 0.35
# Shares of the sheet's height: the blur that joins the strands of a fringe, what is taken away around it (the shadow
# that it throws), and the fade.
_JOINED, _AROUND, _FADE = 1 / 300, 1 / 90, 1 / 180
# dm around the landmarks of brows and eyes that stay, whatever touches them.
_BROW = 0.025


def foreign(head: MakeHumanHead, color: FloatImage, weight: FloatImage) -> FloatImage:
    """Return where the photograph shows something else than the face, (N, N) from 0 to 1.

    Hair and background come in over the border of the face, above the corners of the mouth; what is dark and has skin
    all around it is a spot of the skin. Brows, which a fringe may touch, and what lies below, where a beard begins,
    stay.

    Args:
        head: whose texture it is.
        color: (N, N, 3) linear RGB, evened.
        weight: (N, N), where it was seen.
    """
    import cv2

    size = len(color)
    skin = plain_skin(head, size)
    like = likeness(color, skin_tone(color, weight * skin))
    like = np.asarray(cv2.GaussianBlur(like, (0, 0), _JOINED * size), np.float32)
    mouth = int(chart(head).points[[48, 54], 1].mean() * size)
    oval, kept = face_oval(head, size), eyes_and_brows(head, size, _BROW)
    searched = oval & ~kept
    searched[mouth:] = False
    unlike = searched & (like < _LEAST_LIKE)
    _, part = cv2.connectedComponents(unlike.astype(np.uint8), connectivity=8)
    border = oval & (cv2.erode(oval.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    found = unlike & np.isin(part, np.unique(part[border & unlike]))
    away = cv2.distanceTransform((~found).astype(np.uint8), cv2.DIST_L2, 5)
    share = np.clip(1 - (away - _AROUND * size) / (_FADE * size), 0, 1) * ~kept
    return np.asarray(cv2.GaussianBlur(share.astype(np.float32), (0, 0), _JOINED * size), np.float32)
