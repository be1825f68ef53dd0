"""`make bench`: every measurement, one after the other."""

from bench import pages

if __name__ == "__main__":
    pages.main()
