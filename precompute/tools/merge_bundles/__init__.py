"""Merges bundles of the same images and texts: their models side by side, ranked and matched together.

    options  command line
    run      steps of a merge
    ranks    ranks among all models
    matches  heads matched between models of different bundles

Imports nothing here, so that the command line starts fast.
"""
