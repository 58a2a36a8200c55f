"""Mathematics: tensors in, NamedTuples out. Knows no models, files, databases or progress bars."""
