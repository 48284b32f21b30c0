"""What goes wrong: faults, repairs, stories, and the answer key with its proof."""
