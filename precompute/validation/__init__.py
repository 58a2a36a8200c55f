"""Validation: what the tool says, scored against what is known of the images.

Mathematics and models stand in files of their own:

    run                  labels, neighbors and ablations of one model, in order
    sample               the images that these are measured on, taken apart in all layers
    interventions        ablations, and their direct effects
    forward_effects      the same ablations run through the model
    rows                 rows of the tables
    subjects             what a row is about
    zero_shot            answers to class texts: margins and accuracy
    direct_effects       direct effects, and what texts keep: mathematics only
    label_accuracy       labels against what heads act on
    neighbor_precision   neighbors against known values
    map_metrics          maps against masks of known objects
    map_scores           the same for a model and a list of masked pictures
    segmentation         the ImageNet-Segmentation protocol: its file, the map's cut, the figures
    segmentation_scores  the same for a model
"""
