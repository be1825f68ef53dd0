"""`make bench`: every measurement, one after the other."""

import argparse

from bench import pages

if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="make bench", description="Measure what the README says of speed."
    ).parse_args()
    pages.main()
