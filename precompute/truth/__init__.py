"""What the tool says, scored against what is known of the images.

Mathematics and models stand in files of their own:

    stage                labels, neighbors and ablations of one model, in order
    sample               the images that these are measured on, taken apart in all layers
    runs                 what is taken away, run by run, and its direct effect
    forward              the same runs through the model
    tables               their rows
    zero_shot            answers to class texts: margins and accuracy
    ablation             direct effects, what texts keep, random sets of heads: mathematics only
    label_truth          labels against what heads are for
    neighbor_truth       neighbors against known values
    maps                 maps against masks of known objects
    map_scores           the same for a model and a list of masked pictures
    segmentation         the ImageNet-Segmentation protocol: its file, the map's cut, the figures
    segmentation_scores  the same for a model
"""
