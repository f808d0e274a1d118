from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Installation"

    def ready(self) -> None:
        """Whoever sends a task, in any process and any thread, sends it by our application of Celery."""
        from config import celery

        celery.app.set_default()
