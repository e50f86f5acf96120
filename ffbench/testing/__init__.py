"""Checks that every method, protocol and dataset passes, those that come with ffbench and those of other packages.

In a test of your own package:

    from ffbench import load_method
    from ffbench.testing import check_method, require

    def test_mynet():
        require(check_method(load_method("mynet", weights="mynet.pth")))

`ffbench methods try`, `protocols try` and `data try` print the same.
"""

from ffbench.testing.checks import Check, require
from ffbench.testing.datasets import check_dataset
from ffbench.testing.methods import check_method
from ffbench.testing.protocols import check_protocol

__all__ = ["Check", "check_dataset", "check_method", "check_protocol", "require"]
