"""A second afternoon: forgeries with what records came to say later, and what file systems and fonts make of names."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from ffbench.method import MethodCard, WeightsCard
from ffbench.protocol import PairScore
from ffbench.results.record.run_record import Sampling, write_record
from ffbench.results.report.leaderboard import leaderboard
from ffbench.results.store.names import look_alike
from ffbench.results.store.records import read_rows
from tests.attacks.conftest import Without
from tests.attacks.forging import STORE, edited, forge, honest, net, publish, record_of, scaled, verify

_OWN = "ffbench.results.store.recompute._own_faults"
_TOGETHER = "ffbench.results.store.together"
_STORE = "ffbench.results.store.verification"
NETWORK = MethodCard(id="bignet", title="Big Net", parameters=9_000_000)
WEIGHTS = WeightsCard(name="w", source="file", sha256="a" * 64)


def faults() -> str:
    return "\n".join(verify(data=True).faults)


def titles() -> list[str]:
    return [line.title for table in leaderboard(read_rows([STORE], [])) for line in table.lines]


def half(scores: list[PairScore]) -> list[PairScore]:
    return [scaled(score, 0.5) for score in scores]


def test_11_pairs_without_a_face_that_nobody_counts() -> None:
    """A method that finds a face in no pair, and whose record says that it found all."""

    def change(scores: list[PairScore]) -> list[PairScore]:
        return [dataclasses.replace(score, labels={**score.labels, "found": "no"}) for score in scores]

    publish(forge(honest(), "blind", change))
    assert "it says that nothing was found in 0 pairs, its table says 6" in faults()
    shutil.rmtree(STORE)
    publish(forge(honest(), "blind", change, not_found=6))
    assert faults() == ""  # control: what it admits is no fault


def test_12_complete_with_problems(without: Without) -> None:
    path = honest()
    dataset = record_of(path).dataset.model_copy(update={"problems": ("pair 3 cannot be read",)})
    publish(edited(path, dataset=dataset), "verified")
    assert "it is called complete, and its dataset had problems: pair 3 cannot be read" in faults()
    assert titles() == []
    with without(_OWN):
        assert faults() == ""


def test_13_a_bundle_without_its_mark(without: Without) -> None:
    """One pixel of 4 x 4 was scored, which stands in the title, and is cut out of it; or all of the name is another."""
    sampling = Sampling(step=4, challenge="w", asked=True, precision="float16", predictions_sha256="1" * 64)
    path = forge(honest(), "net", half, **net("Net", sampling=sampling))
    marked = record_of(path).method
    assert marked.title == "Net (bundle, one pixel of 4 x 4)"
    for change in ({"title": "Net"}, {"title": "DecFlow"}, {"id": "decflow"}):
        shutil.rmtree(STORE, ignore_errors=True)
        publish(edited(path, method=marked.model_copy(update=change)))
        assert "its submission's is 'Net (bundle, one pixel of 4 x 4)' (net)" in faults()
        with without(_OWN):
            assert faults() == ""
        edited(path, method=marked)


def test_14_my_bad_method_under_a_rivals_title(without: Without) -> None:
    """The claim is one of an installed method and holds when it is scored again; only its title is another's."""
    path = honest()
    method = record_of(path).method.model_copy(update={"title": "Brightness"})
    forged = publish(edited(path, method=method))
    good = publish(honest("brightness"), "verified")
    assert f"{forged}: is called 'Brightness', and is speckle; so is called brightness ({good})" in faults()
    with without(f"{_TOGETHER}._one_title_each"):
        found = verify(data=True, rescore=True)
        assert found.faults == []
        assert len(found.confirmed) == 2


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (None, "the method has parameters and no weights"),
        (WEIGHTS.model_copy(update={"sha256": None}), "the weights w have no hash"),
    ],
)
def test_15_a_network_with_nobodys_weights(weights: WeightsCard | None, said: str) -> None:
    """Weights that nobody can name are not ranked; so they are struck from the card, or their hash is."""
    method = NETWORK.model_copy(update={"weights": weights})
    publish(forge(honest(), "bignet", half, method=method), "verified")
    assert f"not for ranking ({said})" in faults()
    assert titles() == []
    shutil.rmtree(STORE)
    method = NETWORK.model_copy(update={"weights": WEIGHTS})
    publish(forge(honest(), "bignet", half, method=method), "verified")
    assert titles() == ["Big Net"]  # control: with a hash it stands there


def test_16_a_network_against_its_own_reference(without: Without) -> None:
    path = honest()
    dataset = record_of(path).dataset.model_copy(update={"reference_networks": ("a" * 64,)})
    method = NETWORK.model_copy(update={"weights": WEIGHTS})
    publish(forge(path, "bignet", half, method=method, dataset=dataset), "verified")
    assert "the reference of stripes was made by the network that it scores (w aaaaaaaa)" in faults()
    assert titles() == []
    # Who does not name the networks of the reference is compared with the dataset, or other records of it.
    assert "its dataset's reference_networks is" in faults()
    with without(_OWN, f"{_TOGETHER}.dataset_faults", f"{_STORE}.dataset_faults"):
        assert faults() == ""
        assert titles() == ["Big Net"]


