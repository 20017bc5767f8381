"""Measures what a request costs the server, on data of a known size. Run by `make bench SIZE=...`; see docs/bench.md.

`scale` says how much data, `tables` what is in it, `load` puts it there; `cluster` and `servers` run what is measured;
`counters` read the kernel's and the database's counts; `rows` is the list of what is measured, with its bars; `run`
measures and `report` prints.
"""
