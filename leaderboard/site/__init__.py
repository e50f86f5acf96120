"""The boards as a static site: plain HTML and SVG from records alone, no server, no script."""
