"""One module per log file: which event becomes which messages, in which order."""
