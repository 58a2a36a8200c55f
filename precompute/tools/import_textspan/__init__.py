"""TEXTSPAN results of other programs: a bundle of texts, labels and metrics, without vectors.

    options  what is asked, and the command line
    run      the order of an import
    sources  files of results, the models they are of, and the pool
    tables   their labels, judgements and metrics as rows

Imports nothing by itself, so that the command line stays quick.
"""
