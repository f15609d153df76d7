from talelio_backend.app_user.presentation.routes import UserDependencies, user_routes
from talelio_backend.bootstrap.container import Container


def add_users(container: Container) -> None:
    dependencies = UserDependencies(
        unit_of_work=container.unit_of_work,
        access_tokens=container.access_tokens,
        avatar_url=container.avatar_url,
    )
    container.app.register_blueprint(user_routes(dependencies))
