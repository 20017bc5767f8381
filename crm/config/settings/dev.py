"""Settings of one machine: what `make up` runs, and what `manage.py` uses in a checkout.

Addresses and secrets that are not set come from the files that `make up` keeps in var/.
"""

import os
from pathlib import Path

from crm.launch.secrets import read

_var = Path(os.environ.get("KEEL_VAR") or Path(__file__).resolve().parents[3] / "var")
for _name, _value in read(_var / "run.env").items() if os.access(_var / "run.env", os.R_OK) else ():
    os.environ.setdefault(_name, _value)
os.environ.setdefault("LOG_FORMAT", "text")
# Without `make up` there is no secret yet, and commands such as makemigrations need none.
os.environ.setdefault("SECRET_KEY", "not-a-secret-no-server-runs-with-it")

from crm.config.settings.base import *  # base reads the environment set above

DEBUG = env.bool("DEBUG", default=False)
