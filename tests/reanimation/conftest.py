from __future__ import annotations

from collections.abc import Iterator

import pytest

from ffbench.reanimation.portraits import portrait as module
from ffbench.reanimation.portraits.portrait import Portrait, prepare_portrait
from tests.reanimation.toy_face import toy_photo, toy_triangles


@pytest.fixture(scope="session")
def toy_topology() -> Iterator[None]:
    """The triangles of the made-up face in place of those that an asset names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "face_triangles", toy_triangles)
        yield


@pytest.fixture(scope="session")
def portrait(toy_topology: None) -> Portrait:
    return prepare_portrait(*toy_photo())
