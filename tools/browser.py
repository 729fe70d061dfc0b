"""Whether this machine has a browser of its own: status 0 if it has one, 1 if not; for make."""

import sys

from mnist_study.publish import browser_here

if __name__ == "__main__":
    sys.exit(browser_here() is None)
