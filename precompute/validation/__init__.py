"""Validation: scores labels, neighbors, ablations and maps against known attributes and masks of the images.

Mathematics and models are in separate files:

    run                  labels, neighbors and ablations of one model, in order
    sample               the sampled images, decomposed in all layers
    interventions        ablations, and their direct effects
    forward_effects      the same ablations run through the model
    rows                 rows of the tables
    subjects             subjects of the rows
    direct_effects       direct effects, and projections on texts: mathematics only
    label_accuracy       labels compared with the target attributes of heads
    neighbor_precision   neighbors compared with the known values of images
    map_metrics          maps compared with masks of known objects
    map_scores           the same for a model and a list of masked pictures
    segmentation         the ImageNet-Segmentation protocol: its file, the cut of a map, the figures
    segmentation_scores  the same for a model
"""
