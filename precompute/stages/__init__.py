"""One file a step of a run; each reads and writes work files. The mathematics of a step is in `method`."""
