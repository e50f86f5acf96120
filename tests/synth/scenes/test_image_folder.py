from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ffbench.errors import DataError, UsageError
from ffbench.synth.appearance.look import sample_appearance
from ffbench.synth.appearance.painting import paint_skin
from ffbench.synth.appearance.photo import cut_background, skin_color, to_linear, to_srgb
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.motion.expressions import sample_style
from ffbench.synth.pairs.recipe import DatasetRecipe
from ffbench.synth.pairs.stream import RenderedPairs
from ffbench.synth.pairs.writer import write_dataset
from ffbench.synth.scenes.image_folder import ImageFolder, list_backgrounds, list_textures
from ffbench.synth.scenes.scene import make_person, sample_person, sample_scene
from tests.synth.posing_head import PosingHead


@pytest.fixture(scope="module")
def toy() -> PosingHead:
    return PosingHead()


def save(path: Path, width: int, height: int, value: tuple[int, int, int] = (10, 200, 30)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), value).save(path)
    return path


def note(path: Path, content: object) -> None:
    path.with_suffix(".json").write_text(content if isinstance(content, str) else json.dumps(content))


def test_srgb_there_and_back_is_exact_for_every_value() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    assert np.array_equal(to_srgb(to_linear(values)), values)
    # IEC 61966-2-1: middle grey, and the straight part below 0.04045.
    assert to_linear(values)[11, 11, 0] == pytest.approx(((187 / 255 + 0.055) / 1.055) ** 2.4, rel=1e-6)
    assert to_linear(values)[0, 5, 0] == pytest.approx(5 / 255 / 12.92, rel=1e-6)


def test_listing_is_sorted_hashed_and_does_not_depend_on_the_place(toy: PosingHead, tmp_path: Path) -> None:
    for root in ("a", "b"):
        save(tmp_path / root / "two.PNG", 64, 64)
        save(tmp_path / root / "deep" / "one.png", 96, 96, (1, 2, 3))
        (tmp_path / root / "readme.txt").write_text("no image")
    found = [list_textures(tmp_path / root, toy, "toy") for root in ("a", "b")]
    assert found[0].names == ("deep/one.png", "two.PNG")
    assert found[0].sha256() == found[1].sha256()
    (tmp_path / "b" / "two.PNG").rename(tmp_path / "b" / "zwei.PNG")
    assert list_textures(tmp_path / "b", toy, "toy").sha256() != found[0].sha256()


def test_all_faults_of_textures_are_told_together(toy: PosingHead, tmp_path: Path) -> None:
    save(tmp_path / "fits.png", 64, 64)
    note(tmp_path / "fits.png", {"layout": "toy"})
    save(tmp_path / "wide.png", 128, 64)
    save(tmp_path / "tiny.png", 32, 32)
    (tmp_path / "torn.png").write_bytes(b"\x89PNG nothing")
    note(save(tmp_path / "other.png", 64, 64), {"layout": "flame"})
    note(save(tmp_path / "mute.png", 64, 64), "{")
    save(tmp_path / "silent.png", 64, 64)
    with pytest.raises(DataError) as error:
        list_textures(tmp_path, toy)
    told = str(error.value)
    assert "wide.png: expected a square of 64 to 8192 px a side, found 128 x 64 px" in told
    assert "tiny.png: expected a square of 64 to 8192 px a side, found 32 x 32 px" in told
    assert "torn.png" in told
    assert "other.png: expected the layout toy of the toy head, found flame" in told
    assert "mute.json" in told
    assert "silent.png: no JSON" in told
    assert "--texture-layout" in told
    assert "fits.png" not in told


def test_a_note_overrules_the_option(toy: PosingHead, tmp_path: Path) -> None:
    note(save(tmp_path / "t.png", 64, 64), {"layout": "flame"})
    with pytest.raises(DataError, match="found flame"):
        list_textures(tmp_path, toy, "toy")


@pytest.mark.parametrize("make", [list_backgrounds, lambda root: list_textures(root, PosingHead(), "toy")])
def test_no_folder_and_no_images(make: object, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not found"):
        make(tmp_path / "none")  # type: ignore[operator]
    with pytest.raises(DataError, match="found none"):
        make(tmp_path)  # type: ignore[operator]


def test_small_backgrounds_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "strip.jpg", 400, 20)
    with pytest.raises(DataError, match=r"strip.jpg: expected at least 64 px a side, found 400 x 20 px"):
        list_backgrounds(tmp_path)


def test_a_file_that_changes_after_the_listing_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "b.png", 64, 64)
    folder = list_backgrounds(tmp_path)
    save(path, 64, 64, (0, 0, 0))
    with pytest.raises(DataError, match="has changed"):
        folder.read("b.png")


def test_the_skin_is_the_photo_where_there_is_no_hair_or_cloth(toy: PosingHead) -> None:
    rng = np.random.default_rng(3)
    look = dataclasses.replace(sample_appearance(rng), hair_style="full")
    photo = skin_color(np.full((64, 64, 3), (180, 90, 40), np.uint8), 128)
    painted, own = paint_skin(toy, look, 128, photo), paint_skin(toy, look, 128)
    same = (np.abs(painted[..., :3].astype(int) - np.rint(photo * 255)) <= 1).all(axis=2)
    # Lips and brows included, where the painted skin has other colors than its surroundings.
    chart_rows = slice(60, 75)
    assert same[chart_rows, 60:68].all()
    assert 0.1 < same.mean() < 0.9
    # Gloss, hair and cloth are the look's.
    hair = ~same
    assert np.abs(painted[hair].astype(int) - own[hair]).mean() < 30


