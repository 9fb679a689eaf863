"""The command line, a file a noun. Heavy imports are made where a command needs them."""
