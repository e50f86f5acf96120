import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ffbench.packages.torchvision_ops import make_importable

# torchvision as it imports with and without its compiled extension: the extension declares the operators,
# `register_fake` fails where it did not.
_WITHOUT_EXTENSION = """
    import torch
    for name in ("nms", "qnms"):
        torch.library.register_fake(f"torchvision::{name}", lambda *args: args[0])
"""
_WITH_EXTENSION = """
    import torch
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", lambda dets, scores, threshold: scores, "CPU")
"""


def _run(folder: Path, torchvision: str, script: str) -> subprocess.CompletedProcess[str]:
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text(textwrap.dedent(torchvision))
    script = "from ffbench.packages.torchvision_ops import make_importable, _definitions\n" + textwrap.dedent(script)
    return subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, env={"PYTHONPATH": str(folder)}
    )


def test_a_torchvision_without_its_extension_is_imported(tmp_path: Path) -> None:
    ran = _run(
        tmp_path,
        _WITHOUT_EXTENSION,
        """
        make_importable()
        make_importable()
        import torch, torchvision
        assert len(_definitions) == 1
        try:
            torch.ops.torchvision.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
        except NotImplementedError:
            print("no implementation")
        """,
    )
    assert ran.stdout.strip() == "no implementation", ran.stderr


def test_a_torchvision_that_can_be_imported_is_left_alone(tmp_path: Path) -> None:
    ran = _run(
        tmp_path,
        _WITH_EXTENSION,
        """
        make_importable()
        import torch
        assert not _definitions
        print(torch.ops.torchvision.nms(torch.zeros(1, 4), torch.ones(1), 0.5).item())
        """,
    )
    assert ran.stdout.strip() == "1.0", ran.stderr


@pytest.mark.parametrize(
    ("torchvision", "kind"), [("raise RuntimeError('other')", "RuntimeError"), ("import no_such", "ModuleNotFound")]
)
def test_any_other_failure_is_passed_on(tmp_path: Path, torchvision: str, kind: str) -> None:
    ran = _run(tmp_path, torchvision, "make_importable()")
    assert ran.returncode != 0
    assert kind in ran.stderr


def test_the_installed_torchvision_is_imported() -> None:
    make_importable()
    import torchvision

    assert torchvision.models.resnet18 is not None