@pytest.mark.parametrize("shape", [(64, 300), (300, 64), (100, 100), (64, 64)])
def test_backgrounds_are_cut_in_the_shape_of_the_image(shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for seed in range(8):
        cut = cut_background(np.random.default_rng(seed), photo, 48, 32)
        assert cut.shape == (48, 32, 3)
        assert cut.dtype == np.float32
        assert np.isfinite(cut).all()
        assert cut.min() >= 0
    flat = cut_background(np.random.default_rng(1), np.full((90, 90, 3), 128, np.uint8), 32, 32)
    assert np.ptp(flat[..., 0]) < 1e-5


def test_a_scene_draws_its_texture_and_background_by_seed(toy: PosingHead, tmp_path: Path) -> None:
    textures, backgrounds = folders(tmp_path)
    persons = [sample_person(toy, 5, 128, textures) for _ in range(2)]
    assert np.array_equal(persons[0].skin[0], persons[1].skin[0])
    skins = {sample_person(toy, seed, 128, textures).skin[0][64, 64, :3].tobytes() for seed in range(12)}
    assert len(skins) == 2
    scenes = [sample_scene(persons[0], seed, 32, 32, backgrounds) for seed in (1, 1, 2)]
    assert np.array_equal(scenes[0].background, scenes[1].background)
    painted = sample_scene(persons[0], 1, 32, 32)
    assert (painted.camera, painted.sensor) == (scenes[0].camera, scenes[0].sensor)
    assert not np.array_equal(painted.background, scenes[0].background)


def folders(root: Path) -> tuple[ImageFolder, ImageFolder]:
    save(root / "skins" / "a.png", 64, 64, (220, 170, 150))
    save(root / "skins" / "b.png", 64, 64, (90, 60, 50))
    save(root / "walls" / "c.jpg", 120, 90, (20, 40, 220))
    return list_textures(root / "skins", PosingHead(), "toy"), list_backgrounds(root / "walls")


def test_another_folder_is_refused_when_a_dataset_goes_on(toy: PosingHead, tmp_path: Path) -> None:
    textures, backgrounds = folders(tmp_path)
    recipe = DatasetRecipe(size=32, textures=textures, backgrounds=backgrounds)
    out = tmp_path / "out"
    manifest = write_dataset(out, toy, recipe, 1)
    assert manifest.origin.textures_sha256 == textures.sha256()
    assert manifest.origin.backgrounds_sha256 == backgrounds.sha256()
    write_dataset(out, toy, recipe, 2)
    save(tmp_path / "skins" / "b.png", 64, 64, (91, 60, 50))
    changed = dataclasses.replace(recipe, textures=list_textures(tmp_path / "skins", toy, "toy"))
    with pytest.raises(UsageError, match="textures_sha256"):
        write_dataset(out, toy, changed, 3)
    with pytest.raises(UsageError, match="backgrounds_sha256"):
        write_dataset(out, toy, dataclasses.replace(recipe, backgrounds=None), 3)


def test_pairs_on_the_fly_have_them_too(toy: PosingHead, tmp_path: Path) -> None:
    textures, backgrounds = folders(tmp_path)
    plain = RenderedPairs(head=toy, size=48, texture_size=128).sample(0)
    drawn = RenderedPairs(head=toy, size=48, texture_size=128, textures=textures, backgrounds=backgrounds).sample(0)
    assert not torch.equal(plain["image1"], drawn["image1"])
    outside = ~drawn["mask"]
    # The photograph is blue all over, and stays so in the other frame.
    for image in ("image1", "image2"):
        red, _, blue = drawn[image].float()
        assert (blue - red)[outside].median() >= 0
    assert torch.equal(plain["mask"], drawn["mask"])
    assert torch.equal(plain["flow_facial"], drawn["flow_facial"])


@pytest.mark.assets
def test_the_real_head_names_its_own_layout(head: MakeHumanHead, tmp_path: Path) -> None:
    save(tmp_path / "skin.png", 256, 256, (200, 150, 120))
    with pytest.raises(DataError, match="expected the layout ffbench-makehuman of the makehuman head, found flame"):
        list_textures(tmp_path, head, "flame")
    textures = list_textures(tmp_path, head, "ffbench-makehuman")
    rng = np.random.default_rng(0)
    identity = head.sample_identity(rng)
    person = make_person(head, identity, sample_appearance(rng), sample_style(rng), 256, textures)
    # The middle of the face, around the tip of the nose, is the texture's color.
    expected = np.rint(skin_color(np.full((8, 8, 3), (200, 150, 120), np.uint8), 8)[0, 0] * 255)
    place = (np.array([0.5, 0.32]) * 256).astype(int)
    assert np.abs(person.skin[0][place[1], place[0], :3] - expected).max() <= 1
