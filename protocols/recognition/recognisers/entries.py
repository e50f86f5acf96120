"""Entries of the recognisers that come with ffbench: docs/protocols/recognition.md says what each is made of."""

from __future__ import annotations

from ffbench.errors import UsageError
from ffbench.recogniser import Recogniser, RecogniserEntry, RecogniserRequest


def _roi(request: RecogniserRequest) -> Recogniser:
    from .roi import RegionHistograms

    return RegionHistograms(request.epochs)


def _mmnet(request: RecogniserRequest) -> Recogniser:
    from .mmnet_recogniser import MMNetRecogniser, is_recipe

    recipe = request.recipe or ("main_branch" if request.synthetic else "released")
    if not is_recipe(recipe):
        raise UsageError(f"recogniser 'mmnet' has no recipe '{recipe}'")
    return MMNetRecogniser(request.classes, request.epochs, recipe)


def _centroid(request: RecogniserRequest) -> Recogniser:
    from .centroid import NearestCentroid

    _refuse_epochs(request)
    return NearestCentroid()


def _mdmo(request: RecogniserRequest) -> Recogniser:
    from .mdmo import MainDirections

    _refuse_epochs(request)
    return MainDirections()


def _ststnet(request: RecogniserRequest) -> Recogniser:
    from .ststnet import STSTNetRecogniser

    return STSTNetRecogniser(request.epochs)


def _refuse_epochs(request: RecogniserRequest) -> None:
    """Refuse a number of epochs for what is not trained in epochs.

    Raises:
        UsageError: there is one.
    """
    if request.epochs is not None:
        raise UsageError(f"recogniser '{request.name}' is not trained in epochs; leave epochs={request.epochs} out")


roi = RecogniserEntry("flow histograms of a grid, logistic regression", _roi)
mmnet = RecogniserEntry(
    "MMNet: attention over the flow, positions from the onset face", _mmnet, "Li et al., ACM MM 2022"
)
centroid = RecogniserEntry("nearest mean of the flow histograms of a grid: the floor, without training", _centroid)
mdmo = RecogniserEntry(
    "main direction of the flow in each region, support vector machine", _mdmo, "after Liu et al., IEEE TAC 2016"
)
ststnet = RecogniserEntry(
    "STSTNet: three shallow convolutional streams on u, v and optical strain", _ststnet, "Liong et al., FG 2019"
)
