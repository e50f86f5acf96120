"""From posed meshes to pixels and their exact labels: camera, z-buffer, light, sensor."""
