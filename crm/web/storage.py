"""Static files with hashed names, compressed, and JavaScript modules that import each other by those names."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Rewrites `import "./x.js"` as well as `url(...)`, so every file may be cached for ever."""

    support_js_module_import_aggregation = True
