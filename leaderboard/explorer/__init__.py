"""One pair of images: its flows as pictures, and photos of the visitor's own."""
