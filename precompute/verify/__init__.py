"""`verify-paper`: this program on real weights, checked against what papers and their authors released.

    task      what is asked, and the command line
    run       the steps in order, their lines, the report
    given     files of others, read and checked against each other
    one_pass  the one pass over the images
    texts     steps on the texts of heads and their labels
    accuracy  steps that need known classes or masks
    double    contributions and texts once more, in float64
    overlap   how far two lists of texts agree, and how far they could
    classes   which class an image is of
    figures   what papers print
    checks    when a figure passes, and the line that says so

Imports nothing by itself, so that the command line stays quick.
"""
