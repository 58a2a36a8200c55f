"""The planted model: hand-set weights with a known result of every stage (docs/planted.md)."""
