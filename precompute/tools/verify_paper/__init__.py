"""The command `verify-paper`: checks this program on real weights against figures and files of papers.

    options            command line
    run                steps in order, output, report
    references         reference files, read and checked for consistency
    image_pass         the single pass over the images
    text_checks        checks of texts and labels of heads
    accuracy_checks    checks that need known classes or masks
    float64_reference  independent computation of contributions and texts in float64
    text_overlap       overlap of two lists of texts, and its attainable value
    classes            classes of images
    published_figures  figures of papers
    checks             bounds of each check, and its line of output

Imports nothing here, so that the command line starts fast.
"""
