"""Upstream Nova as an implementation under test: its environments, its worker process, and what is asked of it."""
