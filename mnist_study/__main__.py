"""python -m mnist_study: see cli."""

from mnist_study.cli import main

if __name__ == "__main__":
    main()
