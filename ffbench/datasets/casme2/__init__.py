"""CASME II: micro-expressions, its coding table and its frames."""
