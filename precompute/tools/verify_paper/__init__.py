"""`verify-paper`: this program on real weights, checked against what papers and their authors released.

    options            what is asked, and the command line
    run                the steps in order, their lines, the report
    references         files of others, read and checked against each other
    image_pass         the one pass over the images
    text_checks        steps on the texts of heads and their labels
    accuracy_checks    steps that need known classes or masks
    float64_reference  contributions and texts once more, in float64
    text_overlap       how far two lists of texts agree, and how far they could
    classes            which class an image is of
    published_figures  what papers print
    checks             when a figure passes, and the line that says so

Imports nothing by itself, so that the command line stays quick.
"""
