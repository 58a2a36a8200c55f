"""Published figures of one model."""

FIGURES = (
    "m\taccuracy\t90\t90\ta paper\tprimary\t-\nm\tloss without MLPs\t1\t3\ta reader\tsecondary\trange only\n"
)
