"""The offline stage: decomposes CLIP image encoders head by head and writes a bundle.

Names of axes, used in every annotation, column and chart:

    image      one picture of the image set
    token      one position of the transformer's sequence; token 0 is the class token
    layer      one block of the transformer, zero-based
    head       one attention head of a layer, zero-based
    component  one term of the sum that makes the embedding: the input, a layer's attention, a head, or an MLP
    d_head     width of one head
    d_model    width of the residual stream
    d_out      width of the joint image-text space
    rank       coordinates of one head's own subspace of d_out, padded to a multiple of 8
    text       one text of a pool
    position   one place in a head's ordered list of texts, zero-based
    group      one of the 64 groups of images that moments are kept in
    k          how many are asked for

The packages, from the top:

    pipeline    the commands run, part and merge, in order
    tools       every other command
    validation  labels, maps, neighbors and ablations scored against known attributes and masks
    stages      one file a step of a run: each reads and writes work files
    live        one image or text, for the dashboard
    clip        the only package that knows open_clip
    inputs      files that users bring
    method      mathematics: tensors in, NamedTuples out
    runtime     options, work files, progress, devices
    demo        pictures, training recipe and weights of the demo models
    texts       text pools and published figures
"""
