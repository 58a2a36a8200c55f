"""Imports TEXTSPAN results of other programs: a bundle of texts, labels and metrics, without vectors.

    options  command line
    run      steps of an import
    sources  files of results, their models, and the pool
    tables   rows of labels, judgements and metrics

Imports nothing here, so that the command line starts fast.
"""
