"""Image 1 and image 2 in one place, in turn or under a slider, as a page of its own without anything of a stranger."""

from __future__ import annotations

from ffbench.visual.picture import Picture

from ..look.legends import data_uri

_PAGE = """<!doctype html>
<meta charset="utf-8">
<style>
  body { margin: 0; font: 14px "Source Sans Pro", sans-serif; color: @COLOR@; background: transparent; }
  .stage { position: relative; width: 100%; overflow: hidden; border-radius: 6px; }
  .stage img { display: block; width: 100%; }
  #second { position: absolute; inset: 0; height: 100%; }
  #edge { position: absolute; top: 0; bottom: 0; width: 2px; margin-left: -1px; background: #fff;
          box-shadow: 0 0 3px #000; }
  .sliding { cursor: ew-resize; touch-action: pan-y; user-select: none; }
  #edge::after { content: "\\2194"; position: absolute; top: 50%; left: 50%; transform: translate(-50%, -50%);
                 width: 30px; line-height: 30px; text-align: center; border-radius: 50%; color: #1f2430;
                 background: #fff; box-shadow: 0 0 4px #0008; }
  #name { position: absolute; left: 8px; top: 8px; padding: 1px 8px; border-radius: 4px; color: #fff;
          background: #000a; }
  .bar { display: flex; gap: 10px; align-items: center; padding: 8px 2px 2px; }
  button { font: inherit; color: inherit; padding: 3px 12px; border-radius: 6px; border: 1px solid #8888;
           background: transparent; cursor: pointer; }
  button[aria-pressed=true] { background: #0072b2; color: #fff; border-color: #0072b2; }
  input { flex: 1; min-width: 60px; accent-color: #0072b2; }
</style>
<div class="stage" id="stage">
  <img id="first" draggable="false" src="@FIRST@" alt="image 1">
  <img id="second" draggable="false" src="@SECOND@" alt="image 2">
  <div id="edge"></div><div id="name"></div>
</div>
<div class="bar">
  <button id="blink">Blink</button><button id="slide">Slider</button>
  <input id="at" type="range" min="0" max="100" value="50" aria-label="share of image 1 that is shown">
</div>
<script>
  const [stage, second, edge, name, at, blink, slide] = ["stage", "second", "edge", "name", "at", "blink", "slide"].map(
    id => document.getElementById(id));
  let timer = null, shown = 1;
  function sliding() {
    clearInterval(timer); timer = null;
    second.style.visibility = "visible";
    second.style.clipPath = `inset(0 0 0 ${at.value}%)`;
    edge.style.left = at.value + "%"; edge.hidden = false;
    name.textContent = "image 1 | image 2";
    mark();
  }
  function step() {
    shown = 3 - shown;
    second.style.visibility = shown == 2 ? "visible" : "hidden";
    name.textContent = "image " + shown;
  }
  function blinking() {
    second.style.clipPath = ""; edge.hidden = true;
    if (timer == null) { timer = setInterval(step, 600); step(); }
    mark();
  }
  function mark() {
    blink.setAttribute("aria-pressed", timer != null);
    slide.setAttribute("aria-pressed", timer == null);
    stage.classList.toggle("sliding", timer == null);
  }
  // The border follows the pointer that is pressed on the image.
  const drag = event => {
    const box = stage.getBoundingClientRect();
    at.value = 100 * (event.clientX - box.left) / box.width;
    sliding();
  };
  stage.onpointerdown = event => { stage.setPointerCapture(event.pointerId); drag(event); };
  stage.onpointermove = event => { if (stage.hasPointerCapture(event.pointerId)) drag(event); };
  blink.onclick = blinking; slide.onclick = sliding; at.oninput = sliding;
  // Who asks for less motion gets the slider.
  matchMedia("(prefers-reduced-motion: reduce)").matches ? sliding() : blinking();
</script>
"""


def two_images(image1: Picture, image2: Picture, *, dark: bool) -> str:
    """Return the page; it shows the images in turn, or both with a border that the reader moves."""
    parts = {"COLOR": "#e6e9ef" if dark else "#1f2430", "FIRST": data_uri(image1), "SECOND": data_uri(image2)}
    page = _PAGE
    for name, value in parts.items():
        page = page.replace(f"@{name}@", value)
    return page
