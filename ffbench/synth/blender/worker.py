"""The other end of `ffbench.synth.blender.process`: draws what it is told to, run by a Python that has Blender.

A script of its own: it needs bpy, OpenEXR and numpy, and nothing of ffbench. Its argument is a folder, through which
arrays pass as files. It tells Blender's version in its first line on stdout, takes one JSON object a line on stdin,
and answers each job by {} when it is done, or by {"error": TEXT}:

    {"do": "scene"}                             take `scene.npz` (`ffbench.synth.blender.renderer.scene_arrays`)
    {"do": "draw", "samples": N, "seed": N}     draw the mesh `now.npy`: RGBA (H, W, 4), linear, premultiplied
    {"do": "measure"}                           forward flow u, v in px from `now.npy` to `following.npy`, and planar
                                                depth: (H, W, 3), zero where there is no surface

What comes out is in `result.npy`. Meshes are (V, 3), in the camera's axes: x to the right, y down, z forward, in dm.
The script ends when stdin does, and removes the folder: it does not outlive who started it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import OpenEXR
from mathutils import Vector

FOLDER = Path(sys.argv[-1])
# From the camera's axes to Blender's, where y is up and the camera looks along -z.
AXES = np.array([1.0, -1.0, -1.0])
# How far light travels in skin, in dm: mean free paths of red, green and blue.
SCATTER = (0.035, 0.013, 0.007)


def build() -> None:
    """Replace the scene by the one in the folder."""
    with np.load(FOLDER / "scene.npz", allow_pickle=False) as file:
        told = {name: file[name] for name in file.files}
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    render, cycles = scene.render, scene.cycles
    render.engine, cycles.device = "CYCLES", "CPU"
    render.threads_mode, render.threads = "FIXED", 1  # one core: ffbench runs as many of these as it has workers
    render.resolution_y, render.resolution_x = (int(length) for length in told["size"])
    render.film_transparent = True
    render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
    render.image_settings.color_depth, render.image_settings.exr_codec = "32", "ZIP"
    render.filepath = str(FOLDER / "render.exr")
    cycles.use_adaptive_sampling = False
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 1
    cycles.transmission_bounces, cycles.sample_clamp_indirect = 0, 4.0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.denoiser, cycles.denoising_input_passes = "OPENIMAGEDENOISE", "RGB_ALBEDO_NORMAL"
    cycles.denoising_prefilter, cycles.denoising_quality = "NONE", "FAST"
    _add_camera(scene, told)
    _add_world(scene, told)
    for number in range(len(told["lamp_angle"])):
        direction, irradiance, angle = (told[f"lamp_{what}"][number] for what in ("direction", "irradiance", "angle"))
        # As in the rasteriser, only the first lamp is mirrored.
        _add_lamp(scene, direction, irradiance, float(angle), mirrored=number == 0)
    _add_head(scene, told)


def _add_camera(scene: Any, told: dict[str, Any]) -> None:
    camera = bpy.data.cameras.new("camera")
    # Pixels are square and the principal point is the middle of the image, as in `Camera`.
    camera.sensor_fit = "HORIZONTAL"
    camera.sensor_width = 36.0
    camera.lens = float(told["focal"]) * camera.sensor_width / int(told["size"][1])
    camera.clip_start, camera.clip_end = 0.01, 1000.0
    scene.camera = bpy.data.objects.new("camera", camera)
    scene.collection.objects.link(scene.camera)


def _add_world(scene: Any, told: dict[str, Any]) -> None:
    """Light from all around, which the camera does not see: the background is put in by ffbench."""
    world = bpy.data.worlds.new("world")
    scene.world = world
    # Sampled by a map, which need not be fine; that of the default size takes longer than a frame.
    world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", 64
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    nodes.clear()
    output, emit = nodes.new("ShaderNodeOutputWorld"), nodes.new("ShaderNodeBackground")
    links.new(emit.outputs[0], output.inputs["Surface"])
    where, join = nodes.new("ShaderNodeTexCoord"), nodes.new("ShaderNodeCombineColor")
    for channel in range(3):
        dot, add = nodes.new("ShaderNodeVectorMath"), nodes.new("ShaderNodeMath")
        dot.operation = "DOT_PRODUCT"
        dot.inputs[1].default_value = told["slope"][channel] * AXES
        links.new(where.outputs["Generated"], dot.inputs[0])
        add.operation, add.inputs[1].default_value = "ADD", told["ambient"][channel]
        links.new(dot.outputs["Value"], add.inputs[0])
        floor = nodes.new("ShaderNodeMath")
        floor.operation, floor.inputs[1].default_value = "MAXIMUM", 0.0
        links.new(add.outputs[0], floor.inputs[0])
        links.new(floor.outputs[0], join.inputs[channel])
    links.new(join.outputs[0], emit.inputs["Color"])


def _add_lamp(scene: Any, direction: Any, irradiance: Any, angle: float, *, mirrored: bool) -> None:
    light = bpy.data.lights.new("lamp", "SUN")
    light.energy, light.color, light.angle = 1.0, irradiance, angle
    lamp = bpy.data.objects.new("lamp", light)
    # A sun shines along its own -z.
    lamp.rotation_euler = Vector(direction * AXES).to_track_quat("Z", "Y").to_euler()
    lamp.visible_glossy = mirrored
    scene.collection.objects.link(lamp)


def _add_head(scene: Any, told: dict[str, Any]) -> None:
    triangles, uv = told["triangles"], told["uv"].copy()
    mesh = bpy.data.meshes.new("head")
    mesh.vertices.add(int(triangles.max()) + 1)
    mesh.loops.add(triangles.size)
    mesh.polygons.add(len(triangles))
    mesh.loops.foreach_set("vertex_index", triangles.ravel())
    mesh.polygons.foreach_set("loop_start", np.arange(0, triangles.size, 3, dtype=np.int32))
    mesh.polygons.foreach_set("material_index", told["material"].astype(np.int32))
    layer = mesh.uv_layers.new(name="uv")
    uv[..., 1] = 1 - uv[..., 1]
    layer.uv.foreach_set("vector", uv.astype(np.float32).ravel())
    mesh.update(calc_edges=True)
    mesh.shade_smooth()
    sheets = {name: _image(name, told[name]) for name in ("skin", "detail")}
    mesh.materials.append(_material("skin", sheets["skin"], wet=False, closed=True))
    mesh.materials.append(_material("folds", sheets["skin"], wet=False, closed=False))
    mesh.materials.append(_material("detail", sheets["detail"], wet=True, closed=False))
    head = bpy.data.objects.new("head", mesh)
    scene.collection.objects.link(head)
    head.cycles.shadow_terminator_offset = 0.1
    # Cycles sees the motion of a mesh that a key deforms: frame 1 is the mesh `now`, frame 2 `following`.
    head.shape_key_add(name="now")
    key = head.shape_key_add(name="following")
    for frame in (1, 2):
        key.value = frame - 1.0
        key.keyframe_insert("value", frame=frame)
    scene.frame_set(1)


def _image(name: str, texture: Any) -> Any:
    """A sheet (N, N, 4) uint8: RGB is the square root of the linear albedo, the last channel gloss."""
    size = len(texture)
    image = bpy.data.images.new(name, size, size, alpha=True, float_buffer=True, is_data=True)
    image.alpha_mode = "CHANNEL_PACKED"
    values = texture[::-1].astype(np.float32) / 255
    values[..., :3] **= 2
    image.pixels.foreach_set(values.ravel())
    image.update()
    return image


def _material(name: str, image: Any, *, wet: bool, closed: bool) -> Any:
    """A surface with the color and gloss of a sheet; the inside of a closed one is not seen, as in the rasteriser."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader, output = nodes["Principled BSDF"], nodes["Material Output"]
    sheet = nodes.new("ShaderNodeTexImage")
    sheet.image, sheet.interpolation, sheet.extension = image, "Linear", "REPEAT"
    links.new(sheet.outputs["Color"], shader.inputs["Base Color"])

    def ramp(socket: str, at_zero: float, at_one: float) -> None:
        place = nodes.new("ShaderNodeMapRange")
        place.inputs["To Min"].default_value, place.inputs["To Max"].default_value = at_zero, at_one
        links.new(sheet.outputs["Alpha"], place.inputs["Value"])
        links.new(place.outputs["Result"], shader.inputs[socket])

    if wet:
        ramp("Roughness", 0.6, 0.0)
        ramp("Specular IOR Level", 0.1, 0.6)
    else:
        ramp("Roughness", 0.55, 0.15)
        ramp("Specular IOR Level", 0.1, 2.0)
        shader.subsurface_method = "BURLEY"
        shader.inputs["Subsurface Weight"].default_value = 0.7
        shader.inputs["Subsurface Radius"].default_value = SCATTER
        shader.inputs["Subsurface Scale"].default_value = 1.0
    material.use_transparent_shadow = False  # all of it throws shadows, which is quicker to know without asking it
    if closed:
        geometry, nothing, mix = (
            nodes.new(f"ShaderNode{kind}") for kind in ("NewGeometry", "BsdfTransparent", "MixShader")
        )
        links.new(geometry.outputs["Backfacing"], mix.inputs[0])
        links.new(shader.outputs[0], mix.inputs[1])
        links.new(nothing.outputs[0], mix.inputs[2])
        links.new(mix.outputs[0], output.inputs["Surface"])
    return material


