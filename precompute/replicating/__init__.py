"""What other images and texts of the same kind would change: random halves, and what they say of a number.

    resampling  random halves of images and pool, and covariances over them
    replicates  texts and labels of heads over the halves, and over split pools
    draws       the same of a whole model, layer by layer, kept in work files
    intervals   the interval of a number, and the ranks that it allows
    standings   the board: metrics of all models with both

What they say of one head's description is in `robustness`.
"""
