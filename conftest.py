"""The plugin comes with the installed project; here is what only this project's own tests need."""

from __future__ import annotations

pytest_plugins = ["pytester"]
