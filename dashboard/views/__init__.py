"""One file a page, layout only."""
