"""The contract of methods: what goes in, what comes out, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ffbench.errors import MethodError, UsageError
from ffbench.method import Flows, Method, MethodCard


class Answer(Method):
    """A method that returns what it was told to."""

    def __init__(
        self, facial: torch.Tensor, head: torch.Tensor | None = None, confidence: torch.Tensor | None = None
    ) -> None:
        self.card = MethodCard(id="answer", title="Answer")
        self.flows = Flows(facial, head, confidence=confidence)
        self.seen: torch.Tensor | None = None

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        self.seen = image1
        return self.flows


def test_numpy_images_give_numpy_flows() -> None:
    flow = torch.arange(2 * 4 * 6, dtype=torch.float32).reshape(1, 2, 4, 6)
    method = Answer(flow, flow / 4)
    image = np.zeros((4, 6, 3), np.uint8)
    image[1, 2] = (255, 51, 0)
    flows = method.estimate(image, image)
    assert flows.facial.shape == (4, 6, 2)
    assert flows.facial[1, 2].tolist() == [8, 32]
    assert flows.head is not None
    assert flows.expression is not None
    np.testing.assert_array_equal(flows.expression, flows.facial - flows.head)
    assert method.seen is not None
    assert method.seen[0, :, 1, 2].tolist() == pytest.approx([1.0, 0.2, 0.0])


class Convolution(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Conv2d(3, 2, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.inner(image) + 1


class Network(Method):
    """One convolution."""

    def __init__(self) -> None:
        self.card = MethodCard(id="network", title="Network", options={"steps": 2})
        self.network = Convolution()

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        return Flows(self.network(image1))


def test_a_compiled_network_gives_the_same_flow_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []

    def backend(graph: torch.fx.GraphModule, inputs: object) -> object:
        compiled.append(graph)
        return graph.forward

    monkeypatch.setattr("ffbench.method.COMPILER", backend)
    method, images = Network(), torch.rand(2, 1, 3, 4, 6)
    expected = method.estimate(*images).facial
    method.compile()
    assert torch.equal(method.estimate(*images).facial, expected)
    assert len(compiled) == 1
    assert method.card.options == {"steps": 2, "compiled": True}


def test_what_is_no_network_cannot_be_compiled() -> None:
    with pytest.raises(UsageError, match="method 'answer' cannot be compiled: it is no network of PyTorch's"):
        Answer(torch.zeros(1, 2, 4, 6)).compile()


def test_grey_image_becomes_three_channels() -> None:
    method = Answer(torch.zeros(1, 2, 4, 6))
    assert method.estimate(np.full((4, 6), 51, np.uint8), np.zeros((4, 6), np.uint8)).expression is None
    assert method.seen is not None
    assert method.seen.shape == (1, 3, 4, 6)
    assert torch.all(method.seen == 0.2)


@pytest.mark.parametrize(
    "images",
    [
        (torch.zeros(1, 3, 4, 6), torch.zeros(1, 3, 4, 5)),
        (torch.zeros(3, 4, 6), torch.zeros(3, 4, 6)),
        (torch.zeros(1, 1, 4, 6), torch.zeros(1, 1, 4, 6)),
        (np.zeros((4, 6, 4), np.uint8), np.zeros((4, 6, 4), np.uint8)),
        (np.zeros((4, 6, 3), np.float32), np.zeros((4, 6, 3), np.float32)),
    ],
)
def test_images_that_do_not_fit_are_refused(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    with pytest.raises(MethodError, match="image"):
        Answer(torch.zeros(1, 2, 4, 6)).estimate(*images)


@pytest.mark.parametrize(
    ("flows", "message"),
    [
        ((torch.zeros(1, 2, 6, 4),), r"facial flow is \(1, 2, 6, 4\), expected \(1, 2, 4, 6\)"),
        ((torch.zeros(1, 2, 4, 6), torch.zeros(2, 4, 6)), "head flow is"),
        ((torch.full((1, 2, 4, 6), torch.nan),), "not finite"),
        ((torch.zeros(1, 2, 4, 6), torch.full((1, 2, 4, 6), torch.inf)), "head flow has values that are not finite"),
        ((torch.zeros(1, 2, 4, 6), None, torch.zeros(1, 4, 6)), r"confidence is \(1, 4, 6\), expected \(1, 1, 4, 6\)"),
        ((torch.zeros(1, 2, 4, 6), None, torch.full((1, 1, 4, 6), 1.1)), "confidence has values outside of 0 to 1"),
        ((torch.zeros(1, 2, 4, 6), None, torch.full((1, 1, 4, 6), torch.nan)), "confidence has values outside of 0"),
    ],
)
def test_flows_that_do_not_fit_are_refused(flows: tuple[torch.Tensor | None, ...], message: str) -> None:
    image = torch.zeros(1, 3, 4, 6)
    with pytest.raises(MethodError, match=message):
        Answer(*flows).estimate(image, image)  # type: ignore[arg-type]


def test_confidence_comes_back_as_one_number_a_pixel() -> None:
    confidence = torch.linspace(0, 1, 24).reshape(1, 1, 4, 6)
    method, image = Answer(torch.zeros(1, 2, 4, 6), None, confidence), torch.zeros(1, 3, 4, 6)
    found = method.estimate(np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6, 3), np.uint8)).confidence
    assert found is not None
    np.testing.assert_array_equal(found, confidence[0, 0].numpy())
    assert method.estimate(image, image).confidence is confidence
    assert Answer(torch.zeros(1, 2, 4, 6)).estimate(image, image).confidence is None
