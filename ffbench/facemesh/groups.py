"""Which of the 468 points of the face mesh belong to which part of the face.

Left and right are the image's. The sets were read off the canonical mesh: a part is what lies on and within
a loop of its edges (the outer lip contour; the third ring around the eyelids; the nose from its root along
its sides to the base), and the oval is the border of the mesh. Every point is in exactly one group.
"""

from __future__ import annotations

# fmt: off
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148,
    176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
"""The border of the mesh, once around from the middle of the forehead."""

LIPS = (
    0, 11, 12, 13, 14, 15, 16, 17, 37, 38, 39, 40, 41, 42, 61, 62, 72, 73, 74, 76, 77, 78, 80, 81, 82, 84,
    85, 86, 87, 88, 89, 90, 91, 95, 96, 146, 178, 179, 180, 181, 183, 184, 185, 191, 267, 268, 269, 270,
    271, 272, 291, 292, 302, 303, 304, 306, 307, 308, 310, 311, 312, 314, 315, 316, 317, 318, 319, 320,
    321, 324, 325, 375, 402, 403, 404, 405, 407, 408, 409, 415,
)

EYES = (
    7, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 33, 56, 110, 112, 113, 130, 133, 144, 145, 153, 154, 155,
    157, 158, 159, 160, 161, 163, 173, 189, 190, 221, 222, 223, 224, 225, 226, 228, 229, 230, 231, 232,
    233, 243, 244, 246, 247, 249, 252, 253, 254, 255, 256, 257, 258, 259, 260, 261, 263, 286, 339, 341,
    342, 359, 362, 373, 374, 380, 381, 382, 384, 385, 386, 387, 388, 390, 398, 413, 414, 441, 442, 443,
    444, 445, 446, 448, 449, 450, 451, 452, 453, 463, 464, 466, 467,
)
"""Both eyelids and the skin next to them."""

BROWS = (
    46, 52, 53, 55, 63, 65, 66, 70, 105, 107, 276, 282, 283, 285, 293, 295, 296, 300, 334, 336,
)

NOSE = (
    1, 2, 3, 4, 5, 6, 19, 20, 44, 45, 48, 49, 51, 59, 60, 64, 75, 79, 94, 97, 98, 99, 102, 114, 115, 122,
    125, 126, 129, 131, 134, 141, 166, 168, 174, 188, 193, 195, 196, 197, 198, 209, 217, 218, 219, 220,
    235, 236, 237, 238, 239, 240, 241, 242, 245, 248, 250, 274, 275, 278, 279, 281, 289, 290, 294, 305,
    309, 326, 327, 328, 331, 343, 344, 351, 354, 355, 358, 360, 363, 370, 392, 399, 412, 417, 419, 420,
    429, 437, 438, 439, 440, 455, 456, 457, 458, 459, 460, 461, 462, 465,
)

# fmt: on

SKIN = tuple(sorted(set(range(468)).difference(OVAL, LIPS, EYES, BROWS, NOSE)))
"""Cheeks, forehead and chin."""

GROUPS: dict[str, tuple[int, ...]] = {
    "lips": LIPS,
    "eyes": EYES,
    "brows": BROWS,
    "nose": NOSE,
    "oval": OVAL,
    "skin": SKIN,
}

# The points of the 68 along the jaw and the lips divide their contour evenly: the nearest point by arc
# length on the canonical mesh seen from the front was taken (of the lips' contour, by its horizontal part).
# fmt: off
IBUG68 = (
    127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356,  # 0-16 jaw, ear to ear
    70, 63, 105, 66, 107,  # 17-21 left brow, outer end to inner
    336, 296, 334, 293, 300,  # 22-26 right brow, inner end to outer
    168, 197, 5, 4,  # 27-30 nose, root to tip
    98, 97, 2, 326, 327,  # 31-35 base of the nose
    33, 160, 158, 133, 153, 144,  # 36-41 left eye: outer corner, upper lid, inner corner, lower lid
    362, 385, 387, 263, 373, 380,  # 42-47 right eye: inner corner, upper lid, outer corner, lower lid
    61, 39, 37, 0, 267, 269, 291, 321, 314, 17, 84, 91,  # 48-59 outer lip contour from the left corner over the top
    78, 81, 13, 311, 308, 402, 14, 178,  # 60-67 inner lip contour likewise
)
# fmt: on
"""The points of the mesh nearest to the 68 landmarks of iBUG 300-W, in their order."""
