"""What faces do: expressions over action units, micro-expressions, FLAME codes of photographs."""
