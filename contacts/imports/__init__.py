"""Importing files that other CRMs export.

reading   bytes to rows, whatever the encoding and the delimiter; pure
parsing   text of a cell to a value: dates, money, numbers; pure
targets   the registry of what can be imported into, filled by contacts and by apps above
sources   how other CRMs call their columns
planning  from a file and a mapping to a preview, open questions and rows
"""
