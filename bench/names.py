"""Words that the loaded rows are made of."""

from __future__ import annotations

from crm.config.demo import sentences, words

FIRST = tuple(name for firsts, _lasts in words.NAMES.values() for name in firsts)
LAST = tuple(name for _firsts, lasts in words.NAMES.values() for name in lasts)
STEMS = words.STEMS
ENDINGS = tuple(ending for _industry, endings in words.INDUSTRIES for ending in endings)
INDUSTRIES = tuple(industry for industry, _endings in words.INDUSTRIES)
PROJECTS = tuple(name for name, _price in words.PROJECTS)
TITLES = tuple(title for title, _department, _signs in words.TITLES)
CITIES = tuple(place[0] for place in words.PLACES)
COUNTRIES = tuple(place[2] for place in words.PLACES)
NEXT_STEPS = sentences.NEXT_STEPS
REASONS = sentences.LOST_REASONS
SUBJECTS = tuple(text for text in (*sentences.CALL_SUBJECTS, *sentences.MEETING_SUBJECTS) if "{" not in text)
BODIES = tuple(
    text.format(who="Ines", account="Halden", project="the pilot", city="Rotterdam")
    for text in (*sentences.CALL_BODIES, *sentences.NOTE_BODIES, *sentences.MEETING_BODIES)
)
