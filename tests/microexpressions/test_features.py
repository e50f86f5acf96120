"""Features in files: what they hold, that they are what recognisers see, and what the reader refuses."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import ffbench
from ffbench.datasets.casme2.dataset import CASME2
from ffbench.errors import DataError, FfbenchError, UsageError
from ffbench.microexpressions.extract import FlowChoice, write_features
from ffbench.microexpressions.feature_files import (
    MANIFEST,
    FeatureManifest,
    read_clip,
    read_manifest,
    write_clip,
)
from ffbench.microexpressions.features import DEFINITIONS, flow_features
from ffbench.microexpressions.flow_choice import choose, split
from ffbench.microexpressions.registration import MESH_PLACES, SIZE, read_registered, similarity, warped_face
from ffbench.protocols.recognition.protocol import Recognition
from tests.commands import run_command
from tests.flow.commands import FACIAL, HEAD, install, save_image
from tests.protocols.recognition.test_recognition import IRREGULAR, REGULAR, Planted, Turning, plant, textured
from tests.reference import strain as reference

ROWS = [*REGULAR[:4], *REGULAR[10:14], *IRREGULAR]
KEY = "sub01/EP01_01"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the layout of CASME II: eight clips of two subjects, and two whose apex does not follow the onset."""
    root = tmp_path_factory.mktemp("features") / "CASME2"
    plant(root, ROWS)
    return root


@pytest.fixture(scope="module")
def made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FeatureManifest]:
    """The features of all of them."""
    out = tmp_path_factory.mktemp("made")
    return out, write_features(out, Planted(), "CASME II", CASME2.load_clips(root))


def test_features_are_what_their_definitions_say() -> None:
    flow = np.random.default_rng(0).normal(size=(7, 9, 2)).astype(np.float32)
    found = flow_features(flow)
    assert list(found) == list(DEFINITIONS)
    exact = flow.astype(np.float64)
    lengths = np.array([[np.sqrt(u * u + v * v) for u, v in row] for row in exact])
    np.testing.assert_array_equal(found["u"], flow[..., 0])
    np.testing.assert_array_equal(found["v"], flow[..., 1])
    np.testing.assert_allclose(found["magnitude"], lengths, rtol=2e-7)
    np.testing.assert_allclose(found["strain"], reference.strain(exact, 2), rtol=2e-6)
    np.testing.assert_allclose(found["strain_shear_once"], reference.strain(exact, 1), rtol=2e-6)
    # The control: the two variants differ by more than rounding.
    assert np.abs(found["strain"] - found["strain_shear_once"]).max() > 0.01


@settings(max_examples=25, deadline=None)
@given(st.floats(-20, 20, width=32), st.floats(-20, 20, width=32))
def test_a_translation_has_no_strain_and_changes_none(x: float, y: float) -> None:
    flow = np.random.default_rng(1).integers(-8, 8, size=(6, 5, 2)).astype(np.float32)
    still, moved = flow_features(flow), flow_features(flow + np.array([x, y], np.float32))
    for name in ("strain", "strain_shear_once"):
        np.testing.assert_allclose(moved[name], still[name], atol=1e-5)
        assert flow_features(np.full((6, 5, 2), (x, y), np.float32))[name].max() == 0


def test_files_hold_what_a_recogniser_sees_of_every_clip(root: Path, made: tuple[Path, FeatureManifest]) -> None:
    out, manifest = made
    protocol = ffbench.load_protocol("casme2_5", data=root)
    assert isinstance(protocol, Recognition)
    assert [clip.key for clip in manifest.clips] == list(protocol.keys())
    for clip in manifest.clips:
        pair = protocol.load(clip.key)
        described = protocol.score(pair, Planted().estimate(pair.image1, pair.image2), None)
        face = split(choose(described.descriptor.astype(np.float32), "facial", "none"))
        arrays = read_clip(out, manifest, clip.key)
        np.testing.assert_array_equal(np.stack([arrays["u"], arrays["v"]], 2), face.flow)
        np.testing.assert_array_equal(arrays["onset"], face.onset)
        np.testing.assert_array_equal(arrays["strain"], flow_features(face.flow)["strain"])
        assert (clip.subject, clip.label) == (pair.labels["subject"], pair.labels["class"])


def test_the_manifest_says_how_they_were_made(made: tuple[Path, FeatureManifest]) -> None:
    out, manifest = made
    assert read_manifest(out) == manifest == read_manifest(out / MANIFEST)
    assert (manifest.method.id, manifest.flow, manifest.size, manifest.origin) == (
        "planted", "facial", (SIZE, SIZE), "real",
    )  # fmt: skip
    assert manifest.left_out == (
        "sub02/EP21_01: apex and onset are one frame (1)",
        "sub03/EP20_01: no apex is coded",
    )
    assert (manifest.clips[0].onset, manifest.clips[0].apex, manifest.clips[0].alignment) == (
        "img1.jpg", "img2.jpg", "crop",
    )  # fmt: skip
    assert "SIFT" in manifest.alignments["crop"]
    assert "(u_y + v_x)^2 / 2" in manifest.arrays["strain"].definition
    assert "(u_y + v_x)^2 / 4" in manifest.arrays["strain_shear_once"].definition
    assert manifest.ffbench


