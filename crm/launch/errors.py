"""What can go wrong before Keel runs, told in one line."""


class LaunchError(Exception):
    """One clear line for the person at the terminal: what happened and what to do about it."""
