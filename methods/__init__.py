"""Methods that come with ffbench: one module or package a family."""
