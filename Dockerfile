# One image for the API, its migrations (`alembic upgrade head`) and its commands (`flask …`).
# See .github/decisions/0009-the-image.md. No BuildKit syntax: every builder makes it.
ARG BASE_IMAGE=python-slim

# A stage of its own, since Dependabot renews no tag that is in an ARG.
FROM python:3.13-slim-trixie AS python-slim

# --- Packages: made anew only when the lock changes -------------------------------------------------------------------

# hadolint ignore=DL3006
FROM ${BASE_IMAGE} AS packages

# pip gets an environment of its own, so that none is left in the image's.
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/venv
WORKDIR /build
COPY Pipfile.lock .ci/locked_requirements.py ./
# Such as `tracing`: a section of the lock that is to come along.
ARG EXTRAS=
# Wheels alone: what is built from source would run code that the hash of no result vouches for.
RUN python3 locked_requirements.py Pipfile.lock ${EXTRAS} > requirements.txt \
    && /opt/pip/bin/pip --python /opt/venv/bin/python --disable-pip-version-check install \
        --no-cache-dir --no-compile --no-deps --only-binary :all: --require-hashes --requirement requirements.txt \
    && /opt/pip/bin/pip --python /opt/venv/bin/python check \
    # The root file system is read-only later on. Times of files may be rewritten on the way there, hashes are not.
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib

# --- Code -------------------------------------------------------------------------------------------------------------

FROM packages AS code

WORKDIR /srv/talelio
COPY .flaskenv alembic.ini ./
COPY migrations migrations
COPY talelio_backend talelio_backend
# Whatever the umask of the checkout, the service can read it and not write it.
RUN chmod -R u=rwX,go=rX . \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash . \
    # A library that this base lacks should fail here.
    && /opt/venv/bin/python -c 'import alembic.config, gunicorn.app.wsgiapp, talelio_backend.bootstrap'

# --- The image --------------------------------------------------------------------------------------------------------

# hadolint ignore=DL3006
FROM ${BASE_IMAGE}

RUN groupadd --gid 10001 talelio \
    && useradd --uid 10001 --gid talelio --no-log-init --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin talelio \
    # A new volume takes its owner from here.
    && install --directory --owner=talelio --group=talelio /data /data/images
COPY --from=packages /opt/venv /opt/venv
COPY --from=code /srv/talelio /srv/talelio

WORKDIR /srv/talelio
# One heap for all threads (malloc's default is one for each), which returns freed memory from 128 KiB on. Python's lock
# makes the threads take turns anyway.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=1 \
    MALLOC_TRIM_THRESHOLD_=131072 \
    ENV=production \
    HOST=0.0.0.0 \
    PORT=5000 \
    IMAGE_FOLDER=/data/images
USER 10001:10001
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "talelio_backend.healthcheck"]
# Gunicorn itself is process 1: it hears SIGTERM, drains and stops. Allow it 60 seconds.
CMD ["gunicorn", "--config", "python:talelio_backend.gunicorn_config"]

# Last, since they change with every commit.
ARG SOURCE=""
ARG REVISION=""
ARG VERSION="1.0.0"
LABEL org.opencontainers.image.title="talelio_backend" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.version="${VERSION}"