def draw(samples: int, seed: int) -> None:
    """Draw the colors of a mesh."""
    cycles, layer = bpy.context.scene.cycles, bpy.context.view_layer
    cycles.samples, cycles.seed, cycles.use_denoising = samples, seed, True
    cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", 1.5
    layer.use_pass_vector = layer.use_pass_z = False
    _pose("now")
    passes = _render(*(f"Combined.{channel}" for channel in "RGBA"))
    np.save(FOLDER / "result.npy", np.stack(passes, axis=-1))


def measure() -> None:
    """Measure flow and depth of the point that the middle of each pixel sees: one sample, no filter, no blending."""
    cycles, layer = bpy.context.scene.cycles, bpy.context.view_layer
    cycles.samples, cycles.seed, cycles.use_denoising = 1, 0, False
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01
    layer.use_pass_vector = layer.use_pass_z = True
    _pose("following")
    # The last two of four numbers are the way to the next frame: against x, and up.
    left, down, depth = _render("Vector.Z", "Vector.W", "Depth.Z")
    seen = depth < 1e9
    np.save(FOLDER / "result.npy", np.stack([-left, down, depth], axis=-1) * seen[..., None])


def _pose(following: str) -> None:
    """Put the mesh `now` into frame 1 and another into frame 2."""
    mesh = bpy.data.objects["head"].data
    now, after = (
        (np.load(FOLDER / f"{name}.npy", allow_pickle=False) * AXES).astype(np.float32).ravel()
        for name in ("now", following)
    )
    mesh.vertices.foreach_set("co", now)
    for name, points in (("now", now), ("following", after)):
        mesh.shape_keys.key_blocks[name].data.foreach_set("co", points)
    mesh.update()


def _render(*channels: str) -> list[Any]:
    """Render frame 1; give channels (H, W) of the result."""
    path = bpy.context.scene.render.filepath
    Path(path).unlink(missing_ok=True)  # no frame is taken for the next
    bpy.ops.render.render(write_still=True)
    with OpenEXR.File(path, separate_channels=True) as file:
        found = file.parts[0].channels
        return [np.array(found[f"ViewLayer.{name}"].pixels, np.float32) for name in channels]


JOBS: dict[str, Callable[..., None]] = {"scene": build, "draw": draw, "measure": measure}


def serve() -> None:
    """Answer until there is nothing more to read."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started this
    # Blender prints its progress to stdout, which is for answers here.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    print(json.dumps({"blender": bpy.app.version_string.split()[0]}), file=answers, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        try:
            JOBS[job.pop("do")](**job)
            answer = {}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    serve()
