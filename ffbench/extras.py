"""Which extra of ffbench installs a package that the core does without.

The core reads and scores files of flow, and reads, checks, compares and lists records. What runs networks, renders
faces or opens the leaderboard page needs more, and most of it is large.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ffbench.errors import MethodError

EXTRAS = {
    "cv2": ("OpenCV", "faces"),
    "matplotlib": ("Matplotlib", "faces"),
    "scipy": ("SciPy", "faces"),
    "sklearn": ("scikit-learn", "faces"),
    "ptlflow": ("ptlflow", "networks"),
    "safetensors": ("safetensors", "networks"),
    "tflite": ("tflite", "networks"),
    "torch": ("PyTorch", "networks"),
    "torchvision": ("torchvision", "networks"),
    "huggingface_hub": ("huggingface_hub", "hub"),
    "lightning": ("Lightning", "train"),
    "tensorboard": ("TensorBoard", "train"),
    "plotly": ("Plotly", "leaderboard"),
    "streamlit": ("Streamlit", "leaderboard"),
    "mmcv": ("mmcv", "mmflow"),
    "mmflow": ("mmflow", "mmflow"),
    "onnx": ("ONNX", "onnx"),
    "onnxruntime": ("onnxruntime", "onnx"),
    "ray": ("Ray", "ray"),
    "skimage": ("scikit-image", "scikit-image"),
    "av": ("PyAV", "video"),
}
"""By the name that is imported: what people call the package, and the extra that installs it."""


class MissingExtraError(MethodError, ImportError):
    """A package that an extra of ffbench installs is not there; the message names the extra."""


def install(extra: str) -> str:
    """Return the command that installs an extra.

    >>> install("networks")
    'pip install "ffbench[networks]"'
    """
    return f'pip install "ffbench[{extra}]"'


def missing_extra(error: BaseException, *, of_method: bool = False) -> str | None:
    """Return, in one line, which package an import missed and what installs it; None for any other error.

    Args:
        error: what was raised.
        of_method: a method was imported; all of them run on PyTorch, whatever they miss first.

    >>> missing_extra(ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn"))
    'PyTorch is not installed: pip install "ffbench[networks]"'
    """
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return None
    title, extra = EXTRAS.get(error.name.partition(".")[0], (None, None))
    if title is None or extra is None:
        return None
    return f"{title} is not installed: {install('networks' if of_method and extra == 'faces' else extra)}"


@contextlib.contextmanager
def naming_extra(user: str, *, of_method: bool = False) -> Iterator[None]:
    """Turn an import that misses the package of an extra into a MissingExtraError.

    Args:
        user: who imports, as the message names it.
        of_method: as `missing_extra`.

    Raises:
        MissingExtraError: the body missed such a package.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = missing_extra(error, of_method=of_method)
        if missing is None:
            raise
        raise MissingExtraError(f"{user}: {missing}") from error
