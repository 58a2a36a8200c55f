"""Sizes of the heads of random bases."""

HEADS, RANK, D_OUT, IMAGES = 3, 4, 16, 50
