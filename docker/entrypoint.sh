#!/bin/sh
# One image, several parts: private-view web | worker | beat | render | copies | tracing | migrate | manage ARGUMENT...
set -eu

deployment="${PRIVATE_VIEW_DEPLOYMENT:-private-view}"
part="${1:-web}"
[ "$#" -eq 0 ] || shift

celery() {
    exec python -m celery -A config.celery:app "$@"
}

case "$part" in
    web)
        exec python -m uvicorn config.asgi:application --host 0.0.0.0 --port 8000 --no-server-header \
            --proxy-headers --forwarded-allow-ips "${FORWARDED_ALLOW_IPS:-127.0.0.1}" \
            --workers "${PRIVATE_VIEW_WEB_PROCESSES:-2}" --timeout-graceful-shutdown 20 "$@"
        ;;
    worker)
        celery worker --queues "$deployment.default" --concurrency "${PRIVATE_VIEW_WORKER_PROCESSES:-2}" \
            --loglevel INFO --hostname "worker@%h" "$@"
        ;;
    beat)
        celery beat --schedule /tmp/beat --pidfile "" --loglevel WARNING "$@"
        ;;
    render)
        export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}" # threads that wait for each other do not spin
        # A GPU holds one render at a time: one process, which keeps the model loaded.
        queues=""
        for lane in ${PRIVATE_VIEW_LANES:-turbo full}; do
            queues="${queues:+$queues,}$deployment.render.$lane"
        done
        celery worker --pool solo --queues "$queues" --loglevel INFO --hostname "render@%h" "$@"
        ;;
    copies | tracing)
        celery worker --pool solo --queues "$deployment.$part" --loglevel INFO --hostname "$part@%h" "$@"
        ;;
    migrate)
        exec python manage.py migrate --no-input "$@"
        ;;
    manage)
        exec python manage.py "$@"
        ;;
    *)
        echo "private-view: unknown part '$part'; one of web, worker, beat, render, copies, tracing, migrate, manage" >&2
        exit 2
        ;;
esac
