"""Password hashing that costs the suite nothing."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class CheapArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2 at its lowest cost; a server with ordinary settings still verifies what it made."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
