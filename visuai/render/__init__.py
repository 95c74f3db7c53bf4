"""Renderers: a topology as text or bytes; one per file, none knows a file or a server."""
