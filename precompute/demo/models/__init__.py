"""Building, training and scoring of the demo models.

build     the models, by open_clip
siglip    the tower that open_clip needs a name for
cache     scenes at the size of the models' input
batches   scenes and captions of one training step
training  the losses, the optimizers and the loop
scoring   zero-shot accuracy on held-out scenes
card      the card beside the weights
"""
