from tests.factories.desk import *  # noqa: F403 - fixtures are found by their names
