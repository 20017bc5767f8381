#!/usr/bin/env python
"""Runs Django's commands with this project's settings."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.config.settings.dev")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
