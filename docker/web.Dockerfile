# Pages, API, beat and the worker for everything but renders. Build from the project's root:
#   docker build -f docker/web.Dockerfile -t private-view-web .
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app:/app/platform \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

# The same versions as `make demo`, less what only a render needs. (numpy: the worker reads the shape of a spec; pillow,
# av and safetensors look at what artists upload, and take frames out of clips; c2pa-python and cryptography read the
# Content Credentials of files that visitors ask about.)
COPY pyproject.toml requirements.txt docker/dependencies.py /tmp/build/
WORKDIR /tmp/build
RUN python dependencies.py numpy pillow av safetensors c2pa-python cryptography > direct.txt \
    && pip install --requirement direct.txt --constraint requirements.txt \
    && rm -r /tmp/build/*
WORKDIR /app

RUN useradd --no-log-init --uid 10001 --create-home app && install -d -o app -g app /srv/media

COPY manage.py ./
COPY platform ./platform
COPY generation ./generation
COPY review ./review
COPY templates ./templates
COPY docker/entrypoint.sh /usr/local/bin/private-view

# The names of static files carry a digest. Collecting them reads settings, but reaches no server.
ENV PRIVATE_VIEW_HASHED_STATIC=1 \
    PRIVATE_VIEW_STATIC_DIR=/app/static \
    PRIVATE_VIEW_MEDIA_DIR=/srv/media
RUN PRIVATE_VIEW_SECRET_KEY=build DATABASE_URL=postgresql:///build REDIS_URL=redis://build \
    python manage.py collectstatic --no-input

USER 10001
EXPOSE 8000
ENTRYPOINT ["private-view"]
CMD ["web"]
