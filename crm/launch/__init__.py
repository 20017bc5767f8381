"""Starts Keel on one machine: `make up`, `make test`, `make bench` and `make soak`.

Everything here but `bootstrap.py` runs on Python's standard library alone, because the virtual environment
does not exist yet when the first command begins.
"""