def test_the_same_command_gives_the_same_bytes(root: Path, made: tuple[Path, FeatureManifest], tmp_path: Path) -> None:
    write_features(tmp_path / "again", Planted(), "CASME II", CASME2.load_clips(root))
    files = sorted(path.relative_to(made[0]) for path in made[0].rglob("*") if path.suffix in (".npz", ".json"))
    assert len(files) == 9
    for file in files:
        assert (made[0] / file).read_bytes() == (tmp_path / "again" / file).read_bytes()


def test_expression_flow_is_facial_less_head(root: Path, made: tuple[Path, FeatureManifest], tmp_path: Path) -> None:
    found = CASME2.load_clips(root)
    manifest = write_features(tmp_path / "out", Turning(), "CASME II", found, FlowChoice("expression"))
    facial, expression = (read_clip(*one, KEY)["u"] for one in (made, (tmp_path / "out", manifest)))
    assert np.abs(facial).max() > 0.5
    np.testing.assert_allclose(expression, 0.75 * facial, atol=2e-3)
    with pytest.raises(UsageError, match="flow=head needs a method that decomposes"):
        write_features(tmp_path / "none", Planted(), "CASME II", found, FlowChoice("head"))


def test_a_clip_that_cannot_be_read_is_named_and_the_others_are_written(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "CASME2"
    shutil.copytree(root, copy)
    Image.fromarray(textured(99, 100, 100)).save(copy / "Cropped/sub01/EP01_01/reg_img1.jpg")
    out = tmp_path / "out"
    assert run_command(monkeypatch, "features", "casme2", "-m", "zero", "--out", out, "--data", copy) == 3
    said = capsys.readouterr()
    assert f"{KEY}: the cropped face cannot be found" in said.err
    assert "CASME II: 1 problems" in said.err.splitlines()[-1]
    assert said.out.startswith(f"{out}: 7 clips, u, v, magnitude, strain, strain_shear_once, onset")
    assert len(read_manifest(out).clips) == 7
    # What is there is never mixed with something else.
    assert run_command(monkeypatch, "features", "casme2", "-m", "zero", "--out", out, "--data", copy) == 2
    assert "has features (features.json); name another folder" in capsys.readouterr().err


def test_what_cannot_be_had_is_one_line(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*arguments: object) -> str:
        assert run_command(monkeypatch, "features", *arguments, "--out", tmp_path / "out") == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    assert "dataset 'ffn' has no clips with onset and apex" in fails("ffn", "-m", "zero", "--data", root)
    assert "--flow is 'mouth', expected facial or head or expression" in fails(
        "casme2", "-m", "zero", "--flow", "mouth"
    )
    assert "--derive-head is 'no', expected none or rigid" in fails("casme2", "-m", "zero", "--derive-head", "no")
    assert "unknown dataset 'casme22'" in fails("casme22", "-m", "zero")


def edited(folder: Path, made: tuple[Path, FeatureManifest], **changes: object) -> Path:
    """Copy the features, and change the manifest."""
    shutil.copytree(made[0], folder)
    content = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**content, **changes}), "utf-8")
    return folder


def test_a_manifest_that_is_none_is_refused(made: tuple[Path, FeatureManifest], tmp_path: Path) -> None:
    clips = [clip.model_dump() for clip in made[1].clips]
    for number, changes in enumerate(
        [
            {"clips": [{**clips[0], "key": "../../etc/passwd"}]},
            {"clips": [{**clips[0], "key": "/etc/passwd"}]},
            {"clips": [{**clips[0], "key": "sub01/../../x"}]},
            {"size": [224, 10**9]},
            {"format": "ffbench-features/9"},
            {"more": 1},
        ]
    ):
        with pytest.raises(DataError, match=r"features\.json: is no manifest of features"):
            read_manifest(edited(tmp_path / str(number), made, **changes))
    with pytest.raises(DataError, match=r"features\.json"):
        read_manifest(tmp_path)


def test_a_file_that_is_another_or_holds_something_else_is_refused(
    made: tuple[Path, FeatureManifest], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(made[0], out)
    path = out / f"{KEY}.npz"
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"EP01_01\.npz: is another file than the manifest names"):
        read_clip(out, made[1], KEY)
    path.unlink()
    with pytest.raises(DataError, match=r"EP01_01\.npz"):
        read_clip(out, made[1], KEY)
    with pytest.raises(UsageError, match="the manifest has no clip 'sub09/EP01_01'; it has 8"):
        read_clip(out, made[1], "sub09/EP01_01")

    def said(arrays: dict[str, npt.NDArray[np.float32]]) -> str:
        """Return what is said of arrays whose hash the manifest does name."""
        clip = made[1].clips[0].model_copy(update={"key": KEY, "sha256": write_clip(out, KEY, arrays)})
        with pytest.raises(DataError) as raised:
            read_clip(out, made[1].model_copy(update={"clips": (clip,)}), KEY)
        return str(raised.value)

    arrays = read_clip(made[0], made[1], KEY)
    assert "v is (224, 223) float32, expected (224, 224) float32" in said({**arrays, "v": arrays["v"][:, :-1]})
    assert "found no strain" in said({name: array for name, array in arrays.items() if name != "strain"})
    assert "u has values that are not finite" in said({**arrays, "u": arrays["u"] * np.nan})


