"""How people look: skin, hair, eyes and cloth, drawn into textures."""
