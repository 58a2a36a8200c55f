"""The planted model: weights set by hand, so that the answer of every stage is known (docs/planted.md)."""
