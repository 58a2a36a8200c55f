"""What the tool says, scored against what is known of the images.

Mathematics and models stand in files of their own:

    run                  labels, neighbors and ablations of one model, in order
    sample               the images that these are measured on, taken apart in all layers
    interventions        what is taken away, run by run, and its direct effect
    forward_effects      the same runs through the model
    rows                 their rows
    zero_shot            answers to class texts: margins and accuracy
    direct_effects       direct effects, what texts keep, random sets of heads: mathematics only
    label_accuracy       labels against what heads are for
    neighbor_precision   neighbors against known values
    map_metrics          maps against masks of known objects
    map_scores           the same for a model and a list of masked pictures
    segmentation         the ImageNet-Segmentation protocol: its file, the map's cut, the figures
    segmentation_scores  the same for a model
"""
