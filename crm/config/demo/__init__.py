"""Demo data: two invented organisations, the same for everybody who seeds on the same day.

`dice` is the source of chance, `words` and `sentences` the vocabulary; `cast`, `companies`, `sales` and `timeline`
make unsaved rows; `seed` puts them together and writes them.
"""
