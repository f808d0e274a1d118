# The render worker. Build from the project's root:
#   docker build -f docker/gpu.Dockerfile -t private-view-gpu .
# On Linux the package index gives torch with CUDA; the host brings the driver and the NVIDIA container toolkit.
# For machines without a GPU: --build-arg TORCH_INDEX=<address of the CPU builds>
FROM python:3.11-slim-bookworm

ARG TORCH_INDEX=""
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app:/app/platform \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PRIVATE_VIEW_MEDIA_DIR=/srv/media \
    PRIVATE_VIEW_WORKER_CACHE=/srv/cache \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility,video

# The list of versions is the one of `make demo`; dependencies.py picks what this image needs from pyproject.toml.
COPY pyproject.toml requirements.txt docker/dependencies.py /tmp/build/
WORKDIR /tmp/build
RUN python dependencies.py render > direct.txt \
    && pip install --requirement direct.txt --constraint requirements.txt \
       ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} \
    && rm -r /tmp/build/*
WORKDIR /app

RUN useradd --no-log-init --uid 10001 --create-home app && install -d -o app -g app /srv/media /srv/cache

COPY manage.py ./
COPY platform ./platform
COPY generation ./generation
COPY review ./review
COPY templates ./templates
COPY docker/entrypoint.sh /usr/local/bin/private-view

USER 10001
ENTRYPOINT ["private-view"]
CMD ["render"]
