"""`models`: which models there are, and what a figure must say of each."""