def test_a_bomb_is_refused_before_it_is_unpacked(made: tuple[Path, FeatureManifest], tmp_path: Path) -> None:
    import hashlib

    content, array = io.BytesIO(), io.BytesIO()
    np.save(array, np.zeros((4096, 4096), np.float32))
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in made[1].arrays:
            archive.writestr(f"{name}.npy", array.getvalue())
    (tmp_path / "x.npz").write_bytes(content.getvalue())
    sha256 = hashlib.sha256(content.getvalue()).hexdigest()
    clip = made[1].clips[0].model_copy(update={"key": "x", "sha256": sha256})
    for size, said in (((SIZE, SIZE), "is larger than"), ((4096, 4096), "times as many")):
        manifest = made[1].model_copy(update={"clips": (clip,), "size": size})
        with pytest.raises(DataError, match=said):
            read_clip(tmp_path, manifest, "x")


def test_flow_writes_features_of_a_pair_and_of_a_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        save_image(Path(f"clip/{number}.png"), number, (24, 32))
    how = ("-m", "decomposing", "--features", "uvs", "--out", "files")
    assert run_command(monkeypatch, "flow", "clip/0.png", "clip/1.png", *how) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "files/0_1_features.json"
    manifest = read_manifest(Path("files/0_1_features.json"))
    assert [clip.key for clip in manifest.clips] == ["0_1_facial", "0_1_head", "0_1_expression"]
    assert (manifest.size, manifest.flow, list(manifest.arrays)) == ((24, 32), "all", list(DEFINITIONS))
    for key, flow in (("0_1_facial", FACIAL), ("0_1_head", HEAD)):
        arrays = read_clip(Path("files"), manifest, key)
        np.testing.assert_array_equal(arrays["u"], np.full((24, 32), flow[0], np.float32))
        np.testing.assert_allclose(arrays["magnitude"], np.hypot(*flow), rtol=1e-6)
        assert arrays["strain"].max() == 0
    assert run_command(monkeypatch, "flow", "clip", *how) == 0
    manifest = read_manifest(Path("files/clip_features.json"))
    assert [clip.key for clip in manifest.clips][::3] == ["clip_00000_00001_facial", "clip_00001_00002_facial"]
    assert manifest.clips[0].apex == "frame 1"
    for wrong, said in ((("--features", "uv", "--out", "x"), "--features is 'uv', expected uvs"),
                        (("--features", "uvs"), "--features writes into --out")):  # fmt: skip
        capsys.readouterr()
        assert run_command(monkeypatch, "flow", "clip/0.png", "clip/1.png", "-m", "decomposing", *wrong) == 2
        assert said in capsys.readouterr().err


def test_a_similarity_is_found_again() -> None:
    source = np.array([[10.0, 20], [60, 22], [35, 50], [20, 70], [52, 72]])
    true = np.array([[0.9, -0.3, 12], [0.3, 0.9, -4]])
    found = similarity(source, source @ true[:, :2].T + true[:, 2])
    np.testing.assert_allclose(found, true, atol=1e-9)


def test_a_warped_face_shows_what_lies_there() -> None:
    rows, columns = np.mgrid[0:300, 0:400]
    frame = np.stack([columns / 2, rows / 2, np.zeros_like(rows)], 2).astype(np.uint8)
    transform = np.array([[1.0, 0, -50], [0, 1, -30]])
    face = warped_face(frame, transform)
    # Pixel (100, 60) of the face is (150, 90) of the frame.
    np.testing.assert_allclose(face[60, 100] * 255, [75, 45, 0], atol=1)


@pytest.mark.slow
@pytest.mark.assets
def test_without_a_crop_the_face_mesh_finds_the_face_near_where_the_crop_has_it() -> None:
    from ffbench.datasets.registry import find_data

    clip = CASME2.load_clips(find_data("casme2")).clips[0]
    by_crop, by_mesh = (read_registered(clip.onset, clip.apex, crop, clip.key) for crop in (clip.crop, None))
    face = np.array(MESH_PLACES) * SIZE
    frame = (face - by_crop.transform[:, 2]) @ np.linalg.inv(by_crop.transform[:, :2]).T
    there = frame @ by_mesh.transform[:, :2].T + by_mesh.transform[:, 2]
    assert np.abs(there - face).max() < 16
    assert np.corrcoef(by_crop.face.ravel(), by_mesh.face.ravel())[0, 1] > 0.8


def test_frames_of_two_sizes_are_refused(tmp_path: Path) -> None:
    for name, size in (("a", (20, 30)), ("b", (20, 31))):
        Image.fromarray(np.zeros((*size, 3), np.uint8)).save(tmp_path / f"{name}.png")
    with pytest.raises(FfbenchError, match=r"b\.png: is 31 x 20 pixels, but a\.png is 30 x 20"):
        read_registered(tmp_path / "a.png", tmp_path / "b.png", None, "x")
