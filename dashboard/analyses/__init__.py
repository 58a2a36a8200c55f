"""View-time mathematics: numpy arrays in, NamedTuples out. Knows nothing of bundles, widgets or charts.

Axes are those of `precompute`: image, token, head, rank, d_out, text. `basis[head]` has orthonormal rows Q;
a head's coordinates are y = Q c, so every inner product with a contribution c is one with its coordinates:
c·t = y·(Q t). "Centered" coordinates are y - m, m the head's mean over the images of the bundle.
"""