def test_17_the_same_flows_under_two_names(without: Without) -> None:
    """Flows that another one sent in, under a name of my own."""
    publish(forge(honest(), "alpha", **net("Alpha", contact="a@example.org")))
    taken = publish(forge(honest(), "beta", fingerprint="b", **net("Beta", contact="b@example.org")))
    assert f"{taken}: its flows are those of 'Alpha'" in faults() or "its flows are those of 'Beta'" in faults()
    with without(f"{_TOGETHER}._taken_flows"):
        assert faults() == ""
    taken.unlink()
    taken.with_suffix(".parquet").unlink()
    publish(forge(honest(), "beta", fingerprint="b", **net("Beta", sha256="1" * 64, contact="b@example.org")))
    assert faults() == ""  # control: flows of one's own


@pytest.mark.parametrize("level", ["Verified", "VERIFIED", "Claimed"])
def test_18_levels_for_file_systems_without_case(level: str, without: Without) -> None:
    """Nobody looks into `Verified` here; where capitals are not told apart it lies in `verified`."""
    publish(honest(), "verified")
    forged = publish(forge(honest(), "evil", half), "verified")
    target = STORE / level / "stripes"
    target.mkdir(parents=True)
    for file in (forged, forged.with_suffix(".parquet")):
        shutil.move(file, target / file.name)
    assert f"{STORE / level}: is the same as '{level.lower()}'" in faults()
    with without(f"{_STORE}.unportable_folders"):
        assert faults() == ""


def test_19_protocols_for_file_systems_without_case(without: Without) -> None:
    """`Stripes` comes first, and gives `stripes` its name, so that all honest records count as renamed there."""
    publish(honest(), "verified")
    for name in ("Stripes", "STRIPES", "aux"):
        card = record_of(honest()).protocol.model_copy(update={"id": name})
        publish(forge(honest(), "evil", half, card=card, fingerprint=name), "verified")
    found = faults()
    assert "its protocol is 'Stripes', which is not stripes" in found
    assert f"{STORE}/verified/stripes: is the same as 'STRIPES'" in found
    assert f"{STORE}/verified/aux: has a name that Windows gives no folder" in found
    with without(f"{_STORE}.unportable_folders"), without(f"{_STORE}._installed_as", gives=None):
        assert faults() == ""


@pytest.mark.parametrize(
    "name", ["Sᴘeckle", "Spеcklҽ", "Տpeckle", "ꮪpeckle", "ꓢpeckle", "Spɘckle", "Spec\u200dkle", "ʂpeckle"]
)
def test_20_letters_of_phonetics_and_of_rarer_scripts(name: str) -> None:
    publish(honest(), "verified")
    path = publish(forge(honest(), "zz", half, **net(name)))
    assert f"{path}: is called '{name}', as is " in faults()
    assert look_alike("Sparkle") != look_alike("Speckle")  # control
    assert look_alike("光流") == "光流"


@pytest.mark.parametrize("suffix", ["+face512+face512", "+face99999", "+variational+variational"])
def test_21_wrappers_that_cannot_be(suffix: str, without: Without) -> None:
    """An id that no method can have cannot be scored again, which was all that was said."""
    path = honest()
    method = record_of(path).method.model_copy(update={"id": f"speckle{suffix}"})
    publish(edited(path, method=method), "verified")
    assert f"speckle{suffix}'" in faults() or "size of the face 99999 px" in faults()
    assert titles() == []
    with without(_OWN):
        assert faults() == ""


def test_22_a_wrapper_in_the_name_alone() -> None:
    """The numbers are those of the method without it: found as soon as it is scored again, as any other number is."""
    path = honest()
    named = {"id": "speckle+variational", "title": "Speckle, refined", "options": {"refine": "variational"}}
    forged = publish(edited(path, method=record_of(path).method.model_copy(update=named)), "verified")
    assert faults() == ""  # control
    assert any(f"{forged}: verified " in fault for fault in verify(rescore=True).faults)


def test_23_an_option_that_the_method_has_not() -> None:
    """A second line for one method. Options say which library ran, so that another one is a remark, for a person."""
    base = honest()
    publish(base, "verified")
    method = record_of(base).method.model_copy(update={"options": {"preset": "best"}})
    write_record(base, record_of(base).model_copy(update={"method": method, "fingerprint": "two"}))
    publish(base, "verified")
    assert sorted(titles()) == ["Speckle", "Speckle · preset best"]
    assert any("preset best then, unset now" in remark for remark in verify(rescore=True).remarks)


def test_hard_links_are_files() -> None:
    """What is reviewed is what is there: a hard link is the file itself, and git knows none."""
    path = publish(honest(), "verified")
    elsewhere = Path("elsewhere.json")
    elsewhere.hardlink_to(path)
    record = record_of(path)
    elsewhere.write_text(record.model_copy(update={"fingerprint": "x"}).model_dump_json(indent=1) + "\n")
    assert "was changed or renamed" in faults()
