"""Routes that capture a program from a model; one per file."""
