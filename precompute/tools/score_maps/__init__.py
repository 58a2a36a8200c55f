"""The command `score-maps`: scores the maps of any model against known masks. Writes no bundle."""
