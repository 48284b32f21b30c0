"""How it is written down: reads the journal, never changes the world."""
