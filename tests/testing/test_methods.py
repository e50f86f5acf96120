"""The contract of a method: what ships passes, and each way to be wrong is found and named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from typer.testing import CliRunner

from ffbench import load_method
from ffbench.cli import app
from ffbench.errors import UsageError
from ffbench.method import Flows, Method, MethodCard
from ffbench.testing import Check, check_method, require
from ffbench.testing.canary import HEIGHT, SHIFT, WIDTH, canary_pair


class Wrong(Method):
    """Knows the canary's motion, and gives it in one of the ways in which people are wrong."""

    card = MethodCard(id="wrong", title="Wrong")

    def __init__(self, give: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self.give = give
        self.calls = 0

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        self.calls += 1
        flow = torch.tensor(SHIFT, dtype=torch.float32)[None, :, None, None].expand(len(image1), 2, *image1.shape[2:])
        return Flows(self.give(flow))


def outcomes(checks: list[Check]) -> dict[str, str]:
    return {check.name: check.outcome for check in checks}


@pytest.mark.parametrize("name", ["zero", "dis", "farneback", "ilk", "decflow-c"])
def test_methods_that_ship_pass(name: str) -> None:
    checks = check_method(load_method(name, device="cpu"))
    require(checks)
    assert outcomes(checks)["known motion"] == ("note" if name == "zero" else "ok")


@pytest.mark.parametrize(
    ("give", "said"),
    [
        (lambda flow: flow.flip(1), "x and y are swapped"),
        (lambda flow: -flow, "backward"),
        (lambda flow: flow * torch.tensor([1, -1])[:, None, None], "y points up"),
        (lambda flow: flow / 2, "half"),
        (lambda flow: flow * 2, "twice"),
        (lambda flow: flow / 8, "eighth"),
        (lambda flow: flow / torch.tensor([WIDTH, HEIGHT])[:, None, None], "shares of the image's size"),
        (lambda flow: flow / torch.tensor([WIDTH / 2, HEIGHT / 2])[:, None, None], "halves of the image's size"),
    ],
)
def test_a_wrong_flow_is_told_by_what_it_looks_like(give: Callable[[torch.Tensor], torch.Tensor], said: str) -> None:
    (canary,) = (check for check in check_method(Wrong(give)) if check.name == "known motion")
    assert canary.outcome == "wrong"
    assert said in canary.seen


def test_a_right_flow_passes() -> None:
    require(check_method(Wrong(lambda flow: flow)))


def test_a_network_that_wants_other_values_is_found() -> None:
    class Bytes(Wrong):
        def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
            flow = super().forward(image1, image2).facial
            return Flows(flow if image1.max() > 2 else torch.zeros_like(flow))

    (canary,) = (check for check in check_method(Bytes(lambda flow: flow)) if check.name == "known motion")
    assert canary.outcome == "wrong"
    assert "images from 0 to 255" in canary.seen


def test_what_is_no_function_of_the_pair_is_found() -> None:
    class Counting(Wrong):
        def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
            flow = super().forward(image1, image2).facial
            return Flows(flow + 0.01 * self.calls)

    class Mixing(Wrong):
        def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
            return Flows(
                super().forward(image1, image2).facial
                + image1.mean()
                - image1.mean((1, 2, 3), keepdim=True)
                + len(image1)
            )

    class Writing(Wrong):
        def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
            image1.mul_(2)
            return super().forward(image1, image2)

    class Cropping(Wrong):
        def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
            return super().forward(image1[..., : image1.shape[2] // 8 * 8, :], image2)

    for made, name in (
        (Counting, "the same pair, the same flow"),
        (Mixing, "a batch as its pairs"),
        (Writing, "images stay as they are"),
        (Cropping, "any size"),
    ):
        found = [check.name for check in check_method(made(lambda flow: flow)) if check.outcome == "wrong"]
        assert name in found, made.__name__
    with pytest.raises(AssertionError, match="any size: MethodError"):
        require(check_method(Cropping(lambda flow: flow)))


def test_a_network_that_does_not_pad_is_told_to_what() -> None:
    class Strided(Wrong):
        def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
            if any(side % 8 for side in image1.shape[2:]):
                raise RuntimeError("The size of tensor a (12) must match the size of tensor b (13)")
            return super().forward(image1, image2)

    class Uncut(Wrong):
        def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
            height, width = image1.shape[2:]
            return super().forward(torch.nn.functional.pad(image1, (0, -width % 16, 0, -height % 16)), image2)

    for made, multiple, size in ((Strided, 8, "136x104"), (Uncut, 16, "144x112")):
        (check,) = (check for check in check_method(made(lambda flow: flow)) if check.name == "any size")
        assert check.outcome == "wrong"
        assert f"images of 131x97; {size} works: pad the images to a multiple of {multiple}" in check.seen


def test_a_batch_of_one_taken_for_granted_is_found() -> None:
    class Alone(Wrong):
        def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
            image1.reshape(1, 3, *image1.shape[2:])
            return super().forward(image1, image2)

    class First(Wrong):
        def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
            return super().forward(image1[:1], image2[:1])

    for made in (Alone, First):
        wrong = [check for check in check_method(made(lambda flow: flow)) if check.outcome == "wrong"]
        assert [check.name for check in wrong] == ["a batch as its pairs"]
        assert "each alone works: is a batch of one taken for granted" in wrong[0].seen
    assert "test_methods.py, line" in next(
        check.seen for check in check_method(Alone(lambda flow: flow)) if check.outcome == "wrong"
    )


def test_the_canary_is_what_it_says() -> None:
    first, second = canary_pair()
    x, y = SHIFT
    assert torch.equal(first[..., 20:-20, 20:-20], second[..., 20 + y : HEIGHT - 20 + y, 20 + x : WIDTH - 20 + x])
    assert first.min() >= 0
    assert first.max() <= 1


def test_the_command() -> None:
    result = CliRunner().invoke(app, ["methods", "try", "dis", "--device", "cpu"])
    assert result.exit_code == 0, result.output
    assert "known motion" in result.stdout
    wrong = CliRunner().invoke(app, ["methods", "try", "nothing"])
    assert isinstance(wrong.exception, UsageError)
