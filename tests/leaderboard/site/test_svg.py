"""Charts as SVG: where values stand, and that words are words."""

from __future__ import annotations

from xml.etree import ElementTree

from ffbench.leaderboard.site import svg


def test_a_point_lies_within_its_interval() -> None:
    scale = svg.bar_axis([0.5, 1.0, 4.0])
    found = ElementTree.fromstring(str(svg.interval_bar(scale, 1.0, 0.5, 4.0)))
    line, circle = found
    assert float(line.attrib["x1"]) < float(circle.attrib["cx"]) < float(line.attrib["x2"])
    (alone,) = ElementTree.fromstring(str(svg.interval_bar(scale, 1.0, None, None)))
    assert alone.tag == "circle"
