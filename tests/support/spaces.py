"""Sizes of heads of random bases."""
