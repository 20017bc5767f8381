"""Static files with hashed names, compressed, and JavaScript modules that import each other by those names."""

from whitenoise.storage import CompressedManifestStaticFilesStorage

# Our own modules only: libraries hold text that merely looks like an import.
_MODULES = "js/*.js"
_IMPORTS = (
    (r"""(?P<matched>import\s*["'](?P<url>\./[^"']+)["'];)""", """import "%(url)s";"""),
    (
        r"""(?P<matched>import\s*(?P<names>\{[^}]*\}|\*\s*as\s*\w+)\s*from\s*["'](?P<url>\./[^"']+)["'];)""",
        """import %(names)s from "%(url)s";""",
    ),
    (r"""(?P<matched>import\(["'](?P<url>\./[^"']+)["']\))""", """import("%(url)s")"""),
)


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Rewrites `import "./x.js"` as well as `url(...)`, so every file may be cached for ever."""

    patterns = (*CompressedManifestStaticFilesStorage.patterns, (_MODULES, _IMPORTS))
