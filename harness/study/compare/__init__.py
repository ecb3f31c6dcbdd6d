"""Comparison of a change to Nova with its base: run the same cases on both, and tell which became worse."""
