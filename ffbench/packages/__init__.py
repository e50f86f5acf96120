"""Installed packages: what they add to ffbench by name, which one a method came from, how torchvision is imported."""
