"""``python -m wsyncsim``."""

from wsyncsim.cli import main

if __name__ == "__main__":
    main()
