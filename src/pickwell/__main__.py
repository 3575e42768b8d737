"""`python -m pickwell`: the command line where the `pickwell` script is not on the path."""

from pickwell.cli import main

if __name__ == "__main__":
    main()
